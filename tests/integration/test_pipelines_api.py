"""The pipelines through the deployed API: what runs left in the table and the bucket, and prices from the champion."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from functions.api import examples
from tests.cloud import Cloud
from tests.pipelines import CHART, DATA, ML, SUMMARY, batch_of, champion_of, run_of, seed, small_model
from tidemark.housing.requests import decode
from tidemark.housing.serving import predict
from tidemark.local import stores
from tidemark.runs import Run

BLOCK: dict[str, Any] = examples.BLOCK


class Pipelines:
    """The deployed index and bucket, with some runs in them, behind one connection."""

    def __init__(self, cloud: Cloud, http: httpx.Client) -> None:
        self.cloud, self.http = cloud, http
        self.runs, self.objects = stores.open_pipelines(cloud.home)
        self.first_answer = self.predict(BLOCK) if self.runs.champion("housing") is None else None
        self.known = seed(self.runs, self.objects)
        self.champion, content = champion_of(small_model())
        self.objects.put(self.champion.key, content)
        serving = self.runs.champion("housing")
        if serving is None or serving.fingerprint != self.champion.fingerprint:
            assert self.runs.crown(self.champion, replacing=serving)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def predict(self, content: Any, scope: str = "read") -> httpx.Response:
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        token = {"Authorization": f"Bearer {self.cloud.tokens[scope]}"}
        return self.http.post("/v1/housing/predict", content=content, headers=token)


@pytest.fixture(scope="module")
def pipelines(cloud: Cloud) -> Iterator[Pipelines]:
    token = {"Authorization": f"Bearer {cloud.tokens['read']}"}
    with httpx.Client(base_url=cloud.api, headers=token, timeout=40) as http:
        yield Pipelines(cloud, http)


def plain(value: object) -> Any:
    return msgspec.to_builtins(value)


# -- runs and their files


def test_flows_come_with_their_newest_runs(pipelines: Pipelines) -> None:
    for flow, seconds in ((DATA, 90), (ML, 60)):
        pipelines.runs.schedule(flow, seconds)
    flows = pipelines.get("/v1/flows")["flows"]
    assert {flow["name"]: (flow["seconds"], bool(flow["newest"])) for flow in flows} == {
        DATA: (90, True),
        ML: (60, True),
        "sales-watch": (None, False),
        "sales-model": (None, False),
    }
    assert not any(flow["at_work"] for flow in flows)


def test_runs_come_in_pages_newest_first(pipelines: Pipelines) -> None:
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while "cursor" not in query or query["cursor"]:
        page = pipelines.get(f"/v1/flows/{DATA}/runs", **query)
        found += [run["id"] for run in page["runs"]]
        query["cursor"] = page["cursor"]
    assert [run.id for run in reversed(pipelines.known.values()) if run.flow == DATA] == found


def test_runs_of_a_status_alone(pipelines: Pipelines) -> None:
    runs = pipelines.get(f"/v1/flows/{DATA}/runs", status="failed")["runs"]
    assert runs == [plain(pipelines.known["data failed"])]


@pytest.mark.parametrize("name", ["data", "data reused"])
def test_a_run_is_told_in_full(pipelines: Pipelines, name: str) -> None:
    run: Run = pipelines.known[name]
    place = f"/v1/flows/{DATA}/runs/{run.id}"
    found = pipelines.get(place)
    assert found["run"] == found["report"]["run"] == plain(run)
    assert pipelines.get(f"{place}/logs")["steps"] == plain(run.steps)
    text = pipelines.http.get(f"{place}/report.md")
    assert (text.headers["content-type"], text.text) == ("text/markdown; charset=utf-8", f"# Run {run.id} – é\n")
    files = pipelines.get(f"{place}/files")["files"]
    assert files == ["report.json", "report.md", "charts/map.vl.json", "steps/summary.json"]
    assert pipelines.get(f"{place}/files/charts/map.vl.json") == CHART
    assert pipelines.get(f"{place}/files/steps/summary.json") == SUMMARY


@pytest.mark.parametrize("name", ["data failed", "data skipped"])
def test_a_run_without_files_is_told_too(pipelines: Pipelines, name: str) -> None:
    place = f"/v1/flows/{DATA}/runs/{pipelines.known[name].id}"
    assert pipelines.get(place)["report"] is None
    assert pipelines.get(f"{place}/files")["files"] == []
    assert pipelines.http.get(f"{place}/report.md").status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"/v1/flows/{DATA}/runs?limit=201", 400, "limit"),
        (f"/v1/flows/{DATA}/runs?limit=x", 400, "limit"),
        (f"/v1/flows/{DATA}/runs?status=running", 400, "status"),
        (f"/v1/flows/{DATA}/runs?cursor=../x", 400, "cursor"),
        ("/v1/flows/sales/runs", 404, "there is no flow 'sales'"),
        (f"/v1/flows/{DATA}/runs/{'9' * 3_000}", 404, "there is no run"),
        (f"/v1/flows/{DATA}/runs/{run_of(DATA, 99).id}", 404, "there is no run"),
        (f"/v1/flows/{DATA}/runs/{run_of(DATA, 0).id}/files/..%2F..%2F..%2Fx", 404, "no file"),
        (f"/v1/flows/{DATA}/runs/{run_of(DATA, 0).id}/files/steps/%252e%252e/report.json", 404, "no file"),
        (f"/v1/flows/{DATA}/runs/{run_of(DATA, 0).id}/files/steps/none.json", 404, "no file"),
        ("/v1/housing/eda/..%2Freport.json", 404, "Not Found"),
        ("/v1/housing/eda/report.json", 404, "no file"),
        ("/v1/housing/metrics?limit=0", 400, "limit"),
    ],
)
def test_a_wrong_question_is_explained(pipelines: Pipelines, path: str, status: int, words: str) -> None:
    answer = pipelines.http.get(path)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert words in answer.json()["error"]


# -- what the housing runs found


def test_the_housing_data_is_summed_up(pipelines: Pipelines) -> None:
    found = pipelines.get("/v1/housing/summary")
    assert found["run"] == pipelines.known["data reused"].id
    assert found["results_of"] == pipelines.known["data"].id
    assert (found["rows"], found["batches"], found["quarantined"], found["drift"]) == (20640, 1, 2, 0.03)
    assert found["freshness_minutes"] > 0
    assert found["newest_batch"] == plain(batch_of(2))


def test_the_profile_is_named_and_read(pipelines: Pipelines) -> None:
    found = pipelines.get("/v1/housing/eda")
    names = [one["name"] for one in (*found["tables"], *found["charts"])]
    assert names == ["summary.json", "map.vl.json"]
    assert [pipelines.get(f"/v1/housing/eda/{name}") for name in names] == [SUMMARY, CHART]


def test_batches_metrics_and_models_are_listed(pipelines: Pipelines) -> None:
    assert pipelines.get("/v1/housing/batches", limit=2)["batches"] == [plain(batch_of(2)), plain(batch_of(1))]
    points = pipelines.get("/v1/housing/metrics")["metrics"]
    assert [point["run"] for point in points] == [pipelines.known[name].id for name in ("ml", "ml again")]
    models = pipelines.get("/v1/housing/models")
    assert models["champion"] == plain(pipelines.champion)
    times = [decision["at"] for decision in models["decisions"]]
    assert len(times) == 3
    assert times == sorted(times, reverse=True)


# -- prices


def test_before_the_first_champion_nobody_answers(pipelines: Pipelines) -> None:
    if pipelines.first_answer is None:
        pytest.skip("another test has crowned one before")
    assert pipelines.first_answer.status_code == 503
    assert "no price model serves yet" in pipelines.first_answer.json()["error"]
    assert pipelines.first_answer.headers["retry-after"] == "1"


def test_a_price_is_the_champion_s(pipelines: Pipelines) -> None:
    body = {"blocks": [BLOCK, {**BLOCK, "longitude": -114.0, "total_bedrooms": None}]}
    answer = pipelines.predict(body)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["model"] == {
        "fingerprint": pipelines.champion.fingerprint,
        "algorithm": "lightgbm",
        "version": "1",
        "since": pipelines.champion.at,
    }
    here = predict(small_model(), decode(json.dumps(body).encode()))
    assert said["predictions"] == msgspec.json.decode(msgspec.json.encode(here))
    assert said["predictions"][1]["warning"].startswith("nothing comparable within 3 km")
    assert pipelines.predict(body).content == answer.content


def test_one_block_alone_is_priced_too(pipelines: Pipelines) -> None:
    assert pipelines.predict(BLOCK).json() == pipelines.predict({"blocks": [BLOCK]}).json()


def test_500_blocks_are_priced_at_once(pipelines: Pipelines) -> None:
    blocks = [{**BLOCK, "longitude": -122.0 + n / 100} for n in range(500)]
    began = time.perf_counter()
    answer = pipelines.predict({"blocks": blocks, "explain": False})
    assert answer.status_code == 200
    assert len(answer.json()["predictions"]) == 500
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 400, "the body is not JSON"),
        (b"\xff\xfe", 400, "the body is not"),
        ([BLOCK], 400, "expected object, got array"),
        ({"blocks": []}, 400, "1 to 500 blocks a request, got 0"),
        ({"blocks": [BLOCK] * 501, "explain": False}, 400, "1 to 500 blocks a request, got 501"),
        ({"blocks": [BLOCK] * 21}, 400, "reasons are given for at most 20 blocks"),
        ({"blocks": [BLOCK, {**BLOCK, "latitude": 43}]}, 400, "blocks[1].latitude: expected float <= 42.5"),
        ({"blocks": [BLOCK, {**BLOCK, "households": 0}]}, 400, "blocks[1].households: expected float >= 1.0"),
        ({"blocks": [{**BLOCK, "median_income": float("nan")}]}, 400, "blocks[0].median_income: NaN is not JSON"),
        ({**BLOCK, "ocean_proximity": "SEA"}, 400, "ocean_proximity: expected one of <1H OCEAN"),
        ({**BLOCK, "colour": "red"}, 400, "unknown field colour"),
        (b'{"blocks":' + b"[" * 100_000, 400, "nested too deeply"),
        (b" " * 1_048_577, 413, "at most 1,048,576"),
        (b" " * 10_000_000, 413, "at most 1,048,576"),
    ],
    ids=[
        *("empty", "no-utf8", "array", "no-block", "501", "21-explained", "latitude", "households", "NaN", "ocean"),
        *("unknown-field", "deep", "1-MiB", "10-MB"),
    ],
)
def test_a_wrong_block_is_explained(pipelines: Pipelines, content: Any, status: int, words: str) -> None:
    answer = pipelines.predict(content)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert words in answer.json()["error"]
    assert pipelines.predict(BLOCK).status_code == 200


# -- who may

PATHS = [
    *("/v1/flows", f"/v1/flows/{DATA}/runs", f"/v1/flows/{DATA}/runs/{run_of(DATA, 0).id}/report.md"),
    *(f"/v1/housing/{name}" for name in ("summary", "eda", "batches", "metrics", "models")),
]


@pytest.mark.parametrize("path", PATHS)
def test_those_who_may_read_see_the_pipelines_and_no_other(pipelines: Pipelines, path: str) -> None:
    cloud = pipelines.cloud
    found = {scope: cloud.get(path, cloud.tokens[scope]).status_code for scope in ("read", "admin", "ingest")}
    assert found == {"read": 200, "admin": 200, "ingest": 403}
    assert httpx.get(f"{cloud.api}{path}", timeout=30).status_code == 401


def test_those_who_may_read_have_houses_priced_and_no_other(pipelines: Pipelines) -> None:
    found = {scope: pipelines.predict(BLOCK, scope).status_code for scope in ("read", "admin", "ingest")}
    assert found == {"read": 200, "admin": 200, "ingest": 403}
    assert httpx.post(f"{pipelines.cloud.api}/v1/housing/predict", json=BLOCK, timeout=30).status_code == 401


def test_what_was_asked_is_in_no_log(pipelines: Pipelines) -> None:
    secret = {**BLOCK, "median_income": 7.654321, "longitude": -121.987654}
    assert pipelines.predict(secret).status_code == 200
    assert pipelines.predict({**secret, "my-secret-field": 1}).status_code == 400
    client = stores.client(pipelines.cloud.home, "logs")
    group = next(name["logGroupName"] for name in client.describe_log_groups()["logGroups"] if "Predict" in str(name))
    lines = "".join(event["message"] for event in client.filter_log_events(logGroupName=group)["events"])
    assert "priced" in lines
    assert not [word for word in ("7.654321", "121.987654", "my-secret") if word in lines]
