"""What is told of a table before it is binned, and of columns that are not."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from streamlit_app.explorer.binning import time_left
from tidemark.cubes.table import DESCRIPTION, Table
from tidemark.tables.preview import Preview, preview
from tidemark.tables.sources import Source, binned_at, of_path, opened

QUERY = "SELECT range AS a, [range] AS tags, {'x': range} AS part, 'y'::BLOB AS raw FROM range(50)"
LEFT_OUT = {"tags": "BIGINT[]", "part": "STRUCT(x BIGINT)", "raw": "BLOB"}


@pytest.fixture
def source() -> Source:
    return Source("own", "Own", "", "own", "1", lambda to: to.sql(QUERY))


def test_columns_that_cannot_be_binned_are_named_with_their_type(tmp_path: Path, source: Source) -> None:
    table = opened(source, tmp_path)
    assert list(table.columns) == ["a"]
    assert dict(table.left_out) == LEFT_OUT == dict(opened(source, tmp_path).left_out)


def test_a_table_shows_its_columns_and_first_rows_before_it_is_binned(tmp_path: Path, source: Source) -> None:
    found: list[Preview] = []

    def progress(done: int, rows: int) -> None:
        assert found

    opened(source, tmp_path, progress, seen=lambda table: found.append(preview(table)))
    (seen,) = found
    assert seen.columns == {"a": "BIGINT", **LEFT_OUT}
    assert seen.left_out == set(LEFT_OUT)
    assert seen.rows.num_rows == 20
    assert seen.rows.column("tags").to_pylist()[3] == [3]


def test_a_table_of_an_older_version_is_binned_anew(tmp_path: Path, source: Source) -> None:
    opened(source, tmp_path)
    place = binned_at(source, tmp_path)
    description = json.loads((place / DESCRIPTION).read_text())
    (place / DESCRIPTION).write_text(json.dumps({**description, "version": 2, "columns": "of old"}))
    assert not Table.is_at(place)
    assert opened(source, tmp_path).rows == 50
    assert Table.is_at(place)


def test_how_far_it_is_is_told_from_the_first_rows_on(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.sql(QUERY).write_parquet(str(tmp_path / "own.parquet"))
    told: list[tuple[int, int]] = []
    opened(of_path(str(tmp_path / "own.parquet")), tmp_path, lambda done, rows: told.append((done, rows)))
    assert told == [(0, 50), (50, 50)]
    assert [time_left(10, done, 100) for done in (0, 1, 20, 98, 100)] == [
        *("", ", about 16 min left", ", about 40 s left", ", under a second left", "")
    ]
