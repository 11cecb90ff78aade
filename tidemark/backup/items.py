"""An item as a line of a backup: JSON, alike for alike items, bytes in base64."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from tidemark.ports import Item

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def line_of(item: Item) -> bytes:
    """The line of an item, without its end."""
    return _encode(item)


def item_of(line: bytes) -> Item:
    """The item of a line."""
    return {name: _value(value) for name, value in _decode(line).items()}


def key_of(item: Item, keys: tuple[str, ...]) -> str:
    """An item's key, for people and for comparing."""
    return " / ".join(str(next(iter(item[name].values()))) for name in keys)


def _value(value: dict[str, Any]) -> dict[str, Any]:
    """A value as DynamoDB's client gives it: JSON has no bytes."""
    ((kind, held),) = value.items()
    if kind == "B":
        return {"B": base64.b64decode(held)}
    if kind == "BS":
        return {"BS": [base64.b64decode(one) for one in held]}
    if kind == "L":
        return {"L": [_value(one) for one in held]}
    if kind == "M":
        return {"M": {name: _value(one) for name, one in held.items()}}
    return value
