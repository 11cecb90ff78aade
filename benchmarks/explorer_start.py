"""`tidemark bench explorer-start`: from the start of the explorer's server to the first chart in Chromium.

The first time with no binned table and with the kernels as `make install` has left them; then with what that has kept.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.explorer_page import MOST_S, chromium, serving
from benchmarks.measure import Result, median

TIMES = 3


def run() -> Result:
    """A first start and some later ones, each with its table's folder."""
    first: list[dict[str, float]] = []
    later: list[dict[str, float]] = []
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        for _ in range(TIMES):
            with tempfile.TemporaryDirectory() as folder:
                first.append(_started(browser, Path(folder)))
                later.append(_started(browser, Path(folder)))
        browser.close()
    figures: dict[str, float] = {}
    for name, starts in (("first", first), ("later", later)):
        figures |= {f"{name}_{what}": round(median([start[what] for start in starts]), 2) for what in starts[0]}
    return Result(
        "explorer-start",
        {},
        figures,
        [f"medians of {TIMES}; the browser runs already; the default table; CPU: of the server, until the chart stood"],
    )


def _started(browser: Browser, tables: Path) -> dict[str, float]:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    began = time.perf_counter()
    with serving(tables) as (server, process):
        answered = time.perf_counter() - began
        page.goto(f"{server}/explorer")
        page.wait_for_selector(".explorer[data-found]", timeout=MOST_S * 1000)
        drawn = time.perf_counter() - began
        used = process.cpu_times()
    page.close()
    return {"answers_seconds": answered, "chart_seconds": drawn, "server_cpu_seconds": used.user + used.system}
