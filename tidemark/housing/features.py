"""What a price model sees of a block: figures of its own, its place, and the prices of comparable blocks around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from tidemark.housing.geography import CITIES, Around, Floats, Surroundings, to_cities, to_coast

OCEAN = ("<1H OCEAN", "INLAND", "ISLAND", "NEAR BAY", "NEAR OCEAN")
BANDWIDTHS = (0.01, 0.03, 0.1)  # degrees of latitude: 1, 3 and 11 km
# Where the blocks within some 3 km weigh less than half a block, nothing there is comparable.
NEAR, ENOUGH = 0.03, 0.5


@dataclass(frozen=True)
class Blocks:
    """Blocks of houses in columns, each of shape (n,): a row of the census file without its price.

    `median_income` is in 10,000 dollars of 1990, `total_bedrooms` NaN where it is not known, `ocean_proximity` an index
    into `OCEAN`.
    """

    longitude: Floats
    latitude: Floats
    housing_median_age: Floats
    total_rooms: Floats
    total_bedrooms: Floats
    population: Floats
    households: Floats
    median_income: Floats
    ocean_proximity: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.longitude)

    def take(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> Blocks:
        """Some of them."""
        return Blocks(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def with_bedrooms(self, usual: float) -> Blocks:
        """The same, with the usual number of bedrooms a room where it is not known."""
        rooms = np.where(np.isnan(self.total_bedrooms), self.total_rooms * usual, self.total_bedrooms)
        return replace(self, total_bedrooms=rooms)


def usual_bedrooms(blocks: Blocks) -> float:
    """The median of bedrooms a room: what stands in for a number that is not known."""
    return float(np.nanmedian(blocks.total_bedrooms / blocks.total_rooms))


_OWN = (
    *("housing_median_age", "total_rooms", "total_bedrooms", "population", "households", "median_income"),
    *("rooms_per_household", "bedrooms_per_room", "people_per_household", "bedrooms_per_household", "ocean_proximity"),
)
_PLACE = ("longitude", "latitude", "north_east", "north_west", "to_coast", "to_city", *(f"to_{c}" for c in CITIES))
OWN_NAMES = (*_OWN, *_PLACE)
AROUND_NAMES = tuple(
    f"{what}_within_{round(width * 111)}_km" for width in BANDWIDTHS for what in ("blocks", "price", "income")
)


def own_matrix(blocks: Blocks) -> Floats:
    """A block's own figures and place, shape (n, len(OWN_NAMES)); bedrooms must be known (`with_bedrooms`)."""
    cities = to_cities(blocks.latitude, blocks.longitude)
    columns = [
        blocks.housing_median_age,
        blocks.total_rooms,
        blocks.total_bedrooms,
        blocks.population,
        blocks.households,
        blocks.median_income,
        blocks.total_rooms / blocks.households,
        blocks.total_bedrooms / blocks.total_rooms,
        blocks.population / blocks.households,
        blocks.total_bedrooms / blocks.households,
        blocks.ocean_proximity.astype(np.float64),
        blocks.longitude,
        blocks.latitude,
        (blocks.longitude + blocks.latitude) * np.sqrt(0.5),
        (blocks.latitude - blocks.longitude) * np.sqrt(0.5),
        to_coast(blocks.latitude, blocks.longitude),
        cities.min(axis=1),
        *cities.T,
    ]
    return np.column_stack(columns)


def surroundings(blocks: Blocks, log_price: Floats) -> Surroundings:
    """The comparable blocks: logarithm of the price, and income."""
    return Surroundings.of(blocks.latitude, blocks.longitude, np.stack([log_price, blocks.median_income]))


def around_matrix(known: Surroundings, blocks: Blocks, *, log_price: Floats | None = None) -> Floats:
    """What is around each block, shape (n, len(AROUND_NAMES)): how many blocks, their mean price and income.

    NaN throughout where nothing near is comparable. `log_price`: the blocks are those that `known` was made of; each is
    left out of what is around it, so that its own price never speaks for it.
    """
    if log_price is None:
        found = [known.at(blocks.latitude, blocks.longitude, width) for width in BANDWIDTHS]
    else:
        own = np.stack([log_price, blocks.median_income])
        found = [known.of_own(blocks.latitude, blocks.longitude, own, width) for width in BANDWIDTHS]
    matrix = np.column_stack([column for around in found for column in (np.log(around.weight + 0.01), *around.mean)])
    matrix[_lonely(found)] = np.nan
    return matrix


def _lonely(found: Sequence[Around]) -> npt.NDArray[np.bool_]:
    return found[BANDWIDTHS.index(NEAR)].weight < ENOUGH
