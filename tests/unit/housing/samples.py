"""Batches for tests: drawn ones that are always here, and the real file where it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tidemark.data import find
from tidemark.housing import batches
from tidemark.housing.columns import CATEGORY, COLUMNS, HELD_OUT, NAMES


def drawn(rows: int, seed: int = 1) -> pd.DataFrame:
    """A plausible batch: ties, skew, caps, a few empty cells; no two rows alike."""
    random = np.random.default_rng(seed)
    income = np.minimum(random.lognormal(1.2, 0.5, rows), 15.0001).round(4)
    rooms = np.clip(random.lognormal(7.6, 0.7, rows).round(), 6, 39_000)
    bedrooms = np.maximum((rooms / 5 * random.uniform(0.8, 1.2, rows)).round(), 1)
    bedrooms[random.random(rows) < 0.02] = np.nan
    categories = next(column for column in COLUMNS if column.name == CATEGORY).categories
    frame = pd.DataFrame(
        {
            "longitude": random.uniform(-124, -115, rows).round(2),
            "latitude": random.uniform(33, 42, rows).round(2),
            "housing_median_age": np.minimum(random.integers(1, 60, rows), 52).astype(float),
            "total_rooms": rooms,
            "total_bedrooms": bedrooms,
            "population": np.clip(random.lognormal(7, 0.7, rows).round(), 3, 30_000),
            "households": np.clip((rooms / 5.4).round(), 1, None),
            "median_income": income,
            "median_house_value": np.minimum(
                (income * 45_000 + random.normal(30_000, 40_000, rows)).clip(15_000), 500_001
            )
            .round()
            .astype(float),
            CATEGORY: random.choice(categories, rows, p=[0.44, 0.32, 0.002, 0.111, 0.127]),
        }
    )
    return frame.drop_duplicates(ignore_index=True)[list(NAMES)]


def csv(frame: pd.DataFrame) -> bytes:
    """As a batch comes."""
    return str(frame.to_csv(index=False)).encode()


def clean(content: bytes, seed: int = 42) -> pd.DataFrame:
    """The good rows of a batch, 30 % of them held out."""
    rows = batches.check(content).rows
    return rows.assign(**{HELD_OUT: np.random.default_rng(seed).random(len(rows)) < 0.3})


def real_file() -> Path:
    """The real file; tests that need it say so where it is not here."""
    found = find("california_housing.csv")
    if found is None:
        pytest.skip("california_housing.csv is not here: `tidemark data fetch` brings it")
    return found
