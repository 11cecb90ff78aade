"""Drawn sales against the real file: nothing tells them apart beyond chance, and a difference would be seen."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator import sources
from simulator.fidelity import chance, columns, table, told_apart
from tidemark.store import Store

STORE = Store()
CHANCES = 20


def draw(seed: int, rows: int = 1_000) -> pd.DataFrame:
    return table(list(islice(sources.kaggle(seed, STORE), rows)), STORE)


@pytest.fixture(scope="module")
def drawn() -> pd.DataFrame:
    return draw(1)


@pytest.fixture(scope="module")
def by_chance() -> list[float]:
    return chance([draw(seed) for seed in range(2, 2 + 2 * CHANCES)])


@pytest.fixture(scope="module")
def real(supermarket_file: Path) -> pd.DataFrame:
    return table(sources.read_csv(supermarket_file, STORE.zone), STORE)


def test_each_column_is_drawn_as_it_is(real: pd.DataFrame, drawn: pd.DataFrame) -> None:
    found = columns(real, drawn)
    assert min(column.p for column in found) > 0.01 / len(found)  # Bonferroni


def test_no_classifier_tells_real_from_drawn_beyond_chance(
    real: pd.DataFrame, drawn: pd.DataFrame, by_chance: list[float]
) -> None:
    found = told_apart(real, drawn, by_chance)
    assert len(by_chance) == CHANCES
    assert found.p > 0.05, found


@pytest.mark.parametrize("fault", ["dear", "members buy more"])
def test_what_is_drawn_otherwise_is_told_apart(drawn: pd.DataFrame, by_chance: list[float], fault: str) -> None:
    other = draw(99)
    if fault == "dear":
        other["unit_price"] **= 1.1
    else:  # each column by itself is as it was
        member = (other["customer_type"] == "Member").to_numpy()
        random = np.random.default_rng(0)
        order = np.argsort(np.where(member, 4.0, 0.0) + random.normal(0, 2, len(other)))
        other["quantity"] = np.sort(other["quantity"].to_numpy())[np.argsort(order)]
        assert min(column.p for column in columns(other, drawn)) > 0.001
    found = told_apart(other, drawn, by_chance)
    assert found.auc > by_chance[-1]
