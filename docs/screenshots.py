"""Takes the pictures of the pages from real runs: `make screenshots`.

A fresh local cloud gets the real supermarket file and some drawn sales with outliers, then a slow stream while the
pictures of the live page are taken. Another gets some batches of the census file, one of them cut off, and its flows
run after each; that takes some minutes. The explorer alone shows the census file, and what predicts its prices.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.cloud import TIDEMARK, local_cloud
from benchmarks.explorer_page import serving
from tidemark.local.home import Home
from tidemark.local.up import sign_in_link
from tidemark.runs import HOUSING

DOCS = Path(__file__).resolve().parent
WIDTH, HEIGHT, PIPELINES_HEIGHT, EXPLORER_HEIGHT = 1440, 1100, 1450, 900
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
CENSUS = "california_housing"


def run(home: Home, *words: str) -> None:
    """`tidemark WORDS` on that cloud."""
    environment = {**os.environ, "TIDEMARK_HOME": str(home.path)}
    subprocess.run([str(TIDEMARK), *words], env=environment, check=True)


def shoot(page: Page, scheme: Scheme) -> None:
    """One picture, once ticks have come in."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("() => document.querySelector('[data-latency]').textContent.includes('p99')")
    page.locator(".over-time").hover()
    page.screenshot(path=DOCS / f"live-{scheme}.png")


def shoot_pipelines(page: Page, explorer: str, scheme: Scheme) -> None:
    """One picture, once all charts are drawn."""
    page.emulate_media(color_scheme=scheme)
    page.goto(explorer)
    page.wait_for_selector(".st-key-tile-model .stVegaLiteChart >> nth=1")
    page.wait_for_selector(".runs table")
    page.wait_for_timeout(1000)  # charts are drawn anew in their final size
    page.screenshot(path=DOCS / f"pipelines-{scheme}.png")


def live_page(browser: Browser) -> None:
    """Both pictures of the live page."""
    with local_cloud("core,live") as home:
        run(home, "simulate", "--source", "csv", "--max")
        run(home, "simulate", "--source", "kaggle", "--limit", "30", "--max", "--faults", "outlier=.1")
        state = home.state()
        live = state.endpoints["live"].split("/signin")[0]
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(sign_in_link(live, state.tokens["read"]))
        page.wait_for_selector("[data-connection=live]")
        words = ("simulate", "--source", "kaggle", "--seed", "2", "--limit", "60", "--rate", "10")
        stream = threading.Thread(target=run, args=(home, *words))
        stream.start()
        shoot(page, "light")
        shoot(page, "dark")
        stream.join()


def pipelines_page(browser: Browser) -> None:
    """Both pictures of the Pipelines page."""
    with local_cloud("core,flows,explorer") as home:
        for words in (("--limit", "3", "--faults", "half=.5"), *(("--limit", "1", "--seed", seed) for seed in "389")):
            run(home, "drip", "--rows", "3000", *words)
            for flow in HOUSING:
                run(home, "flow", "run", flow)
        page = browser.new_page(viewport={"width": WIDTH, "height": PIPELINES_HEIGHT})
        for scheme in SCHEMES:
            shoot_pipelines(page, home.state().endpoints["explorer"], scheme)


def explorer_pages(browser: Browser) -> None:
    """The explorer with a part brushed, and a prediction, in both schemes."""
    with tempfile.TemporaryDirectory() as tables, serving(Path(tables)) as (address, _):
        page = browser.new_page(viewport={"width": WIDTH, "height": EXPLORER_HEIGHT})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.goto(f"{address}/explorer?table={CENSUS}")
            page.wait_for_selector(".explorer[data-exact=true]")
            brush(page, "median_income")
            page.screenshot(path=DOCS / f"explorer-{scheme}.png")
            page.goto(f"{address}/prediction?table={CENSUS}")
            page.get_by_label("What is to be predicted").wait_for()
            button = page.get_by_role("button", name="Learn to predict")
            found = page.get_by_role("heading", name="can be predicted")
            button.or_(found).first.wait_for()
            if button.count():
                button.click()
            found.wait_for(timeout=300_000)
            page.wait_for_selector(".stVegaLiteChart >> nth=5")
            page.wait_for_timeout(1000)  # charts are drawn anew in their final size
            page.screenshot(path=DOCS / f"prediction-{scheme}.png")


def brush(page: Page, title: str) -> None:
    """Select the upper part of a view."""
    tile = page.locator(".tile").filter(has=page.locator("h3", has_text=title)).locator("canvas")
    box = tile.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.6, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, middle, steps=8)
    page.mouse.up()
    page.wait_for_selector(".said:not(:empty)")


def main() -> None:
    """All pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        live_page(browser)
        pipelines_page(browser)
        explorer_pages(browser)
        browser.close()


if __name__ == "__main__":
    main()
