"""The API's description: every route is in it, with an example that is what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from functions.api import (
    examples,
    feedback,
    models,
    models_examples,
    pipelines,
    results,
    sales,
    sales_examples,
)
from functions.api.app import create_app
from functions.api.description import KINDS
from functions.api.results import Results
from tests.counted import counters
from tidemark import runs
from tidemark.adapters.memory import MemoryFeedback, MemoryLedger
from tidemark.adapters.memory_runs import MemoryObjects, MemoryRuns
from tidemark.housing.requests import Answer, decode
from tidemark.kpis import Kpis
from tidemark.ports import FeedbackPage, SalesPage
from tidemark.runs import RunPage
from tidemark.store import Store
from tidemark.verdicts import VerdictsKept


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    routes = pipelines.routes(Results(MemoryRuns(), MemoryObjects()), lambda: 0)
    app = create_app(Store(), MemoryLedger(), counters(MemoryLedger()), MemoryFeedback(), lambda: 0, routes)

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            return await client.get("/openapi.json")

    found: dict[str, Any] = asyncio.run(answer()).json()
    return found


def test_every_route_says_what_it_answers_with_an_example(described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], path
            assert "422" not in operation["responses"]
            good = next(found for status, found in operation["responses"].items() if status.startswith("2"))
            for content in good["content"].values():
                assert content["schema"], f"{method} {path}"
                assert "example" in content, f"{method} {path}"
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    schema = response["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Error"}, f"{method} {path} {status}"


def test_every_route_but_health_asks_for_a_token(described: dict[str, Any]) -> None:
    guarded = {path: all("security" in one for one in found.values()) for path, found in described["paths"].items()}
    assert [path for path, asked in guarded.items() if not asked] == ["/healthz"]


def test_a_cursor_is_described_as_it_is_checked() -> None:
    assert f"^{runs._CURSOR.pattern}$" == pipelines.CURSOR


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            yield from (one for key, one in value.items() if key == "$ref")
            for one in value.values():
                yield from references(one)
        if isinstance(value, list):
            for one in value:
                yield from references(one)

    assert {one.rpartition("/")[2] for one in references(described)} <= set(schemas)


@pytest.mark.parametrize(
    ("example", "kind"),
    [
        (sales_examples.KPIS, Kpis),
        (sales_examples.CELLS, sales.CellsOfRange),
        (sales_examples.SNAPSHOT, sales.Snapshot),
        (sales_examples.SALES, SalesPage),
        (sales_examples.SALE, sales.OneSale),
        (sales_examples.REMARKS, FeedbackPage),
        (sales_examples.KEPT, feedback.Kept),
        (examples.FLOWS, results.Flows),
        (examples.RUNS, RunPage),
        (examples.REPORT, results.RunReport),
        (examples.LOG, results.RunLog),
        (examples.FILES, results.RunFiles),
        (examples.SUMMARY, results.Summary),
        (examples.EDA, results.Eda),
        (examples.BATCHES, results.Batches),
        (examples.METRICS, results.Metrics),
        (examples.MODELS, results.Models),
        (models_examples.SALES_MODEL, models.SalesModel),
        (models_examples.FORECAST, models.Forecasting),
        (models_examples.KEPT, VerdictsKept),
        (examples.PREDICTED, Answer),
    ],
)
def test_examples_are_what_is_answered(example: object, kind: type) -> None:
    assert msgspec.json.decode(msgspec.json.encode(msgspec.convert(example, kind))) == example
    assert kind in (*KINDS, Answer)


def test_the_example_of_a_question_is_taken() -> None:
    assert decode(msgspec.json.encode(examples.PREDICT)).explain
    assert decode(msgspec.json.encode(examples.BLOCK)) == decode(msgspec.json.encode(examples.PREDICT))
