"""What one version writes the version before and the one after can read; what cannot be read is refused by name.

Fields are only ever added. "After" is simulated by a field that nobody here knows, "before" by leaving out those that
were added since the first.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.samples import PSEUDONYMS, body, sale
from tidemark import cells
from tidemark.adapters import redis_stream
from tidemark.adapters.cell_items import cell_item, read_cell
from tidemark.adapters.dynamodb import read_sale
from tidemark.adapters.memory import MemoryLedger, MemoryStream
from tidemark.adapters.s3_lake import PREFIX
from tidemark.cells import Cell, CellKey, Combo
from tidemark.correlation import requests_of
from tidemark.ingest import Ingest
from tidemark.lake_view import as_lake_sale, open_view, read_sales
from tidemark.ledger import Counted
from tidemark.runs import Run
from tidemark.scoring import RulesOnly
from tidemark.store import Store
from tidemark.writer import Clock
from ws_server.truth import Truth

CLOCK = Clock(now_ms=lambda: 1_767_614_400_123, sleep=lambda _: None, remaining=lambda: 10.0)


@pytest.fixture
def written() -> tuple[Counted, Cell]:
    """A sale and its cell, as ingest writes them."""
    ledger, stream = MemoryLedger(), MemoryStream()
    Ingest(Store(), RulesOnly(), ledger, stream, PSEUDONYMS).post(body(sale("versions")), CLOCK, request="request-1")
    return next(iter(ledger.scan())), stream.published[0][0][0]


def item_of(counted: Counted, **more: Any) -> dict[str, Any]:
    document = {**json.loads(msgspec.json.encode(counted.entry)), **more}
    return {
        "doc": {"S": json.dumps(document)},
        "digest": {"S": counted.digest},
        "writer": {"S": counted.writer},
        "version": {"N": str(counted.version)},
    }


def test_ledger_items(written: tuple[Counted, Cell]) -> None:
    counted, _ = written
    assert read_sale(item_of(counted)) == counted, "as it was before `request`"
    after = {**item_of(counted, loyalty="gold"), "request": {"S": "request-1"}, "tier": {"S": "new"}}
    assert read_sale(after) == counted
    assert requests_of([item_of(counted), after]) == ["request-1"]


def test_cell_items(written: tuple[Counted, Cell]) -> None:
    _, cell = written
    assert read_cell(cell_item(cell)) == cell
    assert read_cell({**cell_item(cell), "request": {"S": "request-1"}, "tier": {"S": "new"}}) == cell


def test_a_cell_of_another_schema_is_refused_by_name(written: tuple[Counted, Cell]) -> None:
    _, cell = written
    schema, rows = msgspec.msgpack.decode(cells.pack(cell.combos))
    item = {**cell_item(cell), "state": {"B": msgspec.msgpack.encode([schema + 1, rows])}}
    with pytest.raises(ValueError, match=f"a cell of schema {schema + 1}; this code knows {schema}"):
        read_cell(item)


def test_events_of_the_live_stream(written: tuple[Counted, Cell]) -> None:
    counted, cell = written
    told = redis_stream.encode([cell], [counted.entry], request="request-1", committed_at=5)
    fields = msgspec.msgpack.decode(told)
    assert len(fields) == 5
    before = redis_stream.decode(msgspec.msgpack.encode(fields[:3]))
    after = redis_stream.decode(msgspec.msgpack.encode([*fields, "a field of tomorrow"]))
    assert before.read_cells() == after.read_cells() == [cell]
    assert (before.request, before.committed_at) == ("", 0)
    assert (after.request, after.committed_at) == ("request-1", 5)

    class Of2026(msgspec.Struct, frozen=True, array_like=True):  # as the first version read it
        sent_at: int
        cells: list[redis_stream.PackedCell]
        anomalies: list[redis_stream.Notice]

    assert msgspec.msgpack.decode(told, type=Of2026).cells == after.cells


def test_an_event_with_a_cell_of_another_schema_is_refused(written: tuple[Counted, Cell]) -> None:
    fields = msgspec.msgpack.decode(redis_stream.encode([written[1]], []))
    state = msgspec.msgpack.encode([9, []])
    fields[1] = [[*fields[1][0][:5], state]]
    with pytest.raises(ValueError, match="a cell of schema 9"):
        redis_stream.decode(msgspec.msgpack.encode(fields)).read_cells()


def test_frames_only_gain_fields() -> None:
    """The page reads by name (`web/live/tests/versions.test.ts` has its side): none of these may go."""
    truth = Truth()
    begun = truth.mark
    truth.merge([Cell(CellKey(1, "A", "w"), 1, 1, {Combo("l", "c", "p"): cells.ZERO})])
    truth.advance()
    assert set(truth.tell(begun)) >= {"before", "cursor", "names", "cells", "anomalies"}
    assert set(msgspec.json.decode(truth.since(0))) >= {"cursor", "names", "cells", "anomalies", "whole"}


def test_lake_files(tmp_path: Path, written: tuple[Counted, Cell]) -> None:
    entry = written[0].entry
    document = json.loads(msgspec.json.encode(entry))
    after = {**document, "invoice_id": "after", "loyalty": {"tier": "gold"}, "schema_version": 2}
    before = {name: value for name, value in document.items() if name != "rating"} | {"invoice_id": "before"}
    folder = tmp_path / PREFIX / "day=2019-01-05"
    folder.mkdir(parents=True)
    for name, line in {"a": document, "b": after, "c": before}.items():
        (folder / f"{name}.json.gz").write_bytes(gzip.compress(json.dumps(line).encode() + b"\n"))
    found = read_sales(open_view(tmp_path))
    assert found["versions"] == as_lake_sale(entry)
    assert found["after"]._replace(invoice_id="versions") == as_lake_sale(entry)
    assert set(found) == {"versions", "after", "before"}


def test_reports_and_runs() -> None:
    run = Run("1", "housing-ml", "prefect", "skipped", 1, 2, "words")
    document = json.loads(msgspec.json.encode(run))
    assert msgspec.convert({**document, "colour": "blue"}, Run) == run
    for added in ("fingerprint", "reused_from", "figures", "steps"):
        document.pop(added, None)
    assert msgspec.convert(document, Run) == run
