"""What DuckDB may reach while it reads files of the user's own: those files, and its own scratch; no network, nothing
that it would have to download, whatever a file's name or content says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from tidemark.tables import room

_PATTERN = re.compile(r"[*?\[\]{}]")
_NO_MORE = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}


def connect(scratch: Path, files: Sequence[Path] | None = None) -> duckdb.DuckDBPyConnection:
    """A database in memory that spills below `scratch`. `files`: all that it may read beside it; None: any file."""
    config: dict[str, Any] = {"memory_limit": room.memory_limit(), "temp_directory": str(scratch / "spilled")}
    connection = duckdb.connect(config=config | _NO_MORE)
    if files is not None:
        connection.execute("SET allowed_directories = ?", [[str(scratch)]])
        connection.execute("SET allowed_paths = ?", [[str(file) for file in files]])
        connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def plainly_named(files: Sequence[Path], into: Path) -> list[Path]:
    """The same files, by a link below `into` where DuckDB would take a name for a pattern and read others."""
    found = []
    for place, file in enumerate(files):
        if _PATTERN.search(str(file)):
            link = into / f"named-{place}" / _PATTERN.sub("_", file.name)
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(file.resolve())
            found.append(link)
        else:
            found.append(file)
    return found
