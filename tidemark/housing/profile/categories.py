"""The category as numbers, and the whole table made ready for a model."""

from __future__ import annotations

import re

import ibis
import ibis.expr.types as ir
import msgspec

from tidemark.housing.columns import BY_NAME, CATEGORY, HELD_OUT, ID, NUMBERS
from tidemark.housing.profile.study import GAPPY, Category, Study, finite, ladder
from tidemark.models.significance import mean_interval


class OneHot(msgspec.Struct, frozen=True):
    """A category's column of zeros and ones, the rows that have a one, and what they cost on average, in USD.

    `mean_price_low`, `mean_price_high`: 95 % interval of the mean (Student's t); None of fewer than two rows.
    """

    column: str
    category: str
    count: int
    share: float
    mean_price: float | None
    sd_price: float | None
    mean_price_low: float | None
    mean_price_high: float | None


class Encoding(msgspec.Struct, frozen=True):
    """How the category is encoded."""

    method: str
    of: str
    columns: list[OneHot]


def one_hot_name(category: str) -> str:
    """The name of a category's column, fit for any database."""
    return "is_" + re.sub(r"[^a-z0-9]+", "_", category.lower()).strip("_")


def encoding(study: Study) -> Encoding:
    """One column a category, with counts and mean prices."""
    found = {category.name: category for category in study.categories}
    return Encoding(
        "one-hot",
        CATEGORY,
        [
            _one_hot(found.get(name, Category(name, 0, 0, 0.0, 0.0)), study.rows)
            for name in BY_NAME[CATEGORY].categories
        ],
    )


def _one_hot(of: Category, rows: int) -> OneHot:
    sd, low, high = mean_interval(of.rows, of.price, of.price2)
    return OneHot(
        column=one_hot_name(of.name),
        category=of.name,
        count=of.rows,
        share=of.rows / rows,
        mean_price=finite(of.price / of.rows) if of.rows else None,
        sd_price=finite(sd),
        mean_price_low=finite(low),
        mean_price_high=finite(high),
    )


def prepared(table: ir.Table) -> ir.Table:
    """The clean table, imputed (median), normalised (mean 0, sample standard deviation 1) and one-hot encoded.

    One expression, evaluated wherever `table` is: the nine numbers, a column of 0 and 1 for each category, block_id,
    held_out. A number that does not vary becomes null.
    """
    filled = table.cross_join(_median(table)).mutate(**{GAPPY: lambda t: t[GAPPY].coalesce(t.median)}).drop("median")
    figures = {f"{name}_mean": filled[name].mean() for name in NUMBERS}
    figures |= {f"{name}_sd": filled[name].std(how="sample").nullif(0.0) for name in NUMBERS}
    both = filled.cross_join(filled.aggregate(**figures))
    numbers = {name: (both[name] - both[f"{name}_mean"]) / both[f"{name}_sd"] for name in NUMBERS}
    ones = {
        one_hot_name(category): (both[CATEGORY] == category).cast("int8") for category in BY_NAME[CATEGORY].categories
    }
    return both.select(**numbers, **ones, **{name: both[name] for name in (ID, HELD_OUT)})


def _median(table: ir.Table) -> ir.Table:
    rungs = ladder(table, GAPPY)
    rungs = rungs.mutate(of=rungs.rows.sum().over(ibis.window()))
    return rungs.aggregate(
        median=(rungs.value.min(where=rungs.upto * 2 >= rungs.of) + rungs.value.min(where=rungs.upto * 2 > rungs.of))
        / 2
    )
