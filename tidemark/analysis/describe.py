"""Descriptive statistics of a frame, and which columns depend on each other, by the measure that suits each pair."""

from __future__ import annotations

from itertools import combinations
from typing import Literal

import msgspec
import numpy as np
from scipy import stats

from tidemark.analysis.frame import Feature, Floats, Frame
from tidemark.cubes.first_look import at_cap
from tidemark.models.significance import chi_squared, cramers_v, holm

Measure = Literal["Spearman's ρ", "ε", "Cramér's V"]

CHANCE = 0.01
WEAK = 0.05


class Number(msgspec.Struct, frozen=True):
    """A column of numbers; the deviation is that of a sample, quantiles are interpolated. `at_most`: the share of all
    rows at the largest value, where it is a cap, else 0."""

    column: str
    rows: int
    missing: int
    mean: float
    deviation: float
    least: float
    lower: float
    median: float
    upper: float
    most: float
    at_most: float


class Category(msgspec.Struct, frozen=True):
    """A column of categories. `counts`: rows by level, the most frequent first."""

    column: str
    rows: int
    missing: int
    counts: dict[str, int]


class Dependence(msgspec.Struct, frozen=True):
    """Two columns: the measure, its value, and p of none, corrected for the number of pairs."""

    first: str
    second: str
    measure: Measure
    value: float
    p: float
    real: bool


class Description(msgspec.Struct, frozen=True):
    """All of it. `pairs`: every pair, the strongest first."""

    numbers: list[Number]
    categories: list[Category]
    pairs: list[Dependence]


def describe(frame: Frame) -> Description:
    """Of all columns that are learnt from."""
    numbers = [_number(name, frame.values[name]) for name, one in frame.features.items() if one.kind == "number"]
    categories = [_category(one, frame.values[name]) for name, one in frame.features.items() if one.kind == "category"]
    return Description(numbers, categories, _pairs(frame))


def _number(name: str, values: Floats) -> Number:
    known = values[~np.isnan(values)]
    least, lower, median, upper, most = (float(one) for one in np.quantile(known, [0, 0.25, 0.5, 0.75, 1]))
    return Number(
        column=name,
        rows=len(known),
        missing=len(values) - len(known),
        mean=float(known.mean()),
        deviation=float(known.std(ddof=1)),
        least=least,
        lower=lower,
        median=median,
        upper=upper,
        most=most,
        at_most=at_cap(known) * len(known) / len(values),
    )


def _category(feature: Feature, values: Floats) -> Category:
    known = values[~np.isnan(values)].astype(np.int64)
    counts = np.bincount(known, minlength=len(feature.levels))
    return Category(
        feature.name,
        len(known),
        len(values) - len(known),
        {level: int(count) for level, count in zip(feature.levels, counts, strict=True)},
    )


def _pairs(frame: Frame) -> list[Dependence]:
    found = [_pair(frame, first, second) for first, second in combinations(frame.features.values(), 2)]
    corrected = holm([p for *_, p in found])
    pairs = [
        Dependence(first, second, measure, value, 1.0 if p is None else p, _is_real(value, p))
        for (first, second, measure, value, _), p in zip(found, corrected, strict=True)
    ]
    return sorted(pairs, key=lambda pair: -abs(pair.value))


def _is_real(value: float, p: float | None) -> bool:
    return p is not None and p <= CHANCE and abs(value) >= WEAK


def _pair(frame: Frame, first: Feature, second: Feature) -> tuple[str, str, Measure, float, float | None]:
    a, b = frame.values[first.name], frame.values[second.name]
    known = ~np.isnan(a) & ~np.isnan(b)
    a, b = a[known], b[known]
    kinds = (first.kind, second.kind)
    if kinds == ("number", "number"):
        if len(np.unique(a)) < 2 or len(np.unique(b)) < 2:
            return first.name, second.name, "Spearman's ρ", 0.0, None
        found = stats.spearmanr(a, b)
        return first.name, second.name, "Spearman's ρ", float(found.statistic), float(found.pvalue)
    if kinds == ("category", "category"):
        table = np.zeros((len(first.levels), len(second.levels)))
        np.add.at(table, (a.astype(np.int64), b.astype(np.int64)), 1)
        return first.name, second.name, "Cramér's V", cramers_v(table) or 0.0, chi_squared(table).p
    codes, numbers = (a, b) if first.kind == "category" else (b, a)
    groups = [numbers[codes == code] for code in np.unique(codes)]
    groups = [group for group in groups if len(group)]
    if len(groups) < 2 or np.ptp(numbers) == 0:
        return first.name, second.name, "ε", 0.0, None
    found = stats.kruskal(*groups)
    share = max(0.0, (float(found.statistic) - len(groups) + 1) / (len(numbers) - len(groups)))
    return first.name, second.name, "ε", float(np.sqrt(share)), float(found.pvalue)
