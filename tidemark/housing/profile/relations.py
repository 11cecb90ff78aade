"""How columns go together: every pair, by four measures."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import combinations

import ibis
import ibis.expr.types as ir
import msgspec
import numpy as np

from tidemark.housing.columns import CATEGORY, NUMBERS
from tidemark.housing.profile.bins import quantile_edges
from tidemark.housing.profile.study import GAPPY, Measured, Moments, Study, bin_of, finite, ranks
from tidemark.models.significance import (
    Counts,
    chi_squared,
    correlation_p,
    cramers_v,
    holm,
    mutual_information,
)

PAIRS = list(combinations(NUMBERS, 2))
ALL_PAIRS = list(combinations((*NUMBERS, CATEGORY), 2))


class Coefficient(msgspec.Struct, frozen=True):
    """A measure of a pair; `p_holm` is `p` corrected for all tests of this step."""

    value: float
    p: float | None
    p_holm: float | None


class Shared(msgspec.Struct, frozen=True):
    """Mutual information in nats: as counted, and with Miller and Madow's correction of its bias."""

    plug_in: float
    corrected: float
    p: float | None
    p_holm: float | None


class Pair(msgspec.Struct, frozen=True):
    """Two columns, of the `rows` that have both. A measure is None where it does not apply or a column is constant."""

    a: str
    b: str
    rows: int
    pearson: Coefficient | None
    spearman: Coefficient | None
    mutual_information: Shared | None
    cramers_v: Coefficient | None


class Correlations(msgspec.Struct, frozen=True):
    """Every pair of columns. `methods`: how each measure is made; `note`: what p-values leave out."""

    pairs: list[Pair]
    methods: dict[str, str]
    note: str


METHODS = {
    "pearson": "of the rows that have both values",
    "spearman": "exact; average ranks for ties, among the rows that have both values",
    "mutual_information": "in nats, numbers in at most 20 quantile bins; corrected after Miller and Madow (1955)",
    "cramers_v": "of the category and numbers in at most 20 quantile bins; corrected after Bergsma (2013)",
    "p": "Student's t for Pearson and Spearman, G for mutual information, chi-squared for Cramér's V",
    "p_holm": "corrected for all tests of this step after Holm (1979)",
}
NOTE = "p-values take blocks as independent; blocks side by side are not, so that true ones are larger"


def correlations(study: Study) -> Correlations:
    """Pearson, Spearman, mutual information and Cramér's V, with their p-values."""
    sums = _sums(study)
    tables = _contingency(study)
    found = [_pair(study, a, b, sums, tables[a, b]) for a, b in ALL_PAIRS]
    tests = [(place, name) for place, pair in enumerate(found) for name in MEASURES if getattr(pair, name) is not None]
    corrected = holm([getattr(found[place], name).p for place, name in tests])
    for (place, name), p in zip(tests, corrected, strict=True):
        measure = msgspec.structs.replace(getattr(found[place], name), p_holm=p)
        found[place] = msgspec.structs.replace(found[place], **{name: measure})
    return Correlations(found, METHODS, NOTE)


MEASURES = ("pearson", "spearman", "mutual_information", "cramers_v")


def _sums(study: Study) -> dict[str, float]:
    """For every pair of numbers the sums of products of values and of ranks, each less their mean: one pass."""
    table = study.table
    for name in NUMBERS:
        of = study.measured[name]
        rungs = study.ladder(name)
        rank, paired_rank = ranks(rungs, of.moments.rows, of.paired.rows)
        keyed = rungs.select(**{f"{name}_key": rungs.value, f"{name}_rank": rank, f"{name}_paired": paired_rank})
        table = table.join(keyed, table[name] == keyed[f"{name}_key"], how="left" if name == GAPPY else "inner")
    products = {}
    for a, b in PAIRS:
        ma, mb = (_moments(study.measured[name], a, b).mean for name in (a, b))
        ranked = "paired" if GAPPY in (a, b) else "rank"
        products[f"values {a} {b}"] = ((table[a] - ma) * (table[b] - mb)).sum()
        products[f"ranks {a} {b}"] = (table[f"{a}_{ranked}"] * table[f"{b}_{ranked}"]).sum()
    (row,) = study.run(table.aggregate(**products))
    return {name: value or 0.0 for name, value in row.items()}


def _moments(of: Measured, a: str, b: str) -> Moments:
    """Of the rows that have both of a pair."""
    return of.paired if GAPPY in (a, b) else of.moments


def _contingency(study: Study) -> dict[tuple[str, str], Counts]:
    """For every pair how many rows are in which bins of both: one pass that bins, one over the bins."""
    edges = {name: quantile_edges(study.measured[name]) for name in NUMBERS}
    names = [category.name for category in study.categories]
    category = study.table[CATEGORY].cases(
        *((name, place) for place, name in enumerate(names)), else_=ibis.null("int8")
    )
    bins = {name: bin_of(study.table[name], edges[name]) for name in NUMBERS}
    coded = study.kept("bins", study.table.select(**bins, **{CATEGORY: category.cast("int8")}))
    pairs = [_counted(coded, place, a, b) for place, (a, b) in enumerate(ALL_PAIRS)]
    sizes = {name: max(len(edges[name]) - 1, 1) for name in NUMBERS} | {CATEGORY: len(names)}
    tables = {(a, b): np.zeros((sizes[a], sizes[b])) for a, b in ALL_PAIRS}
    for row in study.run(ibis.union(*pairs)):
        tables[ALL_PAIRS[row["pair"]]][row["a"], row["b"]] = row["rows"]
    return tables


def _counted(coded: ir.Table, place: int, a: str, b: str) -> ir.Table:
    both = coded.filter(coded[a].notnull(), coded[b].notnull())
    counts = both.group_by(a=both[a], b=both[b]).aggregate(rows=lambda t: t.count())
    return counts.mutate(pair=ibis.literal(place))


def _pair(study: Study, a: str, b: str, sums: dict[str, float], table: Counts) -> Pair:
    rows = int(table.sum())
    pearson = spearman = None
    if b != CATEGORY:
        ma, mb = study.measured[a], study.measured[b]
        squares = (_moments(m, a, b).squares for m in (ma, mb))
        rank_squares = (m.paired_rank_squares if GAPPY in (a, b) else m.rank_squares for m in (ma, mb))
        pearson = _coefficient(sums[f"values {a} {b}"], squares, rows)
        spearman = _coefficient(sums[f"ranks {a} {b}"], rank_squares, rows)
    plug_in, corrected, p = mutual_information(table)
    v = cramers_v(table) if b == CATEGORY else None
    return Pair(
        a=a,
        b=b,
        rows=rows,
        pearson=pearson,
        spearman=spearman,
        mutual_information=Shared(plug_in, corrected, p, None) if p is not None else None,
        cramers_v=Coefficient(v, chi_squared(table).p, None) if v is not None else None,
    )


def _coefficient(products: float, squares: Iterable[float], rows: int) -> Coefficient | None:
    of_a, of_b = squares
    if of_a <= 0 or of_b <= 0:
        return None
    value = finite(products / (math.sqrt(of_a) * math.sqrt(of_b)))
    if value is None:
        return None
    value = min(1.0, max(-1.0, value))
    return Coefficient(value, correlation_p(value, rows), None)
