"""A training in a process of its own, and the moment that a forecast is for."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
import pytest

from flows import demand, trainer
from simulator import sources
from tests.samples import body, sale
from tidemark.errors import TidemarkError
from tidemark.ingest import Examined, candidates_of, examine
from tidemark.ledger import Entry
from tidemark.sale import Sale
from tidemark.scoring import RulesOnly
from tidemark.store import Store


def entries(count: int) -> list[Entry]:
    examined = examine(body(*islice(sources.kaggle(2, Store()), count)), Store(), RulesOnly())
    assert isinstance(examined, Examined)
    return [candidate.entry for candidate in candidates_of(examined, 0)]


def test_what_cannot_be_trained_is_told_in_the_trainings_own_words(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(TidemarkError, match="training failed: ModuleNotFoundError: No module named 'keras'"):
        asyncio.run(trainer.train(trainer.SALES, Path(sys.executable), b"", None, tmp_path / "new", said.append))


def test_where_tensorflow_is_not_there_is_no_python_for_it(tmp_path: Path) -> None:
    assert trainer.python(str(tmp_path / "python")) is None
    assert trainer.python(sys.executable) == Path(sys.executable)


def test_a_line_is_a_sale_that_would_be_taken_and_says_nothing_of_who_bought() -> None:
    rows = [sale("a", customer_id="who", rating=None), sale("b")]
    examined = examine(body(*rows), Store(), RulesOnly())
    assert isinstance(examined, Examined)
    for candidate in candidates_of(examined, 0):
        line = trainer.line(candidate.entry)
        assert msgspec.json.decode(line, type=Sale).invoice_id == candidate.entry.invoice_id
        assert not {"customer_id", "gender", "city"} & set(msgspec.json.decode(line))


def test_a_tills_wrong_clock_does_not_move_the_moment() -> None:
    found = entries(200)
    last = found[-1].minute
    assert last - 3 * 1_440 < demand.moment(found) <= last
    tomorrow = int(datetime(2061, 1, 1, tzinfo=UTC).timestamp()) // 60
    wrong = [msgspec.structs.replace(one, minute=tomorrow, received_at=1) for one in found[:9]]
    assert demand.moment([*found, *wrong]) <= last
    assert demand.moment(found[:1]) == found[0].minute


def test_losses_are_told_by_names_that_mlflow_takes() -> None:
    figures = trainer.figures({"anomaly/ours": np.array([1.0, 3.0]), "demand/champion": np.array([3.0])})
    assert figures == {"anomaly_ours": 2.0, "demand_champion": 3.0}
