"""What a report is of: one table, and all that one run has found in it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from platform import machine, python_version
from time import monotonic, process_time
from typing import NamedTuple

from tidemark.analysis.describe import Description, describe
from tidemark.analysis.frame import Frame, Progress
from tidemark.analysis.leakage import Identity, identities
from tidemark.analysis.splits import SplitKind
from tidemark.analysis.supervised import Predictions, Supervised, supervised
from tidemark.analysis.unsupervised import FEWEST_ROWS, Places, Unsupervised, columns, unsupervised
from tidemark.tables.sources import Source

LIBRARIES = ("duckdb", "pyarrow", "numpy", "scipy", "scikit-learn")


class Study(NamedTuple):
    """`shape`: None where there are too few numbers to compare rows by. Seconds on the clock, and of a core."""

    source: Source
    frame: Frame
    description: Description
    identities: tuple[Identity, ...]
    shape: tuple[Unsupervised, Places] | None
    prediction: tuple[Supervised, Predictions]
    seconds: float
    core_seconds: float
    versions: dict[str, str]


def study(source: Source, frame: Frame, target: str, kind: SplitKind, progress: Progress = lambda *_: None) -> Study:
    """Do all of it. Raises BadRequest as its parts do; Stopped as told."""
    began, spent = monotonic(), process_time()
    progress(0.0, "Describing the columns")
    description = describe(frame)
    enough = len(columns(frame)[0]) >= 2 and frame.rows >= FEWEST_ROWS
    shape = unsupervised(frame, _part(progress, 0.05, 0.5)) if enough else None
    prediction = supervised(frame, target, kind, _part(progress, 0.5, 1.0))
    return Study(
        source,
        frame,
        description,
        identities(frame),
        shape,
        prediction,
        monotonic() - began,
        process_time() - spent,
        versions(),
    )


def versions() -> dict[str, str]:
    """What the figures were made with."""
    return {"Python": f"{python_version()} on {machine()}", **{name: version(name) for name in LIBRARIES}}


def _part(progress: Progress, begin: float, end: float) -> Progress:
    return lambda share, words: progress(begin + (end - begin) * share, words)


def name_of(source: Source) -> str:
    """What a reader calls the table: never a path of this machine."""
    return source.title if source.name != "own" else Path(source.title).name
