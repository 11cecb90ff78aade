"""What a binned table will take on disk, told before any of it is written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tidemark.cubes.build import LOOKED_AT_ROWS, SAMPLE, binned_kinds
from tidemark.errors import BadRequest

Free = Callable[[Path], int]
"""Told a folder; gives the bytes that are free where it is."""

_MOST_MEMORY = 2 << 30


def free(folder: Path) -> int:
    """Bytes that may still be written below a folder that is there."""
    return shutil.disk_usage(folder).free


def needed(rows: int, kinds: list[str]) -> int:
    """Bytes of a binned table of so many rows; `kinds`: its columns', `category` or another. An upper bound."""
    codes = sum(1 if kind == "category" else 2 for kind in kinds)
    return (rows + min(rows, SAMPLE)) * codes + min(rows, LOOKED_AT_ROWS) * 16 * len(kinds)


def must_fit(title: str, rows: int, types: dict[str, str], folder: Path, free: Free) -> None:
    """Raises BadRequest where a table of these columns has no room below `folder`."""
    kinds = binned_kinds(types)
    wanted, there = needed(rows, kinds), free(folder)
    if wanted > there:
        raise BadRequest(
            f"{title}: its {rows:,} rows, or about so many, take {in_words(wanted)} as they are kept to be looked at;"
            f" {in_words(there)} are free in {folder}"
        )


def must_fit_copy(title: str, wanted: int, folder: Path, free: Free) -> None:
    """Raises BadRequest where files of so many bytes have no room below `folder`."""
    if wanted > free(folder):
        raise BadRequest(
            f"{title}: {in_words(wanted)} have to be copied to be read; {in_words(free(folder))} are free in {folder}"
        )


def memory_limit() -> str:
    """What DuckDB may take before it spills to disk: at most half of this machine's memory."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{min(_MOST_MEMORY, whole // 2) >> 20}MiB"


def in_words(count: int) -> str:
    """Bytes as people say them."""
    for size, unit in ((10**9, "GB"), (10**6, "MB")):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1000:,.0f} kB"
