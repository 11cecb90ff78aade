"""The explorer's page in Chromium, over a table that is built already; and stock Streamlit with eight native charts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from benchmarks.measure import ROOT, median, quantile
from tidemark.local import services
from tidemark.local.home import HOST, free_port
from tidemark.local.supervisor import answers, wait_until

LOADS = 5
TRIPS = 20
DRAG_S = 10
MOST_S = 120
NATIVE = ROOT / "benchmarks" / "peers" / "native_explorer.py"

# Frames while the brush is dragged; the time from a key to the picture that it asked for.
FRAMES = """() => {
  const times = (window.frameTimes = []);
  let last = performance.now();
  window.framing = true;
  const frame = (now) => { times.push(now - last); last = now; if (window.framing) requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""
FIND = """const find = (root) => { for (const node of root.querySelectorAll("*")) {
  if (node.matches(".explorer")) return node;
  const inner = node.shadowRoot && find(node.shadowRoot);
  if (inner) return inner;
} }; const explorer = find(document);"""
TRIP = f"""() => new Promise((done) => {{
  {FIND}
  const began = performance.now();
  const watch = new MutationObserver(() => {{
    watch.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
  }});
  watch.observe(explorer, {{ attributes: true, attributeFilter: ["data-look"] }});
  const tiles = [...explorer.querySelectorAll(".tile")];
  window.looked = (window.looked ?? 0) + 1;
  tiles[window.looked % tiles.length].focus();
}})"""
NATIVE_TRIP = """() => new Promise((done) => {
  const began = performance.now();
  const watch = new MutationObserver(() => {
    watch.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
  });
  watch.observe(document.querySelector(".st-key-run"), { subtree: true, characterData: true, childList: true });
})"""


def measured(parquet: str, tables: Path) -> dict[str, float]:
    """Both pages in turn."""
    native = {"TIDEMARK_BENCH_PATH": parquet, "TIDEMARK_TABLES": str(tables)}
    with sync_playwright() as playwright, serving(tables) as (ours, _), streamlit(NATIVE, native) as (theirs, _):
        browser = chromium(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        peer = browser.new_page(viewport={"width": 1440, "height": 1000})
        address = f"{ours}/explorer?path={quote(parquet)}"
        first = _loaded(page, address)
        loads = [_loaded(page, address) for _ in range(LOADS)]
        peer.goto(theirs)
        peer.wait_for_selector(".st-key-run p", timeout=MOST_S * 1000)
        _settled(page)
        trips, native_trips = [], []
        for _ in range(TRIPS):
            trips.append(float(page.evaluate(TRIP)))
            _settled(page)
            native_trips.append(_native_trip(peer))
        frames = _dragged(page)
        browser.close()
    return {
        "page_first_load_seconds": round(first, 2),
        "page_load_seconds": round(median(loads), 2),
        "round_trip_ms": round(median(trips), 1),
        "round_trip_p95_ms": round(quantile(trips, 0.95), 1),
        "native_round_trip_ms": round(median(native_trips), 1),
        "drag_frame_p50_ms": round(median(frames), 1),
        "drag_frame_p95_ms": round(quantile(frames, 0.95), 1),
        "drag_frames_a_second": round(len(frames) / (sum(frames) / 1000), 1),
    }


@contextmanager
def _running(command: list[str], environment: dict[str, str], port: int) -> Iterator[tuple[str, psutil.Process]]:
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    try:
        wait_until(lambda: answers(f"http://{HOST}:{port}/_stcore/health"), "Streamlit", seconds=60)
        yield f"http://{HOST}:{port}", psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def chromium(playwright: Playwright) -> Browser:
    """A browser of this machine's."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    return playwright.chromium.launch(
        executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    )


def serving(tables: Path) -> AbstractContextManager[tuple[str, psutil.Process]]:
    """The explorer without an API: its address and its process."""
    port = free_port()
    service = services.explorer(port, "http://127.0.0.1:9", "none", {}, tables)
    return _running(service.command, service.environment, port)


def streamlit(script: Path, environment: dict[str, str]) -> AbstractContextManager[tuple[str, psutil.Process]]:
    """A peer's script: its address and its process."""
    port = free_port()
    options = ["--server.address", HOST, "--server.port", str(port), "--server.headless", "true"]
    return _running([sys.executable, "-m", "streamlit", "run", str(script), *options], environment, port)


def _loaded(page: Page, address: str) -> float:
    """Seconds until the first picture stands."""
    began = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(".explorer[data-found]", timeout=MOST_S * 1000)
    return time.perf_counter() - began


def _settled(page: Page) -> None:
    page.wait_for_selector(".explorer[data-exact=true]", timeout=MOST_S * 1000)


def _native_trip(peer: Page) -> float:
    """From an arrow key on the slider until all charts have come."""
    peer.get_by_role("slider").first.focus()
    handle = peer.evaluate_handle(f"() => {{ window.trip = ({NATIVE_TRIP})(); }}")
    peer.keyboard.press("ArrowRight")
    took = float(peer.evaluate("() => window.trip"))
    handle.dispose()
    return took


def _dragged(page: Page) -> list[float]:
    """The frames' times while a brush moves to and fro."""
    canvas = page.locator(".tile canvas").first
    box = canvas.bounding_box()
    assert box is not None
    left, middle = box["x"], box["y"] + box["height"] / 2
    page.mouse.move(left + box["width"] * 0.3, middle)
    _settled(page)
    page.mouse.down()
    page.mouse.move(left + box["width"] * 0.5, middle)
    page.evaluate(FRAMES)
    ends = time.perf_counter() + DRAG_S
    step = 0
    while time.perf_counter() < ends:
        step += 1
        page.mouse.move(left + box["width"] * (0.35 + 0.6 * abs((step / 90) % 2 - 1)), middle)
    frames = page.evaluate("() => { window.framing = false; return window.frameTimes; }")
    page.mouse.up()
    return [float(frame) for frame in frames[2:]]
