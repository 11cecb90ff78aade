"""What is known before a basket is: of its customer, of the shop, of the moment. For any shop's baskets.

Nothing looks at the basket itself or at later ones; a basket of the same minute counts as earlier where it stands
earlier in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidemark.models.demand import Feature as Feature

GUEST = 0
"""The customer of a basket of which none is known."""
SHRINK = 3.0
"""How many baskets of anybody a customer's own mean is mixed with; ten of a code's."""
SHRINK_CODE = 10.0
GUESTS = 20
RECENT = 200  # baskets that say how the shop fares just now
FEW_CODES = 12  # a column with no more has a feature for each of its codes
LONG_AGO_DAYS = 400.0

Float32s = npt.NDArray[np.float32]


class History(NamedTuple):
    """Of `n` baskets: `features` in columns, float32[n, k]; `log_value` float64[n]; `own_mean` float64[n]: the mean log
    value of the customer's earlier baskets, of all earlier ones where there is none."""

    features: tuple[Feature, ...]
    matrix: Float32s
    log_value: npt.NDArray[np.float64]
    own_mean: npt.NDArray[np.float64]


def history(baskets: pd.DataFrame, codes: Sequence[str]) -> History:
    """The features of baskets in the order of time: `at, customer, value, lines, items` and the columns `codes`."""
    log_value = np.log(baskets["value"])
    columns: list[tuple[Feature, Any]] = []

    def add(name: str, group: str, meaning: str, values: Any) -> None:
        columns.append((Feature(name, group, meaning), values))

    shop = log_value.expanding().mean().shift(1).bfill()
    guest = baskets["customer"] == GUEST
    who = baskets["customer"].where(~guest, -np.arange(len(baskets)) - 1)  # no guest has a history
    own = log_value.groupby(who)
    count = own.cumcount()
    earlier = own.cumsum() - log_value
    own_mean = (earlier / count.clip(lower=1)).where(count > 0, shop)
    if not guest.all():
        _of_customer(add, baskets, who, log_value, shop, own_mean)
        add("guest", "customer known", "nobody is known", guest)
        add("new", "customer known", "the customer's first basket", (count == 0) & ~guest)
        if guest.any():
            _of_guests(add, baskets["at"], log_value, guest, shop)
    recent = log_value.rolling(RECENT, min_periods=1).mean().shift(1).bfill()
    add("shop_recent", "shop", f"mean log value of the last {RECENT} baskets", recent)
    _of_moment(add, baskets["at"])
    for column in codes:
        _of_code(add, baskets[column].astype(str), log_value, shop, column)
    matrix = np.column_stack([np.asarray(values, np.float32) for _, values in columns])
    return History(tuple(feature for feature, _ in columns), matrix, log_value.to_numpy(), own_mean.to_numpy())


def _of_customer(
    add: Any, baskets: pd.DataFrame, who: pd.Series, log_value: pd.Series, shop: pd.Series, own_mean: pd.Series
) -> None:
    own = log_value.groupby(who)
    count = own.cumcount()
    sums = own.cumsum() - log_value
    level = "customer's level"
    add("own_mean", level, "mean log value of his baskets, mixed with all", (sums + SHRINK * shop) / (count + SHRINK))
    add("own_last", level, "log value of his last basket", own.shift(1).fillna(shop))
    add("own_last_but_one", level, "of the one before", own.shift(2).fillna(own.shift(1)).fillna(shop))
    smoothed = own.transform(lambda one: one.ewm(alpha=0.3).mean().shift(1))
    add("own_smoothed", level, "exponentially smoothed, the newest at .3", smoothed.fillna(shop))
    add("own_least", level, "his smallest", own.cummin().groupby(who).shift(1).fillna(shop))
    add("own_most", level, "his largest", own.cummax().groupby(who).shift(1).fillna(shop))
    squares = (log_value**2).groupby(who).cumsum() - log_value**2
    spread = np.sqrt(np.maximum(squares / count.clip(lower=1) - (sums / count.clip(lower=1)) ** 2, 0))
    add("own_spread", level, "their standard deviation", spread)
    for column in ("lines", "items"):
        size = np.log1p(baskets[column])
        if size.nunique() == 1:
            continue
        before = size.groupby(who).cumsum() - size
        usual = size.expanding().mean().shift(1).bfill()
        group = "customer's basket size"
        add(f"own_{column}", group, f"mean log {column} of his baskets", (before + SHRINK * usual) / (count + SHRINK))
        add(f"own_last_{column}", group, f"log {column} of his last", size.groupby(who).shift(1).fillna(usual))
    habits = "customer's habits"
    days = baskets["at"].groupby(who).diff().dt.total_seconds() / 86_400
    age = (baskets["at"] - baskets["at"].groupby(who).transform("min")).dt.total_seconds() / 86_400
    add("own_count", habits, "log of how many baskets he had", np.log1p(count))
    add("days_since", habits, "log of days since the last", np.log1p(days.fillna(LONG_AGO_DAYS)))
    add("same_day", habits, "the last was within a day", days < 1)
    add("days_known", habits, "log of days since the first", np.log1p(age))
    rhythm = (age / count.clip(lower=1)).where(count > 0, LONG_AGO_DAYS)
    add("days_between", habits, "log of the mean days between his baskets", np.log1p(rhythm))


def _of_guests(add: Any, at: pd.Series, log_value: pd.Series, guest: pd.Series, shop: pd.Series) -> None:
    """Of a basket of which no customer is known: of the ones like it before. The same for all others."""
    group = "guests before"
    own, when = log_value[guest], at[guest]

    def of_guests(values: pd.Series, otherwise: float) -> pd.Series:
        return values.reindex(at.index).where(guest, otherwise).fillna(otherwise)

    usual = float(log_value.iloc[0])
    add("guest_last", group, "log value of the last one's basket", of_guests(own.shift(1), usual))
    add("guest_last_but_one", group, "of the one before", of_guests(own.shift(2), usual))
    recent = own.rolling(GUESTS, min_periods=1).mean().shift(1)
    add("guest_recent", group, f"mean of the last {GUESTS}", of_guests(recent, usual))
    since = when.diff().dt.total_seconds() / 3_600
    add("guest_hours", group, "log of hours since the last one", of_guests(np.log1p(since), 0.0))
    large = when.where(own > shop[guest]).shift(1).ffill()
    add(
        "guest_hours_large",
        group,
        "log of hours since the last that was worth more than the mean",
        of_guests(np.log1p((when - large).dt.total_seconds() / 3_600), 0.0),
    )


def _of_moment(add: Any, at: pd.Series) -> None:
    hour = at.dt.hour + at.dt.minute / 60
    add("hour", "time of day", "hour of the day", hour)
    for day, name in enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")):
        on = at.dt.day_of_week == day
        if on.any():
            add(name, "weekday", f"on a {name}", on)
    christmas = np.clip(359 - at.dt.day_of_year, 0, 120)
    if christmas.nunique() > 1:
        add("to_christmas", "season", "days to Christmas, at most 120", christmas)
    if at.dt.day_of_year.nunique() > 180:
        add("day_of_year", "season", "day of the year", at.dt.day_of_year)


def _of_code(add: Any, code: pd.Series, log_value: pd.Series, shop: pd.Series, column: str) -> None:
    own = log_value.groupby(code)
    mean = (own.cumsum() - log_value + SHRINK_CODE * shop) / (own.cumcount() + SHRINK_CODE)
    add(f"{column}_mean", column, f"mean log value of this {column}'s earlier baskets, mixed with all", mean)
    found = sorted(code.unique())
    if len(found) <= FEW_CODES:
        for one in found:
            add(f"{column}={one}", column, f"{column} is {one}", code == one)
