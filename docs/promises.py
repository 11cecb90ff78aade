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
    "access to the live": Promise(
        "The same of the live page and its socket",
        "`tests/integration/test_who_may.py`",
        "{routes} routes, {requests} requests: each let in whom it should and nobody else",
    ),
    **{
        f"fuzzed {name}": Promise(
            f"No input makes {what} do what it must not: it is taken or refused in words, in bounded time and memory",
            f"`make fuzz`, `tests/fuzz/targets/{name}_target.py`",
            "{inputs} bad inputs tried in {seconds} s: {crashes} crashes",
        )
        for name, what in (
            ("sales", "the posted bodies' decoders"),
            ("socket", "the live page's socket"),
            ("csv", "reading a file of one's own"),
            ("models", "a model's loader"),
        )
    },
    "own data paths": Promise(
        "What a user brings is read from this machine's files or S3, and leads to no other service",
        "`tests/hostile/test_own_data.py`",
        "{paths} paths refused: {requests} requests made",
    ),
    "own data queries": Promise(
        "DuckDB reaches the files that it reads and nothing else, no extension and no network",
        "`tests/hostile/test_own_data.py`",
        "{queries} queries refused: {requests} requests made",
    ),
    "paths api": Promise(
        "No path in an address of the API leads to a file or object that it does not name",
        "`tests/hostile/test_paths.py`",
        "{paths} paths refused",
    ),
    "paths live": Promise("The same of the live page", "`tests/hostile/test_paths.py`", "{paths} paths refused"),
    "stored script live": Promise(
        "What a till or a visitor sends is text on the live page",
        "`tests/hostile/test_shown.py`",
        "{strings} strings in {places} places, in Chromium: none ran, none became an element",
    ),
    "stored script explorer": Promise(
        "What a file holds or is called is text in the explorer",
        "`tests/hostile/test_shown.py`",
        "{strings} strings in {places} places, in Chromium: none ran, none became an element",
    ),
    "formulas product_line": Promise(
        "No cell that is exported is a formula to a spreadsheet, however it parts fields",
        "`tests/hostile/test_shown.py`",
        "{strings} formulas: all text",
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
