"""A table's first look, kept beside its codes: it is made once."""

from __future__ import annotations

import secrets

import msgspec

from tidemark.cubes.counts import Binned
from tidemark.cubes.first_look import FirstLook

_FILE = "first-look-3.json"


def find(table: Binned) -> FirstLook | None:
    """The first look, where it was made before."""
    try:
        return msgspec.json.decode((table.folder / _FILE).read_bytes(), type=FirstLook)
    except (OSError, msgspec.MsgspecError):
        return None


def keep(table: Binned, look: FirstLook) -> None:
    """Keep it; a full disk only means that it is not kept."""
    part = table.folder / f"{_FILE}.{secrets.token_hex(8)}.part"
    try:
        part.write_bytes(msgspec.json.encode(look))
        part.replace(table.folder / _FILE)
    except OSError:
        part.unlink(missing_ok=True)
