"""Blocks that tests draw."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from simulator import housing
from tidemark.housing.dataset import Dataset, blocks_of, from_frame, split
from tidemark.housing.features import Blocks


def frame(rows: int, seed: int = 1) -> pd.DataFrame:
    """Drawn blocks as the clean table holds them."""
    drawn = housing.drawn(seed, rows)
    text = "\n".join(",".join(row) for row in [housing.HEADER, *drawn])
    found = pd.read_csv(io.StringIO(text))
    return found.assign(block_id=np.arange(rows) * 7 + 3, held_out=split(rows))


def dataset(rows: int, seed: int = 1) -> Dataset:
    """The same, ready to learn from."""
    return from_frame(frame(rows, seed))


def strangers(rows: int, seed: int) -> Blocks:
    """Blocks to ask about."""
    return blocks_of(frame(rows, seed))
