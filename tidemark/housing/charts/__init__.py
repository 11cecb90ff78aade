"""The charts of a profile, from the steps' results alone: small Vega-Lite specs whose titles say what is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from altair.utils import schemapi

from tidemark.housing.charts.prices import price_by_category, price_by_income, price_map
from tidemark.housing.charts.spread import category_bars, histograms, missingness
from tidemark.housing.charts.strength import correlation_map, drift, feature_importance
from tidemark.looks import Mode, config

__all__ = ["CHARTS", "config", "specs"]

CHARTS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "histograms": ("distributions", histograms),
    "categories": ("encoding", category_bars),
    "price-by-category": ("encoding", price_by_category),
    "price-by-income": ("binning", price_by_income),
    "correlations": ("correlations", correlation_map),
    "map": ("map", price_map),
    "missing": ("missing", missingness),
    "importance": ("importance", feature_importance),
    "drift": ("drift", drift),
}
"""By name: the result (a step's, or `drift`) that a chart is of, and what draws it."""


def specs(results: Mapping[str, msgspec.Struct], mode: Mode = "light") -> dict[str, dict[str, Any]]:
    """The Vega-Lite specs, data inline, of every chart whose result is among `results` (by step, and `drift`).

    Not checked against Vega-Lite's schema, which would double the time: the tests do that.
    """
    with schemapi.debug_mode(False):
        return {
            name: {**draw(results[of]).to_dict(validate=False), "config": config(mode)}
            for name, (of, draw) in CHARTS.items()
            if of in results
        }
