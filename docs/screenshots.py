"""Takes the pictures of the live page from a real run: `make screenshots`.

A fresh local cloud gets the real supermarket file and some drawn sales with outliers, then a slow stream while the
pictures are taken.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page, sync_playwright

from benchmarks.cloud import TIDEMARK, local_cloud
from tidemark.local.home import Home
from tidemark.local.up import sign_in_link

DOCS = Path(__file__).resolve().parent
WIDTH, HEIGHT = 1440, 1100


def simulate(home: Home, *words: str) -> None:
    """`tidemark simulate WORDS` on that cloud."""
    environment = {**os.environ, "TIDEMARK_HOME": str(home.path)}
    subprocess.run([str(TIDEMARK), "simulate", *words], env=environment, check=True)


def shoot(page: Page, scheme: Literal["light", "dark"]) -> None:
    """One picture, once ticks have come in."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("() => document.querySelector('[data-latency]').textContent.includes('p99')")
    page.locator(".over-time").hover()
    page.screenshot(path=DOCS / f"live-{scheme}.png")


def main() -> None:
    """Both pictures."""
    with local_cloud("core,live") as home, sync_playwright() as playwright:
        simulate(home, "--source", "csv", "--max")
        simulate(home, "--source", "kaggle", "--limit", "30", "--max", "--faults", "outlier=.1")
        state = home.state()
        live = state.endpoints["live"].split("/signin")[0]
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(sign_in_link(live, state.tokens["read"]))
        page.wait_for_selector("[data-connection=live]")
        words = ("--source", "kaggle", "--seed", "2", "--limit", "60", "--rate", "10")
        stream = threading.Thread(target=simulate, args=(home, *words))
        stream.start()
        shoot(page, "light")
        shoot(page, "dark")
        stream.join()
        browser.close()


if __name__ == "__main__":
    main()
