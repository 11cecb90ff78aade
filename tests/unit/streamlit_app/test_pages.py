"""The Streamlit app's pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from streamlit_app.housing.blocks import FIELDS, block, usual
from streamlit_app.ui import session
from streamlit_app.ui.api import Api
from streamlit_app.ui.tree import text_of
from streamlit_app.ui.words import choice
from tests.explorer import Behind, Bridge
from tests.pipelines import DATA, ML, NOW, run_of, seed
from tidemark.housing.requests import decode, json_schemas
from tidemark.runs import FLOWS, Batch
from tidemark.settings import ExplorerSettings

SCRIPT = "<img src=x onerror=alert(1)>"
HOUSING = "from streamlit_app.housing import page\npage.page()"
PIPELINES = "from streamlit_app.pipelines import page\npage.page()"


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
    monkeypatch.setattr(session, "experiment", lambda url, name: "7")
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
        *("Housing data", "Skipped", "2 of 3 runs good", "1 failed", "Price models", "Completed", "3 of 3 runs good"),
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
    assert "2 of 3 runs good" in said(app.run())
    bridge.down = True
    assert "The API does not answer. Asked again every 5 s." in said(app.run())
    assert "2 of 3 runs good" in said(app)


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
