"""What a browser downloads for the live page."""

from __future__ import annotations

import gzip

from tidemark.local.home import ROOT

MOST_BYTES = 250_000


def test_the_page_is_small() -> None:
    scripts = list((ROOT / "web" / "live" / "dist" / "assets").glob("*.js"))
    assert scripts
    assert sum(len(gzip.compress(script.read_bytes(), 9)) for script in scripts) <= MOST_BYTES
