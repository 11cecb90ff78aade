"""`tidemark bench explorer`: linked views over 100 million rows, beside DuckDB and polars.

`TIDEMARK_BENCH_ROWS` sets how many rows there are; above 200 million the peers are left out.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import duckdb
import numpy as np
import psutil
import pyarrow as pa

from benchmarks import explorer_page
from benchmarks.measure import ROOT, Result, median
from tidemark.cubes.columns import Column
from tidemark.cubes.cube import Counts, Cube
from tidemark.cubes.engine import Engine
from tidemark.cubes.sampling import estimate
from tidemark.cubes.table import Table, codes_file
from tidemark.cubes.views import CELLS_ACROSS, Question, Span, View
from tidemark.tables.sources import of_path, opened

ROWS = int(os.environ.get("TIDEMARK_BENCH_ROWS", "100000000"))
IN_MEMORY = 200_000_000
FOLDER = ROOT / ".tidemark" / "bench" / f"explorer-{ROWS}"
TABLES = FOLDER.with_name(f"{FOLDER.name}-tables")
FILES_OF = 50_000_000
TURNS = 5
TURNS_OF_RAW = 3
BRUSHES = 1_000
SAMPLES = 20

# Eight views: seven histograms and a grid. Every column is cut evenly, so that SQL can say the same cuts exactly.
DRAWN = """
SELECT
    TIMESTAMP '2023-01-01' + to_seconds(((i * 60) // {rows} * 604800 + hash(i) % 604800)::BIGINT) AS sold_at,
    (hash(i + 1) % 1000000) / 10000 + (hash(i + 2) % 1000000) / 10000 AS price,
    1 + least(hash(i + 3) % 30, hash(i + 4) % 30)::INTEGER AS quantity,
    (hash(i + 5) % 15000) / 1000 AS weight,
    (hash(i + 6) % 1000000) / 2000 + (hash(i + 7) % 1000000) / 2000 AS longitude,
    (hash(i + 8) % 1000000) / 2000 + (hash(i + 6) % 1000000) / 2000 AS latitude,
    'b' || least(hash(i + 9) % 12, hash(i + 10) % 12) AS branch,
    'p' || (hash(i + 11) % 6) AS product_line,
    CASE hash(i + 12) % 3 WHEN 0 THEN 'cash' WHEN 1 THEN 'card' END AS payment
FROM range({first}, {end}) AS drawn(i)
"""
ACTIVE = View("price")
PASSIVE = (
    View("sold_at"),
    View("quantity"),
    View("weight"),
    View("branch"),
    View("product_line"),
    View("payment"),
    View("longitude", "latitude"),
)
QUESTION = Question(ACTIVE, PASSIVE)


class Turn(NamedTuple):
    """What counting all views once took, and what it found."""

    wall: float
    cpu: float
    counts: list[Counts]


def run() -> Result:
    """All comparisons."""
    drawn_s = _drawn()
    table, built_s = _built()
    files = [str(file) for file in sorted(FOLDER.glob("*.parquet"))]
    engine = Engine(table)
    engine.exact(QUESTION)  # compiles
    figures = {"rows": float(ROWS), "draw_seconds": drawn_s, "build_seconds": built_s}
    figures["codes_bytes_a_row"] = round(table.bytes / max(ROWS, 1), 1)
    sides = {"ours": _timed(lambda: _split(_count(engine)))}
    if ROWS <= IN_MEMORY:
        sides |= {"duckdb": _duckdb(table), "polars": _polars(table)}
        sides["duckdb_parquet"] = _timed(lambda: _raw(table, files))
    walls, cpus = _measured(sides, _count(engine))
    ratios = {}
    for side in sides:
        figures[f"{side}_exact_seconds"] = round(median(walls[side]), 3)
        figures[f"{side}_exact_cpu_seconds"] = round(median(cpus[side]), 3)
    for side, name in (("duckdb", "exact_views"), ("polars", "exact_views"), ("duckdb_parquet", "eight_views")):
        if side in sides:
            ratios[f"{side}.{name}"] = round(median(walls[side]) / median(walls["ours"]), 2)
            ratios[f"{side}.{name}_cpu"] = round(median(cpus[side]) / median(cpus["ours"]), 2)
    figures |= _brushes(engine) | _coverage(engine)
    engine.exact(QUESTION)
    page = explorer_page.measured(str(FOLDER), TABLES)
    ratios["streamlit_native.round_trip"] = round(page["native_round_trip_ms"] / page["round_trip_ms"], 2)
    figures |= page
    figures["peak_rss_gb"] = round(psutil.Process().memory_info().rss / 1e9, 2)
    return Result(
        "explorer",
        ratios,
        figures,
        [
            f"eight views: at each of {table.columns['price'].zones} places of one, six others and a grid of 31 × 31",
            "duckdb, polars: a group-by a view over the same codes in memory; duckdb_parquet: over the rows themselves",
            "all sides count alike to the last row; two threads each; medians of turns taken one after the other",
        ],
    )


def _drawn() -> float:
    began = time.perf_counter()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        for first in range(0, ROWS, FILES_OF):
            path = FOLDER / f"{first:010}.parquet"
            if not path.exists():
                part = path.with_suffix(".part")
                query = DRAWN.format(rows=ROWS, first=first, end=min(first + FILES_OF, ROWS))
                connection.sql(query).write_parquet(str(part))
                part.rename(path)
    return round(time.perf_counter() - began, 1)


def _built() -> tuple[Table, float]:
    """The table as the explorer's page builds it of the folder, and where it looks for it."""
    shutil.rmtree(TABLES, ignore_errors=True)
    TABLES.mkdir()
    began = time.perf_counter()
    table = opened(of_path(str(FOLDER)), TABLES)
    return table, round(time.perf_counter() - began, 1)


def _count(engine: Engine) -> Cube:
    """An exact answer, counted and not remembered."""
    shutil.rmtree(engine.table.folder / "cubes", ignore_errors=True)
    return engine.exact(QUESTION)


def _timed(count: Callable[[], list[Counts]]) -> Callable[[], Turn]:
    def turn() -> Turn:
        wall, cpu = time.perf_counter(), time.process_time()
        found = count()
        return Turn(time.perf_counter() - wall, time.process_time() - cpu, found)

    return turn


def _split(cube: Cube) -> list[Counts]:
    counted = np.diff(cube.sums, axis=0)
    return [counted[:, part.first : part.end] for part in cube.parts]


def _measured(
    sides: dict[str, Callable[[], Turn]], cube: Cube
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Wall and CPU seconds of each side's turns, taken one after the other."""
    turns: dict[str, list[Turn]] = {side: [] for side in sides}
    truth = _split(cube)
    for number in range(TURNS):
        for side, turn in sides.items():
            if side == "duckdb_parquet" and number >= TURNS_OF_RAW:
                continue
            turns[side].append(turn())
            for view, ours, theirs in zip(PASSIVE, truth, turns[side][-1].counts, strict=True):
                if not np.array_equal(ours, theirs):
                    raise AssertionError(f"{side}: {view} differs")
            turns[side][-1].counts.clear()
    walls = {side: [turn.wall for turn in found] for side, found in turns.items()}
    return walls, {side: [turn.cpu for turn in found] for side, found in turns.items()}


# -- the peers, over the same codes


def _duckdb(table: Table) -> Callable[[], Turn]:
    names = {name: table.codes(name) for view in (ACTIVE, *PASSIVE) for name in view.names}
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    codes = pa.table(names)
    connection.from_arrow(codes).create("codes")
    return _timed(lambda: [_grouped(connection, "codes", ACTIVE.x, view, table, _code) for view in PASSIVE])


def _polars(table: Table) -> Callable[[], Turn]:
    """In an environment of its own: a process that counts once for each line that it is sent."""
    places = {name: place for place, name in enumerate(table.columns)}

    def column(name: str, halved: int) -> tuple[str, str, int]:
        return str(codes_file(table.folder, places[name])), np.dtype(table.columns[name].dtype).name, halved

    def columns(view: View) -> list[tuple[str, str, int]]:
        if view.y is None:
            return [column(view.x, table.columns[view.x].fine)]
        return [column(name, table.columns[name].coarse) for name in view.names]

    out = FOLDER / "polars.npz"
    asked = {
        "places": table.columns[ACTIVE.x].missing + 1,
        "active": column(ACTIVE.x, 0),
        "views": [{"columns": columns(view), "width": _width(table, view)} for view in PASSIVE],
        "out": str(out),
    }
    process = subprocess.Popen(
        [ROOT / ".venv-bench" / "bin" / "python", ROOT / "benchmarks" / "peers" / "polars_views.py", json.dumps(asked)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    to, back = process.stdin, process.stdout
    assert back.readline() == "ready\n"

    def turn() -> Turn:
        to.write("go\n")
        to.flush()
        told = json.loads(back.readline())
        with np.load(out) as counts:
            return Turn(told["wall"], told["cpu"], list(counts.values()))

    return turn


def _code(name: str) -> str:
    return name


def _bin(view: View, table: Table, code: Callable[[str], str]) -> str:
    column = table.columns[view.x]
    if view.y is None:
        return f"({code(view.x)}) >> {column.fine}"
    up = table.columns[view.y]
    return f"((({code(view.y)})::INTEGER >> {up.coarse}) << 5) + (({code(view.x)})::INTEGER >> {column.coarse})"


def _grouped(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    place: str,
    view: View,
    table: Table,
    code: Callable[[str], str],
) -> Counts:
    query = f"SELECT {place} AS place, {_bin(view, table, code)} AS bin, count(*) AS n FROM {source} GROUP BY ALL"
    found = connection.execute(query).fetchnumpy()
    return _dense(table, view, found["place"], found["bin"], found["n"])


def _dense(table: Table, view: View, place: Any, bin_: Any, count: Any) -> Counts:
    counts = np.zeros((table.columns[ACTIVE.x].missing + 1, _width(table, view)), np.uint32)
    counts[np.asarray(place, np.int64), np.asarray(bin_, np.int64)] = count
    return counts


def _width(table: Table, view: View) -> int:
    column = table.columns[view.x]
    return CELLS_ACROSS**2 if view.y else (column.missing >> column.fine) + 1


def _raw(table: Table, files: list[str]) -> list[Counts]:
    """The same over the rows themselves: every column is cut by the query."""

    def code(name: str) -> str:
        return _cut(table.columns[name])

    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        source = f"read_parquet({files})"
        return [_grouped(connection, source, code(ACTIVE.x), view, table, code) for view in PASSIVE]


def _cut(column: Column) -> str:
    if column.kind == "category":
        cases = " ".join(f"WHEN '{label}' THEN {place}" for place, label in enumerate(column.labels))
        return f"CASE {column.name} {cases} ELSE {column.missing} END"
    first, width = column.edges[0], column.edges[1] - column.edges[0]
    value = f"epoch_ms({column.name})" if column.kind == "time" else column.name
    zone = f"floor(({value} - {first!r}::DOUBLE) / {width!r}::DOUBLE)::INTEGER"
    return f"least(greatest({zone}, 0), {column.zones - 1})"


# -- the first answer, the brush, the interval


def _brushes(engine: Engine) -> dict[str, float]:
    engine.sampled(QUESTION)
    answers, brushes = [], []
    for _ in range(TURNS * 3):
        began = time.perf_counter()
        engine.sampled(QUESTION)
        answers.append(time.perf_counter() - began)
    cube = engine.exact(QUESTION)
    for span in _spans(engine.table, BRUSHES, 1):
        began = time.perf_counter()
        cube.brush(span)
        brushes.append(time.perf_counter() - began)
    began = time.perf_counter()
    Engine(engine.table).exact(QUESTION)
    again = time.perf_counter() - began
    return {
        "first_answer_ms": round(median(answers) * 1e3, 1),
        "brush_us": round(median(brushes) * 1e6, 1),
        "walked_before_ms": round(again * 1e3, 1),
    }


def _spans(table: Table, count: int, seed: int) -> list[Span]:
    draw, zones = random.Random(seed), table.columns[ACTIVE.x].zones
    ends = [sorted(draw.sample(range(zones + 1), 2)) for _ in range(count)]
    return [Span(first, end) for first, end in ends]


def _coverage(engine: Engine) -> dict[str, float]:
    """How often the exact count lies in the sample's interval: of all that is brushed, and of each bin."""
    table, exact = engine.table, engine.exact(QUESTION)
    draw = np.random.default_rng(5)
    totals, bins, errors = [], [], []
    for turn in range(SAMPLES):
        drawn = np.sort(draw.choice(table.rows, table.sampled, replace=False, shuffle=False))
        table.resample(drawn)
        cube = engine.sampled(QUESTION)
        for span in _spans(table, BRUSHES // SAMPLES, 100 + turn):
            truth, told = exact.brush(span), estimate(cube.brush(span), cube.counted, cube.rows)
            held = (told.least <= truth) & (truth <= told.most)
            totals.append(bool(held[0]))
            bins.append(float(held[1:][truth[1:] > 0].mean()))
            errors.append(abs(float(told.rows[0]) - float(truth[0])) / float(truth[0]))
    return {
        "interval_coverage_of_brush_percent": round(100 * float(np.mean(totals)), 2),
        "interval_coverage_of_bins_percent": round(100 * float(np.mean(bins)), 2),
        "sample_error_p99_percent": round(100 * float(np.quantile(errors, 0.99)), 3),
    }
