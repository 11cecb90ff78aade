"""`tidemark bench explorer-start`: from the start of the explorer's server to the first chart in Chromium.

The first time with no binned table and with the kernels as `make install` has left them; then with what that has kept.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, sync_playwright

from benchmarks.explorer_page import MOST_S, chromium, serving, streamlit
from benchmarks.measure import ROOT, Result, median

TIMES = 3
BARE = ROOT / "benchmarks" / "peers" / "bare_streamlit.py"
OURS = ".explorer[data-found]"
CHART = "[data-testid=stVegaLiteChart] :is(canvas, svg)"


def run() -> Result:
    """A first start and a later one, each with its table's folder, and bare Streamlit, in turn."""
    found: dict[str, list[dict[str, float]]] = {"first": [], "later": [], "bare_streamlit": []}
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        for _ in range(TIMES):
            with tempfile.TemporaryDirectory() as folder:
                for name in ("first", "later"):
                    found[name].append(_started(browser, serving(Path(folder)), "explorer", OURS))
            found["bare_streamlit"].append(_started(browser, streamlit(BARE, {}), "", CHART))
        browser.close()
    figures = {
        f"{name}_{what}": round(median([start[what] for start in starts]), 2)
        for name, starts in found.items()
        for what in starts[0]
    }
    return Result(
        "explorer-start",
        {"bare_streamlit.later_chart": figures["bare_streamlit_chart_seconds"] / figures["later_chart_seconds"]},
        figures,
        [
            f"medians of {TIMES}; the browser runs already; the default table; CPU: the server's, until then",
            "bare Streamlit: a page of one line chart of three numbers",
        ],
    )


def _started(
    browser: Browser, server: AbstractContextManager[tuple[str, psutil.Process]], path: str, chart: str
) -> dict[str, float]:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    began = time.perf_counter()
    with server as (address, process):
        answered = time.perf_counter() - began
        page.goto(f"{address}/{path}")
        page.wait_for_selector(chart, timeout=MOST_S * 1000)
        drawn = time.perf_counter() - began
        used = process.cpu_times()
    page.close()
    return {"answers_seconds": answered, "chart_seconds": drawn, "server_cpu_seconds": used.user + used.system}
