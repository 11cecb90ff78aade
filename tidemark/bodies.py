"""Reading a request's body as a Struct: what is wrong is said with its place."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tidemark.errors import BadRequest, TooLarge
from tidemark.sale import explain, lone_surrogate, read_leniently

T = TypeVar("T")


def decode(decoder: msgspec.json.Decoder[T], body: bytes, most: int) -> T:
    """What `body` says.

    Raises BadRequest that says what is wrong where, TooLarge where it has more than `most` bytes.
    """
    if len(body) > most:
        raise TooLarge(f"the body is {len(body):,} bytes; at most {most:,} are taken")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BadRequest(explain(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        place = lone_surrogate(read_leniently(body))
        raise BadRequest(f"{place or 'the body'}: a lone surrogate is not text") from None
