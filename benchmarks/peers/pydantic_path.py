"""The pure path decode → validate → features → score with pydantic in the place of msgspec, just as exact.

It gets the numeric fast path too: a JSON number is a float that must lie on the grid of 1/10,000. Everything after
validation (columns, rules, features, LiteRT) is the very same code.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from tidemark import batch, money, rules
from tidemark.batch import Batch
from tidemark.scoring import Scorer, Scores
from tidemark.store import Store

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Text = Annotated[str, StringConstraints(pattern=money.TEXT_PATTERN)]
Price = Annotated[float, Field(ge=0, le=money.MAX_PRICE, strict=True)] | Text
Amount = Annotated[float, Field(ge=0, le=money.MAX_AMOUNT, strict=True)] | Text


class PydanticSale(BaseModel):
    """`tidemark.sale.Sale`, field for field."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    invoice_id: Name
    sold_at: AwareDatetime
    branch: Name
    customer_type: Name
    product_line: Name
    unit_price: Price
    quantity: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    payment: Name
    city: Name | None = None
    gender: Name | None = None
    rating: Annotated[float, Field(ge=0, le=10, strict=True)] | None = None
    tax: Amount | None = None
    total: Amount | None = None
    kind: Literal["sale", "return"] = "sale"
    customer_id: Name | None = None
    schema_version: Literal[1] = 1


class Envelope(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid")

    sales: Annotated[list[PydanticSale], Field(min_length=1, max_length=500)]


_envelope = TypeAdapter(Envelope)


def examine(body: bytes, store: Store, scorer: Scorer) -> tuple[Batch, Scores]:
    """As `tidemark.ingest.examine`, for a body without a wrong row."""
    sales = _envelope.validate_json(body).sales
    rows = [tuple(sale.__dict__.values()) for sale in sales]
    table = batch.tabulate_rows(sales, rows, store)  # type: ignore[arg-type]
    hits = rules.check(table, store)
    return table, scorer.score(table, np.logical_or.reduce(tuple(hits.values())))
