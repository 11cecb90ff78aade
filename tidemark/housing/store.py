"""The housing batches in the bucket: what waits, what is good, what is in quarantine.

A batch may be taken again after a crash at any point: every name follows from its content, and what is written is the
same again. It leaves `incoming/` last.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import msgspec
import pandas as pd

from tidemark.errors import NotFound
from tidemark.housing import batches as checks
from tidemark.housing.dataset import split
from tidemark.housing.monitoring import sketch
from tidemark.models.shift import Sketch
from tidemark.ports import Found, Objects, Runs
from tidemark.runs import INCOMING, TAKEN, Batch, Intake

CLEAN = "housing/clean/"
QUARANTINE = "housing/quarantine/"
LONGEST_KEY = 1_024  # bytes; Amazon S3's own limit
MOST_DIGITS = 18  # of a stated number of rows: no file has more
MEMORY, THREADS = "3GB", 2  # what one flow may use of the machine


class HousingStore:
    """`folder` keeps copies of the good batches, whose content never changes."""

    def __init__(self, objects: Objects, runs: Runs, folder: Path) -> None:
        self._objects = objects
        self._runs = runs
        self._folder = folder

    def waiting(self) -> list[Found]:
        """The batches that have come and were not taken yet, oldest first."""
        found = [found for found in self._objects.find(INCOMING) if found.key != INCOMING]
        return sorted(found, key=lambda one: (one.modified, one.key))

    def take_waiting(self, run: str, *, most: int) -> Intake:
        """Take the `most` oldest batches that wait, one by one: what goes wrong with one touches no other."""
        taken: list[Batch] = []
        stuck: dict[str, str] = {}
        for found in self.waiting():
            if most in (len(taken), len(stuck)):
                break
            try:
                batch = self.take(found, run)
            except Exception as error:  # noqa: BLE001  # it waits for the next run, and the caller tells why
                stuck[found.key] = f"{type(error).__name__}: {str(error)[:300]}"
                continue
            if batch is not None:
                taken.append(batch)
        return Intake(taken, stuck)

    def take(self, found: Found, run: str) -> Batch | None:
        """Check a batch and put it where it belongs; None where it has gone meanwhile."""
        name = found.key.removeprefix(INCOMING)
        try:
            file = self._objects.fetch(found.key)
        except NotFound:
            return None
        sha256 = hashlib.sha256(file.content).hexdigest()
        rows = file.stated.get("rows", "")
        checked = checks.check(
            file.content,
            stated_sha256=file.stated.get("sha256"),
            stated_rows=int(rows) if rows.isdecimal() and len(rows) <= MOST_DIGITS else None,
        )
        batch = Batch(
            id=f"{found.modified:013d}-{hashlib.sha256(f'{name} {sha256}'.encode()).hexdigest()[:16]}",
            name=name,
            sha256=sha256,
            arrived_at=found.modified,
            run=run,
            rows=checked.lines,
            accepted=0,
            quarantined=0,
            known=0,
        )
        if checked.refusal:
            batch = self._refuse(batch, checked.refusal.reason)
        elif before := self._came_before(batch):
            batch = self._refuse(batch, f"The file is the same as {before}, byte for byte, which came before.")
        else:
            batch = self._accept(batch, checked)
        self._runs.add_batch(batch)
        taken = f"{TAKEN}{batch.id}/{name}"
        if len(taken.encode()) > LONGEST_KEY:
            taken = f"{TAKEN}{batch.id}/{hashlib.sha256(name.encode()).hexdigest()}"
        self._objects.move(found.key, taken, version=file.version)
        return batch

    def _came_before(self, batch: Batch) -> str | None:
        """The name of another batch with the same content; None where that one was not dealt with to the end."""
        first = self._runs.claim(batch.sha256, batch.id)
        before = self._runs.batch(first) if first != batch.id else None
        return before.name if before else None

    def _refuse(self, batch: Batch, reason: str) -> Batch:
        batch = msgspec.structs.replace(batch, refused=reason, quarantined=batch.rows)
        self._objects.put(f"{QUARANTINE}{batch.id}/refusal.json", msgspec.json.encode(batch))
        return batch

    def _accept(self, batch: Batch, checked: checks.Checked) -> Batch:
        place = f"{CLEAN}{batch.sha256}.parquet"
        rows = checked.rows[~self._known(checked.rows, without=place)].reset_index(drop=True)
        self._objects.put(f"{CLEAN}{batch.sha256}.sketch.json", msgspec.json.encode(sketch(rows)))
        if checked.quarantined:
            lines = b"".join(msgspec.json.encode(row) + b"\n" for row in checked.quarantined)
            self._objects.put(f"{QUARANTINE}{batch.id}/rows.jsonl", lines, content_type="application/x-ndjson")
        out = io.BytesIO()
        rows.assign(held_out=split(len(rows))).to_parquet(out, index=False)
        self._objects.put(place, out.getvalue(), content_type="application/vnd.apache.parquet")
        return msgspec.structs.replace(
            batch,
            accepted=len(rows),
            quarantined=len(checked.quarantined),
            known=len(checked.rows) - len(rows),
            reasons=checked.reasons,
        )

    def _known(self, rows: pd.DataFrame, *, without: str) -> pd.Series:
        """Which rows an earlier batch has brought already."""
        paths = [str(path) for path in self.mirror() if path.name != Path(without).name]
        if not paths:
            return pd.Series(data=False, index=rows.index)
        with duckdb.connect(config={"memory_limit": MEMORY, "threads": THREADS}) as database:
            database.register("rows", rows[["block_id"]])
            known = database.execute(
                "SELECT DISTINCT block_id FROM rows SEMI JOIN read_parquet($paths) USING (block_id)", {"paths": paths}
            ).fetchnumpy()["block_id"]
        return rows["block_id"].isin(known)

    def mirror(self) -> list[Path]:
        """Copies of the good batches, in the order of their names."""
        self._folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for found in self._objects.find(CLEAN):
            if not found.key.endswith(".parquet"):
                continue
            path = self._folder / Path(found.key).name
            if not path.exists() or path.stat().st_size != found.size:
                partial = path.with_suffix(".part")
                partial.write_bytes(self._objects.get(found.key))
                partial.replace(path)
            paths.append(path)
        return paths

    def fingerprint(self) -> str:
        """The same while no good batch has come."""
        names = sorted(found.key for found in self._objects.find(CLEAN) if found.key.endswith(".parquet"))
        return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]

    def table(self) -> ir.Table:
        """All good rows, for DuckDB: the ten columns, `block_id`, `held_out`. Raises NotFound where there are none."""
        paths = [str(path) for path in self.mirror()]
        if not paths:
            raise NotFound("no batch of blocks has come yet: `tidemark drip` sends some")
        connection = ibis.duckdb.connect(memory_limit=MEMORY, threads=THREADS, temp_directory=str(self._folder))
        return connection.read_parquet(paths)

    def frame(self) -> Any:
        """All good rows as a pandas frame. Raises NotFound where there are none."""
        return self.table().to_pyarrow().to_pandas()

    def sketch(self, batch: Batch) -> Sketch:
        """The distribution of a good batch's columns. Raises NotFound where it is not there."""
        return msgspec.json.decode(self._objects.get(f"{CLEAN}{batch.sha256}.sketch.json"), type=Sketch)
