"""What houses cost: by category, by income, by place."""

from __future__ import annotations

import altair as alt

from tidemark.housing.charts.drawing import (
    INCOME_UNIT,
    WIDTH,
    Layers,
    bars_tall,
    data,
    dollars,
    dressed,
    names,
)
from tidemark.housing.columns import INCOME
from tidemark.housing.geography import SHRINK
from tidemark.housing.profile.bins import Binning, PriceMap
from tidemark.housing.profile.categories import Encoding, OneHot
from tidemark.looks import money

MAP_WIDTH = 420


def price_by_category(result: Encoding) -> Layers:
    """What blocks of each category cost on average, with the interval of the mean."""
    known = sorted((c for c in result.columns if c.mean_price is not None), key=_mean)
    rows = [
        {
            "name": c.category,
            "mean": c.mean_price,
            "low": c.mean_price_low,
            "high": c.mean_price_high,
            "count": c.count,
            "label": f"{money(_mean(c))} · {c.count:,} blocks",
        }
        for c in known
    ]
    ends = [c.mean_price_high or _mean(c) for c in known]
    scale = alt.Scale(domain=[0, 1.35 * max(ends, default=1.0)], nice=False)
    axis = dollars("mean of the median house value, USD")
    base = data(rows).encode(
        y=names(rows),
        tooltip=[
            "name:N",
            alt.Tooltip("mean:Q", title="mean", format="$,.0f"),
            alt.Tooltip("low:Q", title="from", format="$,.0f"),
            alt.Tooltip("high:Q", title="to", format="$,.0f"),
            alt.Tooltip("count:Q", title="blocks", format=","),
        ],
    )
    chart = alt.layer(
        base.mark_rule(style="interval").encode(x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q"),
        base.mark_point(style="plain", size=40, filled=True, opacity=1).encode(
            x=alt.X("mean:Q", scale=scale, axis=axis)
        ),
        base.transform_calculate(end="max(datum.high, datum.mean)")
        .mark_text(align="left", dx=8)
        .encode(x=alt.X("end:Q", scale=scale, axis=axis), text="label:N"),
    )
    seen = "No block has a price yet"
    if known:
        low, high = known[0], known[-1]
        seen = f"{low.category} blocks cost least ({money(_mean(low))}), {high.category} most ({money(_mean(high))})"
    return dressed(bars_tall(chart, rows), seen, "Mean of the blocks' median house values, with its 95 % interval")


def _mean(of: OneHot) -> float:
    return of.mean_price or 0.0


def price_by_income(result: Binning) -> Layers:
    """What blocks cost by what their households earn, in twentieths."""
    bins = [b for c in result.columns if c.column == INCOME for b in c.quantile if b.mean_price is not None]
    rows = [
        {
            "from": b.low * INCOME_UNIT,
            "to": b.high * INCOME_UNIT,
            "mean": b.mean_price,
            "low": b.mean_price if b.mean_price_low is None else b.mean_price_low,
            "high": b.mean_price if b.mean_price_high is None else b.mean_price_high,
            "count": b.count,
        }
        for b in bins
    ]
    span = [bins[0].low * INCOME_UNIT, bins[-1].high * INCOME_UNIT] if bins else [0.0, 1.0]
    base = data(rows).encode(
        x=alt.X("from:Q", axis=dollars("median income, USD a year", 8), scale=alt.Scale(domain=span, nice=False)),
        x2="to:Q",
        tooltip=[
            alt.Tooltip("from:Q", title="income above", format="$,.0f"),
            alt.Tooltip("to:Q", title="up to", format="$,.0f"),
            alt.Tooltip("mean:Q", title="mean value", format="$,.0f"),
            alt.Tooltip("low:Q", title="from", format="$,.0f"),
            alt.Tooltip("high:Q", title="to", format="$,.0f"),
            alt.Tooltip("count:Q", title="blocks", format=","),
        ],
    )
    axis = dollars("mean house value, USD")
    chart = alt.layer(
        base.mark_rect(style="band").encode(y=alt.Y("low:Q", axis=axis), y2="high:Q"),
        base.mark_rule(style="level").encode(y=alt.Y("mean:Q", axis=axis, scale=alt.Scale(zero=True))),
    ).properties(width=WIDTH, height=260)
    seen = "House value by income"
    if bins:
        first, last = (money(b.mean_price or 0.0) for b in (bins[0], bins[-1]))
        seen = f"From {first} where households earn least to {last} where they earn most"
    told = f"Mean house value in {len(bins)} groups of as many blocks each, by income; band: its 95 % interval"
    return dressed(chart, seen, told)


def price_map(result: PriceMap) -> Layers:
    """The median house value of each cell of 0.1°, as far apart as on the ground."""
    half = result.degrees / 2
    rows = [
        {
            "west": round(c.longitude - half, 4),
            "east": round(c.longitude + half, 4),
            "south": round(c.latitude - half, 4),
            "north": round(c.latitude + half, 4),
            "price": c.median_price,
            "count": c.count,
        }
        for c in result.cells
    ]
    prices = sorted(c.median_price for c in result.cells) or [0.0]
    low, dear, high = (prices[int(p * (len(prices) - 1))] for p in (0.05, 0.9, 0.95))
    west, south = (min((row[side] for row in rows), default=0.0) for side in ("west", "south"))
    east, north = (max((row[side] for row in rows), default=1.0) for side in ("east", "north"))
    base = data(rows).encode(
        x=alt.X("west:Q", title="longitude, ° east", scale=alt.Scale(domain=[west, east], nice=False, zero=False)),
        x2="east:Q",
        y=alt.Y(
            "south:Q",
            title="latitude, ° north",
            scale=alt.Scale(domain=[south, north], nice=False, zero=False),
            axis=alt.Axis(grid=False),
        ),
        y2="north:Q",
        color=alt.Color(
            "price:Q",
            scale=alt.Scale(domain=[low, high], range="ramp", clamp=True, interpolate="rgb"),
            legend=alt.Legend(
                title="median value, USD", format="$~s", orient="top-right", gradientLength=140, tickCount=4
            ),
        ),
        tooltip=[
            alt.Tooltip("price:Q", title="median value", format="$,.0f"),
            alt.Tooltip("count:Q", title="blocks", format=","),
            alt.Tooltip("south:Q", title="from latitude", format=".2f"),
            alt.Tooltip("west:Q", title="from longitude", format=".2f"),
        ],
    )
    height = round(MAP_WIDTH * (north - south) / ((east - west) * SHRINK))
    chart = alt.layer(base.mark_rect()).properties(width=MAP_WIDTH, height=height)
    seen = f"In the dearest tenth of places the median is {money(dear)} and more"
    return dressed(
        chart, seen, f"Median house value within {result.degrees:g}° by {result.degrees:g}°; {len(rows):,} places"
    )
