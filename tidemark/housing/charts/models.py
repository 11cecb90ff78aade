"""The charts of an ML run: errors of all algorithms, and where the winner is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from tidemark.housing.charts.drawing import Layers, bars_tall, data, dollars, dressed, names
from tidemark.housing.geography import SHRINK
from tidemark.housing.training import Judgement, Region
from tidemark.looks import money

MAP_WIDTH = 480


def errors(judgements: Mapping[str, Judgement]) -> Layers:
    """Each algorithm's RMSE with its interval, on blocks held out and in regions not seen."""
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "where": where,
            "rmse": one.everything.rmse,
            "low": one.rmse.low,
            "high": one.rmse.high,
            "label": money(one.everything.rmse),
        }
        for name, judgement in sorted(judgements.items(), key=lambda pair: pair[1].random.everything.rmse)
        for where, one in (("blocks held out", judgement.random), ("regions not seen", judgement.spatial))
    ]
    scale = alt.Scale(domain=[0, 1.15 * max(row["high"] for row in rows)], nice=False)
    base = data(rows).encode(
        y=names(rows), yOffset=alt.YOffset("where:N", sort=["blocks held out", "regions not seen"])
    )
    bars = base.mark_bar(height=9).encode(
        x=alt.X("rmse:Q", scale=scale, axis=dollars("RMSE, dollars of 1990; lines: 95 % interval")),
        color=alt.Color("where:N", legend=alt.Legend(title=None, orient="top")),
        tooltip=["name:N", "where:N", alt.Tooltip("rmse:Q", format="$,.0f")],
    )
    ends = base.mark_rule().encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    labels = base.mark_text(align="left", dx=8).encode(x=alt.X("high:Q", scale=scale), text="label:N")
    best = rows[0]
    seen = f"{best['name']} is off by {money(best['rmse'])}; in regions it has not seen by {money(rows[1]['rmse'])}"
    return dressed(bars_tall(alt.layer(bars, ends, labels), [*rows, *rows[:2]]), seen)


def errors_by_region(regions: Sequence[Region], winner: str) -> Layers:
    """The mean error of each region, predicted by a model that had not seen it."""
    rows = [
        {
            "latitude": region.latitude,
            "longitude": region.longitude,
            "rows": region.rows,
            "mae": region.mae,
            "bias": region.bias,
            "price": region.median_price,
        }
        for region in regions
    ]
    west, east = min(row["longitude"] for row in rows) - 0.5, max(row["longitude"] for row in rows) + 0.5
    south, north = min(row["latitude"] for row in rows) - 0.5, max(row["latitude"] for row in rows) + 0.5
    worst = max(rows, key=lambda row: row["mae"])
    marks = (
        data(rows)
        .mark_circle(opacity=0.9)
        .encode(
            x=alt.X("longitude:Q", title="longitude, ° east", scale=alt.Scale(domain=[west, east], nice=False)),
            y=alt.Y(
                "latitude:Q",
                title="latitude, ° north",
                scale=alt.Scale(domain=[south, north], nice=False),
                axis=alt.Axis(grid=False),
            ),
            size=alt.Size(
                "rows:Q", scale=alt.Scale(range=[30, 600]), legend=alt.Legend(title="blocks", orient="right")
            ),
            color=alt.Color(
                "mae:Q",
                scale=alt.Scale(range="ramp", interpolate="rgb"),
                legend=alt.Legend(title="mean error, USD", format="$~s", orient="right", gradientLength=140),
            ),
            tooltip=[
                alt.Tooltip("mae:Q", title="mean error", format="$,.0f"),
                alt.Tooltip("bias:Q", title="on average too much by", format="$,.0f"),
                alt.Tooltip("price:Q", title="median price", format="$,.0f"),
                alt.Tooltip("rows:Q", title="blocks", format=","),
            ],
        )
    )
    height = round(MAP_WIDTH * (north - south) / ((east - west) * SHRINK))
    seen = f"{winner} errs most around {worst['latitude']:.1f}° N, {-worst['longitude']:.1f}° W: {money(worst['mae'])}"
    return dressed(
        alt.layer(marks).properties(width=MAP_WIDTH, height=height), seen, "Mean error in regions it has not seen"
    )


def specs(judgements: Mapping[str, Judgement], regions: Sequence[Region], winner: str) -> dict[str, dict[str, Any]]:
    """The Vega-Lite specs, data inline."""
    return {
        "errors": errors(judgements).to_dict(),
        "errors-by-region": errors_by_region(regions, winner).to_dict(),
    }
