"""The Streamlit app: its pages over the real routes and a real small model, in memory; and what needs no page."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from functions.api import examples
from streamlit_app import session
from streamlit_app.api import Api, Judged, Point
from streamlit_app.blocks import FIELDS, block, usual
from streamlit_app.eda_charts import chosen_place, selectable, side_by_side
from streamlit_app.links import in_mlflow, in_prefect
from streamlit_app.model_tiles import NAMES, PREFIXES, chart, series, spread
from streamlit_app.overview import Listed, Overview, listed, read
from streamlit_app.run_detail import readable_markdown
from streamlit_app.tables import tables
from streamlit_app.tree import el, text_of
from streamlit_app.words import JUDGED, STATES, choice, chosen, readable, sentence, span
from tests.explorer import Behind, Bridge
from tests.pipelines import DATA, ML, NOW, run_of, seed
from tidemark.adapters.memory_runs import MemoryRuns
from tidemark.errors import BadRequest, NotFound, TidemarkError, Unauthorized, Unavailable
from tidemark.housing import monitoring
from tidemark.housing.requests import decode, json_schemas
from tidemark.runs import FLOWS, STATUSES, Batch, RunPage, Status
from tidemark.settings import ExplorerSettings

ROOT = Path(__file__).resolve().parents[2]
CONFIG = tomllib.loads((ROOT / "streamlit_app" / ".streamlit" / "config.toml").read_text())
SCRIPT = "<img src=x onerror=alert(1)>"
HOUSING = "from streamlit_app import housing\nhousing.page()"
PIPELINES = "from streamlit_app import pipelines\npipelines.page()"


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def bridge(behind: Behind) -> Bridge:
    return Bridge(behind.app)


@pytest.fixture
def api(bridge: Bridge) -> Api:
    return Api("http://api", "a token", bridge)


@pytest.fixture
def settings() -> dict[str, str]:
    return {"prefect_url": "http://prefect", "mlflow_url": "http://mlflow"}


@pytest.fixture
def pages(api: Api, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the pages ask `api`."""
    monkeypatch.setattr(session, "api", lambda: api)
    monkeypatch.setattr(
        session, "configured", lambda: ExplorerSettings(api_url="http://api", api_token="a token", **settings)
    )
    monkeypatch.setattr(session, "experiment", lambda url: "7")
    for kept in (session.run, session.report, session.log, session.files, session.file, session.eda_file):
        kept.clear()


def opened(script: str = PIPELINES, **query: str) -> AppTest:
    app = AppTest.from_string(script, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def trees(app: AppTest) -> list[Any]:
    """What the page's own views draw."""
    assert not app.exception
    return [tree for view in _of(app, "bidi_component") for tree in json.loads(view.json)["trees"]]


def said(app: AppTest) -> str:
    """All that those say."""
    return " ".join(" ".join(map(text_of, trees(app))).split())


def _of(app: AppTest, kind: str) -> list[Any]:
    def within(part: Any) -> Iterator[Any]:
        for child in part.children.values():
            if hasattr(child, "children"):
                yield from within(child)
            elif child.type == kind:
                yield child.proto

    return list(within(app.main))


# -- the Pipelines page


@pytest.mark.usefixtures("pages")
def test_the_page_says_how_the_flows_run_and_how_the_data_is(behind: Behind) -> None:
    seed(behind.runs, behind.objects)
    behind.crown()
    words = said(opened())
    for expected in (
        *("Housing data", "Skipped", "2 of 4 runs good", "1 failed", "Price models", "Completed", "3 of 3 runs good"),
        *("Freshness", "Well", "Not judged yet", "Quarantined whole", "not the ten columns"),
        *("$39,950", "LightGBM, version 1", "Promoted", "Better than the champion by $3,210"),
    ):
        assert expected in words


@pytest.mark.usefixtures("pages")
def test_before_the_first_run_the_page_says_what_will_be_there() -> None:
    words = said(opened())
    for expected in (
        "No run yet",
        "within 120 s",
        "No batch has come yet",
        "No model has been promoted yet",
        "No training",
        "Choose a run",
    ):
        assert expected in words


@pytest.mark.usefixtures("pages")
def test_a_run_at_work_is_told_of(behind: Behind) -> None:
    working = run_of(ML, 3).id
    behind.runs.begin(ML, working, now=NOW, until=NOW + 10**12)
    assert "The first run is at work" in said(opened())
    behind.runs.add(run_of(ML, 2))
    page = opened()
    assert "at work, began" in said(page)
    behind.runs.end(ML, working)
    assert "at work" not in said(page.run())


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("settings", [{}])
def test_where_no_flow_runs_the_page_says_so() -> None:
    words = said(opened())
    assert "No flow runs here: the part flows was not started" in words
    assert "within 120 s" not in words


@pytest.mark.usefixtures("pages")
def test_while_the_api_is_away_the_page_says_so_and_keeps_what_it_has(behind: Behind, bridge: Bridge) -> None:
    bridge.down = True
    app = opened()
    assert "The API does not answer." in said(app)
    bridge.down = False
    seed(behind.runs, behind.objects)
    assert "2 of 4 runs good" in said(app.run())
    bridge.down = True
    assert "The API does not answer. Asked again every 5 s." in said(app.run())
    assert "2 of 4 runs good" in said(app)


@pytest.mark.usefixtures("pages")
def test_only_what_was_added_is_asked_for(behind: Behind, bridge: Bridge) -> None:
    seed(behind.runs, behind.objects)
    app = opened()
    bridge.asked.clear()
    app.run()
    assert bridge.asked == ["GET /v1/flows", *(f"GET /v1/flows/{flow}/runs" for flow in FLOWS)]
    behind.runs.add(run_of(ML, 7, headline="one more"))
    assert "One more." in said(app.run())


@pytest.mark.usefixtures("pages")
def test_the_list_is_filtered_and_paged(behind: Behind) -> None:
    for number in range(30):
        behind.runs.add(run_of(FLOWS[number % 2], number, status="failed" if number % 10 == 0 else "completed"))

    def shown(app: AppTest) -> list[str]:
        (table,) = (tree for tree in trees(app) if text_of(tree).startswith("Began, UTC"))
        return [row[1]["key"] for row in table[2][0][2][1][2]]

    app = opened()
    assert shown(app) == [choice(run_of(FLOWS[number % 2], number)) for number in range(29, 17, -1)]
    app.button(key="older").click().run()
    assert shown(app) == [choice(run_of(FLOWS[number % 2], number)) for number in range(17, 5, -1)]
    app.selectbox(key="status").select("failed").run()
    assert shown(app) == [choice(run_of(DATA, number)) for number in (20, 10, 0)]
    app.selectbox(key="flow").select(ML).run()
    assert "No run is like this" in said(app)


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize(
    ("part", "expected"),
    [("Steps", "Summary statistics 0.41 s"), ("Log", "03:31:00"), ("Tables", "Rows 20,640")],
)
def test_a_run_is_shown_in_full(behind: Behind, part: str, expected: str) -> None:
    run = seed(behind.runs, behind.objects)["data"]
    app = opened(run=choice(run), part=part)
    assert run.id in said(app)
    assert expected in said(app)
    assert f"http://prefect/runs/flow-run/{run.flow_run}" in json.dumps(trees(app))
    assert "http://mlflow" not in json.dumps(trees(app))


@pytest.mark.usefixtures("pages")
def test_a_training_leads_to_its_models_in_mlflow(behind: Behind) -> None:
    known = seed(behind.runs, behind.objects)
    app = opened(run=choice(known["ml reused"]))
    assert f"/#/experiments/7/runs?searchFilter=tags.flow_run%20%3D%20%27{known['ml'].id}%27" in json.dumps(trees(app))


@pytest.mark.usefixtures("pages")
def test_a_run_s_report_and_charts_are_shown(behind: Behind) -> None:
    run = seed(behind.runs, behind.objects)["data"]
    behind.objects.put(f"{run.folder}report.md", b"# Run\n\n## What came in\n\nprices of $5 to $6")
    (text,) = opened(run=choice(run)).markdown
    assert text.value == "#### What came in\n\nprices of \\$5 to \\$6"
    assert len(_of(opened(run=choice(run), part="Charts"), "vega_lite_chart")) == 2  # the page's own, and the run's


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize(
    ("which", "part", "expected"),
    [
        ("data failed", "Report", "It wrote no report, since it failed."),
        ("data skipped", "Log", "since it was skipped"),
        ("data failed", "Steps", "No step was done"),
        ("data skipped", "Charts", "This run drew no chart"),
        ("data skipped", "Tables", "This run has no table"),
        ("data reused", "Steps", "as in the run of"),
    ],
)
def test_what_a_run_does_not_have_is_said(behind: Behind, which: str, part: str, expected: str) -> None:
    run = seed(behind.runs, behind.objects)[which]
    assert expected in said(opened(run=choice(run), part=part))


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("named", ["x", "housing-data.", f"{DATA}.../../kpis", f"no-flow.{NOW}-a", f"{DATA}.{NOW}-abc"])
def test_a_made_up_run_in_the_address_harms_nothing(behind: Behind, bridge: Bridge, named: str) -> None:
    seed(behind.runs, behind.objects)
    words = said(opened(run=named, part="?", flow="%", status="never"))
    assert "Choose a run" in words or "There is no such run" in words
    assert not any(".." in path for path in bridge.asked)


@pytest.mark.usefixtures("pages")
def test_what_comes_from_outside_stays_text(behind: Behind) -> None:
    run = run_of(DATA, 9, headline=SCRIPT)
    behind.runs.add(run)
    behind.runs.add_batch(Batch("1", SCRIPT, "0" * 64, NOW, run.id, 1, 0, 1, 0, None, {SCRIPT: 1}))
    app = opened(run=choice(run))
    assert said(app).count(SCRIPT) >= 3
    tags = {tag for tree in trees(app) for tag in _tags(tree)}
    assert "img" not in tags


def _tags(tree: Any) -> Iterator[str]:
    if not isinstance(tree, str):
        yield tree[0]
        for child in tree[2]:
            yield from _tags(child)


# -- the page of prices


@pytest.mark.usefixtures("pages")
def test_a_block_is_priced_and_priced_anew(behind: Behind) -> None:
    behind.crown()
    app = opened(HOUSING)
    words = said(app)
    for expected in (
        "In 90% of cases between",
        "How likely is each price band?",
        "where it lies",
        "no loan and no tax",
    ):
        assert expected in words
    app.number_input(key="median_income").set_value(120_000.0)
    app.button[0].click().run()
    assert said(app) != words
    app.selectbox(key="place").select("Death Valley").run()
    assert app.number_input(key="latitude").value == 36.46
    assert "Nothing comparable within 3 km" in said(app)


@pytest.mark.usefixtures("pages")
def test_without_a_model_or_data_the_page_says_why(bridge: Bridge) -> None:
    words = said(opened(HOUSING))
    assert "No price model serves yet; the flow housing-ml promotes the first one" in words
    assert "No data run has completed yet" in words
    bridge.down = True
    assert "The API does not answer. Asked again every 20 s." in said(opened(HOUSING))


@pytest.mark.usefixtures("pages")
def test_the_newest_profile_is_shown(behind: Behind) -> None:
    seed(behind.runs, behind.objects)
    app = opened(HOUSING)
    assert app.selectbox(key="eda-table").options == ["Summary statistics"]
    assert "Rows 20,640" in said(app)
    (frame,) = app.dataframe
    assert frame.value.iloc[0].to_dict() == {"Column": "median_income", "Mean": 3.87}


def test_what_the_form_asks_for_can_be_priced() -> None:
    asked = decode(msgspec.json.encode(block(usual(), "INLAND")))
    assert asked.blocks[0].median_income == 3.53
    assert {field.name for field in FIELDS} | {"ocean_proximity"} == set(_fields())


def _fields() -> list[str]:
    _, _, parts = json_schemas()
    return list(parts["Block"]["properties"])


# -- the API as the pages read it


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
    assert set(JUDGED) - {"none"} == set(get_args(monitoring.Status))
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


# -- words, tables, charts, links


def test_runs_are_named_by_their_time() -> None:
    run = run_of(DATA, 0)
    assert readable(f"no new block since run {run.id}: its figures stand", NOW) == (
        "no new block since the run of 03:29:00: its figures stand"
    )
    assert sentence(f"run {run.id} is at work", NOW + 86_400_000) == "The run of 21 Nov 03:29:00 is at work."
    assert chosen(choice(run)) == (DATA, run.id)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.041, "0.04 s"), (9.99, "9.99 s"), (61.24, "61.2 s"), (130, "2.2 min")]
)
def test_spans_have_three_digits(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_a_report_stands_within_a_page() -> None:
    text = "# Housing prices, run 1\n\n2026, 5 s. **it won.**\n\n## What came in\n\n$5 and $6 ![a](http://b)\n"
    assert readable_markdown(text, "it won") == "#### What came in\n\n\\$5 and \\$6 !\\[a](http://b)"


def test_lists_within_rows_are_tables_of_their_own() -> None:
    facts, shown = tables(
        {
            "rows": 20_640,
            "method": "a",
            "columns": [{"column": "x", "bins": [{"low": 1.0, "mean": {"value": 0.123456, "p": None}}], "edges": [1]}],
            "category": {"most_frequent": "INLAND"},
        }
    )
    assert facts == {"Rows": "20,640", "Method": "a", "Category: most frequent": "INLAND"}
    assert [(one.title, one.columns) for one in shown] == [
        ("Bins", {"Column": ["x"], "Low": [1.0], "Mean: value": [0.1235]})
    ]


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=5), st.floats(0.1, 5))
def test_labels_never_stand_on_one_another(values: list[float], gap: float) -> None:
    placed = spread(values, gap)
    ordered = sorted(placed)
    assert all(after - before > 0.95 * gap for before, after in pairwise(ordered))
    assert sorted(range(len(values)), key=lambda place: (values[place], place)) == sorted(
        range(len(values)), key=lambda place: placed[place]
    )


def test_a_training_s_figures_are_parted_by_algorithm() -> None:
    point = msgspec.convert(examples.METRICS["metrics"][0], Point)
    (found,) = series([point], "rmse")
    assert found.values["lightgbm"] == point.figures["rmse"]
    assert found.values["random forest"] == point.figures["forest_rmse"]
    assert set(found.values) == set(PREFIXES) == set(NAMES)
    other = {**point.figures, "lightgbm_rmse": 1.0}
    del other["forest_rmse"]
    (found,) = series([Point("r", NOW, other)], "rmse")
    assert (found.values["lightgbm"], found.values["random forest"]) == (1.0, point.figures["rmse"])


def test_a_chart_names_each_line_with_its_last_value() -> None:
    point = msgspec.convert(examples.METRICS["metrics"][0], Point)
    spec = chart([point, point], "r2")
    assert spec is not None
    assert {row["label"] for row in spec["layer"][-1]["data"]["values"]} == {
        *("0.878  LightGBM", "0.855  Random forest", "0.650  Ridge (baseline)", "0.000  Mean (baseline)")
    }
    assert chart([Point("r", NOW, {"rows": 1.0})], "r2") is None


def test_links_lead_to_prefect_and_mlflow() -> None:
    cloud = "https://api.prefect.cloud/api/accounts/a-1/workspaces/w-2"
    assert in_prefect(cloud, "f") == "https://app.prefect.cloud/account/a-1/workspace/w-2/runs/flow-run/f"
    for url in ("http://127.0.0.1:4200", "http://127.0.0.1:4200/api", "http://127.0.0.1:4200/api/"):
        assert in_prefect(url, "f") == "http://127.0.0.1:4200/runs/flow-run/f"
    assert in_mlflow("http://m/", "1", "r") == (
        "http://m/#/experiments/1/runs?searchFilter=tags.flow_run%20%3D%20%27r%27"
    )


def test_a_place_is_picked_on_the_map() -> None:
    spec = {"layer": [{"mark": {"type": "rect"}, "encoding": {"x": {"field": "west"}}}], "width": 480}
    drawn = selectable(spec)
    assert drawn is not None
    assert "layer" not in drawn
    assert selectable({"mark": "bar"}) is None
    assert drawn["params"][0]["select"]["fields"] == ["west", "east", "south", "north"]
    picked = {"west": -120.5, "east": -120.4, "south": 36.8, "north": 36.9}
    assert chosen_place({"selection": {"place": [picked]}}) == (-120.45, 36.85)
    assert chosen_place({"selection": {"place": []}}) is None


def test_charts_stand_two_and_two_but_for_those_of_several() -> None:
    one: dict[str, Any] = {"layer": []}
    several: dict[str, Any] = {"hconcat": []}
    assert side_by_side({"a": several, "b": one, "c": one, "d": one, "e": several, "f": one}) == [
        *(["a"], ["b", "c"], ["d"], ["e"], ["f"])
    ]


def test_what_is_left_out_of_a_tree_is_not_drawn() -> None:
    assert el("p", None, "a", cls="b", title=None, hidden=False, aria_label="c") == [
        "p",
        {"class": "b", "aria-label": "c"},
        ["a"],
    ]


def test_the_palette_is_the_live_page_s() -> None:
    palette = _palette(ROOT / "web" / "live" / "src" / "styles" / "base.css")
    own = _palette(ROOT / "streamlit_app" / "view.css")
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
