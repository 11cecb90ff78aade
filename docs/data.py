"""Writes `data.md`: structure, content and quality of each sales file, and what its preparation does.

`make docs` runs it where the files are at hand; it needs pandas alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from tidemark import data
from training import online_retail
from training.online_retail import Prepared

DOCS = Path(__file__).resolve().parent
CODES = 12  # a column with no more is told by its codes
INTRO = """# The sales files

Generated from the files themselves (`python -m docs.data`). None of them is part of this project: `tidemark data fetch`
brings them, each checked by its sha256. What the models make of them stands in [models.md](models.md).
"""


def text() -> str:
    """The whole page. Raises FileNotFoundError where a file is not at hand."""
    return "\n".join(
        [INTRO, *_supermarket(_path("supermarket_sales.csv")), *_retail(_path("online_retail.csv.gz")), ""]
    )


def _path(name: str) -> Path:
    found = data.find(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not at hand: `tidemark data fetch` brings it")
    return found


def _head(title: str, name: str, words: str) -> list[str]:
    file = data.FILES[name]
    return [
        f"## {title}",
        "",
        f"`{name}`, {file.rows:,} rows, sha256 `{file.sha256[:16]}…`, licence: {file.licence}. {words}",
        "",
    ]


def _supermarket(path: Path) -> list[str]:
    frame = pd.read_csv(path)
    cogs = frame["Unit price"] * frame["Quantity"]
    at = pd.to_datetime(frame["Date"] + " " + frame["Time"], format="%m/%d/%Y %H:%M")
    off = {
        "Total is price × quantity × 1.05": (frame["Total"] - cogs * 1.05).abs() > 1e-6,
        "Tax 5% is 5 % of price × quantity": (frame["Tax 5%"] - cogs * 0.05).abs() > 1e-6,
        "cogs is price × quantity": (frame["cogs"] - cogs).abs() > 1e-6,
        "gross income is Tax 5%": (frame["gross income"] - frame["Tax 5%"]).abs() > 1e-6,
        "City follows from Branch": frame.groupby("Branch")["City"].transform("nunique") > 1,
        "Time lies in 10:00 to 21:00": (at.dt.hour < 10) | (at.dt.hour >= 21),
    }
    return [
        *_head(
            "Supermarket sales (Kaggle)",
            path.name,
            f"One row a sale, of one product line, {at.min():%Y-%m-%d} to {at.max():%Y-%m-%d}, three branches.",
        ),
        *_structure(frame),
        "### Content and quality",
        "",
        f"{len(frame):,} sales of {frame['Quantity'].sum():,} items, worth {frame['Total'].sum():,.3f} with tax; "
        f"{len(frame) / at.dt.normalize().nunique():.1f} a day on {at.dt.normalize().nunique()} days. Nothing is "
        f"missing in {int((frame.isna().sum() == 0).sum())} of {frame.shape[1]} columns; {frame.duplicated().sum()} "
        f"rows stand twice, {frame['Invoice ID'].duplicated().sum()} invoice ids. No customer id, no cancellation.",
        "",
        "| what should hold | rows where it does not |",
        "| --- | ---: |",
        *[f"| {what} | {int(wrong.sum())} |" for what, wrong in off.items()],
        "",
        "So `Total`, `Tax 5%`, `cogs` and `gross income` say the same thing four times, and `gross margin percentage` "
        "is a constant: a model that “predicts” one of them from another has learnt an identity. What remains are "
        "independent columns (price, quantity, rating, time, codes): [models.md](models.md) shows that nothing can be "
        "learnt from one about another. No preparation is needed: every row is taken as it is.",
        "",
    ]


def _retail(path: Path) -> list[str]:
    raw = online_retail.read(path)
    prepared = online_retail.prepare(raw)
    cancelled = raw["InvoiceNo"].str.startswith("C")
    quality = {
        "lines without a customer": raw["CustomerID"].isna(),
        "lines of cancellations (invoice C…)": cancelled,
        "other lines with a quantity below 0": ~cancelled & (raw["Quantity"] < 0),
        "lines with no price, or one below 0": raw["UnitPrice"] <= 0,
        "lines without a description": raw["Description"].isna(),
        "lines that stand there before, in every column": raw.duplicated(),
    }
    return [
        *_head(
            "Online Retail (UCI)",
            path.name,
            "One row a line of an invoice of a British gift wholesaler (Chen, Sain and Guo 2012), "
            f"{raw['InvoiceDate'].min():%Y-%m-%d} to {raw['InvoiceDate'].max():%Y-%m-%d}.",
        ),
        *_structure(raw),
        "### Content and quality",
        "",
        f"{raw['InvoiceNo'].nunique():,} invoices, {raw['CustomerID'].nunique():,} customers in "
        f"{raw['Country'].nunique()} countries, {raw['StockCode'].nunique():,} stock codes. No sale on "
        f"{_closed(raw['InvoiceDate'])}.",
        "",
        "| what is odd | lines | of all |",
        "| --- | ---: | ---: |",
        *[f"| {what} | {int(odd.sum()):,} | {odd.mean():.2%} |" for what, odd in quality.items()],
        "",
        *_steps(prepared),
    ]


def _closed(at: pd.Series) -> str:
    found = set(at.dt.day_name())
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return ", ".join(f"{name}s" for name in names if name not in found) or "no weekday"


def _steps(prepared: Prepared) -> list[str]:
    lines = prepared.lines
    baskets = online_retail.baskets(lines)
    far = online_retail.extreme(lines)
    guests = baskets["customer"] == online_retail.GUEST
    return [
        "### Preparation, step by step",
        "",
        "| step | why | lines before | after | invoices before | after | worth before | after |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *[
            f"| {step.name} | {step.why} | {step.lines_before:,} | {step.lines_after:,} | {step.invoices_before:,} | "
            f"{step.invoices_after:,} | {step.value_before:,.0f} | {step.value_after:,.0f} |"
            for step in prepared.steps
        ],
        "",
        f"Left: {len(lines):,} lines in {len(baskets):,} baskets, {int(guests.sum()):,} of them of nobody known "
        f"(they stay: a basket without a customer is still a basket), worth {lines['value'].sum():,.2f}; and "
        f"{len(prepared.returns):,} lines that came back, worth {prepared.returns['value'].sum():,.2f}, counted apart. "
        f"{int(far.sum()):,} lines are extreme (log value beyond {online_retail.EXTREME:g} robust standard "
        "deviations); they stay, since they were sold: models see logs.",
        "",
    ]


def _structure(frame: pd.DataFrame) -> list[str]:
    rows = []
    for name in frame.columns:
        column = frame[name]
        rows.append(
            f"| `{name}` | {_kind(column)} | {column.notna().sum():,} | {column.isna().sum():,} | "
            f"{column.nunique():,} | {_values(column)} |"
        )
    head = [
        "| column | type | values | missing | distinct | what it holds |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    return ["### Structure", "", *head, *rows, ""]


def _kind(column: pd.Series) -> str:
    if pd.api.types.is_datetime64_any_dtype(column):
        return "time"
    if pd.api.types.is_integer_dtype(column):
        return "whole number"
    return "number" if pd.api.types.is_numeric_dtype(column) else "text"


def _values(column: pd.Series) -> str:
    known = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(known):
        return f"{known.min():%Y-%m-%d %H:%M} to {known.max():%Y-%m-%d %H:%M}"
    if pd.api.types.is_numeric_dtype(known):
        if known.nunique() == 1:
            return f"always {known.iloc[0]:g}"
        return f"{known.min():,g} to {known.max():,g}, median {known.median():,g}"
    if known.nunique() <= CODES:
        return ", ".join(f"{code} ({count:,})" for code, count in known.value_counts().items())
    common = known.value_counts().index[0]
    return f"such as {str(common).strip()}"


if __name__ == "__main__":
    try:
        (DOCS / "data.md").write_text(text())
    except FileNotFoundError as error:
        sys.exit(str(error))
