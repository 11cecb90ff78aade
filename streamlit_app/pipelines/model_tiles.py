"""How good is the model? Who serves, what the gate decided, and the errors of each training beside the baselines'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from streamlit_app.pipelines.overview import Overview
from streamlit_app.ui import words
from streamlit_app.ui.api import Point
from streamlit_app.ui.tree import Tree, ago, el, row, state, table
from tidemark.looks import minus, money, percent
from tidemark.models.champion import Champion, Decision

# What stands before an algorithm's figures; the winner's have nothing before them.
PREFIXES = {"lightgbm": "lightgbm_", "random forest": "forest_", "ridge": "ridge_", "mean": "mean_"}
NAMES = {
    "lightgbm": "LightGBM",
    "random forest": "Random forest",
    "ridge": "Ridge (baseline)",
    "mean": "Mean (baseline)",
}
STYLES = {"lightgbm": "level", "random forest": "cap", "ridge": "threshold", "mean": "threshold"}
HEIGHT = 190
LINE = 15  # pixels that a label needs
HEADS = ("When", "Decision", "Why")
NO_MODEL = "No model has been promoted yet. The gate lets the first one serve that beats the baseline beyond chance."
NO_TRAINING = "No training has completed yet. Each will stand here beside the baselines."


class Figures(msgspec.Struct, frozen=True):
    """What a training said of each algorithm: RMSE in dollars, or R²."""

    at: int
    rows: int
    values: dict[str, float]


def series(metrics: Sequence[Point], measure: str) -> list[Figures]:
    """Each training's `rmse` or `r2` of every algorithm."""
    found = []
    for point in metrics:
        values = {}
        for name, prefix in PREFIXES.items():
            # Who has no figures under its own name is the winner.
            value = point.figures.get(
                f"{prefix}{measure}", point.figures.get(measure) if name in winners(point) else None
            )
            if value is not None:
                values[name] = value
        found.append(Figures(point.at, int(point.figures.get("rows", 0)), values))
    return found


def winners(point: Point) -> list[str]:
    """The algorithm that a training's figures without a name are of."""
    return [name for name, prefix in PREFIXES.items() if f"{prefix}rmse" not in point.figures][:1]


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Places for labels: as near to the values as can be, in their order, and `gap` apart."""
    order = sorted(range(len(values)), key=lambda place: values[place])
    placed = [values[place] for place in order]
    for _ in range(50):
        moved = False
        for place in range(1, len(placed)):
            short = gap - (placed[place] - placed[place - 1])
            if short > 1e-9 * max(gap, 1):
                placed[place - 1] -= short / 2
                placed[place] += short / 2
                moved = True
        if not moved:
            break
    result = [0.0] * len(values)
    for place, value in zip(order, placed, strict=True):
        result[place] = value
    return result


def chart(metrics: Sequence[Point], measure: str) -> dict[str, Any] | None:
    """A Vega-Lite spec: a line for each algorithm over the trainings, named at its end. Without its look.

    None where no training has such a figure.
    """
    found = [one for one in series(metrics, measure) if one.values]
    if not found:
        return None
    dollars = measure == "rmse"
    points: list[dict[str, Any]] = [
        {"training": place + 1, "at": words.day(one.at), "rows": one.rows, "name": name, "value": value}
        for place, one in enumerate(found)
        for name, value in one.values.items()
    ]
    every: list[float] = [point["value"] for point in points]
    low, high = min(every), max(every)
    reach = (high - low) or abs(high) or 1.0
    domain = [low - 0.06 * reach, high + 0.06 * reach]
    last = found[-1].values
    places = spread(list(last.values()), 1.12 * reach * LINE / HEIGHT)
    labels = [
        {"name": name, "place": place, "label": f"{_shown(value, dollars)}  {NAMES[name]}"}
        for (name, value), place in zip(last.items(), places, strict=True)
    ]
    axis = {"format": "$~s"} if dollars else {"format": ".1f"}
    y = {"scale": {"domain": domain, "zero": False, "nice": False}, "type": "quantitative", "title": None}
    count = len(found)
    x = {
        "field": "training",
        "type": "quantitative",
        "scale": {"domain": [1, max(count, 2)], "nice": False},
        "title": "training, the newest on the right",
        "axis": {"tickMinStep": 1, "tickCount": min(count, 6), "format": "d"},
    }
    tooltip = [
        {"field": "name", "title": "algorithm"},
        {"field": "value", "title": "RMSE" if dollars else "R²", "format": "$,.0f" if dollars else ".3f"},
        {"field": "at", "title": "began, UTC"},
        {"field": "rows", "title": "blocks", "format": ","},
    ]
    lines = [
        {
            "transform": [{"filter": {"field": "name", "equal": name}}],
            "mark": {"type": "line", "style": style, "strokeWidth": 2 if style != "threshold" else 1.5},
            "encoding": {"x": x, "y": {**y, "field": "value", "axis": {**axis, "tickCount": 4}}},
        }
        for name, style in STYLES.items()
        if name in last
    ]
    marks = [
        {
            "transform": [{"filter": {"field": "name", "equal": name}}],
            "mark": {"type": "point", "style": style, "filled": True, "size": 36, "strokeDash": [1, 0]},
            "encoding": {"x": x, "y": {**y, "field": "value"}, "tooltip": tooltip},
        }
        for name, style in STYLES.items()
        if name in last
    ]
    named = {
        "data": {"values": labels},
        "mark": {"type": "text", "align": "left", "dx": 8},
        "encoding": {
            "x": {"value": "width"},
            "y": {**y, "field": "place"},
            "text": {"field": "label"},
        },
    }
    title = "Typical error (RMSE), 1990 dollars" if dollars else "Share explained (R²)"
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": {"text": title, "subtitle": "On blocks held out, of each training"},
        "data": {"values": points},
        "layer": [*lines, *marks, named],
        "height": HEIGHT,
        "width": "container",
        "autosize": {"type": "fit-x"},
    }


def champion_tile(found: Overview) -> Tree:
    """Who serves, and how well."""
    champion = found.models.champion
    head = el("header", el("h2", "How good is the price model?"))
    if champion is None:
        return el("div", head, el("p", state("none", "No model serves", large=True)), el("p", NO_MODEL, cls="empty"))
    measured = _measured(found.serving, _change(found.metrics, champion.run, found.at))
    return el("div", head, *measured, _serves(champion, found.at), cls="champion")


def _measured(of: dict[str, float], change: str) -> list[Tree]:
    if not of:
        return [el("p", "The figures of its training are no longer kept here.", cls="empty")]
    baseline = of.get("mean_rmse")
    lines = [
        f"R² {_three(of.get('r2'))}; {_three(of.get('spatial_r2'))} in regions that it had not seen",
        f"{percent(of['coverage'])} of prices lie within its 90 % intervals" if "coverage" in of else "",
        f"The mean of all prices alone is off by {money(baseline)}" if baseline else "",
    ]
    return [
        el("p", money(of.get("rmse", 0.0)), cls="number"),
        el("p", "typical error (RMSE) of the model that serves, on blocks held out", cls="faint"),
        el("p", change),
        el("ul", *(el("li", line) for line in lines if line), cls="facts"),
    ]


def _change(metrics: Sequence[Point], run: str, now: int) -> str:
    """Against the training before."""
    place = next((place for place, point in enumerate(metrics) if point.run == run), None)
    if place is None:
        return "It was trained before all trainings that are shown here."
    if place == 0:
        return "The first training that is shown here."
    before, own = metrics[place - 1], metrics[place]
    less = before.figures.get("rmse", 0.0) - own.figures.get("rmse", 0.0)
    word = "less" if less >= 0 else "more"
    return f"{money(abs(less))} {word} than the training before, of {words.clock(before.at, now)}"


def _three(value: float | None) -> str:
    return "–" if value is None else minus(f"{value:.3f}")


def _serves(champion: Champion, now: int) -> Tree:
    version = f", version {champion.version}" if champion.version else ""
    return el(
        "p",
        el("b", f"{NAMES.get(champion.algorithm, champion.algorithm)}{version}"),
        f" serves since {words.clock(champion.at, now)} UTC, ",
        ago(champion.at),
        f"; fingerprint {champion.fingerprint}",
        cls="serves",
    )


def decisions(found: Overview) -> Tree:
    """What the gate said, the newest first."""
    judged = " judged on training rows, each by parts that had not seen it"
    head = el("h3", "The gate's last decisions", el("small", judged, cls="faint"))
    if not found.models.decisions:
        return el("div", head, el("p", "The gate has not been asked yet.", cls="empty"))
    rows = [_decision(decision, found.at) for decision in found.models.decisions]
    return el("div", head, table(HEADS, rows, label="The gate's last decisions"), cls="decisions")


def _decision(decision: Decision, now: int) -> Tree:
    word, _, why = decision.reason.partition(": ")
    return row(
        HEADS,
        (
            el("span", words.clock(decision.at, now), cls="time"),
            state("ok", "Promoted") if decision.promoted else state("none", "Refused"),
            el("span", words.sentence(why or word, now)),
        ),
        key=f"{decision.at}{decision.challenger}",
    )


def _shown(value: float, dollars: bool) -> str:
    return money(value) if dollars else minus(f"{round(value, 3) + 0.0:.3f}")  # never −0.000
