"""The three model files: the sales model, the demand model and the price model, up to their first answer.

An input is which of them (a byte), and what becomes of a good one: msgpack of parts that stand in for its own, so that
the fuzzer is led to what is inside and need not keep a checksum. `RAW` takes the bytes as the file itself. Only
TidemarkError may come out; what is loaded answers with as many rows as it was asked, and with nothing that is no number
of the right shape.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tests.fuzz.targets import Target
from tidemark.adapters.litert_demand import LiteRtDemand
from tidemark.adapters.litert_model import LiteRtScorer
from tidemark.errors import TidemarkError
from tidemark.features import SALE, Featurizer
from tidemark.housing.features import OWN_NAMES, Blocks, surroundings
from tidemark.housing.price_model import FIGURES, PriceModel
from tidemark.models import demand_model, sales_model
from tidemark.store import Store
from tidemark.trees import Trees

RAW = 128
SALES, DEMAND, PRICE = range(3)
KEPT = Path(__file__).resolve().parents[3] / "models" / "sales" / "sales.model"


@cache
def sales_file() -> dict[str, Any]:
    """The committed sales model, in parts."""
    found: dict[str, Any] = msgspec.msgpack.decode(KEPT.read_bytes())
    return found


@cache
def demand_file() -> dict[str, Any]:
    """A demand model in parts, whose network is another's: it is refused last of all."""
    network = sales_file()["network"]
    return {
        "format": 1,
        "version": "1",
        "features": ["a", "b"],
        "series": ["all"],
        "hours": [10, 11],
        "leads": [1, 2],
        "until": "2019-03-30",
        "network": network,
        "probe": {"features": [[0.0, 1.0]], "level": [[0.0]], "mean": [[0.0]], "quantiles": [[0.0, 1.0, 2.0]]},
        "tags": {},
    }


@cache
def blocks() -> Blocks:
    """Three blocks."""
    rows = np.random.default_rng(1).uniform(1, 40, (6, 3))
    longitude, latitude = np.array([-122.2, -122.21, -121.9]), np.array([37.8, 37.82, 37.3])
    figures = dict(zip(FIGURES, rows, strict=True))
    return Blocks(longitude=longitude, latitude=latitude, ocean_proximity=np.array([0, 3, 1], np.int64), **figures)


@cache
def price_file() -> dict[str, bytes]:
    """A price model of two small trees, as the arrays of its file."""
    arrays: dict[str, Any] = {
        "roots": np.array([0], np.int32),
        "feature": np.array([len(OWN_NAMES) - 1, -1, -1], np.int16),
        "threshold": np.array([0.5, 0, 0]),
        "nan_left": np.array([True, False, False]),
        "left": np.array([1, 1, 2], np.int32),
        "right": np.array([2, 1, 2], np.int32),
        "value": np.array([0.0, 11.5, 12.5]),
        "depth": np.array(1, np.int32),
    }
    known = surroundings(blocks(), np.array([12.0, 12.1, 11.9]))
    edges, errors = np.array([1e5, 2e5]), np.array([-1.0, 0.0, 1.0])
    typical = blocks().take(slice(0, 1))
    model = PriceModel(0.2, known, Trees(arrays), Trees.constant(-1.0), errors, edges, 5e5, typical, {"rows": 3})
    with zipfile.ZipFile(io.BytesIO(model.dumps())) as file:
        return {name.removesuffix(".npy"): file.read(name) for name in file.namelist()}


def check(data: bytes) -> None:
    """Make the file, and load it."""
    kind, rest = (data[0], data[1:]) if data else (0, b"")
    content = rest if kind >= RAW else _made(kind % 3, rest)
    if content is None:
        return
    try:
        (_sales, _demand, _price)[kind % 3](content)
    except TidemarkError as error:
        said = str(error)
        assert said
        said.encode()


def _made(kind: int, rest: bytes) -> bytes | None:
    """A good file with parts of it replaced; None where `rest` says nothing of the kind."""
    try:
        if kind == PRICE:
            arrays = price_file() | msgspec.msgpack.decode(rest, type=dict[str, bytes])
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as file:
                for name, content in arrays.items():
                    file.writestr(f"{name}.npy", content)
            return out.getvalue()
        given = msgspec.msgpack.decode(rest, type=dict[str, Any])
        whole = (sales_file, demand_file)[kind]() | given
        if isinstance(altered := given.get("network"), dict):
            network = bytearray(sales_file()["network"])
            for place, byte in altered.items():
                if isinstance(place, int) and isinstance(byte, int):
                    network[place % len(network)] = byte % 256
            whole["network"] = bytes(network)
        return msgspec.msgpack.encode(whole)
    except (ValueError, TypeError, IndexError, OverflowError, RecursionError, msgspec.MsgspecError):
        return None


def _sales(content: bytes) -> None:
    model = sales_model.loads(content)
    assert len(content) <= sales_model.LARGEST
    scorer = LiteRtScorer(model, Store())
    contexts = len(Featurizer(Store()).context_names)
    said = scorer.network(np.zeros((2, len(SALE)), np.float32), np.zeros((2, contexts), np.float32))
    assert {name: len(found) for name, found in said.items()} == {"anomaly": 2, "quantiles": 2, "segment": 2}
    assert sales_model.loads(sales_model.dumps(model)) == model


def _demand(content: bytes) -> None:
    model = demand_model.loads(content)
    assert len(content) <= demand_model.LARGEST
    LiteRtDemand(model)


def _price(content: bytes) -> None:
    model = PriceModel.loads(content)
    asked = blocks()
    with np.errstate(all="ignore"):
        said = model.estimates(asked)
        for found in (said.price, said.low, said.high):
            assert found.shape == (3,)
        assert len(said.bands) == 3
        assert model.comparables(asked).shape == (3,)
        assert len(model.reasons(asked)) == 3


def _seeds() -> Iterable[bytes]:
    for kind in (SALES, DEMAND, PRICE):
        yield bytes([kind, 0x80])
        yield bytes([RAW + RAW % 3 + kind])
    pack = msgspec.msgpack.encode
    yield bytes([SALES]) + pack({"network": {60: 1, 5_000: 2}, "threshold": 0.7})
    yield bytes([SALES]) + pack({"network": b"TFL3", "probe": sales_file()["probe"] | {"sale": [], "segment": [[]]}})
    yield bytes([SALES]) + pack({"segments": ["one"], "tags": {"a": "b"}, "context_features": ["x"]})
    yield bytes([DEMAND]) + pack(demand_file() | {"network": {1: 1}})
    yield bytes([PRICE]) + pack({name: content for name, content in price_file().items() if name.startswith("price.")})
    yield bytes([PRICE]) + pack({"known.cells": price_file()["known.cells"], "known.sums": price_file()["known.sums"]})
    yield bytes([PRICE]) + pack({name: price_file()[name] for name in ("scalars", "errors", "edges", "facts")})
    yield bytes([PRICE]) + pack({n: content for n, content in price_file().items() if n.startswith("typical.")})


TARGET = Target("models", check, _seeds, 16_384)
