"""What needs no page: words, tables, charts, links."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.api import examples
from streamlit_app.housing.eda_charts import chosen_place, selectable, side_by_side
from streamlit_app.pipelines.model_tiles import NAMES, PREFIXES, chart, series, spread
from streamlit_app.pipelines.run_detail import readable_markdown
from streamlit_app.ui.api import Point
from streamlit_app.ui.links import in_mlflow, in_prefect
from streamlit_app.ui.tables import tables
from streamlit_app.ui.tree import el
from streamlit_app.ui.words import choice, chosen, readable, sentence, span
from tests.pipelines import DATA, NOW, run_of


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
