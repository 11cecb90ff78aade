"""What the API refuses: a status, words that name row and field, and nothing half-done."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.cloud import Cloud
from tests.samples import body, sale
from tidemark.local import stores


@pytest.fixture
def unmoved(cloud: Cloud) -> Any:
    """Nothing that a test posts may move a number."""
    before = cloud.kpis()
    yield cloud
    assert cloud.kpis() == before


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 400, "the body is not JSON"),
        (b"hello", 400, "the body is not JSON"),
        (body(), 400, "1 to 500 sales a request, got 0"),
        (body(*(sale(f"x{n}") for n in range(501))), 400, "1 to 500 sales a request, got 501"),
        (body(sale("x")).replace(b"9.1", b"NaN"), 400, "sales[0].rating: NaN is not JSON"),
        (b'{"sales": [' + b" " * 10_000_000 + b"]}", 413, "at most 1,048,576"),
    ],
    ids=["empty", "no-json", "no-sales", "501-sales", "NaN", "10-MB"],
)
def test_a_wrong_envelope_takes_nothing(unmoved: Cloud, content: bytes, status: int, words: str) -> None:
    answer = unmoved.post(content)
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_wrong_rows_are_rejected_beside_good_ones(cloud: Cloud) -> None:
    before = cloud.kpis()["tickets"]
    rows = [
        sale("good-1"),
        sale("bad-1", city=None),
        sale("bad-2", quantity=0),
        sale("bad-3", unit_price="1.00001"),
        sale("bad-4", sold_at="2019-01-05T13:08:00"),
        sale("bad-5", colour="red"),
        sale("good-2"),
    ]
    content = body(*rows).replace(b'"bad-1"', b'"bad-1","city":"\\ud800"')
    answer = cloud.post(content)
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["accepted", *["rejected"] * 5, "accepted"]
    reasons = [result.get("reason", "") for result in results]
    for reason, field in zip(reasons[1:6], ("city", "quantity", "unit_price", "sold_at", "colour"), strict=True):
        assert field in reason
    assert cloud.kpis()["tickets"] == before + 2


def test_a_total_that_contradicts_is_stored_and_flagged(cloud: Cloud) -> None:
    before = cloud.kpis()["anomalies"]
    (result,) = cloud.post({"sales": [sale("contradiction", total="600")]}).json()["results"]
    assert (result["status"], result["flags"]) == ("accepted", ["total_mismatch"])
    stored = cloud.get("/v1/sales/contradiction").json()["sale"]
    assert (stored["total"], stored["flags"], stored["anomaly"]) == ("600", ["total_mismatch"], True)
    assert cloud.kpis()["anomalies"] == before + 1


def test_the_same_id_with_another_payload_is_kept_apart(cloud: Cloud) -> None:
    cloud.post({"sales": [sale("contested")]})
    before = cloud.kpis()
    (result,) = cloud.post({"sales": [sale("contested", quantity=8, tax=None, total=None)]}).json()["results"]
    assert result["status"] == "conflict"
    assert "not counted" in result["reason"]
    assert cloud.get("/v1/sales/contested").json()["sale"]["quantity"] == 7
    assert cloud.kpis() == before


def test_a_sale_tells_what_came_with_its_id_and_another_content(cloud: Cloud) -> None:
    cloud.post({"sales": [sale("twice", tax=None)]})
    assert cloud.get("/v1/sales/twice").json()["conflicts"] == []
    cloud.post({"sales": [sale("twice", tax=None, quantity=8, rating=None)]})
    cloud.post({"sales": [sale("twice", tax=None), sale("twice", tax=None, unit_price=74.7, city="Mandalay")]})
    told = cloud.get("/v1/sales/twice").json()
    first, second = told["conflicts"]
    assert first["differences"] == {"quantity": [7, 8], "rating": ["9.1", None]}
    assert second["differences"] == {"city": ["Yangon", "Mandalay"], "unit_price": ["74.69", "74.7"]}
    assert told["sale"]["received_at"] <= first["received_at"] <= second["received_at"]


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "two words"])
def test_a_token_that_is_none_is_refused(unmoved: Cloud, token: str) -> None:
    for answer in (unmoved.post({"sales": [sale("x")]}, token), unmoved.get("/v1/kpis", token)):
        assert answer.status_code == 401
        assert "token" in answer.json()["error"]


def test_no_token_is_refused(unmoved: Cloud) -> None:
    answer = httpx.post(f"{unmoved.api}/v1/sales", content=body(sale("x")))
    assert answer.status_code == 401
    assert "token" in answer.json()["error"]


def test_a_token_that_has_expired_is_refused(unmoved: Cloud) -> None:
    expired = unmoved.run("token", "ingest", "--days", "-1").stdout.strip()
    assert unmoved.post({"sales": [sale("x")]}, expired).status_code == 401


def test_a_token_does_only_what_its_scope_says(unmoved: Cloud) -> None:
    posted = unmoved.post({"sales": [sale("x")]}, unmoved.tokens["read"])
    assert posted.status_code == 403
    assert "scope" in posted.json()["error"]
    assert unmoved.get("/v1/kpis", unmoved.tokens["ingest"]).status_code == 403
    assert unmoved.get("/v1/kpis", unmoved.tokens["admin"]).status_code == 200


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("/v1/kpis", {"from": "yesterday"}, "from: expected a time"),
        ("/v1/kpis", {"from": "2019-01-05T13:08:00"}, "from: expected a time with its zone"),
        ("/v1/kpis", {"to": "2019-01-05T13:08:30Z"}, "to: expected a whole minute"),
        ("/v1/sales", {"branch": "A"}, "from"),
        ("/v1/sales", {"branch": "A", "from": "2019-01-01", "to": "2019-01-02", "limit": 0}, "limit"),
        ("/v1/sales", {"branch": "A", "from": "2019-01-01", "to": "2019-01-02", "cursor": "x"}, "cursor"),
    ],
)
def test_a_wrong_question_is_explained(cloud: Cloud, path: str, query: dict[str, Any], words: str) -> None:
    answer = cloud.get(path, **query)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_what_is_not_there_is_not_found(cloud: Cloud) -> None:
    assert cloud.get("/v1/sales/nobody").status_code == 404


def test_no_customer_data_is_in_the_logs(cloud: Cloud) -> None:
    cloud.post({"sales": [sale("secret-invoice", customer_id="customer-4711", quantity=0)]})
    cloud.post({"sales": [sale("secret-invoice-2", customer_id="customer-4711")]})
    logs = json.dumps(_lambda_logs(cloud)) + "".join(path.read_text() for path in cloud.home.logs.glob("*.log"))
    assert "taken" in logs
    for secret in ("customer-4711", "secret-invoice", "Yangon"):
        assert secret not in logs


def _lambda_logs(cloud: Cloud) -> list[str]:
    client = stores.client(cloud.home, "logs")
    found: list[str] = []
    for group in client.describe_log_groups()["logGroups"]:
        events = client.filter_log_events(logGroupName=group["logGroupName"])["events"]
        found += [event["message"] for event in events]
    return found
