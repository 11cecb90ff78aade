"""What the model says of a block: its price, between which prices it may lie, and what moves it."""

from __future__ import annotations

from streamlit_app.pipelines.model_tiles import NAMES
from streamlit_app.ui import words
from streamlit_app.ui.tree import Tree, el, icon
from tidemark.housing.requests import Answer, Band, Prediction, Reason
from tidemark.looks import minus, money, percent

REASONS = {
    "location": "where it lies",
    "income": "income of households",
    "age": "age of the houses",
    "dwellings": "homes and people in it",
}
USE = (
    "For planners of a county and analysts of a portfolio, to compare districts and to choose where to send an"
    " assessor. Not for one household: no loan and no tax follows from it without an assessor."
)
SCALE = 500_000.0  # prices above are not told apart


def price_view(answer: Answer, now: int) -> Tree:
    """The answer for one block."""
    found = answer.predictions[0]
    model = answer.model
    version = f", version {model.version}" if model.version else ""
    served = (
        f"{NAMES.get(model.algorithm, model.algorithm)}{version}, serves since {words.clock(model.since, now)} UTC."
    )
    return el(
        "div",
        el("h2", "What the model says"),
        el("p", money(found.price), cls="number"),
        el("p", "median value of the block's homes, dollars of 1990", cls="faint"),
        _warning(found),
        _range(found),
        el("h3", "How likely is each price band?"),
        el("ol", *(_band(band, likely=band == found.band) for band in found.bands), cls="bands"),
        *_reasons(found),
        el("p", USE, cls="use"),
        el("p", served, cls="faint"),
        cls="price",
    )


def _warning(found: Prediction) -> Tree:
    if found.warning:
        words_ = found.warning[:1].upper() + found.warning[1:]
        return el("p", icon("warn"), el("span", f"{words_}."), cls="warning", role="status")
    count = round(found.comparables)
    near = f"{count:,} known {'block' if count == 1 else 'blocks'} within some 3 km to compare with."
    return el("p", icon("ok"), el("span", near), cls="backed")


def _range(found: Prediction) -> Tree:
    """The interval as a band on a scale from zero, with the price and the typical block's."""
    top = max(SCALE, found.high, found.price) * 1.02

    def place(value: float) -> str:
        return f"{100 * max(value, 0) / top:.2f}%"

    width = f"{100 * (found.high - found.low) / top:.2f}%"
    says = f"In {found.coverage:.0%} of cases between {money(found.low)} and {money(found.high)}"
    scale = [
        el("span", "$0" if at == 0 else f"${at // 1000}k", style=f"left:{place(at)}", cls="tick")
        for at in (0, 100_000, 200_000, 300_000, 400_000, 500_000)
    ]
    return el(
        "div",
        el("p", says),
        el(
            "div",
            el("span", cls="band", style=f"left:{place(found.low)};width:{width}"),
            el("span", cls="typical", style=f"left:{place(found.typical_price)}"),
            el("span", cls="at", style=f"left:{place(found.price)}"),
            cls="scale",
            role="img",
            aria_label=f"{says}; the typical block: {money(found.typical_price)}",
        ),
        el("div", *scale, cls="ticks", aria_hidden="true"),
        el("p", "Line: the price. Dotted: the typical block, " + money(found.typical_price), cls="faint"),
        cls="range",
    )


def _band(band: Band, *, likely: bool) -> Tree:
    bar = el("span", el("span", cls="bar", style=f"width:{100 * band.probability:.1f}%"), cls="rail")
    return el(
        "li",
        el("span", band.name, cls="what"),
        bar,
        el("span", percent(band.probability)),
        cls="likely" if likely else None,
    )


def _reasons(found: Prediction) -> list[Tree]:
    if not found.reasons:
        return []
    reach = max(*(abs(reason.dollars) for reason in found.reasons), 1)
    return [
        el("h3", f"What moves it from the typical block's {money(found.typical_price)}?"),
        el("ol", *(_reason(reason, reach) for reason in found.reasons), cls="reasons"),
    ]


def _reason(reason: Reason, reach: int) -> Tree:
    share = 50 * abs(reason.dollars) / reach
    side = "left" if reason.dollars >= 0 else "right"
    bar = el("span", cls=f"bar {'more' if reason.dollars >= 0 else 'less'}", style=f"{side}:50%;width:{share:.1f}%")
    sign = "+" if reason.dollars > 0 else ""
    return el(
        "li",
        el("span", REASONS[reason.reason], cls="what"),
        el("span", bar, cls="rail"),
        el("span", minus(f"{sign}{money(reason.dollars)}")),
    )
