"""Words and tables in Markdown, for reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

# Line ends among them; and what turns the direction of writing.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKS = re.compile(r"[\\`*\[\]<>!#~]")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; numbers are aligned to the right by their column's head ending in a space."""
    marks = ["---:" if name.endswith(" ") else "---" for name in head]
    lines = ["| " + " | ".join(cell.strip() for cell in head) + " |", "| " + " | ".join(marks) + " |"]
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    return "\n".join(lines)


def _cell(content: object) -> str:
    return _CONTROLS.sub(" ", str(content)).replace("|", "\\|")


def plain(text: str) -> str:
    """A stranger's words, so that they are read as they are: no links, pictures, markup or control characters."""
    return _MARKS.sub(r"\\\g<0>", _CONTROLS.sub(" ", text))


def dollars(value: float) -> str:
    """`$40,044`, `−$1,200`."""
    return f"{'−' if round(value) < 0 else ''}${abs(value):,.0f}"


def figure(value: float | None, digits: int = 2) -> str:
    """A number with thousands parted and a true minus, never `−0.00`; a dash where there is none."""
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 1_000 else digits
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")


def correlation(value: float) -> str:
    """`+0.69`, `−0.15`."""
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")


def percent(share: float) -> str:
    """`4.7 %`."""
    return f"{100 * share:.1f} %"


def moment(ms: int) -> str:
    """Milliseconds since 1970 in UTC: `2026-11-21 06:03:41`."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
