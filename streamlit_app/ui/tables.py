"""A step's result as tables: each list of rows is one, each list within its rows another; the rest are facts."""

from __future__ import annotations

from typing import Any

import msgspec

MOST_ROWS = 1_000
Row = dict[str, Any]


class Shown(msgspec.Struct, frozen=True):
    """A table; each column's values, in the order of the rows."""

    title: str
    columns: dict[str, list[Any]]


def tables(result: Row) -> tuple[dict[str, str], list[Shown]]:
    """The facts by name, and the tables."""
    facts: dict[str, str] = {}
    found: list[Shown] = []
    for name, value in result.items():
        if _is_rows(value):
            found += _tables(_title(name), value)
        elif isinstance(value, dict):
            facts |= {
                f"{_title(name)}: {key.lower()}": _said(one) for key, one in _flat(value).items() if one is not None
            }
        elif value is not None and not isinstance(value, list):
            facts[_title(name)] = _said(value)
    return facts, found


def _tables(title: str, rows: list[Row]) -> list[Shown]:
    flat = [_flat(row) for row in rows]
    within = {name: value for row in rows for name, value in row.items() if _is_rows(value)}
    found = [Shown(title, _columns(flat))] if not within or len(flat[0]) > 1 + len(within) else []
    for name in within:
        inner = [
            {**dict(list(outer.items())[:1]), **_flat(one)}
            for outer, row in zip(flat, rows, strict=True)
            for one in row.get(name) or []
        ]
        found.append(Shown(_title(name), _columns(inner)))
    return found


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _flat(row: Row) -> Row:
    """What is in a row's parts, in columns of their own; lists are left out."""
    found: Row = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found |= {f"{_title(name)}: {key.lower()}": one for key, one in _flat(value).items()}
        elif not isinstance(value, list):
            found[_title(name)] = _rounded(value)
    return found


def _columns(rows: list[Row]) -> dict[str, list[Any]]:
    kept = rows[:MOST_ROWS]
    names = dict.fromkeys(name for row in kept for name in row)
    columns = {name: _alike([row.get(name) for row in kept]) for name in names}
    return {name: values for name, values in columns.items() if any(value is not None for value in values)}


def _alike(values: list[Any]) -> list[Any]:
    """As words, where words and numbers are mixed: a column has one kind."""
    if len({isinstance(value, str) for value in values if value is not None}) < 2:
        return values
    return [None if value is None else str(value) for value in values]


def _said(value: Any) -> str:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if whole else str(_rounded(value))


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
