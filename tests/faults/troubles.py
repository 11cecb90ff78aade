"""What may go wrong, drawn from the schedule's seed."""

from __future__ import annotations

import time
from datetime import timedelta

from redis import Redis

from tests.faults.lambdas import Fault
from tests.faults.parts import SECRET, SHARDS, Parts
from tests.faults.tills import Till
from tidemark import tokens
from tidemark.adapters import redis_stream


class Troubles(Parts):
    """Parts, and what may befall them."""

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

    def _mint(self, till: Till, lifetime: timedelta) -> None:
        till.token = tokens.mint(SECRET, "ingest", name=f"till {till.number}", lifetime=lifetime)
        till.ends_s = time.time() + lifetime.total_seconds()

    def land_late(self) -> None:
        if self.wire.late:
            self.wire.land_late(self.drawn.randrange(100))

    def again(self) -> None:
        """What was done comes again."""
        consumer = self.drawn.choice(("archive", "publish"))
        place = self.drawn.randrange(SHARDS)
        if not self._delivers(consumer, place):
            self.faults["batch again"] += 1
            self.shards[consumer][place].go_back(self.drawn.randint(1, 5))
