"""The blocks with their prices, and how they are split: 70/30 at random, and by regions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tidemark.errors import TidemarkError
from tidemark.housing.features import OCEAN, Blocks
from tidemark.housing.geography import SHRINK, Floats

FOLDS_FILE = Path(__file__).with_name("spatial_folds.csv")
SEED = 42
HELD_OUT = 0.3
SPATIAL_FOLDS = 5
FEWEST = 200  # rows, below which nothing is trained


@dataclass(frozen=True)
class Dataset:
    """n blocks in the order of their ids. `price` is in dollars of 1990; rows `held_out` only judge."""

    block_id: npt.NDArray[np.int64]
    blocks: Blocks
    price: Floats
    held_out: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.price)

    def take(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Dataset:
        """Some of the rows."""
        return Dataset(self.block_id[which], self.blocks.take(which), self.price[which], self.held_out[which])

    @property
    def training(self) -> Dataset:
        """The rows that models may learn from."""
        return self.take(~self.held_out)

    @property
    def test(self) -> Dataset:
        """The rows that only judge."""
        return self.take(self.held_out)

    @property
    def fingerprint(self) -> str:
        """The same for the same rows with the same split, whatever batches they came in."""
        hasher = hashlib.sha256(self.block_id.tobytes())
        hasher.update(self.held_out.tobytes())
        return hasher.hexdigest()[:16]


def from_frame(frame: Any) -> Dataset:
    """The dataset in a pandas frame of the clean table. Raises TidemarkError where too few rows can be split."""
    frame = frame.sort_values("block_id", kind="stable")
    held_out = frame["held_out"].to_numpy(bool)
    if min(held_out.sum(), (~held_out).sum()) < FEWEST * HELD_OUT:
        raise TidemarkError(f"{len(frame):,} blocks are too few to train on; {FEWEST:,} are needed")
    return Dataset(
        block_id=frame["block_id"].to_numpy(np.int64),
        blocks=blocks_of(frame),
        price=frame["median_house_value"].to_numpy(np.float64),
        held_out=held_out,
    )


def blocks_of(frame: Any) -> Blocks:
    """The blocks of a pandas frame with the census file's columns."""
    numbers = [name for name in Blocks.__dataclass_fields__ if name != "ocean_proximity"]
    codes = frame["ocean_proximity"].map({name: code for code, name in enumerate(OCEAN)})
    return Blocks(
        **{name: frame[name].to_numpy(np.float64) for name in numbers}, ocean_proximity=codes.to_numpy(np.int64)
    )


def split(rows: int) -> npt.NDArray[np.bool_]:
    """Which rows of a batch are held out: 30 %, seed 42, as scikit-learn splits. Fixed for ever when a batch comes."""
    from sklearn.model_selection import train_test_split

    held_out = np.zeros(rows, bool)
    if rows > 1:
        held_out[train_test_split(np.arange(rows), test_size=HELD_OUT, random_state=SEED)[1]] = True
    return held_out


@cache
def _regions() -> tuple[Floats, npt.NDArray[np.int64]]:
    table = np.loadtxt(FOLDS_FILE, delimiter=",", skiprows=1)
    return table[:, :2], table[:, 2].astype(np.int64)


def regions(blocks: Blocks) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Each block's region (the nearest centre in `spatial_folds.csv`) and that region's fold, each of shape (n,)."""
    centres, folds = _regions()
    apart = np.hypot(blocks.latitude[:, None] - centres[:, 0], (blocks.longitude[:, None] - centres[:, 1]) * SHRINK)
    region = np.argmin(apart, axis=1)
    return region, folds[region]


def region_centres() -> Floats:
    """Latitude and longitude of each region's centre, shape (regions, 2)."""
    return _regions()[0]
