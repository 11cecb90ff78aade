"""The sales model as one file: the network, what it takes and says, and some rows whose answer is known.

A file that was cut off, altered, or made for other features is refused with a reason before it scores anything.
"""

from __future__ import annotations

import hashlib

import msgspec

from tidemark.errors import TidemarkError
from tidemark.features import SALE, Featurizer
from tidemark.models.champion import Champion
from tidemark.models.price_drift import Prices
from tidemark.store import Store

FORMAT = 1
LARGEST = 300_000
"""Bytes of a file: DynamoDB holds it in one item."""
PARITY = 1e-5
"""The largest difference, relative above 1, from what the network said when it was trained."""


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows whose answer is known: `sale` float[n][s], `context` float[n][c], and what the network said of them."""

    sale: list[list[float]]
    context: list[list[float]]
    anomaly: list[list[float]]
    quantiles: list[list[float]]
    segment: list[list[float]]


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What clean sales were like that it was judged on: their prices, counts of each column on a fixed grid (see
    `sales_watch.py`), the share that it held for anomalies, and the share inside its quantiles 10 to 90."""

    prices: Prices
    rows: int
    counts: dict[str, list[int]]
    alarms: float
    coverage: float


class SalesModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`threshold`: a score from which on a sale is an anomaly. `segments`: their names, in the order of the network's
    output. `tags`: what it was trained on, by which code, in which environment, when."""

    format: int
    version: str
    threshold: float
    sale_features: tuple[str, ...]
    context_features: tuple[str, ...]
    segments: tuple[str, ...]
    network: bytes
    probe: Probe
    reference: Reference
    tags: dict[str, str]


def dumps(model: SalesModel) -> bytes:
    """The file of a model."""
    return msgspec.msgpack.encode(model)


def loads(content: bytes) -> SalesModel:
    """The model of a file. Raises TidemarkError where it is none, or too large."""
    if len(content) > LARGEST:
        raise TidemarkError(f"a sales model has at most {LARGEST:,} bytes; this file has {len(content):,}")
    try:
        model = msgspec.msgpack.decode(content, type=SalesModel)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TidemarkError(f"this file is no sales model, or only a part of one: {error}") from None
    if model.format != FORMAT:
        raise TidemarkError(f"this file is a sales model of format {model.format}; this code reads format {FORMAT}")
    if not 0 < model.threshold <= 1:
        raise TidemarkError(f"the model's threshold is {model.threshold}: expected more than 0, at most 1")
    return model


def fingerprint(content: bytes) -> str:
    """What a model's file is known by."""
    return hashlib.sha256(content).hexdigest()[:16]


def promoted(content: bytes, champion: Champion) -> SalesModel:
    """The champion's model. Raises TidemarkError where `content` is no model, or another than the one promoted."""
    if fingerprint(content) != champion.fingerprint:
        raise TidemarkError(f"the file of model {champion.fingerprint} is not the one that was promoted")
    return loads(content)


def must_fit(model: SalesModel, store: Store) -> None:
    """Raises TidemarkError where a model was trained on other features than this store's sales have."""
    for name, theirs, ours in (
        ("sale", model.sale_features, SALE),
        ("context", model.context_features, Featurizer(store).context_names),
    ):
        if theirs != ours:
            odd = sorted(set(theirs) ^ set(ours)) or ["their order"]
            raise TidemarkError(
                f"model {model.version} was trained on other {name} features than this store's sales have: "
                f"{', '.join(odd[:5])}"
            )
