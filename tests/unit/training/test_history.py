"""What is known before a basket: of this basket and of later ones, nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from training.history import GUEST, History, history


def baskets(rows: int = 400, seed: int = 1) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "at": pd.Timestamp("2011-01-03 09:00")
            + pd.to_timedelta(np.sort(draw.integers(0, 300 * 24 * 60, rows)), "min"),
            "customer": draw.integers(0, 30, rows),
            "value": np.exp(draw.normal(4, 1, rows)),
            "lines": draw.integers(1, 30, rows),
            "items": draw.integers(1, 300, rows),
            "branch": draw.choice(["A", "B"], rows),
        }
    )


def column(found: History, name: str) -> np.ndarray:
    names = [feature.name for feature in found.features]
    values: np.ndarray = found.matrix[:, names.index(name)]
    return values


@pytest.mark.parametrize("at", [0, 1, 57, 200, 398])
def test_nothing_of_a_basket_or_of_later_ones_is_seen(at: int) -> None:
    frame = baskets()
    other = frame.copy()
    other.loc[at:, ["value", "lines", "items"]] = other.loc[at:, ["value", "lines", "items"]] * 7
    one, two = history(frame, ("branch",)), history(other, ("branch",))
    assert np.allclose(one.matrix[: at + 1], two.matrix[: at + 1], atol=1e-3) or at == 0  # before any, all is unknown
    assert np.allclose(one.own_mean[1 : at + 1], two.own_mean[1 : at + 1], atol=1e-12)
    assert not np.array_equal(one.matrix[at + 1 :], two.matrix[at + 1 :])


def test_a_customer_s_own_numbers_by_hand() -> None:
    frame = baskets()
    found = history(frame, ("branch",))
    own = np.flatnonzero(frame["customer"] == 7)
    logs = np.log(frame["value"].to_numpy())
    for place, row in enumerate(own[:8]):
        before = logs[own[:place]]
        assert column(found, "own_count")[row] == pytest.approx(np.log1p(place))
        if place:
            assert found.own_mean[row] == pytest.approx(before.mean())
            assert column(found, "own_last")[row] == pytest.approx(before[-1], rel=1e-6)
            assert column(found, "own_least")[row] == pytest.approx(before.min(), rel=1e-6)
            assert column(found, "own_most")[row] == pytest.approx(before.max(), rel=1e-6)
            assert column(found, "own_spread")[row] == pytest.approx(before.std(), abs=1e-3)
            days = (frame["at"][row] - frame["at"][own[place - 1]]).total_seconds() / 86_400
            assert column(found, "days_since")[row] == pytest.approx(np.log1p(days), rel=1e-5)
        else:
            assert column(found, "new")[row] == 1


def test_guests_have_no_history() -> None:
    frame = baskets().assign(customer=GUEST)
    found = history(frame, ())
    assert not [feature.name for feature in found.features if feature.name.startswith("own")]
    assert np.isfinite(found.matrix).all()
    mixed = history(baskets(), ())
    guests = baskets()["customer"].to_numpy() == GUEST
    assert (column(mixed, "own_count")[guests] == 0).all()
    assert (column(mixed, "guest") == guests).all()
