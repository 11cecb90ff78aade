"""The profile of the clean table: steps that each stand alone, written once for DuckDB and for Athena."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from tidemark.housing.profile import bins, categories, importance, relations, univariate
from tidemark.housing.profile.categories import prepared
from tidemark.housing.profile.study import Study

__all__ = ["STEPS", "Step", "Study", "prepared"]


class Step(NamedTuple):
    """A step: `run` gives its result, a Struct that is JSON as it is. What steps share, the study holds."""

    name: str
    title: str
    run: Callable[[Study], msgspec.Struct]


STEPS = (
    Step("summary", "Summary statistics", univariate.summary),
    Step("types", "Data types", univariate.types),
    Step("missing", "Missing values", univariate.missing),
    Step("imputation", "Imputation", univariate.imputation),
    Step("outliers", "Outliers and caps", univariate.outliers),
    Step("normalisation", "Normalisation", univariate.normalisation),
    Step("distributions", "Distributions", bins.distributions),
    Step("correlations", "Correlations", relations.correlations),
    Step("binning", "Binning", bins.binning),
    Step("encoding", "Encoding", categories.encoding),
    Step("map", "Prices by place", bins.price_map),
    Step("importance", "Feature importance", importance.importance),
)
