"""Dollars for a million sales at a load: the prices of `tidemark cost`, the writes of the simulation."""

from __future__ import annotations

from benchmarks.scale import limits
from benchmarks.scale.use import INDEX_UNITS, LEDGER_UNITS, Outcome
from tidemark.costs import per_sale, prices
from tidemark.costs.per_sale import MILLION


def a_million(found: Outcome) -> dict[str, float]:
    """By what it is paid for. Without what runs when nothing is sold, and without what browsers are told."""
    load, writes = found.load, found.writes
    posts = MILLION / load.batch
    cells = posts * writes.cells
    asked = posts * min(1.0, load.addresses / limits.TOKEN_KNOWN_S.value / load.posts)
    stored_gb = 2 * limits.LEDGER_BYTES.value * MILLION / 1e9
    puts = found.puts / load.sales_per_second * MILLION

    def work(calls: float, milliseconds: float, gigabytes: float) -> float:
        return calls * prices.LAMBDA_CALL.usd + milliseconds / 1000 * gigabytes * prices.LAMBDA_GB_S.usd

    return {
        "ledger": LEDGER_UNITS * MILLION * prices.DYNAMODB_WRITE.usd,
        "index": INDEX_UNITS * MILLION * prices.DYNAMODB_WRITE.usd,
        "cells": posts * writes.cell_units * prices.DYNAMODB_WRITE.usd,
        "API Gateway and firewall": posts * (prices.API_CALL.usd + prices.WAF_CALL.usd),
        "Lambdas": work(posts, posts * writes.post_ms, per_sale.INGEST_GB)
        + work(asked, asked * per_sale.AUTHORIZE_MS, per_sale.AUTHORIZE_GB)
        + work(puts, MILLION * limits.ARCHIVE_MS.value, per_sale.ARCHIVE_GB)
        + work(cells / per_sale.PUBLISHED_AT_ONCE, cells * limits.PUBLISH_MS.value, per_sale.PUBLISH_GB),
        "kept for the first month": stored_gb * (prices.DYNAMODB_GB.usd + prices.DYNAMODB_BACKUP_GB.usd / 2)
        + MILLION * per_sale.LAKE_BYTES / 1e9 * prices.S3_GB.usd,
        "lake, logs and answers": puts * prices.S3_PUT.usd
        + posts * per_sale.LOGGED_BYTES / 1e9 * prices.LOG_GB.usd
        + MILLION * per_sale.ANSWER_BYTES / 1e9 * prices.TRANSFER_GB.usd,
    }
