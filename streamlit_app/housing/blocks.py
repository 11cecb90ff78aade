"""A block of houses as the form asks for it: places to begin with, the usual figures, and units people use."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from tidemark.housing.columns import BY_NAME
from tidemark.housing.requests import Block, Ocean

INCOME_UNIT = 10_000
OCEANS: dict[Ocean, str] = {
    "<1H OCEAN": "less than an hour from the ocean",
    "INLAND": "inland",
    "ISLAND": "on an island",
    "NEAR BAY": "near the Bay",
    "NEAR OCEAN": "near the ocean",
}
assert set(OCEANS) == set(get_args(Ocean))


class Place(msgspec.Struct, frozen=True):
    """Where a block may lie; degrees."""

    longitude: float
    latitude: float
    ocean: Ocean


PLACES = {
    "Sacramento": Place(-121.49, 38.58, "INLAND"),
    "San Francisco": Place(-122.42, 37.77, "NEAR BAY"),
    "San Jose": Place(-121.89, 37.34, "<1H OCEAN"),
    "Fresno": Place(-119.77, 36.75, "INLAND"),
    "Los Angeles": Place(-118.24, 34.05, "<1H OCEAN"),
    "Long Beach": Place(-118.19, 33.77, "NEAR OCEAN"),
    "Riverside": Place(-117.40, 33.95, "INLAND"),
    "San Diego": Place(-117.16, 32.72, "NEAR OCEAN"),
    "Death Valley": Place(-116.87, 36.46, "INLAND"),
}
FIRST = "Sacramento"


class Field(msgspec.Struct, frozen=True):
    """A number of the form: its label says the unit; `usual` is the census file's median."""

    name: str
    label: str
    usual: float
    step: float
    low: float
    high: float
    digits: int = 0


def _field(name: str, label: str, usual: float, step: float, *, unit: int = 1, digits: int = 0) -> Field:
    column = BY_NAME[name]
    return Field(name, label, usual, step, column.low * unit, column.high * unit, digits)


FIELDS = (
    _field("longitude", "Longitude, ° east", PLACES[FIRST].longitude, 0.01, digits=2),
    _field("latitude", "Latitude, ° north", PLACES[FIRST].latitude, 0.01, digits=2),
    _field("median_income", "Income, $ a year", 35_300, 1_000, unit=INCOME_UNIT),
    _field("housing_median_age", "Age of the houses, years", 29, 1),
    _field("households", "Households in the block", 409, 10),
    _field("population", "People in the block", 1_166, 10),
    _field("total_rooms", "Rooms of all homes", 2_127, 10),
    _field("total_bedrooms", "Bedrooms of all homes", 435, 10),
)


def block(values: dict[str, float], ocean: Ocean) -> Block:
    """The block that the form describes."""
    numbers: dict[str, Any] = {**values, "median_income": values["median_income"] / INCOME_UNIT}
    return Block(**numbers, ocean_proximity=ocean)


def usual() -> dict[str, float]:
    """The figures that the form begins with."""
    return {field.name: field.usual for field in FIELDS}
