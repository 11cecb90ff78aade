"""Charts of what was found, as Vega-Lite specs without colours, which the config brings (`tidemark.looks.config`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tidemark.analysis.explain import Partial
from tidemark.analysis.learners import Algorithm
from tidemark.analysis.supervised import Predictions, Supervised
from tidemark.analysis.unsupervised import Places, Unsupervised

Spec = dict[str, Any]

WIDTH, HEIGHT = 520, 220
NAMES: dict[Algorithm, str] = {"linear": "Linear", "trees": "Boosted trees"}
MOST_IMPORTANT, MOST_SEGMENTS = 10, 10
ACROSS, UP = 40, 24
LONGEST = 24


def components(found: Unsupervised) -> Spec:
    """The share of the variance that each component explains, and what chance gives it."""
    values = [
        {"rank": str(place + 1), "share": one.share, "chance": one.control}
        for place, one in enumerate(found.components[:8])
    ]
    rank = {"field": "rank", "type": "ordinal", "title": "component", "sort": None, "axis": {"labelAngle": 0}}
    return {
        "data": {"values": values},
        "width": WIDTH,
        "height": HEIGHT,
        "encoding": {"x": rank},
        "layer": [
            {
                "mark": {"type": "bar", "style": "plain", "size": 24},
                "encoding": {"y": _share("share", "share of the variance")},
            },
            {
                "mark": {"type": "tick", "style": "interval", "thickness": 2, "size": 34},
                "encoding": {"y": _share("chance", "share of the variance")},
            },
        ],
    }


def groupings(found: Unsupervised) -> Spec:
    """The silhouette of each number of groups, and of the shuffled tables."""
    values = [
        {"k": one.k, "silhouette": one.silhouette, "chance": one.control, "most": one.control_most}
        for one in found.groupings
    ]
    y = {"type": "quantitative", "title": "silhouette", "scale": {"zero": True, "nice": True}}
    return {
        "data": {"values": values},
        "width": WIDTH,
        "height": HEIGHT,
        "encoding": {"x": {"field": "k", "type": "ordinal", "title": "groups", "axis": {"labelAngle": 0}}},
        "layer": [
            {
                "mark": {"type": "line", "style": "level", "point": {"size": 50, "filled": True}},
                "encoding": {"y": {**y, "field": "silhouette"}},
            },
            {"mark": {"type": "line", "style": "threshold"}, "encoding": {"y": {**y, "field": "chance"}}},
        ],
    }


def plane(found: Unsupervised, places: Places) -> Spec:
    """t-SNE's plane, by group, or by how far a row stands apart where there are no groups."""
    rows = np.flatnonzero(~np.isnan(places.across))
    grouped = found.best is not None
    values = [
        {
            "x": round(float(places.across[row]), 2),
            "y": round(float(places.up[row]), 2),
            "group": f"{int(places.group[row])}" if grouped else "all",
            "score": round(float(places.score[row]), 3),
        }
        for row in rows
    ]
    none = {"type": "quantitative", "axis": None, "scale": {"zero": False}}
    colour: Spec = (
        {"field": "group", "type": "nominal", "legend": {"title": "group"}}
        if grouped
        else {
            "field": "score",
            "type": "quantitative",
            "scale": {"range": "ramp"},
            "legend": {"title": "apart", "gradientLength": 100},
        }
    )
    return {
        "data": {"values": values},
        "width": WIDTH,
        "height": HEIGHT + 60,
        "mark": {"type": "circle", "size": 22, "opacity": 0.75},
        "encoding": {"x": {**none, "field": "x"}, "y": {**none, "field": "y"}, "color": colour},
    }


def scores(found: Supervised) -> Spec:
    """The share of the baseline's loss that each algorithm saves, with its interval; 0 is the baseline."""
    values = [
        {
            "name": NAMES[one.name],
            "skill": max(one.skill, -1.0),
            "low": max(one.low, -1.0),
            "high": min(one.high, 1.0),
        }
        for one in found.scores
    ]
    y = {"field": "name", "type": "nominal", "title": None, "sort": None}
    x = {"type": "quantitative", "title": "share of the baseline's error that is saved", "axis": {"format": ".0%"}}
    return {
        "data": {"values": values},
        "width": WIDTH,
        "height": 34 * len(values),
        "layer": [
            {
                "mark": {"type": "bar", "style": "plain", "height": 14},
                "encoding": {"y": y, "x": {**x, "field": "skill"}},
            },
            {
                "mark": {"type": "rule", "style": "interval"},
                "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
            },
        ],
    }


def importance(found: Supervised) -> Spec:
    """What comes back of the baseline's error when a column is exchanged among the rows."""
    values = [
        {"column": one.column, "value": max(one.value, 0.0), "low": one.low, "high": one.high}
        for one in found.importance[:MOST_IMPORTANT]
    ]
    y = {
        "field": "column",
        "type": "nominal",
        "title": None,
        "sort": None,
        "axis": {"labelLimit": 180},
    }
    x = {"type": "quantitative", "title": "error that comes back without it", "axis": {"format": ".0%"}}
    return {
        "data": {"values": values},
        "width": WIDTH - 100,
        "height": 26 * len(values),
        "layer": [
            {
                "mark": {"type": "bar", "style": "plain", "height": 12},
                "encoding": {"y": y, "x": {**x, "field": "value"}},
            },
            {
                "mark": {"type": "rule", "style": "interval"},
                "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
            },
        ],
    }


def partial(found: Supervised, one: Partial) -> Spec:
    """The mean prediction, were a column so in every row."""
    title = f"chance of {found.classes[0]}" if found.classes else f"mean {found.target} predicted"
    y = {"field": "mean", "type": "quantitative", "title": title, "scale": {"zero": False}}
    spec: Spec = {"width": 260, "height": 180}
    if one.kind == "category":
        values = [{"at": name[:LONGEST], "mean": mean} for name, mean in zip(one.names, one.means, strict=True)]
        x = {"field": "at", "type": "nominal", "title": one.column, "sort": None, "axis": {"labelAngle": -30}}
        mark: Spec = {"type": "point", "filled": True, "size": 70, "style": "plain"}
    else:
        values = [{"at": at, "mean": mean} for at, mean in zip(one.places, one.means, strict=True)]
        x = {"field": "at", "type": "quantitative", "title": one.column, "scale": {"zero": False}}
        mark = {"type": "line", "style": "level", "point": {"size": 20, "filled": True}}
    return {**spec, "data": {"values": values}, "mark": mark, "encoding": {"x": x, "y": y}}


def calibration(found: Supervised) -> Spec:
    """What was predicted and what was true, in tenths of the rows; on the line both are the same."""
    values = [{"said": one.predicted, "true": one.true, "rows": one.rows} for one in found.calibration]
    ends = [min(min(v["said"], v["true"]) for v in values), max(max(v["said"], v["true"]) for v in values)]
    what = f"chance of {found.classes[0]}" if found.classes else found.target + (" (logarithm)" if found.logged else "")
    scale = {"zero": False, "domain": ends, "nice": True}
    return {
        "width": 260,
        "height": 220,
        "layer": [
            {
                "data": {"values": [{"said": end, "true": end} for end in ends]},
                "mark": {"type": "line", "style": "threshold"},
                "encoding": {
                    "x": {"field": "said", "type": "quantitative"},
                    "y": {"field": "true", "type": "quantitative"},
                },
            },
            {
                "data": {"values": values},
                "mark": {"type": "point", "style": "plain", "filled": True, "size": 50},
                "encoding": {
                    "x": {"field": "said", "type": "quantitative", "title": f"{what}: predicted", "scale": scale},
                    "y": {"field": "true", "type": "quantitative", "title": "true", "scale": scale},
                },
            },
        ],
    }


def segments(found: Supervised) -> Spec:
    """Where the model is worst; pale where that may be chance."""
    values = [
        {"name": f"{one.column}: {one.name}"[: 2 * LONGEST], "loss": one.loss, "rows": one.rows, "proved": one.worse}
        for one in found.segments[:MOST_SEGMENTS]
    ]
    y = {"field": "name", "type": "nominal", "title": None, "sort": None, "axis": {"labelLimit": 230}}
    pale = {
        "field": "proved",
        "type": "nominal",
        "scale": {"domain": [True, False], "range": [1, 0.4]},
        "legend": None,
    }
    x = {"field": "loss", "type": "quantitative", "title": "loss, as a multiple of that of all rows"}
    return {
        "data": {"values": values},
        "width": WIDTH - 140,
        "height": 26 * len(values),
        "layer": [
            {"mark": {"type": "bar", "style": "plain", "height": 12}, "encoding": {"y": y, "x": x, "opacity": pale}},
            {"mark": {"type": "rule", "style": "threshold"}, "encoding": {"x": {"datum": 1}}},
        ],
    }


def residuals(found: Supervised, predictions: Predictions) -> Spec:
    """How many rows have a residual, by what was predicted."""
    known = ~np.isnan(predictions.predicted)
    said, rest = predictions.predicted[known], predictions.residual[known]
    low, high = np.quantile(said, [0.005, 0.995]), np.quantile(rest, [0.005, 0.995])
    counts, x, y = np.histogram2d(said, rest, bins=(ACROSS, UP), range=[low, high])
    values = [
        {"x": x[a], "x2": x[a + 1], "y": y[b], "y2": y[b + 1], "rows": int(counts[a, b])}
        for a in range(ACROSS)
        for b in range(UP)
        if counts[a, b]
    ]
    number = {"type": "quantitative", "scale": {"zero": False, "nice": False}}
    return {
        "data": {"values": values},
        "width": WIDTH - 60,
        "height": 220,
        "mark": {"type": "rect"},
        "encoding": {
            "x": {**number, "field": "x", "title": f"{found.target} predicted"},
            "x2": {"field": "x2"},
            "y": {**number, "field": "y", "title": "residual"},
            "y2": {"field": "y2"},
            "color": {
                "field": "rows",
                "type": "quantitative",
                "scale": {"range": "ramp", "type": "log"},
                "legend": {"title": "rows", "gradientLength": 120},
            },
        },
    }


def _share(field: str, title: str) -> Spec:
    return {"field": field, "type": "quantitative", "title": title, "axis": {"format": ".0%"}}
