"""The API's routes of the sales model, over what the watch left; and verdicts."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from functions.api import models, models_examples
from functions.api.app import create_app
from functions.api.results import Results
from tests.counted import counters
from tests.pipelines import NOW, run_of
from tests.samples import PSEUDONYMS, body, sale
from tidemark.adapters.memory import MemoryFeedback, MemoryLedger, MemoryStream
from tidemark.adapters.memory_runs import MemoryObjects, MemoryRuns
from tidemark.ingest import Ingest
from tidemark.models.champion import Champion
from tidemark.models.keys import DEMAND, SALES, card_key
from tidemark.models.sales_findings import Seen
from tidemark.runs import SALES_WATCH, folder_of
from tidemark.scoring import RulesOnly
from tidemark.store import Store
from tidemark.writer import Clock

SEEN: Seen = msgspec.convert(models_examples.SALES_MODEL["seen"], Seen)


class Behind:
    """The API, and what is behind it: one sale, `s-1`."""

    def __init__(self) -> None:
        self.runs, self.objects, ledger = MemoryRuns(), MemoryObjects(), MemoryLedger()
        routes = models.routes(self.runs, self.objects, Results(self.runs, self.objects), ledger)
        self.app: FastAPI = create_app(Store(), ledger, counters(ledger), MemoryFeedback(), lambda: NOW, routes)
        clock = Clock(now_ms=lambda: NOW, sleep=lambda _: None, remaining=lambda: 10.0)
        posted = Ingest(Store(), RulesOnly(), ledger, MemoryStream(), PSEUDONYMS).post(body(sale("s-1")), clock)
        assert posted.answer.results[0].status == "accepted"

    def ask(self, method: str, path: str, content: bytes | None = None) -> httpx.Response:
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                return await client.request(method, path, content=content)

        return asyncio.run(answer())

    def watched(self, number: int, report: bytes | None = None) -> None:
        run = run_of(SALES_WATCH, number)
        content = msgspec.json.encode({"run": run, "seen": SEEN}) if report is None else report
        self.objects.put(f"{folder_of(SALES_WATCH, run.id)}report.json", content)
        self.runs.add(run)


@pytest.fixture
def behind() -> Behind:
    return Behind()


def verdicts(*said: tuple[str, Any]) -> bytes:
    return json.dumps({"verdicts": [{"invoice_id": name, "anomaly": anomaly} for name, anomaly in said]}).encode()


def test_before_the_first_watch_there_is_nothing_to_see(behind: Behind) -> None:
    assert behind.ask("GET", "/v1/models/sales").json() == {
        "champion": None,
        "shadow": None,
        "at": None,
        "seen": None,
        "decisions": [],
    }
    refused = behind.ask("GET", "/v1/models/sales/card")
    assert (refused.status_code, refused.json()) == (404, {"error": "no watch of the sales model has run yet"})


def test_what_the_newest_watch_saw_is_told_with_the_card(behind: Behind) -> None:
    behind.watched(1)
    found = behind.ask("GET", "/v1/models/sales").json()
    assert found["at"] == run_of(SALES_WATCH, 1).ended_at
    assert msgspec.convert(found["seen"], Seen) == SEEN
    assert behind.ask("GET", "/v1/models/sales/card").status_code == 404
    behind.objects.put(card_key(SALES, SEEN.fingerprint), b"# Card")
    card = behind.ask("GET", "/v1/models/sales/card")
    assert (card.text, card.headers["content-type"].split(";")[0]) == ("# Card", "text/markdown")


def test_what_is_forecast_is_told_with_its_card(behind: Behind) -> None:
    assert behind.ask("GET", "/v1/forecast").json() == {"at": None, "outlook": None, "decisions": []}
    assert behind.ask("GET", "/v1/forecast/card").status_code == 404
    outlook = models_examples.FORECAST["outlook"]
    run = run_of(SALES_WATCH, 1)
    behind.watched(1, msgspec.json.encode({"run": run, "seen": SEEN, "outlook": outlook}))
    assert behind.ask("GET", "/v1/forecast").json() == {"at": run.ended_at, "outlook": outlook, "decisions": []}
    champion = msgspec.convert(outlook["champion"], Champion)
    assert behind.runs.crown(champion, replacing=None)
    behind.objects.put(card_key(DEMAND, champion.fingerprint), b"# Demand")
    assert behind.ask("GET", "/v1/forecast/card").text == "# Demand"


@pytest.mark.parametrize("report", [b"", b"{}", b'{"seen": 5}'])
def test_a_damaged_report_is_as_none(behind: Behind, report: bytes) -> None:
    behind.watched(1, report)
    answer = behind.ask("GET", "/v1/models/sales")
    assert (answer.status_code, answer.json()["seen"]) == (200, None)


def test_verdicts_are_kept_of_sales_that_there_are(behind: Behind) -> None:
    answer = behind.ask("POST", "/v1/verdicts", verdicts(("s-1", True), ("nobody", False), ("s-1", False)))
    assert (answer.status_code, answer.json()) == (200, {"kept": 1, "unknown": ["nobody"]})
    assert behind.runs.told(["s-1", "nobody"]) == {"s-1": False}


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 400, "the body is not JSON"),
        (b"{}", 400, "object missing required field verdicts"),
        (verdicts(), 400, "verdicts: expected array of length >= 1"),
        (verdicts(*[(f"s-{n}", True) for n in range(101)]), 400, "verdicts: expected array of length <= 100"),
        (verdicts(("", True)), 400, "verdicts[0].invoice_id: expected str of length >= 1"),
        (verdicts(("s-1", "yes")), 400, "verdicts[0].anomaly: expected bool, got str"),
        (verdicts(("x" * 100_001, True)), 413, "at most 100,000 are taken"),
    ],
)
def test_a_wrong_verdict_is_refused_and_nothing_is_kept(
    behind: Behind, content: bytes, status: int, words: str
) -> None:
    answer = behind.ask("POST", "/v1/verdicts", content)
    assert answer.status_code == status
    assert words in answer.json()["error"]
    assert behind.runs.told(["s-1"]) == {}
