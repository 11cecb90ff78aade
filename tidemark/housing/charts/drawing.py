"""What all charts share: data inline, titles, names down the side, dollars along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

import altair as alt

from tidemark.housing.columns import BY_NAME, INCOME, PRICE
from tidemark.looks import config, money, number

Rows: TypeAlias = Sequence[dict[str, Any]]
D = TypeVar("D", alt.LayerChart | alt.FacetChart, alt.ConcatChart, alt.HConcatChart)
Layers: TypeAlias = alt.LayerChart | alt.FacetChart

WIDTH = 520
ROW = 24
BAR = 14
INCOME_UNIT = 10_000
"""Incomes are shown in dollars."""

SHORT = {"housing_median_age": "Age of houses", INCOME: "Income", PRICE: "House value"}


def data(rows: Rows) -> alt.Chart:
    """A chart of these rows, which go into the spec."""
    return alt.Chart(alt.InlineData(values=list(rows)))


def dressed(chart: D, title: str, subtitle: str = "") -> D:
    """With its titles and the light look."""
    drawn: D = chart.properties(title=alt.Title(title, subtitle=subtitle)).configure(**config())
    return drawn


def bars_tall(chart: Layers, rows: Rows) -> Layers:
    """As high as its rows need."""
    return chart.properties(width=WIDTH, height=ROW * max(len(rows), 1))


def title(column: str) -> str:
    """A column's name, as people say it."""
    return BY_NAME[column].title


def short(column: str) -> str:
    """A column's name where there is little room."""
    return SHORT.get(column, title(column))


def names(rows: Rows) -> alt.Y:
    """Names down the side, in the order of the rows."""
    order = [str(row["name"]) for row in rows]
    return alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=180, grid=False))


def dollars(label: str | None, ticks: int = 6) -> alt.Axis:
    """An axis of dollars, in thousands."""
    said = "datum.value == 0 ? '$0' : format(datum.value, '$~s')"
    return alt.Axis(title=label, labelExpr=said, tickCount=ticks)


def shown(column: str, value: float) -> float:
    """A value in the unit it is shown in."""
    return value * INCOME_UNIT if column == INCOME else value


def unit(column: str) -> str:
    """The unit that a column is shown in."""
    return "USD a year" if column == INCOME else BY_NAME[column].unit


def said(column: str, value: float, *, with_unit: bool = True) -> str:
    """A column's value in words."""
    if column in (INCOME, PRICE):
        return money(shown(column, value))
    return number(value, BY_NAME[column].unit if with_unit else "")
