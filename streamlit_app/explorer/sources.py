"""The tables that come with the product; each says where its rows are from."""

from __future__ import annotations

import hashlib
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa
import streamlit as st

from simulator import sources
from streamlit_app.explorer import retail_tables
from streamlit_app.ui.session import KEPT_S
from tidemark import data
from tidemark.store import Store
from tidemark.tables.sources import Source

SUPERMARKET = "supermarket_sales.csv"
RETAIL = "online_retail.csv.gz"
HOUSING = "california_housing.csv"
_SIMULATED = 100_000
_TITLES = {SUPERMARKET: "Supermarket sales", RETAIL: "Online retail", HOUSING: "California housing"}


@st.cache_resource(show_spinner=False, ttl=KEPT_S)
def known() -> list[Source]:
    """Those that are here; where the supermarket's file is not, simulated sales in its place.

    Files are checked by their sha256, which takes half a second: once in a while, not at each refresh.
    """
    here = {name: data.find(name) for name in (SUPERMARKET, RETAIL, HOUSING)}
    found = [_table(name, path) for name, path in here.items() if path]
    retail = here[RETAIL]
    derived = [_table(RETAIL, retail, title) for title in retail_tables.QUERIES] if retail else []
    return [*found, *derived] if here[SUPERMARKET] else [_simulated(), *found, *derived]


def _table(file: str, path: Path, of: str = "") -> Source:
    """A file as it stands, or one of the tables that are made of it."""
    known_file = data.FILES[file]
    query = retail_tables.QUERIES[of] if of else _QUERIES[file]
    name = file.partition(".")[0] + (f"-{of}" if of else "")
    title = _TITLES[file] + (f": {of}" if of else "")
    about = f"{retail_tables.ABOUT[of]}; from" if of else f"{known_file.rows:,} rows;"
    made_of = f"{known_file.sha256}:{hashlib.sha256(query.encode()).hexdigest()}"
    query = query.replace("$path", str(path).replace("'", "''"))
    about = f"{about} {file}, sha256 {known_file.sha256[:12]}"
    return Source(name, title, about, f"({query})", made_of, lambda to: to.sql(query))


_QUERIES = {
    SUPERMARKET: """
    SELECT strptime("Date" || ' ' || "Time", '%m/%d/%Y %H:%M') AS sold_at, "Total" AS total,
        "Unit price" AS unit_price, "Quantity" AS quantity, "Product line" AS product_line, "Branch" AS branch,
        "Customer type" AS customer_type, "Gender" AS gender, "Payment" AS payment, "Rating" AS rating,
        hour(sold_at) AS hour, dayname(sold_at) AS weekday
    FROM read_csv('$path', types = {'Date': 'VARCHAR', 'Time': 'VARCHAR'})
    """,
    RETAIL: """
    SELECT "InvoiceDate" AS invoiced_at, "Quantity" AS quantity, "UnitPrice" AS unit_price,
        "Quantity" * "UnitPrice" AS value, "Country" AS country, "StockCode" AS stock_code,
        CASE WHEN "CustomerID" IS NULL THEN 'unknown' ELSE 'known' END AS customer,
        CASE WHEN "InvoiceNo" LIKE 'C%' THEN 'cancellation' ELSE 'sale' END AS kind,
        hour(invoiced_at) AS hour, dayname(invoiced_at) AS weekday
    FROM read_csv('$path')
    """,
    HOUSING: "SELECT * FROM read_csv('$path')",
}


def _simulated() -> Source:
    def reads(to: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        rows = list(islice(sources.kaggle(1, Store()), _SIMULATED))
        table = pa.Table.from_pylist([{name: str(value) for name, value in row.items()} for row in rows])
        return to.from_arrow(table).project(
            """sold_at::TIMESTAMPTZ::TIMESTAMP AS sold_at, total::DOUBLE AS total, unit_price::DOUBLE AS unit_price,
            quantity::INTEGER AS quantity, product_line, branch, customer_type, gender, payment,
            rating::DOUBLE AS rating, hour(sold_at::TIMESTAMPTZ::TIMESTAMP) AS hour,
            dayname(sold_at::TIMESTAMPTZ::TIMESTAMP) AS weekday"""
        )

    about = f"{_SIMULATED:,} simulated sales: the supermarket's file is not here (`tidemark data fetch` brings it)"
    return Source("simulated", "Simulated sales", about, "sales", "1:kaggle:1", reads)
