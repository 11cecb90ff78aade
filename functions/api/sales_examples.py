"""Examples for the API's description: the supermarket file, as the ledger counts it."""

from __future__ import annotations

from typing import Any

KPIS = {
    "sales": "322966.749",
    "tickets": 1000,
    "items": 5510,
    "average_transaction": "322.966749",
    "items_per_hour": 5.6282,
    "cogs": "307587.38",
    "tax": "15379.369",
    "returns": 0,
    "returned_sales": "0",
    "net_sales": "322966.749",
    "anomalies": 0,
    "rating": 6.9727,
    "inventory_turnover": 4.0114,
    "average_stock": "76679.0774",
    "stock": "simulated",
    "first_day": "2019-01-01",
    "last_day": "2019-03-30",
}
_CELL = {
    "minute": 25778228,
    "branch": "A",
    "writer": "AiZYu2rB2I",
    "version": 1,
    "combos": [["Health and beauty", "Member", "Ewallet", 1, 7, 5489715, 5228300, 261415, 0, 0, 0, 0, 0, 91000, 1]],
}
CELLS = {"cells": [_CELL]}
SNAPSHOT = {"cells": [_CELL], "cursor": None}
_ENTRY: dict[str, Any] = {
    "invoice_id": "217-58-1179",
    "sold_at": "2019-01-05T11:25:00Z",
    "minute": 25778125,
    "branch": "A",
    "customer_type": "Member",
    "product_line": "Home and lifestyle",
    "unit_price": "62.65",
    "quantity": 4,
    "payment": "Cash",
    "cogs": "250.6",
    "tax": "12.53",
    "total": "263.13",
    "kind": "sale",
    "anomaly": False,
    "model": "sales-1-ca4e2b4d",
    "received_at": 1795238259879,
    "score": 0.0275,
    "basket_quantiles": [85.42, 294.16, 769.64],
    "rating": "4.2",
    "city": "Yangon",
    "gender": "Male",
}
SALES = {"sales": [_ENTRY], "cursor": None}
SALE = {"sale": _ENTRY, "counted_by": {"writer": "AiZYu2rB2I", "version": 1}, "conflicts": []}
SCHEMA = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Sale", "type": "object"}
POSTED = {
    "results": [{"invoice_id": "217-58-1179", "status": "accepted", "score": 0.0275}],
    "model": "sales-1-ca4e2b4d",
}
REMARKS: dict[str, Any] = {
    "feedback": [
        {
            "id": "1795238259879-0f1e2d3c4b5a6978",
            "received_at": 1795238259879,
            "sender": "local",
            "scope": "read",
            "text": "The hours of branch B are what I look at first",
            "view": "?branch=B",
            "mood": "good",
            "page_version": "0.1.0",
        }
    ],
    "cursor": None,
}
KEPT = {"id": "1795238259879-0f1e2d3c4b5a6978"}
