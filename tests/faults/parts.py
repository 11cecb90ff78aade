"""The parts of a schedule, each going on by itself, a step at a time; and the streams between them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from redis import Redis

from tests.faults.backend import Backend, Places, Stream
from tests.faults.lambdas import Lambda, Time, UnsureStream, Wire
from tests.faults.page import LivePage, SteppedRedis
from tests.faults.poller import Record, Shard
from tests.faults.tills import PERSON_KEY, Till
from tests.faults.trainer import Trainer
from tests.property.stepwise import Processes
from tidemark.adapters.dynamodb import DynamoCells, DynamoLedger
from tidemark.adapters.dynamodb_history import DynamoHistory
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_lake import S3Lake
from tidemark.adapters.s3_objects import S3Objects
from tidemark.history.counters import Counters
from tidemark.models.sales_registry import SalesRegistry
from tidemark.settings import HistorySettings, TableSettings, variable

ZONE = "Asia/Kolkata"  # its hours begin at half past those of UTC
SECRET = "a secret of the tests, of thirty-two bytes and more"
ENVIRONMENTS = 3
BEGAN_S = datetime(2026, 1, 5, tzinfo=UTC).timestamp()
SHARDS = 2
CONSUMERS: dict[str, Any] = {
    "archive": {"batch_size": 1_000, "retries": 10, "bisect": True, "partial": False, "oldest_s": 72_000},
    "publish": {"batch_size": 100, "retries": 10, "bisect": True, "partial": True, "oldest_s": 72_000},
}
"""How each is given its stream: as the template has it, which a test holds it against."""
PERSON_S = 200.0
"""For so long after its receipt a sale names its customer."""
RESTARTED = 0.05
"""Of the schedules, in how many the emulator is restarted."""


class Parts:
    """All parts, and how they go on."""

    def __init__(self, seed: int, backend: Backend, places: Places, folder: Path) -> None:
        self.drawn = random.Random(seed)
        self.folder = folder
        self.backend = backend
        self.processes = Processes()
        self.clock = Time(self.processes, BEGAN_S)
        self.wire = Wire(self.processes)
        session = backend.session()
        self.wire.listen(session)
        self.troubles: list[str] = []
        self.redis = SteppedRedis(port=backend.redis_port)
        self.redis.processes = self.processes
        self.room = str(Redis(connection_pool=self.redis.connection_pool).config_get("maxmemory")["maxmemory"])
        self.redis_is_full = False
        self.faults: Counter[str] = Counter()

        variables = {
            **backend.environment,
            **{variable(name): value for name, value in places.settings.items()},
            variable("store_zone"): ZONE,
            variable("compact_after_minutes"): "1",
            variable("redis_url"): f"redis://127.0.0.1:{backend.redis_port}",
            variable("token_secret"): "the secret",
            variable("client_kilobytes"): "1000000",  # Redis goes by its own clock
            variable("client_requests"): "1000000",
            variable("person_key"): PERSON_KEY,
            variable("person_days"): f"{PERSON_S / 86_400}",
        }

        def unsure(inner: Any) -> UnsureStream:
            return UnsureStream(inner, self.processes, self.troubles)

        def made(name: str, timeout_s: float) -> Lambda:
            return Lambda(name, variables, session, self.clock, timeout_s, unsure)

        self.authorize, self.ingest = made("authorize", 5), made("ingest", 30)
        self.archive, self.publish, self.compact = made("archive", 60), made("publish", 60), made("compact", 600)
        self.retain = made("retain", 90)  # of which it leaves 60 for what it has begun

        self.streams = {name: Stream(backend, arn) for name, arn in places.streams.items()}
        self.shards = {
            name: [Shard(**rules, now_s=self.clock.monotonic) for _ in range(SHARDS)]
            for name, rules in CONSUMERS.items()
        }
        quiet = backend.session()  # who looks in from outside is met by no fault
        s3: Any = quiet.create_client("s3")
        dynamodb: Any = quiet.create_client("dynamodb")
        tables = TableSettings(
            **{name: places.settings[name] for name in ("ledger_table", "cells_table", "quarantine_table")}
        )
        past = HistorySettings(
            cells_table=places.settings["cells_table"], history_table=places.settings["history_table"]
        )
        self.ledger = DynamoLedger(dynamodb, tables)
        self.history = DynamoHistory(dynamodb, past)
        self.counters = Counters(DynamoCells(dynamodb, tables), self.history, ZONE)
        self.lake = S3Lake(s3, places.settings["lake_bucket"])
        met: Any = session.create_client("dynamodb")
        met_s3: Any = session.create_client("s3")
        self.met_counters = Counters(DynamoCells(met, tables), DynamoHistory(met, past), ZONE)
        index, bucket = places.settings["runs_table"], places.settings["lake_bucket"]
        runs = DynamoRuns(dynamodb, index)
        self.trainer = Trainer(
            SalesRegistry(DynamoRuns(met, index), S3Objects(met_s3, bucket)),
            SalesRegistry(runs, S3Objects(s3, bucket)),
            runs,
        )

        self.tills = [Till(n, random.Random(self.drawn.random())) for n in range(3)]
        self.count = 0
        self.posted: dict[str, set[str]] = {}
        self.known: set[int] = set()
        """Sales that were answered, by number: every reading that begins afterwards counts them."""
        self.page = self._new_page()
        self.restarts = self.drawn.random() < RESTARTED
        self.reads = 0
        self.redriven = 0
        self.erased = 0

    def begin(self, kind: str, work: Callable[[], object]) -> None:
        self.count += 1
        self.processes.begin(f"{kind} {self.count}", work)

    def go_on(self) -> None:
        going = list(self.processes.going)
        if going:
            name = self.drawn.choice(going)
            for _ in range(self.drawn.randint(1, 12)):
                if name in self.processes.going:
                    self.processes.step(name)

    def go_together(self) -> None:
        """All go on beside each other, a step at a time."""
        for _ in range(self.drawn.randint(5, 40)):
            if going := [name for name in self.processes.going if not name.startswith("page")]:
                self.processes.step(self.drawn.choice(going))

    def finish_one(self) -> None:
        going = [name for name in self.processes.going if not name.startswith("page")]
        if going:
            self.run(self.drawn.choice(going))

    def run(self, name: str) -> None:
        """One goes on to its end."""
        while name in self.processes.going:
            self.processes.step(name)

    def settle(self) -> None:
        """All that is going goes on to its end, but for the page, which never ends."""
        while going := [name for name in self.processes.going if not name.startswith("page")]:
            for name in going:
                if name in self.processes.going:
                    self.processes.step(name)
        assert not self.processes.failed, self.processes.failed

    def _new_page(self) -> LivePage:
        page = LivePage(self.redis, self.met_counters, ZONE, self.clock.time)
        self.begin("page", page.reader.run)
        return page

    def follow(self) -> None:
        """What came into the streams is ahead of their consumers."""
        for table, consumer, events in (
            ("ledger_table", "archive", {"INSERT"}),
            ("cells_table", "publish", {"INSERT", "MODIFY"}),
        ):
            shards = self.shards[consumer]
            for record in self.streams[table].read():
                if record["eventName"] in events:
                    key = sorted(record["dynamodb"]["Keys"].items())[0]
                    shards[sum(str(key).encode()) % SHARDS].put([as_event(record)])

    def give(self, consumer: str, place: int) -> None:
        """A consumer of a shard is given its next batch."""
        invoke = getattr(self, consumer).invoke
        shard = self.shards[consumer][place]

        def consume(records: list[Record]) -> Any:
            return invoke(place, {"Records": records})

        self.begin(f"{consumer} {place}", lambda: shard.give(consume, self.drawn))

    def _delivers(self, consumer: str, place: int) -> bool:
        return any(name.startswith(f"{consumer} {place} ") for name in self.processes.going)

    def drain(self) -> None:
        """All consumers are done; what they gave up comes again from their queues."""
        for _ in range(100):
            self.follow()
            busy = False
            for consumer, shards in self.shards.items():
                for place, shard in enumerate(shards):
                    for records in shard.given_up:
                        self.faults["batch from the queue"] += 1
                        shard.put(records)
                    shard.given_up.clear()
                    while shard.waits:
                        busy = True
                        self.give(consumer, place)
                        self.settle()
            if not busy:
                return
        raise AssertionError("the streams are not drained")

    def too_old(self) -> int:
        """How many records no consumer was given for their age."""
        return sum(shard.too_old for shards in self.shards.values() for shard in shards)

    def ledger_size(self) -> int:
        return sum(1 for _ in self.ledger.scan())


def as_event(record: Record) -> Record:
    """A record as a Lambda's event has it: bytes in base64, times as numbers."""
    found: Record = msgspec.to_builtins(record, builtin_types=(datetime,))
    found["dynamodb"]["ApproximateCreationDateTime"] = 0
    return found
