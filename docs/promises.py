"""Writes `promises.md` from what the tests told as they ran (`make trust`): no figure on that page is typed in."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import machine
from tests.trust import VARIABLE, Seen, told

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
        "counters, history, lake, live page and the answers that were given agree, and nobody is named longer than the "
        "policy allows",
        "`tests/faults/test_schedules.py`",
        "{schedules} schedules from seed {seed}, {faults} faults drawn, {points} points to pause at, {reads} reads "
        "while it went on, {conflicts} conflicts sent again, {trainings} trainings, {erased} names erased by the "
        "policy, {restarts} restarts of the emulator: {violations} violations",
    ),
    "planted": Promise(
        "The schedules would notice: a bug is planted for each invariant, and found",
        "`tests/faults/test_planted.py`",
        "{found} of {planted} found, the last of them after {most} schedules",
    ),
    "overload": Promise(
        "Ten times the clients that the machine can serve: each is answered 200, 429 or 503 with the time to come "
        "again, what was accepted is there, and afterwards all is as before",
        "`tests/integration/test_overload.py`",
        "{served} posts/s are what it serves; {clients} clients at once, {answers} answers, {turned_away} of them 429 "
        "or 503; {more_mb} MB more memory, as before {recovered_ms} ms after. A till that comes again when it is told "
        "to has ten sales taken within {alone_ms} ms alone, {neighbour_ms} beside {neighbours} connections of another "
        "token and {beside_ms} beside all {clients} (medians)",
    ),
    "canary": Promise(
        "Nobody's name is kept: one posted as a canary is found in no table, object, log, stream, page or file, and "
        "its pseudonym only where sales are kept",
        "`tests/integration/test_privacy.py`",
        "{places} places searched",
    ),
    "erasure": Promise(
        "A customer is given all that is kept of them, and erased without a trace; no total moves",
        "`tests/integration/test_privacy.py`",
        "{sales} sales and {conflicts} conflicts erased, {places} places searched afterwards, {moved} totals moved",
    ),
    "backup": Promise(
        "What is backed up while sales come is there again: restored into an empty deployment, killed in the middle "
        "and begun again, every sale, conflict, run and file is equal by content, counters and lake equal the ledger, "
        "and sales go on",
        "`tests/integration/test_backup.py`",
        "{sales} sales copied in {creating_s} s and restored in {restoring_s} s: {differences} differences",
    ),
    "full disk": Promise(
        "A full disk loses nothing on a laptop: what is there goes on, nothing ends that could not be kept, and "
        "whoever asks is told in words",
        "`tests/integration/test_full_disk.py`",
        "{sales} sales, {meanwhile} of them accepted while it was full: {differences} differences afterwards",
    ),
    "locks": Promise(
        "What is installed is what was looked at: every package is locked by version and hash, every action by its "
        "commit, every base image by its digest, and each licence is allowed",
        "`tests/infra/test_supply.py`",
        "{packages} packages of {locks} lock files, {hashes} hashes, {actions} actions, {images} base images: "
        "{refused} licences refused",
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
        "Alarms go off: trouble is caused, and what our own parts then write is what the alarm looks at, by namespace, "
        "name and every dimension, and crosses its threshold. AWS keeps the metrics of the others: "
        "no emulator shows them",
        "`tests/integration/test_operations.py`",
        "{caused} of {alarms} alarms caused; all {own} on metrics of ours held against what is written",
    ),
    "access to the live": Promise(
        "The same of the live page and its socket",
        "`tests/integration/test_who_may.py`",
        "{routes} routes, {requests} requests: each let in whom it should and nobody else",
    ),
    "revocation": Promise(
        "A token that is taken back is refused everywhere within a minute, and its sockets close",
        "`tests/integration/test_tokens_end.py`",
        "by the API after {api_ms} ms, by the live page's sockets after {live_ms} ms",
    ),
    "change of keys": Promise(
        "While the key that signs is changed no token is refused",
        "`tests/integration/test_tokens_end.py`",
        "{requests} requests meanwhile, with tokens of the old and the new key: none refused",
    ),
    "loopback": Promise(
        "On a laptop nothing listens beyond this machine",
        "`tests/integration/test_loopback.py`",
        "{processes} processes, {sockets} sockets: all of them on loopback",
    ),
    "loopback of flows": Promise(
        "The same of the servers of the flows: PostgreSQL, MLflow, Prefect and who runs them",
        "`tests/flows/test_loopback.py`",
        "{processes} processes, {sockets} sockets: all of them on loopback",
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


def tests() -> list[str]:
    """The files and folders of tests that tell of a promise."""
    return sorted({found.test.strip("`") for found in PROMISES.values() if found.test.startswith("`tests/")})


if __name__ == "__main__":
    if sys.argv[1:] == ["tests"]:
        sys.stdout.write(" ".join(tests()))
    elif VARIABLE in os.environ:
        (DOCS / "promises.md").write_text(page(told()))
    else:
        sys.exit(f"{VARIABLE} must name the folder of the tests' figures; `make trust` fills one and writes the page")
