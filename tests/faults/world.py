"""One schedule: tills, Lambdas, streams, compactions, trainings, erasures and a page, each going on by itself, and
whatever may go wrong.

All that happens is drawn from the schedule's seed, writers' names and waits included; only the emulator's and Redis's
own clocks are not.
"""

from __future__ import annotations

import os
import random
import secrets
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from tests.faults.backend import Backend
from tests.faults.parts import ENVIRONMENTS, PERSON_S, SECRET, SHARDS, ZONE
from tests.faults.tills import BEGIN, MINUTES, Till, as_posted, digest_of
from tests.faults.troubles import Troubles
from tidemark.adapters import redis_stream
from tidemark.cells import Measures
from tidemark.errors import Unavailable
from tidemark.history.calendar import TIERS, Plan
from tidemark.ledger import digest
from tidemark.privacy import retention


class World(Troubles):
    """All parts, and what they did."""

    def acts(self) -> list[tuple[int, Callable[[], None]]]:
        """What happens next, each with its weight."""
        return [
            (18, self.post),
            (30, self.go_on),
            (12, self.go_together),
            (16, self.page_goes_on),
            (10, self.finish_one),
            (9, self.fault),
            (6, self.kill),
            (16, self.deliver),
            (8, self.again),
            (6, self.start_compaction),
            (6, self.start_retention),
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
            (6, self.start_training),
            (4, self.trainer.look),
            (2, self.emulator_restarts),
        ]

    def act(self) -> None:
        """One thing happens."""
        acts = self.acts()
        self.drawn.choices([act for _, act in acts], [weight for weight, _ in acts])[0]()
        assert not self.processes.failed, self.processes.failed

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

    def page_goes_on(self) -> None:
        (name,) = [name for name in self.processes.going if name.startswith("page")]
        for _ in range(self.drawn.randint(5, 30)):
            self.processes.step(name)
        self.page.ticker.tick(0)

    def start_training(self) -> None:
        place = self.drawn.randrange(2)
        if not any(name.startswith(f"trainer {place} ") for name in self.processes.going):
            threshold = self.drawn.choice((1e-9, 0.02, 0.5, 1.0))
            then = self.drawn.choice(("serve", "serve", "serve", "shadow", "roll back"))
            self.begin(f"trainer {place}", lambda: self.trainer.train(threshold, then))

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

    def start_retention(self) -> None:
        place = self.drawn.randrange(2)
        if not any(name.startswith(f"retain {place} ") for name in self.processes.going):
            self.clock.now_s += 1.5 * PERSON_S
            self.begin(f"retain {place}", lambda: self._retain(place))

    def _retain(self, place: int) -> bool:
        """Whether a round came to its end."""
        try:
            told = self.retain.invoke(place, {})
        except (Unavailable, BotoCoreError, ClientError):  # the next hour's goes on
            self.retain.kill(place)
            return False
        if "erased" not in told:  # another is at it
            return False
        self.erased += told["erased"]["sales"] + told["erased"]["conflicts"]
        return bool(told["done"])

    def deliver(self) -> None:
        self.follow()
        consumer = self.drawn.choice(("archive", "publish"))
        place = self.drawn.randrange(SHARDS)
        shard = self.shards[consumer][place]
        if shard.waits and not shard.busy and not self._delivers(consumer, place):
            self.give(consumer, place)

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
        for _ in range(2):  # the first may end a round that others began: what came before its place is the next one's
            self.clock.now_s += 2 * 86_400  # past the policy of what came in by a clock that was fast
            self.begin("retain 0", self._retain_all)
            self.settle()

    def _retain_all(self) -> None:
        assert self._retain(0), "nothing keeps a round from its end"

    def send_conflicts_again(self) -> None:
        """What is in quarantine is sent anew: it is what it was, and nothing is counted. Whose customer was blanked can
        be sent by its till alone."""
        before, quarantined = self.ledger_size(), list(self.ledger.quarantined())
        conflicts = [conflict for conflict in quarantined if digest(conflict.sale) == conflict.digest]
        if not conflicts:
            return
        till = Till(len(self.tills), self.drawn)
        till.batch = [as_posted(conflict.sale) for conflict in conflicts]
        self.tills.append(till)
        self.post_all()
        ((_, results),) = till.answers
        assert {result["status"] for result in results} == {"conflict"}
        assert self.ledger_size() == before
        assert {(c.sale, c.digest) for c in self.ledger.quarantined()} == {(c.sale, c.digest) for c in quarantined}
        self.redriven += len(conflicts)

    def post_all(self) -> None:
        for till in self.tills:
            if till.batch:
                self.send(till, till.batch, 0)
                self.settle()

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


class InTurn:
    """A pool of threads in which one works after the other: each may be paused."""

    def __init__(self, threads: int) -> None:
        pass

    def __enter__(self) -> InTurn:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def map(self, work: Callable[[Any], Any], each: Iterable[Any]) -> list[Any]:
        return [work(one) for one in each]


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
            stack.enter_context(mock.patch.object(retention, "AGAIN_MS", 0))
            stack.enter_context(mock.patch.object(retention, "ThreadPoolExecutor", InTurn))
            found = World(seed, backend, places, folder)
            stack.enter_context(mock.patch("ws_server.reader.time", found.clock))
            stack.callback(found.wire.close)
            stack.callback(found.redis.close)
            stack.callback(found._give_redis_room, True)
            yield found
    finally:
        backend.remove(places)
