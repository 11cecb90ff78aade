"""The API as the pages read it."""

from __future__ import annotations

from typing import get_args

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.api import examples
from streamlit_app.pipelines.overview import Listed, Overview, listed, read
from streamlit_app.ui.api import Api, Judged
from streamlit_app.ui.words import JUDGED, STATES
from tests.explorer import Behind
from tests.pipelines import DATA, ML, NOW, run_of
from tidemark.adapters.memory_runs import MemoryRuns
from tidemark.errors import BadRequest, NotFound, TidemarkError, Unauthorized, Unavailable
from tidemark.models import shift
from tidemark.runs import FLOWS, STATUSES, RunPage, Status


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, "{}", Unauthorized, "does not accept this page's token"),
        (403, '{"message": "no"}', Unauthorized, "does not accept this page's token"),
        (404, '{"error": "there is no run"}', NotFound, "there is no run"),
        (400, '{"error": "limit: too many"}', BadRequest, "limit: too many"),
        (413, '{"error": "too large"}', BadRequest, "too large"),
        (502, "<html>", Unavailable, "it says 502"),
        (503, '{"error": "no price model serves yet"}', Unavailable, "No price model serves yet."),
        (200, "[]", Unavailable, "something else than this page expects"),
    ],
)
def test_what_the_api_refuses_is_said(status: int, body: str, kind: type[TidemarkError], words: str) -> None:
    api = Api("http://api", "a token", httpx.MockTransport(lambda request: httpx.Response(status, text=body)))
    with pytest.raises(kind, match=words):
        api.flows()


def test_every_state_has_a_word() -> None:
    assert set(STATES) == set(STATUSES)
    assert set(JUDGED) - {"none"} == set(get_args(shift.Status))
    assert msgspec.convert(examples.SUMMARY["monitoring"]["freshness"], Judged).status == "ok"


class Kept(Api):
    """An API of these runs."""

    def __init__(self, made: dict[str, list[tuple[int, Status]]]) -> None:
        self.every = [
            run_of(flow, 2 * number + FLOWS.index(flow), status=state)
            for flow, runs in made.items()
            for number, state in runs
        ]
        self._index = MemoryRuns()
        for run in self.every:
            self._index.add(run)

    def runs(self, flow: str, *, limit: int, cursor: str | None = None, status: Status | None = None) -> RunPage:
        return self._index.page(flow, limit=limit, cursor=cursor, status=status)


_STATUSES = st.sampled_from(sorted(STATES))
_MADE = st.dictionaries(st.integers(0, 40), _STATUSES, max_size=25).map(lambda made: list(made.items()))


@given(data=_MADE, ml=_MADE, status=st.none() | _STATUSES, limit=st.integers(1, 5))
def test_no_run_is_lost_or_shown_twice_between_pages(
    data: list[tuple[int, Status]], ml: list[tuple[int, Status]], status: Status | None, limit: int
) -> None:
    api = Kept({DATA: data, ML: ml})
    expected = sorted((run.id, run.flow) for run in api.every if status in (None, run.status))
    found: list[tuple[str, str]] = []
    before: str | None = None
    for _ in range(200):
        page: Listed = listed(api, FLOWS, status, before, limit)
        assert len(page.runs) <= limit
        found += [(run.id, run.flow) for run in page.runs]
        before = page.older
        if before is None:
            break
    assert sorted(found) == expected
    assert [identity for identity, _ in found] == sorted((identity for identity, _ in found), reverse=True)


def test_a_run_that_took_longer_than_newer_ones_is_seen(behind: Behind, api: Api) -> None:
    behind.runs.add(run_of(ML, 3, status="skipped"))
    before: Overview = read(api, None, NOW)
    behind.runs.add(run_of(ML, 2))
    assert [run.id for run in read(api, before, NOW).runs[ML]] == [run_of(ML, 3).id, run_of(ML, 2).id]


@pytest.mark.parametrize(("kept", "seen"), [("new", ["old", "new"]), ("old", ["old"])])
def test_a_token_that_was_changed_is_read_again_once(kept: str, seen: list[str]) -> None:
    shown: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        shown.append(request.headers["Authorization"].removeprefix("Bearer "))
        return httpx.Response(200 if shown[-1] == "new" else 401, json={"flows": []})

    api = Api("http://api", "old", httpx.MockTransport(answer), token_now=lambda: kept)
    if kept == "new":
        assert api.flows() == []
        assert api.flows() == []
        assert shown == [*seen, "new"]
    else:
        with pytest.raises(Unauthorized):
            api.flows()
        assert shown == seen


def test_a_token_that_nobody_can_read_again_is_refused() -> None:
    def nobody() -> str:
        raise OSError

    api = Api("http://api", "old", httpx.MockTransport(lambda _: httpx.Response(401)), token_now=nobody)
    with pytest.raises(Unauthorized):
        api.flows()
