"""Training in a process of its own, by the Python that has TensorFlow: nothing else of the flows needs it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from tidemark.data import ROOT
from tidemark.errors import TidemarkError
from tidemark.ledger import Entry
from tidemark.models.keys import CARD, DEMAND_FILE, KERAS, RESULT, SALES_FILE
from tidemark.models.registry import Made

PYTHON = ROOT / ".venv-train" / "bin" / "python"
MISSING = "there is no TensorFlow here to train with: `tidemark train` brings it"
TRIALS = 3
"""Settings that are tried for each part of a network: those that stand, and two more."""
LINES = 20
"""Of what a training says, that are logged."""

Losses = dict[str, npt.NDArray[np.float64]]
"""float64[rows] by what and whose: `anomaly/ours`, `demand/champion` and the like."""


class Training(NamedTuple):
    """A module that trains: by which option it is given its rows, and the file that it makes."""

    module: str
    option: str
    file: str


SALES = Training("training.served", "--sales", SALES_FILE)
DEMAND = Training("training.served_demand", "--hourly", DEMAND_FILE)


class Result(msgspec.Struct, frozen=True):
    """What the gate and the report need of a training's result. `parity`: how far TFLite is from Keras."""

    parity: float
    tags: dict[str, str]


class Outcome(NamedTuple):
    """What a training made, and each held-out row's losses."""

    made: Made
    losses: Losses
    result: Result


def python(configured: str) -> Path | None:
    """The Python that has TensorFlow; None where there is none."""
    found = Path(configured) if configured else PYTHON
    return found if found.exists() else None


async def train(
    what: Training, python: Path, rows: bytes, champion: bytes | None, folder: Path, log: Callable[[str], object]
) -> Outcome:
    """Learn from rows, in `folder`. Raises TidemarkError, with the training's last words."""
    said = await _run([str(python), "-m", what.module, *_given(what, rows, champion, folder)], folder)
    for line in said[-LINES:]:
        log(line)
    return _read(what, folder / "out")


def _given(what: Training, rows: bytes, champion: bytes | None, folder: Path) -> list[str]:
    folder.mkdir()
    (folder / "rows").write_bytes(rows)
    words = [what.option, "rows", "--out", "out", "--trials", str(TRIALS)]
    if champion is not None:
        (folder / "champion").write_bytes(champion)
        words += ["--champion", "champion"]
    return words


def _read(what: Training, out: Path) -> Outcome:
    made = Made(
        content=(out / what.file).read_bytes(),
        keras=(out / KERAS).read_bytes(),
        result=(out / RESULT).read_bytes(),
        card=(out / CARD).read_text(),
    )
    with np.load(out / "losses.npz") as kept:
        losses = {name: kept[name] for name in kept.files}
    return Outcome(made, losses, msgspec.json.decode(made.result, type=Result))


async def _run(command: Sequence[str], folder: Path) -> list[str]:
    """What a command says. It ends with this run: killed where the run is cancelled."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        said = [line.decode(errors="replace").rstrip() async for line in process.stdout]
        status = await process.wait()
    except BaseException:
        process.kill()
        raise
    if status:
        raise TidemarkError(f"training failed: {said[-1] if said else 'it said nothing'}")
    return said


def figures(losses: Losses) -> dict[str, float]:
    """The mean losses, by names that MLflow takes."""
    return {name.replace("/", "_"): float(values.mean()) for name, values in losses.items()}


def line(entry: Entry) -> bytes:
    """A sale as a till would send it, without what says who bought it."""
    sent = {
        "invoice_id": entry.invoice_id,
        "sold_at": entry.sold_at,
        "branch": entry.branch,
        "customer_type": entry.customer_type,
        "product_line": entry.product_line,
        "unit_price": entry.unit_price,
        "quantity": entry.quantity,
        "payment": entry.payment,
        "tax": entry.tax,
        "total": entry.total,
    }
    rated = {} if entry.rating is None else {"rating": float(entry.rating)}
    return msgspec.json.encode({**sent, **rated})
