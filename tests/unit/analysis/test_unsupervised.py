"""Groups: found where they were planted, beyond what shuffled columns show, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.analysis.conftest import MakeFrame
from tidemark.analysis.unsupervised import unsupervised
from tidemark.errors import BadRequest


def test_independent_columns_have_nothing(make: MakeFrame, random: np.random.Generator) -> None:
    a, b = random.uniform(1, 9, (2, 600))
    found, places = unsupervised(make(a=a, b=b, total=a * b, c=random.exponential(1, 600)))
    assert found.nothing
    assert found.left_out == {"total": "total = a × b"}
    assert [one.logged for one in found.scaled] == [False, False, True]
    assert np.isnan(places.group).all()


def test_planted_groups_and_odd_rows_are_found(make: MakeFrame, random: np.random.Generator) -> None:
    middle = np.array([[0, 0, 0], [8, 8, 0], [0, 8, 8]])
    true = np.repeat([0, 1, 2], [400, 250, 150])
    rows = middle[true] + random.normal(size=(800, 3))
    found, places = unsupervised(make(a=rows[:, 0], b=rows[:, 1], c=rows[:, 2]))
    assert found.best == 3
    assert found.density.groups == 3
    assert found.density.real
    assert [places.group[true == one].mean() for one in range(3)] == pytest.approx([1, 2, 3], abs=0.05)
    assert [one.share for one in found.profiles] == pytest.approx([0.5, 0.3125, 0.1875], abs=0.01)
    assert found.components[0].real


def test_too_little_to_compare_is_said(make: MakeFrame) -> None:
    with pytest.raises(BadRequest, match="there are 1 and 300"):
        unsupervised(make(a=[float(n % 17) for n in range(300)]))
