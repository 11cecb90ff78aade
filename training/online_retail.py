"""UCI's Online Retail: its lines, cleaned step by step, and the baskets that they make.

A year of a British gift wholesaler, December 2010 to December 2011 (Chen, Sain and Guo, 2012). No step looks further
into the future of a basket than the hour in which a slip is undone, so what is learnt of the past can be held against
what came after.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd

from tidemark.errors import TidemarkError

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
UNDONE_WITHIN = pd.Timedelta(hours=1)
GUEST = 0
"""The customer of a basket of which none is known."""
EXTREME = 6.0
"""Robust standard deviations of the log value beyond which a line is extreme."""


class Step(msgspec.Struct, frozen=True):
    """A step of the preparation: what it takes away, why, and how much was there before and after."""

    name: str
    why: str
    lines_before: int
    lines_after: int
    invoices_before: int
    invoices_after: int
    value_before: float
    value_after: float


class Prepared(msgspec.Struct, frozen=True):
    """`lines`: goods sold, with `invoice, stock, quantity, at, price, customer, country, value`; `returns`: goods that
    came back, the same with the quantity positive; `steps`: how they came about."""

    lines: pd.DataFrame
    returns: pd.DataFrame
    steps: list[Step]


def read(path: Path) -> pd.DataFrame:
    """The lines of the file as they are. Raises TidemarkError where it has other columns."""
    found = pd.read_csv(
        path, dtype={"InvoiceNo": str, "StockCode": str, "Description": str, "Country": "category"}, encoding="utf-8"
    )
    if tuple(found.columns) != COLUMNS:
        raise TidemarkError(f"{path.name}: expected the columns {', '.join(COLUMNS)}")
    found["InvoiceDate"] = pd.to_datetime(found["InvoiceDate"])
    return found


def prepare(raw: pd.DataFrame) -> Prepared:
    """Goods sold and goods returned, from the lines of the file."""
    lines = pd.DataFrame(
        {
            "invoice": raw["InvoiceNo"],
            "stock": raw["StockCode"].str.upper().str.strip(),
            "quantity": raw["Quantity"],
            "at": raw["InvoiceDate"],
            "price": raw["UnitPrice"],
            "customer": raw["CustomerID"].fillna(GUEST).astype(np.int64),
            "country": raw["Country"],
            "description": raw["Description"],
        }
    )
    lines["value"] = lines["quantity"] * lines["price"]
    steps: list[Step] = []
    for name, why, keep in _STEPS:
        kept = lines[keep(lines)]
        steps.append(_step(name, why, lines, kept))
        lines = kept
    came_back = lines["invoice"].str.startswith("C")
    returns = lines[came_back].assign(quantity=lambda one: -one["quantity"], value=lambda one: -one["value"])
    sold = lines[~came_back]
    steps.append(_step("returns", "Cancellations (invoice C…) are counted apart from sales.", lines, sold))
    columns = ["invoice", "stock", "quantity", "at", "price", "customer", "country", "value"]
    order = ["at", "invoice"]
    return Prepared(
        sold[columns].sort_values(order, kind="stable", ignore_index=True),
        returns[columns].sort_values(order, kind="stable", ignore_index=True),
        steps,
    )


def _step(name: str, why: str, before: pd.DataFrame, after: pd.DataFrame) -> Step:
    return Step(
        name=name,
        why=why,
        lines_before=len(before),
        lines_after=len(after),
        invoices_before=before["invoice"].nunique(),
        invoices_after=after["invoice"].nunique(),
        value_before=round(float(before["value"].sum()), 2),
        value_after=round(float(after["value"].sum()), 2),
    )


def _first(lines: pd.DataFrame) -> pd.Series:
    return ~lines.duplicated(["invoice", "stock", "description", "quantity", "at", "price", "customer", "country"])


def _paid(lines: pd.DataFrame) -> pd.Series:
    """Adjustments of stock and bad debts have no price, or a quantity below nought without being a cancellation."""
    return (lines["price"] > 0) & ((lines["quantity"] > 0) | lines["invoice"].str.startswith("C"))


def _goods(lines: pd.DataFrame) -> pd.Series:
    return lines["stock"].str.match(r"\d{5}")


def _meant(lines: pd.DataFrame) -> pd.Series:
    """Not a sale that the same customer took back whole within the hour, nor its cancellation: a slip of the hand."""
    cancelled = lines["invoice"].str.startswith("C") & (lines["customer"] != GUEST)
    key = ["customer", "stock", "size", "price"]
    table = lines.assign(size=lines["quantity"].abs(), row=np.arange(len(lines)))
    undone = table[cancelled.to_numpy()].sort_values("at", kind="stable")
    sold = table[~lines["invoice"].str.startswith("C").to_numpy()].sort_values("at", kind="stable")
    pairs = pd.merge_asof(undone, sold, on="at", by=key, suffixes=("", "_sold"), tolerance=UNDONE_WITHIN)
    pairs = pairs.dropna(subset="row_sold").drop_duplicates("row_sold")
    slips = np.zeros(len(lines), dtype=bool)
    slips[pairs["row"].to_numpy()] = True
    slips[pairs["row_sold"].to_numpy().astype(np.int64)] = True
    return pd.Series(~slips, index=lines.index)


_STEPS: tuple[tuple[str, str, Callable[[pd.DataFrame], pd.Series]], ...] = (
    ("repeated lines", "The same line of an invoice twice, in every column.", _first),
    ("not paid for", "Stock adjustments and bad debts: no price, or less than nothing sold.", _paid),
    ("not goods", "Postage, fees, discounts, samples: codes that do not begin with five digits.", _goods),
    ("slips of the hand", "Sold and taken back whole by the same customer within an hour: both go.", _meant),
)


def extreme(lines: pd.DataFrame) -> pd.Series:
    """Which lines' values are extreme: beyond `EXTREME` robust standard deviations of the log. They stay: they were
    sold; models see logs, and their errors are not squared pounds."""
    logs = np.log(lines["value"])
    middle = logs.median()
    spread = 1.4826 * (logs - middle).abs().median()
    return (logs - middle).abs() > EXTREME * spread


def baskets(lines: pd.DataFrame) -> pd.DataFrame:
    """One row an invoice, in the order of time: `invoice, at, customer, country, lines, items, value`."""
    found = lines.groupby("invoice", sort=False).agg(
        at=("at", "min"),
        customer=("customer", "first"),
        country=("country", "first"),
        lines=("stock", "size"),
        items=("quantity", "sum"),
        value=("value", "sum"),
    )
    return found.reset_index().sort_values(["at", "invoice"], kind="stable", ignore_index=True)
