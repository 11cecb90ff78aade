"""What is said where a table cannot be looked at."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from streamlit_app.explorer import live_lake
from streamlit_app.ui import session
from tests.unit.streamlit_app.test_pages import said
from tidemark.adapters.s3_lake import S3Lake
from tidemark.settings import ExplorerSettings
from tidemark.tables.lake import LOOK_S, LakeSales

SCRIPT = """
from streamlit_app.explorer import table_choice
import streamlit as st
chosen = table_choice.choose("Explorer", "")
if chosen:
    st.text(f"{chosen[1].table.rows} rows")
"""


class Bucket:
    """The lake's objects, as an S3 client gives them."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def get_paginator(self, _: str) -> Bucket:
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key} for key in self.objects]}]

    def get_object(self, *, Key: str, **_: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": BytesIO(self.objects[Key])}

    def put_object(self, *, Key: str, Body: bytes, **_: str) -> None:  # noqa: N803
        self.objects[Key] = Body


@pytest.fixture
def explorer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppTest:
    settings = ExplorerSettings(api_url="http://api", api_token="a token", tables=str(tmp_path))
    monkeypatch.setattr(session, "configured", lambda: settings)
    return AppTest.from_string(SCRIPT, default_timeout=30).run()


def test_a_table_that_is_binned_is_shown_in_the_same_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another would tell the browser once more what it began with, over what was chosen meanwhile."""
    settings = ExplorerSettings(api_url="http://api", api_token="a token", tables=str(tmp_path))
    monkeypatch.setattr(session, "configured", lambda: settings)
    count = "st.session_state['runs'] = st.session_state.get('runs', 0) + 1\n"
    found = AppTest.from_string(f"import streamlit as st\n{count}{SCRIPT}", default_timeout=30).run()
    assert "rows" in found.text[0].value
    assert found.session_state["runs"] == 1


def test_a_lake_that_is_nowhere_is_told(explorer: AppTest) -> None:
    explorer.selectbox(key="table").select("Live sales").run()
    assert "this app has not been told of a lake" in said(explorer)


def test_newer_sales_are_offered_and_shown_when_asked_for(
    explorer: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket, clock = Bucket(), [0.0]
    lake = LakeSales(S3Lake(bucket, "lake"), tmp_path, lambda: clock[0])  # type: ignore[arg-type]
    monkeypatch.setattr(live_lake, "_configured", lambda: lake)
    explorer.selectbox(key="table").select("Live sales").run()
    assert "the lake holds nothing yet" in said(explorer)
    for sales in (3, 5):
        clock[0] += LOOK_S
        S3Lake(bucket, "lake").put(0, [msgspec.json.encode({"invoice_id": str(n)}).decode() for n in range(sales)])  # type: ignore[arg-type]
        explorer.run()
        assert explorer.text[0].value == "3 rows", "nothing moves under the hand"
    explorer.button(key="look-again").click().run()
    assert explorer.text[0].value == "5 rows"
    assert not explorer.button


def test_what_names_no_table_in_athena_is_told(explorer: AppTest) -> None:
    explorer.selectbox(key="table").select("A file or folder of your own").run()
    explorer.text_input(key="path").input("athena://sales").run()
    assert "a table in Athena is named athena://database/table" in said(explorer)
