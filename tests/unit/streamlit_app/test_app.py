"""The Streamlit app as it is configured: palette, traces, what it says where nothing is set."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from streamlit_app.ui import session

ROOT = Path(__file__).resolve().parents[3]
CONFIG = tomllib.loads((ROOT / "streamlit_app" / ".streamlit" / "config.toml").read_text())


def test_the_palette_is_the_live_page_s() -> None:
    palette = _palette(ROOT / "web" / "live" / "src" / "styles" / "base.css")
    own = _palette(ROOT / "streamlit_app" / "ui" / "styles" / "marks.css")
    assert {name: own[name] for name in own if name in palette} == {
        name: palette[name] for name in own if name in palette
    }
    assert {"surface", "line", "edge", "text", "faint", "accent", "accent-soft", "alarm", "good"} <= set(own)
    theme = CONFIG["theme"]
    for place, mode in enumerate(("light", "dark")):
        for option, name in (
            *(("primaryColor", "accent"), ("backgroundColor", "ground"), ("secondaryBackgroundColor", "surface")),
            *(("textColor", "text"), ("borderColor", "line"), ("grayTextColor", "faint"), ("redColor", "alarm")),
        ):
            assert theme[mode][option] == palette[name][place]


def _palette(path: Path) -> dict[str, tuple[str, str]]:
    found = re.findall(r"--([a-z-]+): light-dark\((#\w+), (#\w+)\);", path.read_text())
    return {name: (light, dark) for name, light, dark in found}


def test_no_page_shows_a_trace_or_tells_anybody() -> None:
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert CONFIG["browser"]["gatherUsageStats"] is False


def test_an_app_that_nobody_configured_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIDEMARK_API_URL", raising=False)
    session.configured.clear()
    app = AppTest.from_file(str(ROOT / "streamlit_app" / "app.py"), default_timeout=30).run()
    assert not app.exception
    assert "TIDEMARK_API_URL" in app.error[0].value
