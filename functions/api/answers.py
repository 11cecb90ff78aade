"""How the API answers, and how a route says so in the API's description."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi.responses import Response

from tidemark.errors import TooLarge

REF = "#/components/schemas/{name}"
JSON, MARKDOWN = "application/json", "text/markdown"
MAX_BYTES = 4_000_000  # a Lambda may answer 6 MB, and a body's quotes are escaped once more in it


class MsgspecResponse(Response):
    """JSON of msgspec structs."""

    media_type = JSON

    def render(self, content: Any) -> bytes:
        """The bytes of the body."""
        return msgspec.json.encode(content)


class FileResponse(Response):
    """A file of JSON as it is. Raises TooLarge where it is more than can be answered."""

    media_type = JSON

    def render(self, content: Any) -> bytes:
        """The bytes of the body."""
        if len(content) > MAX_BYTES:
            raise TooLarge(f"this file has {len(content):,} bytes; at most {MAX_BYTES:,} can be sent")
        return bytes(content)


class MarkdownResponse(FileResponse):
    """The same of Markdown."""

    media_type = MARKDOWN


def answers(what: str, kind: type | None = None, *, example: object, media: str = JSON) -> dict[int | str, Any]:
    """A route's good answer for FastAPI. `kind`: the Struct that it is; without, text or any JSON object."""
    schema = {"type": "object" if media == JSON else "string"}
    if kind is not None:
        schema = {"$ref": REF.format(name=kind.__name__)}
    return {200: {"description": what, "content": {media: {"schema": schema, "example": example}}}}


def refused(what: str) -> dict[str, Any]:
    """An answer that says what is wrong."""
    return {"description": what, "content": {JSON: {"schema": {"$ref": REF.format(name="Error")}}}}
