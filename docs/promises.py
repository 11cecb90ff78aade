"""Writes `promises.md` from what the tests told as they ran (`make trust`): no figure on that page is typed in."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import machine
from tests.trust import Seen, told

DOCS = Path(__file__).resolve().parent
EMULATED = "on ministack, an emulator of AWS"


class Promise(NamedTuple):
    """What is promised, the test that would fail without it, and what is said of a run; `{…}` are its figures."""

    promise: str
    test: str
    said: str


PROMISES = {
    "schedules": Promise(
        "Nothing is lost and nothing counted twice, whatever part is killed, paused, lied to or asked again: ledger, "
        "counters, history, lake, live page and the answers that were given agree",
        "`tests/faults/test_schedules.py`",
        "{schedules} schedules from seed {seed}, {faults} faults drawn, {points} points to pause at, {reads} reads "
        "while it went on, {conflicts} conflicts sent again: {violations} violations",
    ),
    "planted": Promise(
        "The schedules would notice: a bug is planted for each invariant, and found",
        "`tests/faults/test_planted.py`",
        "{found} of {planted} found, the last of them after {most} schedules",
    ),
    "access to the api": Promise(
        "Who may not, cannot: every route of the API by every kind of token, from one table that has them all",
        "`tests/integration/test_who_may.py`",
        "{routes} routes, {requests} requests: each let in whom it should and nobody else",
    ),
    "one id": Promise(
        "A request is known by one id from the POST to the page: in its answer, in the logs of ingest, archive, "
        "publish and the live page, and in the frame that a browser is sent",
        "`tests/integration/test_operations.py`",
        "seen in {stages} places",
    ),
    "alarms": Promise(
        "Alarms go off: trouble is caused, and what our own parts then write is what the alarm looks at, by "
        "namespace, name and every dimension, and crosses its threshold. AWS keeps the metrics of the others: no "
        "emulator shows them",
        "`tests/integration/test_operations.py`",
        "{caused} of {alarms} alarms caused; all {own} on metrics of ours held against what is written",
    ),
    "access to the live": Promise(
        "The same of the live page and its socket",
        "`tests/integration/test_who_may.py`",
        "{routes} routes, {requests} requests: each let in whom it should and nobody else",
    ),
}


def page(seen: dict[str, Seen]) -> str:
    """The page's text."""
    here = machine()
    lines = [
        "# Promises",
        "",
        f"Written by `make trust`, {EMULATED}; {here['cpus']} cores, {here['memory_gb']} GB, Python {here['python']}.",
        "",
        "| promise | test | last figure | of |",
        "| --- | --- | --- | --- |",
        *(f"| {found.promise} | {found.test} | {_said(found, seen.get(name))} |" for name, found in PROMISES.items()),
        "",
    ]
    return "\n".join(lines)


def _said(promise: Promise, seen: Seen | None) -> str:
    if seen is None:
        return "not run | –"
    words = {name: str(count) if name == "seed" else f"{count:,}" for name, count in seen.figures.items()}
    return f"{promise.said.format(**words)} | {seen.date}, `{seen.commit}`"


if __name__ == "__main__":
    (DOCS / "promises.md").write_text(page(told()))
