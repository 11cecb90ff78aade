"""Tables in Markdown, for the runs' reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; numbers are aligned to the right by their column's head ending in a space."""
    marks = ["---:" if name.endswith(" ") else "---" for name in head]
    lines = ["| " + " | ".join(cell.strip() for cell in head) + " |", "| " + " | ".join(marks) + " |"]
    lines += [
        "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows
    ]
    return "\n".join(lines)


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
