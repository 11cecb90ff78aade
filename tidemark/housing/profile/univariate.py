"""Each column by itself: its figures, type, gaps, outliers, and what imputing and normalising do to it."""

from __future__ import annotations

import math

import ibis.expr.types as ir
import msgspec
import numpy as np

from tidemark.housing.columns import BY_NAME, CATEGORY, COLUMNS, HELD_OUT, ID, NUMBERS
from tidemark.housing.profile.study import GAPPY, Measured, Moments, Study, finite
from tidemark.models.significance import chi_squared

IQR_FENCE = 1.5
"""Tukey's: an outlier is further than this many interquartile ranges outside the quartiles."""


class NumberSummary(msgspec.Struct, frozen=True):
    """A number's figures, in its unit. `sd`: sample; `skew`: bias-corrected (G1), None where it does not vary."""

    column: str
    unit: str
    count: int
    mean: float | None
    sd: float | None
    min: float | None
    q1: float | None
    median: float | None
    q3: float | None
    max: float | None
    distinct: int
    skew: float | None


class CategorySummary(msgspec.Struct, frozen=True):
    """A category column's figures."""

    column: str
    count: int
    distinct: int
    most_frequent: str
    most_frequent_share: float


class Summary(msgspec.Struct, frozen=True):
    """Summary statistics of all rows."""

    rows: int
    numbers: list[NumberSummary]
    category: CategorySummary


class ColumnType(msgspec.Struct, frozen=True):
    """`declared` and `found`: types as Ibis names them. `whole`: every value is a whole number."""

    column: str
    meaning: str
    declared: str
    found: str
    fits: bool
    whole: bool


class Types(msgspec.Struct, frozen=True):
    """What each column is declared to be and what it is in the clean table."""

    columns: list[ColumnType]


class Missing(msgspec.Struct, frozen=True):
    """A column's empty cells."""

    column: str
    count: int
    share: float
    allowed: float


class MissingByCategory(msgspec.Struct, frozen=True):
    """Empty cells of a column among a category's rows."""

    category: str
    rows: int
    missing: int
    share: float


class MissingValues(msgspec.Struct, frozen=True):
    """Empty cells by column, and by category those of the one `column` that may have them.

    `p`: how likely shares that differ as much are where gaps do not go with the category (chi-squared)."""

    columns: list[Missing]
    column: str
    by_category: list[MissingByCategory]
    p: float | None


class ImputedColumn(msgspec.Struct, frozen=True):
    """`value` (the median of the column's own values) stands in for `imputed` empty cells."""

    column: str
    unit: str
    value: float
    imputed: int
    share: float
    mean_before: float
    mean_after: float
    sd_before: float | None
    sd_after: float | None


class Imputation(msgspec.Struct, frozen=True):
    """What imputing does."""

    method: str
    columns: list[ImputedColumn]


class OutlierColumn(msgspec.Struct, frozen=True):
    """Rows outside Tukey's fences, and rows at the value where the source cut the column off."""

    column: str
    unit: str
    low_fence: float | None
    high_fence: float | None
    below: int
    above: int
    share: float
    cap: float | None
    at_cap: int
    at_cap_share: float


class Outliers(msgspec.Struct, frozen=True):
    """Outliers and caps. `fence`: in interquartile ranges."""

    fence: float
    columns: list[OutlierColumn]


class NormalisedColumn(msgspec.Struct, frozen=True):
    """(value - `mean`) / `sd`, after imputation; what is then the least and the largest."""

    column: str
    mean: float
    sd: float | None
    min_after: float | None
    max_after: float | None


class Normalisation(msgspec.Struct, frozen=True):
    """What normalising does."""

    method: str
    columns: list[NormalisedColumn]


def summary(study: Study) -> Summary:
    """Summary statistics."""
    most = max(study.categories, key=lambda category: category.rows)
    return Summary(
        rows=study.rows,
        numbers=[_summary(study.measured[name]) for name in NUMBERS],
        category=CategorySummary(
            column=CATEGORY,
            count=study.rows,
            distinct=len(study.categories),
            most_frequent=most.name,
            most_frequent_share=most.rows / study.rows,
        ),
    )


def _summary(of: Measured) -> NumberSummary:
    rows, mean, squares = of.moments
    return NumberSummary(
        column=of.column,
        unit=of.unit,
        count=rows,
        mean=finite(mean if rows else None),
        sd=finite(of.moments.sd()),
        min=finite(of.quantile(0.0)),
        q1=finite(of.quantile(0.25)),
        median=finite(of.quantile(0.5)),
        q3=finite(of.quantile(0.75)),
        max=finite(of.quantile(1.0)),
        distinct=of.distinct,
        skew=_skew(rows, squares, of.cubes),
    )


def _skew(rows: int, squares: float, cubes: float) -> float | None:
    if rows < 3 or squares <= 0:
        return None
    skew = (cubes / rows) / (squares / rows) ** 1.5
    return finite(skew * math.sqrt(rows * (rows - 1)) / (rows - 2))


def types(study: Study) -> Types:
    """Declared and found data types."""
    schema = study.table.schema()
    declared = {column.name: "float64" if column.kind == "number" else "string" for column in COLUMNS}
    meanings = {column.name: column.meaning for column in COLUMNS}
    declared |= {ID: "int64", HELD_OUT: "boolean"}
    meanings |= {ID: "a hash of the row", HELD_OUT: "kept for testing models, fixed when the row came in"}
    columns = []
    for name, wanted in declared.items():
        found = str(schema[name]).removeprefix("!") if name in schema else "absent"
        whole = study.measured[name].whole if name in NUMBERS else name == ID
        columns.append(ColumnType(name, meanings[name], wanted, found, found == wanted, whole))
    return Types(columns)


def missing(study: Study) -> MissingValues:
    """Empty cells, and with which category they go."""
    rows = study.rows
    columns = []
    for column in COLUMNS:
        count = rows - study.measured[column.name].moments.rows if column.kind == "number" else 0
        columns.append(Missing(column.name, count, count / rows, column.nulls))
    by_category = [MissingByCategory(c.name, c.rows, c.missing, c.missing / c.rows) for c in study.categories]
    counts = np.array([[c.missing, c.rows - c.missing] for c in study.categories], dtype=float)
    return MissingValues(columns, GAPPY, by_category, chi_squared(counts).p)


def imputed(of: Measured, rows: int) -> Moments:
    """The moments of a column once its empty cells hold its median."""
    have, mean, squares = of.moments
    gaps = rows - have
    if gaps == 0 or have == 0:
        return of.moments
    step = of.quantile(0.5) - mean
    return Moments(rows, mean + step * gaps / rows, squares + step * step * have * gaps / rows)


def imputation(study: Study) -> Imputation:
    """What filling empty cells with the column's own median does."""
    columns = []
    for name in NUMBERS:
        of = study.measured[name]
        gaps = study.rows - of.moments.rows
        if gaps and of.moments.rows:
            after = imputed(of, study.rows)
            columns.append(
                ImputedColumn(
                    column=name,
                    unit=of.unit,
                    value=of.quantile(0.5),
                    imputed=gaps,
                    share=gaps / study.rows,
                    mean_before=of.moments.mean,
                    mean_after=after.mean,
                    sd_before=finite(of.moments.sd()),
                    sd_after=finite(after.sd()),
                )
            )
    return Imputation("the median of the column", columns)


def outliers(study: Study) -> Outliers:
    """Rows outside Tukey's fences and at the known caps."""
    fences = {}
    for name in NUMBERS:
        of = study.measured[name]
        reach = IQR_FENCE * (of.quantile(0.75) - of.quantile(0.25))
        fences[name] = (of.quantile(0.25) - reach, of.quantile(0.75) + reach)

    def beyond(name: str, rungs: ir.Table) -> ir.Table:
        low, high = (finite(fence) or 0.0 for fence in fences[name])
        return rungs.aggregate(
            below=rungs.rows.sum(where=rungs.value < low),
            above=rungs.rows.sum(where=rungs.value > high),
            at_cap=rungs.rows.sum(where=rungs.value == (BY_NAME[name].cap or 0.0)),
        )

    columns = []
    for name, (row,) in study.by_column(beyond).items():
        count = study.measured[name].moments.rows or 1
        below, above = row["below"] or 0, row["above"] or 0
        cap = BY_NAME[name].cap
        at_cap = (row["at_cap"] or 0) if cap else 0
        low, high = fences[name]
        columns.append(
            OutlierColumn(
                column=name,
                unit=BY_NAME[name].unit,
                low_fence=finite(low),
                high_fence=finite(high),
                below=below,
                above=above,
                share=(below + above) / count,
                cap=cap,
                at_cap=at_cap,
                at_cap_share=at_cap / count,
            )
        )
    return Outliers(IQR_FENCE, columns)


def normalisation(study: Study) -> Normalisation:
    """What subtracting the mean and dividing by the sample standard deviation does, after imputation."""
    columns = []
    for name in NUMBERS:
        of = study.measured[name]
        after = imputed(of, study.rows)
        sd = after.sd() or None
        low, high = ((of.quantile(p) - after.mean) / sd if sd else None for p in (0.0, 1.0))
        columns.append(NormalisedColumn(name, after.mean, finite(sd), finite(low), finite(high)))
    return Normalisation("less the mean, by the sample standard deviation, of all rows after imputation", columns)
