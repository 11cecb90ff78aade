"""The ten columns of a batch, said once: what each means, what it may hold, and where its source cut it off.

A row is a census block group of California in 1990 (Pace and Barry, Sparse Spatial Autoregressions, 1997), with
`ocean_proximity` as Géron added it. Ranges are wide: what is anywhere in California is plausible.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column. `low` and `high` are allowed themselves; `cap` is where the source cut values off; `nulls` is the
    share of a batch's rows that may be empty; `scale` is how its values spread."""

    name: str
    title: str
    kind: Literal["number", "category"] = "number"
    unit: str = ""
    meaning: str
    low: float = 0.0
    high: float = 0.0
    cap: float | None = None
    categories: tuple[str, ...] = ()
    nulls: float = 0.0
    scale: Literal["linear", "log"] = "linear"


def _count(name: str, title: str, unit: str, meaning: str, nulls: float = 0.0) -> Column:
    return Column(name=name, title=title, unit=unit, meaning=meaning, low=1.0, high=99_999.0, nulls=nulls, scale="log")


COLUMNS = (
    Column(
        name="longitude",
        title="Longitude",
        unit="° east",
        meaning="where the block's centre lies, west is negative",
        low=-125.0,
        high=-114.0,
    ),
    Column(
        name="latitude",
        title="Latitude",
        unit="° north",
        meaning="where the block's centre lies",
        low=32.0,
        high=42.5,
    ),
    Column(
        name="housing_median_age",
        title="Median age of the houses",
        unit="years",
        meaning="median age of the block's houses; 52 stands for 52 and more",
        low=0.0,
        high=100.0,
        cap=52.0,
    ),
    _count("total_rooms", "Rooms", "rooms", "rooms of all homes of the block"),
    _count("total_bedrooms", "Bedrooms", "bedrooms", "bedrooms of all homes of the block", nulls=0.05),
    _count("population", "Population", "people", "people who live in the block"),
    _count("households", "Households", "households", "homes of the block that are lived in"),
    Column(
        name="median_income",
        title="Median income",
        unit="10,000 USD a year",
        meaning="median income of the block's households; 15.0001 stands for 15 and more",
        low=0.0,
        high=20.0,
        cap=15.0001,
    ),
    Column(
        name="median_house_value",
        title="Median house value",
        unit="USD",
        meaning="median value of the block's owned homes; 500,001 stands for 500,000 and more",
        low=10_000.0,
        high=1_000_000.0,
        cap=500_001.0,
    ),
    Column(
        name="ocean_proximity",
        title="Ocean proximity",
        kind="category",
        meaning="where the block lies, seen from the ocean",
        categories=("<1H OCEAN", "INLAND", "ISLAND", "NEAR BAY", "NEAR OCEAN"),
    ),
)

BY_NAME = {column.name: column for column in COLUMNS}
NAMES = tuple(BY_NAME)
NUMBERS = tuple(column.name for column in COLUMNS if column.kind == "number")
CATEGORY = "ocean_proximity"
PRICE = "median_house_value"
INCOME = "median_income"
ID = "block_id"
HELD_OUT = "held_out"
