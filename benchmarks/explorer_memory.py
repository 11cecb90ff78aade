"""`tidemark bench explorer-memory`: what reruns and sessions leave in the memory of the explorer's server.

The real server and pages in Chromium: a session that changes the active view again and again, then sessions that come
and go. Slopes are by least squares over the samples, after a warm-up.
"""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import duckdb
import numpy as np
import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.explorer_page import MOST_S, TRIP, chromium, serving
from benchmarks.measure import Result

ROWS = 200_000
WARM_RERUNS, RERUNS, EVERY = 100, 500, 50
WARM_SESSIONS, SESSIONS, AT_ONCE = 10, 50, 10
SESSION_ENDS_S = 35
"""Streamlit keeps a session for half a minute after its page has gone (`disconnectedSessionTTL`)."""
DRAWN = """
SELECT random() * 100 AS a, exp(random() * 9) AS b, (random() * 9)::INT AS c, random() AS d, random() > .5 AS e,
    TIMESTAMP '2019-01-01' + to_seconds((random() * 7776000)::INT) AS at
FROM range($rows)
"""


def run() -> Result:
    """Both courses, one after the other, on one server."""
    with tempfile.TemporaryDirectory() as folder:
        parquet = Path(folder) / "table.parquet"
        with duckdb.connect() as connection:
            connection.sql(DRAWN, params={"rows": ROWS}).write_parquet(str(parquet))
        with sync_playwright() as playwright, serving(Path(folder) / "tables") as (server, process):
            browser = chromium(playwright)
            address = f"{server}/explorer?path={quote(str(parquet))}"
            reruns = _reruns(browser, address, process)
            sessions = _sessions(browser, address, process)
            browser.close()
    return Result(
        "explorer-memory",
        {},
        {
            "reruns": RERUNS,
            **{f"{name}_mb_per_100_reruns": round(slope * 100, 3) for name, slope in _slopes(reruns).items()},
            "sessions": SESSIONS,
            **{f"{name}_mb_per_10_sessions": round(slope * 10, 3) for name, slope in _slopes(sessions).items()},
            "rss_first_mb": round(reruns[0][1]["rss"], 1),
            "rss_last_mb": round(sessions[-1][1]["rss"], 1),
        },
        [
            f"{ROWS:,} rows; a rerun changes the active view; after {WARM_RERUNS} reruns and {WARM_SESSIONS} sessions",
            f"allocated: anonymous memory of the process, what malloc holds; sessions: {SESSION_ENDS_S} s after each"
            f" {AT_ONCE} have closed",
        ],
    )


Sample = tuple[int, dict[str, float]]


def _reruns(browser: Browser, address: str, process: psutil.Process) -> list[Sample]:
    page = _opened(browser, address)
    samples = []
    for done in range(WARM_RERUNS + RERUNS + 1):
        if done >= WARM_RERUNS and (done - WARM_RERUNS) % EVERY == 0:
            samples.append((done - WARM_RERUNS, _memory(process)))
        page.evaluate(TRIP)
        page.wait_for_selector(".explorer[data-exact=true]", timeout=MOST_S * 1000)
    page.close()
    return samples


def _sessions(browser: Browser, address: str, process: psutil.Process) -> list[Sample]:
    samples = []
    for done in range(WARM_SESSIONS + SESSIONS):
        _opened(browser, address).close()
        if (done + 1) % AT_ONCE == 0:
            time.sleep(SESSION_ENDS_S)
            samples.append((done + 1 - WARM_SESSIONS, _memory(process)))
    return samples


def _opened(browser: Browser, address: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(address)
    page.wait_for_selector(".explorer[data-exact=true]", timeout=MOST_S * 1000)
    return page


def _memory(process: psutil.Process) -> dict[str, float]:
    """MB."""
    rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    anonymous = re.search(r"^Anonymous: +(\d+) kB", rollup, re.MULTILINE)
    assert anonymous is not None
    return {"rss": process.memory_info().rss / 1e6, "allocated": int(anonymous[1]) * 1024 / 1e6}


def _slopes(samples: list[Sample]) -> dict[str, float]:
    at = [float(count) for count, _ in samples]
    return {name: float(np.polyfit(at, [held[name] for _, held in samples], 1)[0]) for name in samples[0][1]}
