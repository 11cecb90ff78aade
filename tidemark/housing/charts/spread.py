"""How each column is spread: histograms, categories, empty cells."""

from __future__ import annotations

from itertools import pairwise

import altair as alt

from tidemark.housing.charts.drawing import (
    BAR,
    ROW,
    Layers,
    Rows,
    bars_tall,
    data,
    dollars,
    dressed,
    names,
    said,
    short,
    shown,
    title,
    unit,
)
from tidemark.housing.columns import INCOME, PRICE
from tidemark.housing.profile.bins import Distributions, Histogram, round_width
from tidemark.housing.profile.categories import Encoding
from tidemark.housing.profile.univariate import MissingValues
from tidemark.looks import percent

COLUMNS = 3
SMALL = (236, 104)


def histograms(result: Distributions) -> alt.ConcatChart:
    """How every number is spread, as small multiples; rows at a known cap stand apart."""
    charts = [_histogram(of, result.rows, place % COLUMNS == 0) for place, of in enumerate(result.columns)]
    capped = [of for of in result.columns if of.at_cap]
    seen = "No number is cut off"
    if capped:
        listed = ", ".join(
            f"{short(of.column).lower()} ({percent(of.at_cap / result.rows)} of blocks)" for of in capped
        )
        seen = f"Cut off at a cap: {listed}"
    told = f"{result.rows:,} blocks by value; amber: the blocks at the cap"
    # Flush: the plots stand in line, whatever room their axes and titles take.
    chart = alt.concat(*charts, columns=COLUMNS).properties(
        bounds="flush", spacing=alt.RowColnumber(row=104, column=58)
    )
    return dressed(chart, seen, told)


def _histogram(of: Histogram, rows: int, first: bool) -> Layers:
    bars = []
    for low, high, count in ((a, b, n) for (a, b), n in zip(pairwise(of.edges), of.counts, strict=True)):
        capped = of.at_cap if of.cap is not None and low < of.cap <= high else 0
        ends = {"low": shown(of.column, low), "high": shown(of.column, high)}
        told = f"{said(of.column, low, with_unit=False)} to {said(of.column, high)}"
        if count > capped:
            bars.append({**ends, "from": 0, "to": count - capped, "told": told, "capped": False})
        if capped:
            told = f"at the cap, {said(of.column, of.cap or 0.0)}"
            bars.append({**ends, "from": count - capped, "to": count, "told": told, "capped": True})
    span = [shown(of.column, edge) for edge in (of.edges[0], of.edges[-1])] if of.edges else [0, 1]
    axis = dollars(unit(of.column), 4) if of.column in (INCOME, PRICE) else alt.Axis(title=unit(of.column), tickCount=5)
    # No label stands at the very top, which would lift this title above its neighbours'.
    most = max([*of.counts, 1])
    height = alt.Scale(domain=[0, 1.08 * most], nice=False)
    step = round_width(most / 4)
    written = f"datum.value == 0 ? '0' : format(datum.value, '{',d' if most < 10_000 else '~s'}')"
    count_axis = alt.Axis(values=[step * k for k in range(int(most / step) + 1)], labelExpr=written)
    base = (
        data(bars)
        .transform_calculate(blocks="datum.to - datum.from")
        .encode(
            x=alt.X("low:Q", axis=axis, scale=alt.Scale(domain=span, nice=False, zero=False)),
            x2="high:Q",
            y=alt.Y("from:Q", title="blocks" if first else None, axis=count_axis, scale=height),
            y2="to:Q",
            tooltip=[alt.Tooltip("told:N", title=of.title), alt.Tooltip("blocks:Q", format=",")],
        )
    )
    chart = alt.layer(
        base.transform_filter("!datum.capped").mark_bar(binSpacing=0, style="plain"),
        base.transform_filter("datum.capped").mark_bar(binSpacing=0, style="cap"),
    )
    head = alt.Title(of.title, subtitle=_seen(of, rows), fontSize=12, offset=6)
    return chart.properties(width=SMALL[0], height=SMALL[1], title=head)


def _seen(of: Histogram, rows: int) -> list[str]:
    """What a histogram shows, in two lines."""
    if of.min is None or of.max is None or of.q1 is None or of.q3 is None:
        return ["No values", " "]
    half = f"Half between {said(of.column, of.q1, with_unit=False)} and {said(of.column, of.q3)}"
    if of.at_cap and of.cap is not None:
        return [f"{percent(of.at_cap / rows)} of blocks at the cap of {said(of.column, of.cap)}", half]
    if of.beyond:
        return [half, f"{percent(of.beyond / rows)} beyond this axis, up to {said(of.column, of.max, with_unit=False)}"]
    return [half, f"All between {said(of.column, of.min, with_unit=False)} and {said(of.column, of.max)}"]


def category_bars(result: Encoding) -> Layers:
    """How many blocks are of each category."""
    columns = sorted(result.columns, key=lambda column: -column.count)
    rows = [{"name": c.category, "count": c.count, "label": f"{c.count:,} · {percent(c.share)}"} for c in columns]
    x = alt.X("count:Q", axis=None, scale=alt.Scale(domain=[0, 1.25 * max(columns[0].count, 1)], nice=False))
    base = data(rows).encode(y=names(rows), x=x, tooltip=["name:N", alt.Tooltip("count:Q", title="blocks", format=",")])
    chart = alt.layer(base.mark_bar(height=BAR), base.mark_text(align="left", dx=6).encode(text="label:N"))
    most, least = columns[0], columns[-1]
    seen = f"Most blocks are {most.category} ({percent(most.share)}), only {least.count:,} are {least.category}"
    return dressed(bars_tall(chart, rows), seen, f"Blocks by {title(result.of).lower()}")


def missingness(result: MissingValues) -> alt.HConcatChart:
    """Empty cells by column; and of the column that has some, by category."""
    columns = [
        {"name": title(c.column), "share": c.share, "count": c.count, "label": _none(c.share), "allowed": c.allowed}
        for c in result.columns
    ]
    categories = [
        {"name": c.category, "share": c.share, "count": c.missing, "label": _none(c.share)} for c in result.by_category
    ]
    most = 1.15 * max(
        [c.share for c in result.by_category] + [max(c.share, c.allowed) for c in result.columns] + [0.01]
    )
    allowed = (
        data([row for row in columns if row["allowed"]])
        .mark_tick(style="allowed", size=BAR + 4, thickness=1.5)
        .encode(x="allowed:Q", y=names(columns), tooltip=[alt.Tooltip("allowed:Q", format=".0%")])
    )
    panels = (
        _panel(columns, most, "share of all rows", "By column; tick: at most allowed", allowed),
        _panel(categories, most, "share of the category's rows", _by_category(result.p)),
    )
    empty = [c for c in result.columns if c.count]
    seen = "; ".join(f"{title(c.column)}: {percent(c.share)} of rows are empty ({c.count:,})" for c in empty)
    return dressed(alt.hconcat(*panels), seen or "No cell is empty")


def _panel(rows: Rows, most: float, along: str, head: str, *more: alt.Chart) -> Layers:
    scale = alt.Scale(domain=[0, most], nice=False)
    base = data(rows).encode(
        y=names(rows),
        x=alt.X("share:Q", title=along, scale=scale, axis=alt.Axis(format=".0%", tickCount=5)),
        tooltip=["name:N", alt.Tooltip("share:Q", format=".2%"), alt.Tooltip("count:Q", title="rows", format=",")],
    )
    chart = alt.layer(base.mark_bar(height=BAR), base.mark_text(align="left", dx=6).encode(text="label:N"), *more)
    return chart.properties(width=270, height=ROW * max(len(rows), 1), title=alt.Title(head, fontSize=12))


def _none(share: float) -> str:
    return percent(share) if share else "none"


def _by_category(p: float | None) -> str:
    if p is None:
        return "By category"
    seen = "no difference beyond chance" if p >= 0.05 else "not alike"
    return f"By category: {seen} (p {'< 0.0001' if p < 0.0001 else f'= {p:.2g}'})"
