"""What is around a block, against the definition written out."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.housing.blocks import dataset
from tidemark.housing.features import BANDWIDTHS
from tidemark.housing.geography import SHRINK, Surroundings, to_cities, to_coast

BLOCKS = dataset(300).blocks
FIGURES = np.stack([np.arange(300.0), np.cos(np.arange(300.0))])


def by_definition(latitude: float, longitude: float, bandwidth: float, without: int | None) -> tuple[float, np.ndarray]:
    cell = Surroundings.CELL
    rows, columns = np.rint(BLOCKS.latitude / cell), np.rint(BLOCKS.longitude / cell)
    down, over = (rows - round(latitude / cell)) * cell, (columns - round(longitude / cell)) * cell * SHRINK
    weight = np.exp(-0.5 * (down**2 + over**2) / bandwidth**2)
    along = np.ceil(Surroundings.REACH * bandwidth / cell)
    across = np.ceil(Surroundings.REACH * bandwidth / cell / SHRINK)
    weight[(np.abs(rows - round(latitude / cell)) > along) | (np.abs(columns - round(longitude / cell)) > across)] = 0
    if without is not None:
        weight[without] = 0
    total = weight.sum()
    return total, (FIGURES * weight).sum(axis=1) / total if total > Surroundings.NOTHING else np.full(2, np.nan)


@pytest.mark.parametrize("bandwidth", BANDWIDTHS)
def test_means_around_are_those_of_the_definition(bandwidth: float) -> None:
    known = Surroundings.of(BLOCKS.latitude, BLOCKS.longitude, FIGURES)
    found = known.at(BLOCKS.latitude[:40], BLOCKS.longitude[:40], bandwidth)
    own = known.of_own(BLOCKS.latitude, BLOCKS.longitude, FIGURES, bandwidth)
    for place in range(40):
        where = (BLOCKS.latitude[place], BLOCKS.longitude[place], bandwidth)
        weight, mean = by_definition(*where, without=None)
        np.testing.assert_allclose([found.weight[place], *found.mean[:, place]], [weight, *mean], rtol=1e-9)
        weight, mean = by_definition(*where, without=place)
        np.testing.assert_allclose(own.weight[place], weight, atol=1e-9)
        np.testing.assert_allclose(own.mean[:, place], mean, rtol=1e-4)


def test_far_from_everything_there_is_nothing() -> None:
    known = Surroundings.of(BLOCKS.latitude, BLOCKS.longitude, FIGURES)
    found = known.at(np.array([0.0, 89.0]), np.array([0.0, 179.0]), 0.1)
    assert found.weight.tolist() == [0.0, 0.0]
    assert np.isnan(found.mean).all()


def test_distances_to_coast_and_cities() -> None:
    sacramento = to_coast(np.array([38.58]), np.array([-121.49]))[0] * 111
    assert 90 < sacramento < 150  # km; Point Reyes is some 130 away
    assert to_coast(np.array([37.78]), np.array([-122.51]))[0] < 0.01
    assert to_cities(np.array([34.05]), np.array([-118.24]))[0].min() == 0
