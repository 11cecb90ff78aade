"""Where simulated tills get their sales from: iterators, some of them endless, of rows as a client sends them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from tidemark.errors import Misuse
from tidemark.store import Store

Row = dict[str, Any]
"""A sale as JSON; money as decimal strings."""

_COLUMNS = (
    "Invoice ID", "Branch", "City", "Customer type", "Gender", "Product line", "Unit price", "Quantity",
    "Tax 5%", "Total", "Date", "Time", "Payment", "Rating",
)  # fmt: skip
CITIES = {"A": "Yangon", "B": "Mandalay", "C": "Naypyitaw"}
QUARTER = timedelta(days=91)  # whole weeks, so that a weekday stays what it was
TICKETS_A_DAY = 1000 / 89
FIRST_DAY = date(2019, 1, 1)


def read_csv(path: Path, zone: str) -> list[Row]:
    """A file in the schema of Kaggle's supermarket_sales.csv, in the order of time; naive times are in `zone`.

    Raises Misuse that names the column or the line where it is not such a file.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise Misuse(f"{path}: not a sales file, these columns are missing: {', '.join(missing)}")
            rows = []
            for record in reader:
                try:
                    rows.append(_csv_row(record, zone))
                except (ValueError, TypeError) as error:
                    raise Misuse(f"{path}, line {reader.line_num}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{path}: {error}") from None
    return sorted(rows, key=lambda row: (datetime.fromisoformat(row["sold_at"]), row["invoice_id"]))


def _csv_row(record: dict[str, str], zone: str) -> Row:
    moment = datetime.strptime(f"{record['Date']} {record['Time']}", "%m/%d/%Y %H:%M").replace(tzinfo=ZoneInfo(zone))
    return {
        "invoice_id": record["Invoice ID"],
        "sold_at": moment.isoformat(),
        "branch": record["Branch"],
        "city": record["City"],
        "customer_type": record["Customer type"],
        "gender": record["Gender"],
        "product_line": record["Product line"],
        "unit_price": record["Unit price"],
        "quantity": int(record["Quantity"]),
        "tax": record["Tax 5%"],
        "total": record["Total"],
        "payment": record["Payment"],
        "rating": float(record["Rating"]),
    }


def replay(rows: list[Row], *, repeat: bool, start: int = 0) -> Iterator[Row]:
    """The rows as they are, from number `start` on; with `repeat` endlessly: each pass a quarter later, with ids of
    its own."""
    number = start
    while number < len(rows) or (repeat and rows):
        yield replayed(rows, number)
        number += 1


def replayed(rows: list[Row], number: int) -> Row:
    """Row `number` of the endless replay."""
    passes, place = divmod(number, len(rows))
    row = rows[place]
    if passes == 0:
        return row
    moment = datetime.fromisoformat(row["sold_at"]) + passes * QUARTER
    return {**row, "invoice_id": f"{row['invoice_id']}/{passes + 1}", "sold_at": moment.isoformat()}


def kaggle(seed: int, store: Store) -> Iterator[Row]:
    """Endless sales drawn as the Kaggle file's are: independent, uniform, 11.2 a day (facts: Poisson), from 2019 on.

    Price ~ U(10, 100) to the cent, quantity ~ U{1..10}, rating ~ U(4, 10) to a tenth, time ~ U(opens, closes).
    """
    draw = np.random.default_rng(seed)
    number = 0
    day = FIRST_DAY
    zone = ZoneInfo(store.zone)
    while True:
        minutes = np.sort(draw.integers(store.opens * 60, store.closes * 60, draw.poisson(TICKETS_A_DAY)))
        for minute in minutes:
            moment = datetime.combine(day, time(), zone) + timedelta(minutes=int(minute))
            price = Decimal(int(draw.integers(1_000, 10_000))) / 100
            quantity = int(draw.integers(1, 11))
            branch = str(draw.choice(list(CITIES)))
            yield {
                "invoice_id": drawn_id(seed, number),
                "sold_at": moment.astimezone(UTC).isoformat(),
                "branch": branch,
                "city": CITIES[branch],
                "customer_type": str(draw.choice(store.customer_types)),
                "gender": str(draw.choice(("Female", "Male"))),
                "product_line": str(draw.choice(store.product_lines)),
                "payment": str(draw.choice(store.payments)),
                "rating": int(draw.integers(40, 101)) / 10,
                **priced(price, quantity, store),
            }
            number += 1
        day += timedelta(days=1)


def drawn_id(seed: int, number: int) -> str:
    """The invoice id of drawn sale `number`."""
    return f"k{seed}-{number:07d}"


def priced(price: Decimal, quantity: int, store: Store) -> Row:
    """Price, quantity, tax and total that agree with each other."""
    tax = (price * quantity * store.tax_rate_bp / 10_000).quantize(Decimal("0.0001"))
    return {
        "unit_price": str(price),
        "quantity": quantity,
        "tax": str(tax),
        "total": str(price * quantity + tax),
    }
