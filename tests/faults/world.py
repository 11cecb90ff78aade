"""One schedule: tills, Lambdas, streams, compactions and a page, each going on by itself, and whatever may go wrong.

All that happens is drawn from the schedule's seed, writers' names and waits included; only the emulator's and Redis's
own clocks are not.
"""

from __future__ import annotations

import os
import random
import secrets
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from redis import Redis

from tests.faults.backend import Backend, Places, Stream
from tests.faults.lambdas import Fault, Lambda, Time, UnsureStream, Wire
from tests.faults.page import LivePage, SteppedRedis
from tests.faults.poller import Record, Shard
from tests.faults.tills import BEGIN, MINUTES, Till, digest_of
from tests.faults.trainer import Trainer
from tests.property.stepwise import Processes
from tidemark import tokens
from tidemark.adapters import redis_stream
from tidemark.adapters.dynamodb import DynamoCells, DynamoLedger
from tidemark.adapters.dynamodb_history import DynamoHistory
from tidemark.adapters.dynamodb_runs import DynamoRuns
from tidemark.adapters.s3_lake import S3Lake
from tidemark.adapters.s3_objects import S3Objects
from tidemark.cells import Measures
from tidemark.errors import Unavailable
from tidemark.history.calendar import TIERS, Plan
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
ACTS = (60, 140)
RESTARTED = 0.05
"""Of the schedules, in how many the emulator is restarted."""


class World:
    """All parts, and what they did."""

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
            variable("person_key"): "the key that pseudonyms are made with",
        }

        def unsure(inner: Any) -> UnsureStream:
            return UnsureStream(inner, self.processes, self.troubles)

        def made(name: str, timeout_s: float) -> Lambda:
            return Lambda(name, variables, session, self.clock, timeout_s, unsure)

        self.authorize, self.ingest = made("authorize", 5), made("ingest", 30)
        self.archive, self.publish, self.compact = made("archive", 60), made("publish", 60), made("compact", 600)

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
        self.met_counters = Counters(DynamoCells(met, tables), DynamoHistory(met, past), ZONE)
        runs, bucket = DynamoRuns(dynamodb, places.settings["runs_table"]), places.settings["lake_bucket"]
        self.trainer = Trainer(
            SalesRegistry(
                DynamoRuns(met, places.settings["runs_table"]),
                S3Objects(cast("Any", session.create_client("s3")), bucket),
            ),
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

    # -- what may happen

    def acts(self) -> list[tuple[int, Callable[[], None]]]:
        """What happens next, each with its weight."""
        return [
            (18, self.post),
            (30, self.go_on),
            (12, self.go_together),
            (12, self.page_goes_on),
            (10, self.finish_one),
            (9, self.fault),
            (6, self.kill),
            (12, self.deliver),
            (5, self.again),
            (6, self.start_compaction),
            (5, self.read),
            (4, self.land_late),
            (3, self.trouble),
            (2, self.store_away),
            (2, self.redis_away),
            (1, self.redis_forgets),
            (1, self.page_dies),
            (4, self.tick),
            (2, self.skew),
            (2, self.token_ends),
            (3, self.redis_fills),
            (1, self.day_passes),
            (4, self.start_training),
            (4, self.trainer.look),
            (2, self.emulator_restarts),
        ]

    def act(self) -> None:
        """One thing happens."""
        acts = self.acts()
        self.drawn.choices([act for _, act in acts], [weight for weight, _ in acts])[0]()
        assert not self.processes.failed, self.processes.failed

    def begin(self, kind: str, work: Callable[[], object]) -> None:
        self.count += 1
        self.processes.begin(f"{kind} {self.count}", work)

    def post(self) -> None:
        """A till sends what waits for an answer, perhaps beside itself."""
        till = self.drawn.choice(self.tills)
        free = [
            place
            for place in range(ENVIRONMENTS)
            if not any(name.startswith(f"ingest {place} ") for name in self.processes.going)
        ]
        if not free:
            return
        place = self.drawn.choice(free)
        batch = till.next_batch()
        for row in batch:
            if row["quantity"] > 0:
                self.posted.setdefault(row["invoice_id"], set()).add(digest_of(row))
        self.send(till, batch, place)

    def send(self, till: Till, batch: list[dict[str, Any]], place: int) -> None:
        self.begin(f"ingest {place}", lambda: self._post(till, batch, place))

    def _post(self, till: Till, batch: list[dict[str, Any]], place: int) -> None:
        if not till.token:
            self._mint(till, timedelta(minutes=30))
        event = {
            "methodArn": "arn:aws:execute-api:eu-west-1:000000000000:api/live/POST/v1/sales",
            "headers": {"Authorization": f"Bearer {till.token}"},
            "body": msgspec.json.encode({"sales": batch}).decode(),
        }
        try:
            self.authorize.invoke(place, event)
        except Exception as refused:  # as API Gateway takes it
            if str(refused) != "Unauthorized":
                raise
            till.token = ""
            self.faults["token that had expired"] += 1
            return
        assert till.ends_s > time.time(), "a token that had ended was taken"
        answer = self.ingest.invoke(place, event)
        assert answer["statusCode"] in (200, 503), answer
        if answer["statusCode"] == 503:
            return
        results = msgspec.json.decode(answer["body"])["results"]
        assert len(results) == len(batch)
        till.answers.append((batch, results))
        if till.batch is batch:
            till.batch = []
        for row, result in zip(batch, results, strict=True):
            if result["status"] in ("accepted", "duplicate"):
                self.known.add(int(row["invoice_id"].removeprefix("sale-")))

    def _mint(self, till: Till, lifetime: timedelta) -> None:
        till.token = tokens.mint(SECRET, "ingest", name=f"till {till.number}", lifetime=lifetime)
        till.ends_s = time.time() + lifetime.total_seconds()

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

    def page_goes_on(self) -> None:
        (name,) = [name for name in self.processes.going if name.startswith("page")]
        for _ in range(self.drawn.randint(5, 30)):
            self.processes.step(name)
        self.page.ticker.tick(0)

    def finish_one(self) -> None:
        going = [name for name in self.processes.going if not name.startswith("page")]
        if going:
            self.run(self.drawn.choice(going))

    def run(self, name: str) -> None:
        """One goes on to its end."""
        while name in self.processes.going:
            self.processes.step(name)

    def fault(self) -> None:
        fault = self.drawn.choice(list(Fault))
        self.faults[fault.value] += 1
        self.wire.faults += [fault] * self.drawn.choice((1, 1, 1, 3))

    def trouble(self) -> None:
        what = self.drawn.choice(("away", "lost"))
        self.faults[f"live stream {what}"] += 1
        self.troubles += [what] * self.drawn.choice((1, 3))

    def store_away(self) -> None:
        service = self.drawn.choice(("dynamodb", "s3"))
        self.faults[f"{service} away"] += 1
        self.wire.away[service] += self.drawn.choice((1, 4, 60))

    def redis_away(self) -> None:
        self.faults["Redis away"] += 1
        self.redis.away += self.drawn.choice((1, 5))

    def redis_forgets(self) -> None:
        self.faults["Redis forgets"] += 1
        Redis(connection_pool=self.redis.connection_pool).delete(redis_stream.KEY)
        self.redis.away += 1  # what begins again has ended all connections

    def redis_fills(self) -> None:
        """It has no room for more; or, where it had none, has room again."""
        self.redis_is_full = not self.redis_is_full
        self.faults["Redis full"] += self.redis_is_full
        self._give_redis_room(not self.redis_is_full)

    def _give_redis_room(self, room: bool) -> None:
        Redis(connection_pool=self.redis.connection_pool).config_set("maxmemory", self.room if room else 1)

    def day_passes(self) -> None:
        """What the streams' consumers have not come to is too old for them."""
        self.faults["a day passes"] += 1
        self.clock.now_s += 86_400

    def emulator_restarts(self) -> None:
        """Once, in a few schedules: it takes seconds."""
        if self.restarts:
            self.restarts = False
            self.follow()  # AWS's streams would go on; the emulator's forget what came
            self.faults["emulator restarted"] += 1
            self.backend.restart()
            for stream in self.streams.values():
                stream.begin()

    def start_training(self) -> None:
        place = self.drawn.randrange(2)
        if not any(name.startswith(f"trainer {place} ") for name in self.processes.going):
            threshold = self.drawn.choice((1e-9, 0.02, 0.5, 1.0))
            then = self.drawn.choice(("serve", "serve", "serve", "shadow", "roll back"))
            self.begin(f"trainer {place}", lambda: self.trainer.train(threshold, then))

    def kill(self) -> None:
        going = [name for name in self.processes.going if not name.startswith(("page", "read"))]
        if going:
            name = self.drawn.choice(going)
            self.processes.kill(name)
            kind, place = name.split()[:2]
            getattr(self, kind).kill(int(place))
            self.faults[f"{kind} killed"] += 1

    def page_dies(self) -> None:
        self.faults["page's server killed"] += 1
        for name in [name for name in self.processes.going if name.startswith("page")]:
            self.processes.kill(name)
        self.page = self._new_page()

    def _new_page(self) -> LivePage:
        page = LivePage(self.redis, self.met_counters, ZONE, self.clock.time)
        self.begin("page", page.reader.run)
        return page

    def tick(self) -> None:
        if self.drawn.random() < 0.3:
            self.page.browser.lost += 1
            self.faults["tick lost"] += 1
        self.page.ticker.tick(0)

    def skew(self) -> None:
        self.faults["clock skewed"] += 1
        self.clock.skew_s = self.drawn.choice((0, -3_600, 3_600, 90_000))

    def token_ends(self) -> None:
        self._mint(self.drawn.choice(self.tills), timedelta(minutes=-1))

    def land_late(self) -> None:
        if self.wire.late:
            self.wire.land_late(self.drawn.randrange(100))

    def start_compaction(self) -> None:
        going = [name for name in self.processes.going if name.startswith("compact ")]
        if len(going) < 2:
            place = len(going)
            if not any(name.startswith(f"compact {place} ") for name in going):
                self.clock.now_s += 90
                self.begin(f"compact {place}", lambda: self._compact(place))

    def _compact(self, place: int) -> None:
        try:
            self.compact.invoke(place, {})
        except (Unavailable, BotoCoreError, ClientError):  # the next hour's goes on
            self.compact.kill(place)

    # -- streams

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

    def deliver(self) -> None:
        self.follow()
        consumer = self.drawn.choice(("archive", "publish"))
        place = self.drawn.randrange(SHARDS)
        shard = self.shards[consumer][place]
        if shard.waits and not shard.busy and not self._delivers(consumer, place):
            self.give(consumer, place)

    def give(self, consumer: str, place: int) -> None:
        """A consumer of a shard is given its next batch."""
        invoke = getattr(self, consumer).invoke
        shard = self.shards[consumer][place]

        def consume(records: list[Record]) -> Any:
            return invoke(place, {"Records": records})

        self.begin(f"{consumer} {place}", lambda: shard.give(consume, self.drawn))

    def _delivers(self, consumer: str, place: int) -> bool:
        return any(name.startswith(f"{consumer} {place} ") for name in self.processes.going)

    def again(self) -> None:
        """What was done comes again."""
        consumer = self.drawn.choice(("archive", "publish"))
        place = self.drawn.randrange(SHARDS)
        if not self._delivers(consumer, place):
            self.faults["batch again"] += 1
            self.shards[consumer][place].go_back(self.drawn.randint(1, 5))

    # -- reading

    def read(self) -> None:
        plans = [
            (None, None, 0),
            (BEGIN, BEGIN + 31, 0),
            (BEGIN + 1, BEGIN + 3_000, 0),
            (None, BEGIN + 870, 1),
            (None, None, 3),
        ]
        since, until, coarsest = self.drawn.choice(plans)
        self.begin("read", lambda: self._read(since, until, coarsest, set(self.known)))

    def _read(self, since: int | None, until: int | None, coarsest: int, known: set[int]) -> None:
        try:
            counted = self.met_counters.count(Plan(ZONE, since, until, TIERS[: len(TIERS) - coarsest]))
        except (Unavailable, BotoCoreError, ClientError):
            return
        found: dict[str, list[Measures]] = {}
        for period in counted.periods:
            for combo, portion in period.content().portions.items():
                found.setdefault(combo.product_line, []).append(portion.measures)
        for cell in counted.cells:
            for combo, values in cell.combos.items():
                found.setdefault(combo.product_line, []).append(values)
        self.reads += 1
        for line, times in found.items():
            assert len(times) == 1, f"{line} is counted {len(times)} times"
        for number in known:
            at = BEGIN + MINUTES[number % len(MINUTES)]
            inside = (since is None or at >= since) and (until is None or at < until)
            assert not inside or f"line {number}" in found, f"sale {number} was answered, and is not counted"

    # -- the end

    def end(self) -> None:
        """Nothing fails any more: all go on to their ends, and all tills get their answers."""
        self.wire.faults.clear()
        self.troubles.clear()
        self.wire.away = dict.fromkeys(self.wire.away, 0)
        self.redis.away = 0
        self._give_redis_room(True)
        self.clock.skew_s = 0
        self.settle()
        for till in self.tills:
            for _ in range(5):
                if till.batch:
                    self.post_all()
            assert not till.batch, "a till is answered in the end"
        while self.wire.late:
            self.wire.land_late(0)
        self.drain()
        self.send_conflicts_again()
        self.clock.now_s += 7_200
        for _ in range(3):  # the second sweeps what the first settled for one that was killed
            self.begin("compact 0", lambda: self.compact.invoke(0, {}))
            self.settle()
        self.drain()

    def send_conflicts_again(self) -> None:
        """What is in quarantine is sent anew: it is what it was, and nothing is counted."""
        before = self.ledger_size()
        conflicts = list(self.ledger.quarantined())
        if not conflicts:
            return
        till = Till(len(self.tills), self.drawn)
        till.batch = [msgspec.to_builtins(conflict.sale) for conflict in conflicts]
        self.tills.append(till)
        self.post_all()
        ((_, results),) = till.answers
        assert {result["status"] for result in results} == {"conflict"}
        assert self.ledger_size() == before
        assert {(c.sale, c.digest) for c in self.ledger.quarantined()} == {(c.sale, c.digest) for c in conflicts}
        self.redriven += len(conflicts)

    def ledger_size(self) -> int:
        return sum(1 for _ in self.ledger.scan())

    def post_all(self) -> None:
        for till in self.tills:
            if till.batch:
                self.send(till, till.batch, 0)
                self.settle()

    def settle(self) -> None:
        """All that is going goes on to its end, but for the page, which never ends."""
        while going := [name for name in self.processes.going if not name.startswith("page")]:
            for name in going:
                if name in self.processes.going:
                    self.processes.step(name)
        assert not self.processes.failed, self.processes.failed

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

    def watch(self) -> None:
        """The page reads on until it has heard everything, and ticks."""
        (name,) = [name for name in self.processes.going if name.startswith("page")]
        for _ in range(400):
            self.processes.step(name)
        assert self.page.reader.loaded
        if self.faults["live stream lost"] or self.page.reader._asked.is_set():
            self.page.reader.load()  # as the server does now and then, and soon after it has asked itself to
        self.page.ticker.tick(0)
        self.page.browser.hear_of_gaps()


def as_event(record: Record) -> Record:
    """A record as a Lambda's event has it: bytes in base64, times as numbers."""
    found: Record = msgspec.to_builtins(record, builtin_types=(datetime,))
    found["dynamodb"]["ApproximateCreationDateTime"] = 0
    return found


@contextmanager
def world(seed: int, backend: Backend, folder: Path) -> Iterator[World]:
    """A world of a seed, and all that is random within it drawn from it."""
    names = random.Random(seed)
    # A transaction's token is really new: the emulator remembers those of the run before.
    drawn = SimpleNamespace(token_urlsafe=lambda size: names.randbytes(size).hex(), token_hex=secrets.token_hex)
    places = backend.make()
    try:
        with ExitStack() as stack:
            quiet = {"POWERTOOLS_LOG_LEVEL": "CRITICAL"}
            # Handlers that go on beside each other share Powertools' metrics: one may find that another has told them.
            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", "No application metrics to publish")
            stack.enter_context(redirect_stdout(stack.enter_context(Path(os.devnull).open("w"))))  # metrics
            stack.enter_context(mock.patch.dict(os.environ, {**backend.environment, **quiet}))
            stack.enter_context(mock.patch("tidemark.writer.secrets", drawn))
            for where in ("tidemark.writer", "tidemark.history.compaction"):
                stack.enter_context(mock.patch(f"{where}.random", names.random))
            stack.enter_context(mock.patch.object(redis_stream, "KEY", f"faults:{seed}:{id(places)}"))
            stack.enter_context(mock.patch("tidemark.adapters.aws.secret", return_value=SECRET))
            stack.enter_context(mock.patch("botocore.endpoint.time.sleep"))
            found = World(seed, backend, places, folder)
            stack.enter_context(mock.patch("ws_server.reader.time", found.clock))
            stack.callback(found.wire.close)
            stack.callback(found.redis.close)
            stack.callback(found._give_redis_room, True)
            yield found
    finally:
        backend.remove(places)
