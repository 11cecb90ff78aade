"""Feedback: what those who look at a page say of it."""

from __future__ import annotations

import re
import secrets
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tidemark import bodies
from tidemark.errors import BadRequest

MAX_BODY_BYTES = 100_000  # the longest message with every character escaped, `\ud83d\ude00`, has 73,000


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Feedback as it is sent: plain text, whatever it holds; whoever shows it escapes it."""

    text: Annotated[str, Meta(min_length=1, max_length=2_000)]
    view: Annotated[str, Meta(max_length=4_000, description="the query string of the page's address that it speaks of")]
    mood: Literal["good", "bad"] | None = None
    page_version: Annotated[str, Meta(max_length=40)] | None = None


class Remark(Message, frozen=True, forbid_unknown_fields=False, kw_only=True):
    """A message that is kept.

    `id`: in the order of time. `received_at`: milliseconds since 1970. `sender`, `scope`: of the token that sent it.
    """

    id: str
    received_at: int
    sender: str | None = None
    scope: str | None = None


_message = msgspec.json.Decoder(Message)
_ID = re.compile(r"[0-9]{13}-[0-9a-f]{16}", re.ASCII)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a message."""
    schema: dict[str, Any] = msgspec.json.schema(Message)["$defs"]["Message"]
    return {**schema, "description": Message.__doc__}


def decode(body: bytes) -> Message:
    """The message in a request's body.

    Raises BadRequest that says what is wrong where, TooLarge where the body is longer than any message.
    """
    return bodies.decode(_message, body, MAX_BODY_BYTES)


def receive(message: Message, *, now_ms: int, sender: str | None, scope: str | None) -> Remark:
    """The message as it is kept, with an id of its own."""
    return Remark(
        **msgspec.structs.asdict(message),
        id=f"{now_ms:013d}-{secrets.token_hex(8)}",
        received_at=now_ms,
        sender=sender,
        scope=scope,
    )


def read_cursor(cursor: str) -> str:
    """The id after which a page goes on. Raises BadRequest where it is none."""
    if not _ID.fullmatch(cursor):
        raise BadRequest("cursor: not one that an earlier page gave")
    return cursor
