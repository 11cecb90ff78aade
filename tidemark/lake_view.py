"""The one view through which the lake is read: every sale once, typed. DuckDB over a mirror of the lake's objects."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import duckdb

from tidemark.adapters.s3_lake import PREFIX
from tidemark.ledger import Entry

OBJECTS = "day=*/*.json.gz"
COLUMNS = {
    "invoice_id": "VARCHAR",
    "sold_at": "TIMESTAMPTZ",
    "minute": "BIGINT",
    "branch": "VARCHAR",
    "customer_type": "VARCHAR",
    "product_line": "VARCHAR",
    "unit_price": "DECIMAL(18,4)",
    "quantity": "INTEGER",
    "payment": "VARCHAR",
    "cogs": "DECIMAL(18,4)",
    "tax": "DECIMAL(18,4)",
    "total": "DECIMAL(18,4)",
    "kind": "VARCHAR",
    "anomaly": "BOOLEAN",
    "model": "VARCHAR",
    "received_at": "BIGINT",
    "flags": "VARCHAR[]",
    "score": "DOUBLE",
    "basket_quantiles": "DOUBLE[]",
    "segment": "VARCHAR",
    "shadow": "VARCHAR",
    "shadow_score": "DOUBLE",
    "rating": "DECIMAL(6,4)",
    "city": "VARCHAR",
    "gender": "VARCHAR",
    "customer_id": "VARCHAR",
    "schema_version": "INTEGER",
}


class Named(NamedTuple):
    """A sale of the lake that names a customer: when it was sold (UTC, minutes since 1970)."""

    invoice_id: str
    minute: int


class LakeSale(NamedTuple):
    """What the audit compares of a sale."""

    invoice_id: str
    minute: int
    branch: str
    product_line: str
    customer_type: str
    payment: str
    kind: str
    quantity: int
    unit_price: Decimal
    cogs: Decimal
    tax: Decimal
    total: Decimal
    anomaly: bool
    model: str


def open_view(mirror: Path) -> duckdb.DuckDBPyConnection:
    """A connection with the view `sales` over a mirror made by `S3Lake.mirror`."""
    connection = duckdb.connect()
    create_view(connection, [str(path) for path in (mirror / PREFIX).glob(OBJECTS)])
    return connection


def create_view(connection: duckdb.DuckDBPyConnection, objects: Sequence[str]) -> None:
    """Give a connection the view `sales` over some of the lake's objects, mirrored to these paths."""
    if objects:
        connection.execute(f"CREATE VIEW sales AS {view_query(objects)}")
    else:
        connection.execute(f"CREATE TABLE sales ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")


def view_query(objects: Sequence[str]) -> str:
    """What the view selects from objects at these paths, or patterns of paths."""
    # The repeats of a sale are all alike: the ledger changes one only to blank it, and then its days are written anew.
    return f"SELECT DISTINCT ON (invoice_id) * FROM {_objects(objects)}"  # noqa: S608  # the paths are ours, and quoted


def _objects(paths: Sequence[str]) -> str:
    """The objects at these paths as a table, with the repeats."""
    typed = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items()) + "}"
    quoted = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    return f"read_json([{quoted}], format = 'newline_delimited', columns = {typed}, hive_partitioning = false)"


def named(mirror: Path, customer: str | None = None, *, before: int | None = None) -> list[Named]:
    """The sales that name a customer in any object of a mirror, repeats and all: of one customer, where it is given,
    and of those received before some time (milliseconds since 1970)."""
    paths = [str(path) for path in (mirror / PREFIX).glob(OBJECTS)]
    if not paths:
        return []
    found = duckdb.execute(
        f"SELECT DISTINCT invoice_id, minute FROM {_objects(paths)} "  # noqa: S608
        "WHERE customer_id IS NOT NULL AND coalesce(customer_id = ?, true) AND coalesce(received_at < ?, true)",
        [customer, before],
    )
    return [Named(*row) for row in found.fetchall()]


def read_sales(connection: duckdb.DuckDBPyConnection) -> dict[str, LakeSale]:
    """Every sale of the view by its id."""
    rows = connection.execute(f"SELECT {', '.join(LakeSale._fields)} FROM sales").fetchall()  # noqa: S608
    return {row[0]: LakeSale(*row) for row in rows}


def as_lake_sale(entry: Entry) -> LakeSale:
    """What the lake must say of a sale in the ledger."""
    return LakeSale(
        entry.invoice_id,
        entry.minute,
        entry.branch,
        entry.product_line,
        entry.customer_type,
        entry.payment,
        entry.kind,
        entry.quantity,
        Decimal(entry.unit_price),
        Decimal(entry.cogs),
        Decimal(entry.tax),
        Decimal(entry.total),
        entry.anomaly,
        entry.model,
    )
