"""`tidemark bench sale-to-screen`: from the beginning of a POST to the changed DOM in Chromium, at 50 sales a second.

Beside it a Streamlit page that polls the same API once a second. The two pages are shown in turn, fed the same stream.
Both clocks are this machine's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from itertools import islice

import httpx
from playwright.sync_api import Page, sync_playwright

from benchmarks.cloud import PEER_PYTHON, local_cloud
from benchmarks.measure import ROOT, Result, median, quantile
from simulator import sources
from simulator.poster import Poster
from tidemark.errors import TidemarkError
from tidemark.local.home import State, free_port
from tidemark.local.supervisor import wait_until
from tidemark.local.up import sign_in_link
from tidemark.store import Store

RATE = 50
SECONDS = 20
ROUNDS = 3
OURS = "[data-kpi=tickets]"
PEERS = "#tickets"

# Notes every change of the count with the time, milliseconds since 1970.
WATCH = """
(selector) => {
  const read = () => {
    const node = document.querySelector(selector);
    if (node === null) return;
    const count = Number(node.dataset.exact ?? node.textContent);
    const seen = (window.seen ??= []);
    if (Number.isFinite(count) && seen.at(-1)?.[1] !== count) {
      seen.push([performance.timeOrigin + performance.now(), count]);
    }
  };
  read();
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver(read).observe(document.body, all);
}
"""


def run() -> Result:
    """The two pages in turn."""
    ours: list[list[float]] = []
    theirs: list[list[float]] = []
    with local_cloud("core,live") as home:
        state = home.state()
        live = state.endpoints["live"].split("/signin")[0]
        rows = sources.kaggle(11, Store())
        with _streamlit(state) as streamlit, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            )
            for number in range(ROUNDS + 1):
                link = sign_in_link(live, state.tokens["read"])
                first = _measure(browser.new_page(), link, OURS, state, rows)
                second = _measure(browser.new_page(), streamlit, PEERS, state, rows)
                if number:  # the first warms both up
                    ours.append(first)
                    theirs.append(second)
            browser.close()
    p99, peer_p99 = (median([quantile(one, 0.99) for one in side]) for side in (ours, theirs))
    return Result(
        "sale-to-screen",
        {"streamlit_polling.p99": round(peer_p99 / p99, 1)},
        {
            "p50_ms": round(median([quantile(one, 0.5) for one in ours]), 1),
            "p99_ms": round(p99, 1),
            "streamlit_polling_p50_ms": round(median([quantile(one, 0.5) for one in theirs]), 1),
            "streamlit_polling_p99_ms": round(peer_p99, 1),
            "sales_per_second": RATE,
        },
        [f"{ROUNDS} rounds of {RATE * SECONDS} sales a side; medians over rounds; API and Lambda on ministack"],
    )


def _measure(page: Page, address: str, selector: str, state: State, rows: Iterator[sources.Row]) -> list[float]:
    """Milliseconds from each POST's beginning to the first picture that counts its sale."""
    page.goto(address)
    page.wait_for_selector(selector)
    base = _tickets(state)
    page.wait_for_function(
        "([s, n]) => { const e = document.querySelector(s); return Number(e?.dataset.exact ?? e?.textContent) === n }",
        arg=[selector, base],
        timeout=20_000,
    )
    page.evaluate(WATCH, selector)
    starts = _post(state, list(islice(rows, RATE * SECONDS)))
    page.wait_for_function("n => window.seen.at(-1)?.[1] >= n", arg=base + len(starts), timeout=30_000)
    seen: list[list[float]] = page.evaluate("window.seen")
    page.close()
    found = []
    place = 0
    for number, start in enumerate(starts, start=base + 1):
        while seen[place][1] < number:
            place += 1
        found.append(seen[place][0] - start)
    return found


def _tickets(state: State) -> int:
    answer = httpx.get(
        f"{state.endpoints['api']}/v1/kpis", headers={"Authorization": f"Bearer {state.tokens['read']}"}, timeout=30
    )
    return int(answer.json()["tickets"])


def _post(state: State, rows: list[sources.Row]) -> list[float]:
    """Post one sale each 20 ms; returns when each POST began, milliseconds since 1970."""
    poster = Poster(state.endpoints["api"], state.tokens["ingest"])
    starts: list[float] = []

    def work() -> None:
        began = time.perf_counter()
        for number, row in enumerate(rows):
            time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            starts.append(time.time() * 1000)
            (result,) = poster.post([row]).results
            assert result["status"] == "accepted", result

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    poster.close()
    return starts


@contextlib.contextmanager
def _streamlit(state: State) -> Iterator[str]:
    if not PEER_PYTHON.exists():
        raise TidemarkError("the benchmarks' packages are not installed: `make bench` does it")
    port = free_port()
    options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true"}
    options |= {"browser.gatherUsageStats": "false", "server.fileWatcherType": "none"}
    script = ROOT / "benchmarks" / "peers" / "streamlit_polling.py"
    process = subprocess.Popen(
        [str(PEER_PYTHON), "-m", "streamlit", "run", str(script), *(f"--{k}={v}" for k, v in options.items())],
        env={**os.environ, "PEER_API": state.endpoints["api"], "PEER_TOKEN": state.tokens["read"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{address}/_stcore/health", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, "Streamlit", seconds=60)
        yield address
    finally:
        process.kill()
        process.wait()
