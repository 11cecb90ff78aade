"""Views saved by name: what was looked at in a table, kept on disk beside the binned tables."""

from __future__ import annotations

import hashlib
import os
import secrets
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from tidemark.cubes.columns import Column
from tidemark.cubes.look import Look
from tidemark.cubes.recut import recut
from tidemark.cubes.views import MOST_VIEWS, Selection, View
from tidemark.errors import BadRequest, NotFound
from tidemark.tables.sources import Source

LONGEST_NAME = 60
_BY_PATH = {"own", "s3"}


class SavedView(msgspec.Struct, frozen=True):
    """`columns`: those looked at, as they were cut when it was saved."""

    name: str
    look: Look
    columns: tuple[Column, ...]


class Opened(NamedTuple):
    """What is left of a saved view in the table of today; `lost`: what is not, a sentence each. None: nothing is."""

    look: Look | None
    lost: list[str]


class Taken(BadRequest):
    """There is a saved view of this name already."""


class SavedViews:
    """The saved views of a table: one file each, so that several may be saved at once."""

    def __init__(self, tables: Path, source: Source) -> None:
        # Of a table that changes its content: what was saved stays.
        lasting = source.sql if source.name in _BY_PATH else source.name
        self._folder = tables / "saved-views" / f"{source.name}-{_digest(lasting)}"

    def names(self) -> list[str]:
        """All names, in the order of the alphabet."""
        found = [view.name for file in self._folder.glob("*.json") if (view := _read(file)) is not None]
        return sorted(found, key=lambda name: (name.casefold(), name))

    def find(self, name: str) -> SavedView:
        """The view of a name. Raises NotFound."""
        found = _read(self._path(name))
        if found is None:
            raise NotFound(f"There is no saved view “{name}” of this table.")
        return found

    def save(self, name: str, look: Look, columns: Mapping[str, Column], *, replace: bool = False) -> str:
        """Save what is looked at; gives the name as it is kept. Raises BadRequest; Taken unless told to `replace`."""
        name = checked(name)
        used = dict.fromkeys(column for view in look.views for column in view.names)
        self._write(SavedView(name, look, tuple(columns[column] for column in used)), replace)
        return name

    def rename(self, name: str, to: str, *, replace: bool = False) -> str:
        """Give another name; gives it as it is kept. Raises BadRequest, NotFound; Taken unless told to `replace`."""
        found, to = self.find(name), checked(to)
        if to != name:
            self._write(SavedView(to, found.look, found.columns), replace)
            self.delete(name)
        return to

    def delete(self, name: str) -> None:
        """Forget a view."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{_digest(name)}.json"

    def _write(self, view: SavedView, replace: bool) -> None:
        path = self._path(view.name)
        part = path.with_suffix(f".{secrets.token_hex(8)}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(msgspec.json.encode(view))
            if replace:
                part.replace(path)
            else:
                os.link(part, path)  # fails where the file is there
        except FileExistsError as error:
            raise Taken(f"There is a saved view “{view.name}” already.") from error
        except OSError as error:
            raise BadRequest(f"“{view.name}” cannot be saved: {error.strerror}.") from error
        finally:
            part.unlink(missing_ok=True)


def checked(name: str) -> str:
    """A name as it is kept. Raises BadRequest."""
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BadRequest(f"A name has 1 to {LONGEST_NAME} characters; this one has {len(name)}.")
    if not name.isprintable():
        raise BadRequest("A name is one line of letters, digits and signs.")
    return name


def opened(saved: SavedView, columns: Mapping[str, Column]) -> Opened:
    """A saved view in the table as it is now."""
    before = {column.name: column for column in saved.columns}
    gone = [name for name in before if name not in columns]
    lost = [f"There is no column {name} any more." for name in gone]
    views = [view for view in saved.look.views if all(name in columns for name in view.names)][:MOST_VIEWS]
    if not views:
        return Opened(None, lost)
    selected = []
    for one in saved.look.selected:
        if one.view not in views:
            continue
        spans, exact = recut(one, before, columns)
        if spans:
            selected.append(Selection(one.view, spans))
        if not exact:
            lost.append(_said(one.view, bool(spans)))
    return Opened(Look(tuple(views), views[0]).at(saved.look.active, selected), lost)


def _said(view: View, found: bool) -> str:
    title = " × ".join(view.names)
    if found:
        return f"{title} is cut otherwise now: what is selected in it begins and ends at the nearest edges."
    return f"What was selected in {title} is not there any more."


def _read(path: Path) -> SavedView | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=SavedView)
    except (OSError, msgspec.MsgspecError):
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
