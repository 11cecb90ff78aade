"""Three shops that the models are held against: noise, a world whose laws are known, and a real one.

The supermarket file has nothing to learn (its columns are independent), the rich world has what was planted in it, and
UCI's Online Retail has what a year of a real wholesaler has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from simulator import rich, sources
from simulator.sources import Row
from tidemark import data
from tidemark.errors import TidemarkError
from tidemark.store import Store
from training import online_retail
from training.demand import Series, series
from training.history import GUEST

SEED = 1
RICH_DAYS, RICH_TICKETS = 120, 1_200.0
KAGGLE_ROWS = 1_000
MOST_SALES = 24_000
"""Sales that the anomaly score learns and is measured on; evenly from all."""
LINES = 8  # of Online Retail's stock codes, by their first two digits; the rest are one more
OTHER = "other"


class Shop(NamedTuple):
    """`sales`: as a till sends them, evenly from all, in the order of time. `baskets`: `at, customer, value, lines,
    items` and the columns `codes`; `demand`: items by hour. `origin`: the file and its sha256, or the seed."""

    name: str
    title: str
    origin: str
    store: Store
    sales: list[Row]
    baskets: pd.DataFrame
    codes: tuple[str, ...]
    demand: Series


def supermarket() -> Shop:
    """The Kaggle file, or rows drawn like it where it is not to be had."""
    store, path = Store(), data.find("supermarket_sales.csv")
    if path:
        rows = sources.read_csv(path, store.zone)
        origin = f"{path.name}, sha256 {data.FILES[path.name].sha256[:12]}"
    else:
        rows = list(islice(sources.kaggle(SEED, store), KAGGLE_ROWS))
        origin = f"drawn like the Kaggle file, seed {SEED}"
    return _of_rows("kaggle", "Supermarket (Kaggle)", origin, store, rows, by=None)


def rich_world() -> Shop:
    """The first days of the rich world."""
    store = Store()
    world = rich.World(SEED, store, tickets_a_day=RICH_TICKETS)
    number = sum(len(world.day(day).second) for day in range(RICH_DAYS))
    laws = hashlib.sha256(Path(rich.__file__).read_bytes()).hexdigest()[:12]
    origin = f"simulator rich, seed {SEED}, {RICH_DAYS} days, code sha256 {laws}"
    return _of_rows("rich", "Rich world", origin, store, list(islice(world.rows(), number)), by="product_line")


def _of_rows(name: str, title: str, origin: str, store: Store, rows: list[Row], *, by: str | None) -> Shop:
    frame = pd.DataFrame(rows)
    at = pd.to_datetime(frame["sold_at"], utc=True, format="ISO8601").dt.tz_convert(store.zone).dt.tz_localize(None)
    ids = frame["customer_id"] if "customer_id" in frame else pd.Series(None, index=frame.index, dtype=object)
    codes = ("branch", "product_line", "customer_type", "payment")
    baskets = pd.DataFrame(
        {
            "at": at,
            "customer": pd.factorize(ids)[0] + 1,  # an absent one is -1, so GUEST
            "value": frame["total"].astype(float),
            "lines": 1,
            "items": frame["quantity"],
            **{code: frame[code] for code in codes},
        }
    )
    label = "all" if by is None else frame["branch"] + " " + frame[by]
    counted = series(at, pd.Series(label, index=frame.index), frame["quantity"], range(store.opens, store.closes))
    return Shop(name, title, origin, store, _evenly(rows), baskets, codes, counted)


def uci() -> Shop:
    """Online Retail. Raises TidemarkError where its file is not to be had."""
    path = data.find("online_retail.csv.gz")
    if path is None:
        raise TidemarkError("online_retail.csv.gz is not here: `tidemark data fetch` brings it")
    lines = online_retail.prepare(online_retail.read(path)).lines
    hours = range(6, 21)
    kind = lines["stock"].str[:2]
    kind = kind.where(kind.isin(kind.value_counts().index[:LINES]), OTHER)
    home = lines["country"].astype(str).where(lines["country"] == "United Kingdom", OTHER)
    store = Store(
        zone="Europe/London",
        currency="GBP",
        opens=hours.start,
        closes=hours.stop,
        tax_rate_bp=0,
        branches=tuple(sorted(home.unique())),
        product_lines=tuple(sorted(kind.unique())),
        customer_types=("Guest", "Known"),
        payments=("Invoice",),
    )
    some = np.linspace(0, len(lines) - 1, MOST_SALES).astype(np.int64)
    chosen = lines.iloc[some]
    moments = chosen["at"].dt.tz_localize(ZoneInfo(store.zone), ambiguous=True, nonexistent="shift_forward")
    sales: list[Row] = [
        {
            "invoice_id": f"{invoice}/{number}",
            "sold_at": moment.astimezone(UTC).isoformat(),
            "branch": branch,
            "customer_type": "Guest" if customer == GUEST else "Known",
            "product_line": line,
            "payment": "Invoice",
            "unit_price": f"{price:.4f}",
            "quantity": int(quantity),
            "tax": "0",
            "total": f"{price * quantity:.4f}",
        }
        for invoice, number, moment, branch, customer, line, price, quantity in zip(
            chosen["invoice"],
            some,
            moments,
            home.iloc[some],
            chosen["customer"],
            kind.iloc[some],
            chosen["price"].round(4),
            chosen["quantity"],
            strict=True,
        )
    ]
    counted = series(lines["at"], pd.Series("all", index=lines.index), lines["quantity"], hours)
    origin = f"{path.name}, sha256 {data.FILES[path.name].sha256[:12]}"
    return Shop(
        "online-retail",
        "Online Retail (UCI)",
        origin,
        store,
        sales,
        online_retail.baskets(lines),
        ("country",),
        counted,
    )


def _evenly(rows: list[Row]) -> list[Row]:
    if len(rows) <= MOST_SALES:
        return rows
    return [rows[place] for place in np.linspace(0, len(rows) - 1, MOST_SALES).astype(int)]


SHOPS: dict[str, Callable[[], Shop]] = {"kaggle": supermarket, "rich": rich_world, "online-retail": uci}
