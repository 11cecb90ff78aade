"""How strongly columns go together, matter to a model, or have moved."""

from __future__ import annotations

import altair as alt

from tidemark.housing.charts.drawing import BAR, WIDTH, Layers, bars_tall, data, dollars, dressed, names, short, title
from tidemark.housing.columns import NUMBERS, PRICE
from tidemark.housing.profile.importance import Importance
from tidemark.housing.profile.relations import Correlations
from tidemark.looks import minus, money
from tidemark.models.shift import PSI, ColumnDrift, Drift


def correlation_map(result: Correlations) -> Layers:
    """Spearman below the diagonal, Pearson above it."""
    rows = []
    for pair in result.pairs:
        for row, column, measure in ((pair.b, pair.a, "Spearman"), (pair.a, pair.b, "Pearson")):
            found = pair.spearman if measure == "Spearman" else pair.pearson
            if found is not None:
                rows.append(
                    {"row": short(row), "column": short(column), "r": found.value, "of": measure, "p": found.p_holm}
                )
    order = [short(name) for name in NUMBERS]
    top = alt.Axis(orient="top", labelAngle=-40, domain=False, ticks=False)
    base = data(rows).encode(
        x=alt.X("column:N", sort=order, title=None, axis=top),
        y=alt.Y("row:N", sort=order, title=None),
        tooltip=[
            "row:N",
            "column:N",
            alt.Tooltip("of:N", title="measure"),
            alt.Tooltip("r:Q", format="+.4f"),
            alt.Tooltip("p:Q", title="p (Holm)", format=".2g"),
        ],
    )
    scale = alt.Scale(domain=[-1, 1], range="diverging", interpolate="rgb")
    chart = alt.layer(
        base.mark_rect().encode(color=alt.Color("r:Q", scale=scale, legend=None)),
        base.mark_text().encode(text=alt.Text("r:Q", format="+.2f")),
    ).properties(width=52 * len(order), height=30 * len(order))
    with_price = [pair for pair in result.pairs if PRICE in (pair.a, pair.b) and pair.spearman]
    seen = "How the numbers go together"
    if with_price:
        best = max(with_price, key=lambda pair: abs(pair.spearman.value if pair.spearman else 0.0))
        other = best.a if best.b == PRICE else best.b
        seen = f"{title(other)} goes best with the house value"
        seen += minus(f": Spearman {best.spearman.value:+.2f}") if best.spearman else ""
    return dressed(chart, seen, "Correlation: Spearman below the diagonal, Pearson above")


def feature_importance(result: Importance) -> Layers:
    """What shuffling each column costs a model, with the spread over repeats."""
    rows = [
        {"name": title(f.column), "mean": f.mean, "low": f.least, "high": f.most, "label": money(f.mean)}
        for f in result.features
    ]
    least, most = min([0.0, *(f.least for f in result.features)]), max([1.0, *(f.most for f in result.features)])
    scale = alt.Scale(domain=[1.15 * least, 1.15 * most], nice=False)
    axis = dollars("growth of the error (RMSE), USD")
    base = data(rows).encode(
        y=names(rows),
        tooltip=[
            "name:N",
            alt.Tooltip("mean:Q", format="$,.0f"),
            alt.Tooltip("low:Q", title="least", format="$,.0f"),
            alt.Tooltip("high:Q", title="most", format="$,.0f"),
        ],
    )
    chart = alt.layer(
        base.mark_bar(height=BAR, style="band").encode(x=alt.X("mean:Q", scale=scale, axis=axis)),
        base.mark_rule(style="interval").encode(x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q"),
        base.mark_text(align="left", dx=6).encode(x=alt.X("high:Q", scale=scale, axis=axis), text="label:N"),
    )
    seen = "Too few training rows to tell which columns matter"
    if result.features and result.rmse is not None:
        first, error = result.features[0], money(result.rmse)
        seen = f"{title(first.column)} matters most: shuffled, it adds {money(first.mean)} to an error of {error}"
    rows_used = result.trained_on + result.judged_on
    told = f"Mean, least and most of {result.repeats} shuffles; LightGBM on {rows_used:,} training rows"
    return dressed(bars_tall(chart, rows), seen, told)


def drift(result: Drift) -> Layers:
    """How far each column of the newest batch moved from the reference."""
    rows = [
        {"name": title(c.column), "psi": c.psi, "ks": c.ks, "status": c.status, "label": _figures(c)}
        for c in result.columns
    ]
    scale = alt.Scale(domain=[0, 1.15 * max([PSI[1], *(c.psi for c in result.columns)])], nice=False)
    axis = alt.Axis(title="population stability index", tickCount=6)
    base = data(rows).encode(
        y=names(rows),
        x=alt.X("psi:Q", scale=scale, axis=axis),
        tooltip=["name:N", "status:N", alt.Tooltip("psi:Q", format=".3f"), alt.Tooltip("ks:Q", format=".3f")],
    )
    of_status = [
        base.transform_filter(f"datum.status == '{status}'").mark_bar(height=BAR, style=status)
        for status in ("ok", "warn", "alert")
    ]
    marks = data([{"at": at} for at in PSI]).mark_rule(style="threshold")
    chart = alt.layer(
        *of_status,
        marks.encode(x=alt.X("at:Q", scale=scale, axis=axis)),
        base.mark_text(align="left").encode(x=alt.value(WIDTH + 10), text="label:N"),
    )
    moved = [c for c in result.columns if c.status != "ok"]
    seen = "No column has moved from the reference" if result.columns else result.words
    if moved:
        seen = f"{len(moved)} of {len(rows)} columns moved: {', '.join(short(c.column).lower() for c in moved[:3])}"
        seen += " …" if len(moved) > 3 else ""
    told = f"{result.rows:,} new rows against {result.reference_rows:,}; lines: a moderate and a large shift"
    return dressed(bars_tall(chart, rows), seen, told)


def _figures(of: ColumnDrift) -> str:
    """Both that a column is judged by; a category has but one."""
    return f"{of.psi:.2f}" + (f" · KS {of.ks:.2f}" if of.ks is not None else "")
