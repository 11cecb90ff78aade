"""Figures of the promises: tests tell them as they run, and `docs/promises.py` makes a page of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

VARIABLE = "TIDEMARK_TRUST"
"""The folder that figures are written to; where it is not set nothing is."""
ROOT = Path(__file__).resolve().parent.parent


class Seen(NamedTuple):
    """What a run has seen of a promise, when, and of which commit."""

    figures: dict[str, int]
    date: str
    commit: str


def tell(promise: str, **figures: int) -> None:
    """What was seen of a promise in this run, in place of what was told of it before."""
    if folder := os.environ.get(VARIABLE):
        Path(folder).mkdir(parents=True, exist_ok=True)
        seen = Seen(figures, f"{datetime.now(UTC):%Y-%m-%d}", _commit())
        (Path(folder) / f"{promise}.json").write_text(json.dumps(seen._asdict()))


def told() -> dict[str, Seen]:
    """By promise, what was seen last."""
    found = Path(os.environ[VARIABLE])
    return {path.stem: Seen(**json.loads(path.read_text())) for path in found.glob("*.json")}


def _commit() -> str:
    git = shutil.which("git") or "git"
    asked = [git, "describe", "--always", "--dirty=, changed"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
