"""The rows that were learnt from with what was found about each, as a table to look into."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tidemark.analysis.frame import Floats, Frame
from tidemark.analysis.supervised import Predictions, Supervised
from tidemark.analysis.unsupervised import Places

KEPT = 24
_NAME, _PART = "analysis", ".part"


def of_predictions(found: Supervised, predictions: Predictions) -> dict[str, Any]:
    """What was predicted of each row, and how far from the truth that was."""
    said: Any = predictions.predicted
    if found.classes:
        said = [None if np.isnan(code) else found.classes[int(code)] for code in predictions.predicted]
    return {f"{found.target} predicted": said, "residual": predictions.residual}


def of_places(places: Places) -> dict[str, Any]:
    """Where each row lies among the others."""
    found: dict[str, Any] = {"component 1": places.first, "component 2": places.second, "apart": places.score}
    if not np.isnan(places.group).all():
        found["group"] = [None if np.isnan(number) else f"group {int(number)}" for number in places.group]
    return found


def write(frame: Frame, more: dict[str, Any], folder: Path, key: str) -> Path:
    """A Parquet file of what was found and of the frame's own columns, whole or not at all; one for each `key`.

    What was found takes another name where the table has a column of its name. Of older files, and what was binned of
    them, the newest `KEPT` stay.
    """
    taken = set(frame.times) | {feature.column for feature in frame.features.values()}
    columns: dict[str, pa.Array] = {
        f"{name} (found)" if name in taken else name: _column(values) for name, values in more.items()
    }
    for name, moments in frame.times.items():
        columns[name] = pa.array(moments, pa.float64(), from_pandas=True).cast(pa.int64()).cast(pa.timestamp("ms"))
    for feature in frame.features.values():
        if frame.own(feature):
            held = frame.values[feature.name] if feature.kind == "number" else frame.labels(feature.name)
            columns[feature.name] = _column(held)
    path = folder / f"{_NAME}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.parquet"
    part = path.with_name(path.name + _PART)
    parquet.write_table(pa.table(columns), part)
    part.replace(path)
    _remove_old(folder)
    return path


def _remove_old(folder: Path) -> None:
    files = sorted(folder.glob(f"{_NAME}-*.parquet"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for old in files[KEPT:]:
        old.unlink(missing_ok=True)
        for binned in folder.glob(f"{old.stem}-*"):
            shutil.rmtree(binned, ignore_errors=True)


def _column(values: Floats | list[str | None]) -> pa.Array:
    if isinstance(values, list):
        return pa.array(values, pa.string())
    return pa.array(values, pa.float64(), from_pandas=True)
