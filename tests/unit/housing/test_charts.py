from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import altair as alt
import ibis
import pytest
import vl_convert

from tests.unit.housing.samples import clean, csv, drawn
from tidemark.housing.charts import CHARTS, specs
from tidemark.housing.monitoring import drift, sketch
from tidemark.housing.profile import STEPS, Study
from tidemark.looks import PALETTES, config, minus, money, number, percent

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

ROWS = 3_000


def results(folder: Path, rows: int = ROWS) -> dict[str, Any]:
    frame = clean(csv(drawn(ROWS))).head(rows)
    frame.to_parquet(folder / "clean.parquet")
    study = Study(ibis.duckdb.connect().read_parquet(folder / "clean.parquet"))
    moved = frame.assign(median_income=frame["median_income"] * 0.6)
    return {step.name: step.run(study) for step in STEPS} | {"drift": drift([sketch(frame)], sketch(moved))}


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return specs(results(tmp_path_factory.mktemp("clean")))


def test_every_chart_is_drawn(drawings: dict[str, dict[str, Any]]) -> None:
    assert set(drawings) == set(CHARTS)
    for name, spec in drawings.items():
        alt.Chart.from_dict(spec)  # raises where it is not as Vega-Lite's schema has it
        assert spec["$schema"].endswith("/v6.4.1.json"), name
        svg = vl_convert.vegalite_to_svg(spec, vl_version="6.4")
        assert svg.startswith("<svg"), name
        assert "NaN" not in svg, name


def test_only_what_there_is_results_for_is_drawn(tmp_path: Path) -> None:
    some = results(tmp_path)
    assert set(specs({"encoding": some["encoding"]})) == {"categories", "price-by-category"}


def test_charts_of_few_rows_are_drawn_too(tmp_path: Path) -> None:
    for name, spec in specs(results(tmp_path, rows=1)).items():
        assert "NaN" not in vl_convert.vegalite_to_svg(spec, vl_version="6.4"), name


def test_a_spec_holds_aggregates_only(drawings: dict[str, dict[str, Any]]) -> None:
    for name, spec in drawings.items():
        assert len(inline_rows(spec)) < ROWS, name
        assert "block_id" not in json.dumps(spec), name


def inline_rows(value: Any) -> list[Any]:
    if isinstance(value, dict):
        of = value.get("values")
        here = of if isinstance(of, list) and of and isinstance(of[0], dict) else []
        return here + [row for item in value.values() for row in inline_rows(item)]
    return [row for item in value for row in inline_rows(item)] if isinstance(value, list) else []


def test_titles_say_what_is_seen(drawings: dict[str, dict[str, Any]]) -> None:
    titles = {name: spec["title"]["text"] for name, spec in drawings.items()}
    assert titles["histograms"].startswith("Cut off at a cap: age of houses (")
    assert titles["categories"].startswith("Most blocks are <1H OCEAN (4")
    assert titles["correlations"].startswith("Median income goes best with the house value: Spearman +0.")
    assert titles["missing"].startswith("Bedrooms: ")
    assert titles["importance"].startswith("Median income matters most: shuffled, it adds $")
    assert titles["drift"] == "1 of 10 columns moved: income"
    assert all(titles.values())


def test_all_colour_is_in_the_config(drawings: dict[str, dict[str, Any]]) -> None:
    colours = {
        c for palette in PALETTES.values() for of in palette.values() for c in ([of] if isinstance(of, str) else of)
    }
    for name, spec in drawings.items():
        body = json.dumps({key: part for key, part in spec.items() if key != "config"})
        assert not any(colour in body for colour in colours), name
        assert spec["config"] == config("light")
    assert config("dark").keys() == config("light").keys()
    assert config("dark")["style"].keys() == config("light")["style"].keys()


def test_bars_begin_at_zero(drawings: dict[str, dict[str, Any]]) -> None:
    for name in ("categories", "missing", "importance", "drift"):
        for encoding in bar_encodings(drawings[name]):
            low, high = encoding["x"]["scale"]["domain"]
            assert low <= 0 < high, name
    assert all(row["from"] >= 0 for row in inline_rows(drawings["histograms"]))


def bar_encodings(value: Any) -> list[Any]:
    if isinstance(value, dict):
        mark = value.get("mark")
        here = [value["encoding"]] if isinstance(mark, dict) and mark.get("type") == "bar" else []
        return here + [found for item in value.values() for found in bar_encodings(item)]
    return [found for item in value for found in bar_encodings(item)] if isinstance(value, list) else []


def test_numbers_are_written_as_on_the_page() -> None:
    assert [percent(share) for share in (0, 0.00024, 0.04675, 1)] == ["0.0 %", "< 0.1 %", "4.7 %", "100.0 %"]
    assert money(-1234.5) == "−$1,234"
    assert number(500_001.0, "USD") == "$500,001"
    assert number(-121.8, "° east") == "−121.8° east"
    assert number(52.0, "years") == "52 years"
    assert number(39_320.0) == "39,320"
    assert minus("-1") == "−1"
