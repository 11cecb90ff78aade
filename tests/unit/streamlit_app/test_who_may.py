"""Who may look at the Streamlit pages: none of them is drawn for whoever is not signed in, or was too long ago."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from streamlit_app.ui import session, sign_in
from tidemark.settings import ExplorerSettings

ROOT = Path(__file__).resolve().parents[3]
MODULES = {
    "pipelines": "streamlit_app.pipelines.page",
    "housing": "streamlit_app.housing.page",
    "first-look": "streamlit_app.explorer.first_look",
    "explorer": "streamlit_app.explorer.linked_views",
    "groups": "streamlit_app.explorer.groups",
    "prediction": "streamlit_app.explorer.prediction",
    "report": "streamlit_app.explorer.report",
}
NOW = time.time()
PEOPLE: dict[str, tuple[dict[str, Any], bool]] = {
    "nobody": ({}, False),
    "signed out": ({"is_logged_in": False, "iat": NOW}, False),
    "too long ago": ({"is_logged_in": True, "iat": NOW - sign_in.LASTS.total_seconds() - 1}, False),
    "without a time": ({"is_logged_in": True}, False),
    "of a time that is none": ({"is_logged_in": True, "iat": "now"}, False),
    "signed in": ({"is_logged_in": True, "iat": NOW}, True),
}


@pytest.mark.parametrize("who", PEOPLE)
def test_the_pages_are_drawn_for_whoever_is_signed_in_only(monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    person, may_look = PEOPLE[who]
    drawn: list[str] = []
    for page, module in MODULES.items():
        monkeypatch.setattr(f"{module}.page", partial(drawn.append, page))
    settings = ExplorerSettings(
        api_url="http://api",
        api_token="a token",
        public_url="https://shop.example",
        oidc_issuer="https://people.example",
        oidc_client_id="page",
        oidc_client_secret="x" * 20,
        cookie_secret="x" * 40,
    )
    monkeypatch.setattr(session, "configured", lambda: settings)
    monkeypatch.setattr(st, "user", person)
    made: list[str] = []
    real = st.Page

    def noted(*told: Any, **how: Any) -> Any:
        made.append(how["url_path"])
        return real(*told, **how)

    monkeypatch.setattr(st, "Page", noted)
    app = AppTest.from_file(str(ROOT / "streamlit_app" / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert set(made) - {"sign-out"} == set(MODULES), "a page is missing from this table"
    assert (drawn == ["pipelines"]) is may_look
    assert [button.label for button in app.button] == ([] if may_look else ["Sign in"])
