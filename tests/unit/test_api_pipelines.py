"""The pipelines' routes over an index and a bucket in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from functions.api import pipelines
from functions.api.app import create_app
from functions.api.results import BARREN, Results
from tests.counted import counters
from tests.pipelines import CHART, DATA, DECISION, ML, NOW, SUMMARY, batch_of, reused, run_of, seed
from tidemark.adapters.memory import MemoryFeedback, MemoryLedger
from tidemark.adapters.memory_runs import MemoryObjects, MemoryRuns
from tidemark.models.champion import Champion
from tidemark.runs import FLOWS, Run
from tidemark.store import Store

LATER = NOW + 600_000


class Api:
    """The API, and what is behind it."""

    def __init__(self) -> None:
        self.runs, self.objects = MemoryRuns(), MemoryObjects()
        routes = pipelines.routes(Results(self.runs, self.objects), lambda: LATER)
        app = create_app(Store(), MemoryLedger(), counters(MemoryLedger()), MemoryFeedback(), lambda: LATER, routes)
        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def ask(self, path: str, **query: Any) -> httpx.Response:
        async def answer() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport, base_url="http://api") as client:
                return await client.get(path, params=query)

        return asyncio.run(answer())

    def get(self, path: str, **query: Any) -> Any:
        answer = self.ask(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refuse(self, path: str, expected: int, **query: Any) -> str:
        answer = self.ask(path, **query)
        assert answer.status_code == expected, answer.text
        assert list(answer.json()) == ["error"]
        words: str = answer.json()["error"]
        return words


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def known(api: Api) -> dict[str, Run]:
    return seed(api.runs, api.objects)


def plain(value: object) -> Any:
    return msgspec.to_builtins(value)


def test_before_the_first_run_the_flows_have_none(api: Api) -> None:
    assert api.get("/v1/flows") == {
        "flows": [{"name": name, "seconds": None, "at_work": None, "newest": None} for name in FLOWS]
    }
    assert api.get(f"/v1/flows/{DATA}/runs") == {"runs": [], "cursor": None}
    assert api.get("/v1/housing/batches") == {"batches": []}
    assert api.get("/v1/housing/metrics") == {"metrics": []}
    assert api.get("/v1/housing/models") == {"champion": None, "decisions": []}
    for path in ("summary", "eda", "eda/summary.json"):
        assert "no run of housing-data has completed yet" in api.refuse(f"/v1/housing/{path}", 404)


def test_flows_come_with_their_newest_runs(api: Api, known: dict[str, Run]) -> None:
    newest = {flow["name"]: flow["newest"] for flow in api.get("/v1/flows")["flows"]}
    assert newest == {**dict.fromkeys(FLOWS), DATA: plain(known["data skipped"]), ML: plain(known["ml again"])}


def test_flows_tell_their_schedule_and_who_is_at_work(api: Api) -> None:
    api.runs.schedule(DATA, 90)
    api.runs.begin(DATA, "dead", now=LATER - 40_000, until=LATER - 1)
    api.runs.begin(ML, "alive", now=LATER - 40_000, until=LATER + 1)
    data, prices = api.get("/v1/flows")["flows"][:2]
    assert (data["seconds"], data["at_work"]) == (90, None)
    assert (prices["seconds"], prices["at_work"]) == (None, "alive")


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_runs_come_in_pages_newest_first(api: Api, known: dict[str, Run], limit: int) -> None:
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": limit}
    while True:
        page = api.get(f"/v1/flows/{DATA}/runs", **query)
        found += page["runs"]
        assert 0 < len(page["runs"]) <= limit
        if page["cursor"] is None:
            break
        query["cursor"] = page["cursor"]
    assert found == [plain(run) for name, run in reversed(known.items()) if name.startswith("data")]


@pytest.mark.parametrize("status", ["completed", "reused", "skipped", "failed"])
def test_runs_of_a_status_alone(api: Api, known: dict[str, Run], status: str) -> None:
    runs = api.get(f"/v1/flows/{DATA}/runs", status=status)["runs"]
    assert runs == [plain(run) for run in known.values() if run.flow == DATA and run.status == status]


@pytest.mark.parametrize("limit", [1, 2, 7, 200])
def test_no_run_of_a_status_is_lost_between_pages(api: Api, limit: int) -> None:
    made = [run_of(ML, n, status="failed" if n % 9 == 1 else "completed") for n in range(60)]
    for run in made:
        api.runs.add(run)
    found: list[list[str]] = []
    query: dict[str, Any] = {"limit": limit, "status": "failed"}
    while "cursor" not in query or query["cursor"]:
        page = api.get(f"/v1/flows/{ML}/runs", **query)
        found.append([run["id"] for run in page["runs"]])
        query["cursor"] = page["cursor"]
    assert [run for page in found for run in page] == [run.id for run in reversed(made) if run.status == "failed"]
    assert {len(page) for page in found[:-1]} <= {limit}


@pytest.mark.parametrize(
    ("path", "query", "status", "words"),
    [
        (f"/v1/flows/{DATA}/runs", {"limit": 0}, 400, "limit"),
        (f"/v1/flows/{DATA}/runs", {"limit": 201}, 400, "limit"),
        (f"/v1/flows/{DATA}/runs", {"limit": "x"}, 400, "limit"),
        (f"/v1/flows/{DATA}/runs", {"cursor": "x"}, 400, "cursor: not one that an earlier page gave"),
        (f"/v1/flows/{DATA}/runs", {"cursor": ""}, 400, "cursor"),
        (f"/v1/flows/{DATA}/runs", {"cursor": "x", "status": "failed"}, 400, "cursor"),
        (f"/v1/flows/{DATA}/runs", {"status": "running"}, 400, "status"),
        ("/v1/flows/sales/runs", {}, 404, "there is no flow 'sales'; there are housing-data, housing-ml, sales-watch"),
        ("/v1/flows/sales/runs/x", {}, 404, "no flow"),
        (f"/v1/flows/{DATA}/runs/x", {}, 404, "there is no run 'x' of housing-data"),
        (f"/v1/flows/{DATA}/runs/{'9' * 5_000}", {}, 404, "there is no run"),
        (f"/v1/flows/{DATA}/runs/{run_of(ML, 9).id}", {}, 404, "there is no run"),
        ("/v1/housing/batches", {"limit": 201}, 400, "limit"),
        ("/v1/housing/metrics", {"limit": 0}, 400, "limit"),
        ("/v1/housing/models", {"limit": -1}, 400, "limit"),
        ("/v1/housing/nothing", {}, 404, "Not Found"),
        ("/v1/flows/", {}, 404, "Not Found"),
    ],
)
def test_a_wrong_question_is_explained(
    api: Api, known: dict[str, Run], path: str, query: dict[str, Any], status: int, words: str
) -> None:
    said = api.refuse(path, status, **query)
    assert words in said
    assert len(said) < 300


def test_a_run_comes_with_its_report(api: Api, known: dict[str, Run]) -> None:
    run = known["data"]
    found = api.get(f"/v1/flows/{DATA}/runs/{run.id}")
    assert found["run"] == plain(run)
    assert found["report"]["monitoring"]["freshness"]["words"] == f"seen by {run.id}"


@pytest.mark.parametrize("name", ["data failed", "data skipped"])
def test_a_run_without_a_report_is_shown_too(api: Api, known: dict[str, Run], name: str) -> None:
    run = known[name]
    place = f"/v1/flows/{DATA}/runs/{run.id}"
    assert api.get(place) == {"run": plain(run), "report": None}
    assert api.get(f"{place}/logs")["log"] == []
    assert api.get(f"{place}/logs")["headline"] == run.headline
    assert api.get(f"{place}/files")["files"] == []
    assert f"run {run.id} has no file 'report.md'" in api.refuse(f"{place}/report.md", 404)
    assert run.status in api.refuse(f"{place}/report.md", 404)


@pytest.mark.parametrize("content", [b"{rubbish", b"", b"[]", b"\xff"])
def test_a_damaged_report_is_as_none(api: Api, known: dict[str, Run], content: bytes) -> None:
    run = known["data"]
    api.objects.put(f"flows/{DATA}/{run.id}/report.json", content)
    found = api.get(f"/v1/flows/{DATA}/runs/{run.id}")
    assert (found["run"], found["report"]) == (plain(run), None)
    assert api.get(f"/v1/flows/{DATA}/runs/{run.id}/logs")["log"] == []


def test_a_report_is_read_in_words(api: Api, known: dict[str, Run]) -> None:
    answer = api.ask(f"/v1/flows/{DATA}/runs/{known['data reused'].id}/report.md")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.text == f"# Run {known['data reused'].id} – é\n"


def test_a_run_tells_what_it_did(api: Api, known: dict[str, Run]) -> None:
    for name in ("data", "data reused"):
        run = known[name]
        found = api.get(f"/v1/flows/{DATA}/runs/{run.id}/logs")
        assert found["steps"] == plain(run.steps)
        assert found["log"] == ["03:31:00 Summary statistics: 0.41 s"]
    assert found["steps"][0]["reused_from"] == known["data"].id


@pytest.mark.parametrize("name", ["data", "data reused"])
def test_a_run_s_files_are_named_and_read(api: Api, known: dict[str, Run], name: str) -> None:
    run = known[name]
    place = f"/v1/flows/{DATA}/runs/{run.id}/files"
    found = api.get(place)
    assert found == {
        "run": run.id,
        "results_of": known["data"].id,
        "files": ["report.json", "report.md", "charts/map.vl.json", "steps/summary.json"],
    }
    assert api.get(f"{place}/charts/map.vl.json") == CHART
    assert api.get(f"{place}/steps/summary.json") == SUMMARY
    assert api.get(f"{place}/report.json")["run"]["id"] == run.id
    assert api.ask(f"{place}/report.md").headers["content-type"].startswith("text/markdown")
    assert {api.ask(f"{place}/{file}").status_code for file in found["files"]} == {200}


SECRET = "flows/housing-data/secret.json"


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.json", "steps/../../secret.json", "%2e%2e/secret.json", "..%2fsecret.json", "..%252fsecret.json"),
        *("/flows/housing-data/secret.json", "steps/%2e%2e/%2e%2e/secret.json", "steps\\..\\..\\secret.json", ""),
        *(
            "steps/",
            "steps/summary",
            "steps/summary.json/",
            "steps//summary.json",
            "steps/summary.json%00",
            "steps/.json",
        ),
        *(
            "charts/summary.json",
            "charts/map.json",
            "steps/none.json",
            "steps/" + "x" * 2_000 + ".json",
            "steps/é.json",
        ),
    ],
)
def test_nothing_but_a_run_s_own_files_is_read(api: Api, known: dict[str, Run], name: str) -> None:
    api.objects.put(SECRET, b'"secret"')
    api.objects.put("secret.json", b'"secret"')
    for place in (f"/v1/flows/{DATA}/runs/{known['data'].id}/files", "/v1/housing/eda"):
        answer = api.ask(f"{place}/{name}")
        assert answer.status_code == 404
        assert "secret" not in answer.text.replace("secret.json", "")
        assert list(answer.json()) == ["error"]


def test_a_file_that_is_too_large_is_refused_with_words(api: Api, known: dict[str, Run]) -> None:
    folder = known["data"].folder
    api.objects.put(f"{folder}charts/huge.vl.json", b"1" * 4_000_001)
    place = f"/v1/flows/{DATA}/runs/{known['data'].id}/files/charts/huge.vl.json"
    assert "at most 4,000,000 can be sent" in api.refuse(place, 413)


# -- what the housing runs found


def test_the_summary_is_of_the_newest_run_with_results(api: Api, known: dict[str, Run]) -> None:
    run = known["data reused"]
    found = api.get("/v1/housing/summary")
    assert found["newest_batch"] == plain(batch_of(2))
    assert found["monitoring"]["freshness"]["words"] == f"seen by {run.id}"
    assert {name: found[name] for name in ("run", "at", "results_of", "rows", "batches", "quarantined", "drift")} == {
        "run": run.id, "at": run.ended_at, "results_of": known["data"].id,
        "rows": 20640, "batches": 1, "quarantined": 2, "drift": 0.03,
    }  # fmt: skip
    assert found["freshness_minutes"] == 8.0


def test_a_summary_without_files_and_batches_says_what_it_can(api: Api) -> None:
    api.runs.add(run_of(DATA, 0, figures={}))
    found = api.get("/v1/housing/summary")
    assert (found["rows"], found["freshness_minutes"], found["newest_batch"], found["monitoring"]) == (
        0,
        None,
        None,
        None,
    )


def test_many_failures_do_not_hide_the_last_results(api: Api, known: dict[str, Run]) -> None:
    for number in range(10, BARREN):
        api.runs.add(run_of(DATA, number, status="failed"))
    assert api.get("/v1/housing/summary")["run"] == known["data reused"].id
    for number in range(BARREN, BARREN + 20):
        api.runs.add(run_of(DATA, number, status="skipped"))
    assert "no run" in api.refuse("/v1/housing/summary", 404)


def test_the_profile_s_tables_and_charts_are_named_and_read(api: Api, known: dict[str, Run]) -> None:
    found = api.get("/v1/housing/eda")
    assert found["results_of"] == known["data"].id
    assert found["tables"] == [{"name": "summary.json", "title": "Summary statistics"}]
    assert found["charts"] == [{"name": "map.vl.json", "title": "Map"}]
    assert api.get("/v1/housing/eda/summary.json") == SUMMARY
    assert api.get("/v1/housing/eda/map.vl.json") == CHART
    assert "has no file" in api.refuse("/v1/housing/eda/none.json", 404)


def test_batches_come_newest_first(api: Api, known: dict[str, Run]) -> None:
    assert api.get("/v1/housing/batches", limit=2) == {"batches": [plain(batch_of(2)), plain(batch_of(1))]}


def test_metrics_are_of_trainings_oldest_first(api: Api, known: dict[str, Run]) -> None:
    points = api.get("/v1/housing/metrics")["metrics"]
    assert [(point["run"], point["at"]) for point in points] == [
        (run.id, run.started_at) for run in (known["ml"], known["ml again"])
    ]
    assert [point["figures"]["rmse"] for point in points] == [39_950, 39_952]
    assert api.get("/v1/housing/metrics", limit=1)["metrics"] == points[1:]


def test_a_training_counts_once_however_often_it_was_reused(api: Api) -> None:
    trained = [run_of(ML, 300 * n) for n in range(4)]
    for run in trained:
        api.runs.add(run)
        for number in range(1, 300):
            at = int(run.figures["rmse"]) - 39_950 + number
            api.runs.add(reused(run, at) if number % 3 else run_of(ML, at, status="skipped", figures={}))
    points = api.get("/v1/housing/metrics")["metrics"]
    assert [point["run"] for point in points] == [run.id for run in trained]


def test_a_training_whose_record_is_gone_still_counts(api: Api) -> None:
    run = run_of(ML, 0)
    api.runs.add(reused(run, 1))
    assert api.get("/v1/housing/metrics")["metrics"] == [
        {"run": run.id, "at": run.started_at, "figures": run.figures}
    ]  # fmt: skip


def test_models_tell_who_serves_and_why(api: Api, known: dict[str, Run]) -> None:
    champion = Champion("housing", "f", "lightgbm", "k", known["ml"].id, NOW)
    api.runs.crown(champion, replacing=None)
    found = api.get("/v1/housing/models", limit=2)
    assert found["champion"] == plain(champion)
    assert [decision["at"] for decision in found["decisions"]] == [NOW + 2, NOW + 1]
    assert found["decisions"][0]["reason"] == DECISION.reason
