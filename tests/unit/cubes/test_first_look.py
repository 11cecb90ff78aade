from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from streamlit_app.explorer import sources
from streamlit_app.explorer.first_look import chart, verdict
from tidemark import data
from tidemark.cubes.build import build
from tidemark.cubes.engine import Engine
from tidemark.cubes.first_look import Finding, FirstLook, first_look
from tidemark.tables.sources import opened

NOISE = """SELECT random() AS a, (random() * 9)::INT AS b, ['x', 'y', 'z'][1 + (random() * 2)::INT] AS c,
    exp(random() * 5) AS d FROM range(4000)"""


def looked(folder: Path, query: str) -> FirstLook:
    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(.3)")
        connection.execute(f"CREATE TABLE source AS {query}")
        table = build(connection.table("source"), folder / "table", "test")
    engine = Engine(table)
    try:
        return first_look(engine)
    finally:
        engine.close()


def of_kind(look: FirstLook, kind: str) -> list[Finding]:
    return [finding for finding in look.findings if finding.kind == kind]


def test_in_noise_nothing_is_found_and_that_is_said(tmp_path: Path) -> None:
    look = looked(tmp_path, NOISE)
    assert (look.pairs, look.dependent, look.findings, look.sound) == (6, 0, [], 1.0)
    assert verdict(look).endswith(
        "none depends on the other beyond chance: there is nothing here to be learnt about one from another."
    )


def test_what_depends_is_found_and_ranked_by_strength(tmp_path: Path) -> None:
    look = looked(
        tmp_path,
        "SELECT x, x * x + random() * .1 AS curve, x + random() * 2 AS loose, random() AS noise,"
        " CASE WHEN x > 0 THEN 'up' ELSE 'down' END AS side FROM (SELECT random() * 2 - 1 AS x FROM range(5000))",
    )
    found = [set(finding.columns) for finding in of_kind(look, "dependence")]
    assert {"x", "curve"} in found, "no correlation coefficient sees it"
    assert {"x", "side"} in found
    assert not any("noise" in columns for columns in found)
    assert [finding.strength for finding in look.findings] == sorted(
        (finding.strength for finding in look.findings), reverse=True
    )
    assert verdict(look) == f"Of 10 pairs of columns {look.dependent} depend on each other beyond chance."
    spec = chart(next(finding for finding in look.findings if finding.counts))
    shares: dict[str, float] = {}
    for value in spec["data"]["values"]:
        shares[value["first"]] = shares.get(value["first"], 0) + value["share"]
    assert list(shares.values()) == pytest.approx([1] * len(shares))


def test_arithmetic_and_the_calendar_are_no_dependence(tmp_path: Path) -> None:
    look = looked(
        tmp_path,
        "SELECT *, price * items * 1.05 AS total, dayname(at_) AS weekday, hour(at_) AS hour FROM (SELECT"
        " 1 + random() * 99 AS price, 1 + (random() * 9)::INT AS items,"
        " TIMESTAMP '2019-01-01' + to_minutes((random() * 86400)::INT) AS at_ FROM range(3000))",
    )
    assert {finding.columns for finding in of_kind(look, "identity")} == {
        ("total", "price", "items"),
        ("weekday", "at_"),
        ("hour", "at_"),
    }
    assert "only those depend on each other that say the same in other words" in verdict(look)


def test_the_hour_of_a_time_tells_what_follows_it(tmp_path: Path) -> None:
    look = looked(
        tmp_path,
        "SELECT at_, CASE WHEN hour(at_) BETWEEN 11 AND 14 THEN 50 ELSE 20 END + random() * 20 AS sold,"
        " random() AS noise, CASE WHEN dayofweek(at_) IN (0, 6) AND random() < .8 THEN 'rest' ELSE 'work' END AS kind"
        " FROM (SELECT TIMESTAMP '2019-01-01' + to_minutes((random() * 86400)::INT) AS at_ FROM range(4000))",
    )
    found = {finding.words: finding for finding in of_kind(look, "dependence")}
    assert not any("noise" in words for words in found)
    hours = found["sold depends clearly on the hour of at_."]
    assert hours.names[0][12] == "12:00"
    assert sum(map(sum, hours.counts)) == 4000
    weekdays = found["kind depends strongly on the weekday of at_."]
    rest = dict(zip(weekdays.names[0], (row[weekdays.names[1].index("rest")] for row in weekdays.counts), strict=True))
    assert [day for day, count in rest.items() if count] == ["Saturday", "Sunday"]


def test_what_is_unsound_is_told(tmp_path: Path) -> None:
    look = looked(
        tmp_path,
        "SELECT least(random() * 100, 90) AS capped, CASE WHEN random() < .2 THEN NULL ELSE random() END AS gaps,"
        " 7 AS always, CASE WHEN range % 100 = 0 THEN 1000 ELSE random() END AS far FROM range(3000)",
    )
    words = {(finding.kind, *finding.columns) for finding in look.findings}
    assert {("capped", "capped"), ("missing", "gaps"), ("constant", "always"), ("far", "far")} <= words
    shares = {column.name: column for column in look.columns}
    assert shares["capped"].capped == pytest.approx(0.1, abs=0.02)
    assert shares["gaps"].missing == pytest.approx(0.2, abs=0.03)
    assert shares["far"].far == pytest.approx(0.01, abs=0.001)
    assert look.sound == pytest.approx(1 - (0.1 + 0.2 + 0.01) / 4, abs=0.02)


def test_rows_that_stand_twice_are_told(tmp_path: Path) -> None:
    look = looked(tmp_path, "SELECT range % 150 AS x, range % 150 * 2 AS y FROM range(300)")
    assert "50.0 % of the rows" in of_kind(look, "repeated")[0].words


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_table_of_few_rows_is_looked_at_all_the_same(tmp_path: Path, rows: int) -> None:
    look = looked(tmp_path, f"SELECT random() AS a, range AS b, 'x' AS c FROM range({rows})")
    assert (look.rows, look.dependent) == (rows, 0)


@pytest.mark.skipif(not all(map(data.find, data.FILES)), reason="the real data files are not here")
def test_the_real_files_show_what_is_known_of_them(tmp_path: Path) -> None:
    looks = {}
    for source in sources.known():
        engine = Engine(opened(source, tmp_path))
        looks[source.name] = first_look(engine)
        engine.close()
    supermarket = looks["supermarket_sales"]
    assert {frozenset(finding.columns) for finding in of_kind(supermarket, "dependence")} == {
        frozenset({"total", "quantity"}),
        frozenset({"total", "unit_price"}),
    }, "all else is independent noise"
    assert "beyond that, there is nothing here" in verdict(supermarket)
    housing = looks["california_housing"]
    assert {finding.columns[0] for finding in of_kind(housing, "capped")} == {
        "median_house_value",
        "housing_median_age",
        "median_income",
    }
    values = {column.name: column for column in housing.columns}
    assert values["median_house_value"].capped * 20_640 == pytest.approx(965)
    assert values["total_bedrooms"].missing * 20_640 == pytest.approx(207)
    assert "ISLAND 5" in of_kind(housing, "rare")[0].words
    assert of_kind(housing, "places")[0].words.startswith("8,050 rows stand at the place of another")
    retail = looks["online_retail"]
    assert {"quantity", "kind"} in [set(finding.columns) for finding in of_kind(retail, "dependence")]


def test_a_category_by_another_name_is_told_as_such_and_not_as_a_dependence(tmp_path: Path) -> None:
    look = looked(
        tmp_path,
        "SELECT ['A', 'B', 'C'][n] AS branch, ['Yangon', 'Mandalay', 'Naypyitaw'][n] AS city, random() AS x"
        " FROM (SELECT 1 + (random() * 2)::INT AS n FROM range(3000))",
    )
    assert [finding.columns for finding in of_kind(look, "identity")] == [("branch", "city")]
    assert of_kind(look, "dependence") == []
