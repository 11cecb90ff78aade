"""Limits of clients, kept in Valkey or Redis: all Lambdas' environments count together.

One sorted set a client: `due`, the moment at which all that it sent would have been let in at its rate (GCRA, as in
ITU-T I.371), and each of its requests that is worked on, by the moment until which it may be at most.
"""

from __future__ import annotations

from typing import cast

from tidemark.adapters.redis_connection import RedisConnection
from tidemark.errors import Unavailable
from tidemark.limits import BURST_S, LONGEST_S, Limits, NoLimits, TooMany

PREFIX = "tidemark:limit:"
# Redis's own clock: those of the Lambdas differ. All in microseconds; what the client must wait is the answer.
SCRIPT = """
local key, cost, burst, most, request, longest = KEYS[1], unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))
local due = redis.call('ZSCORE', key, 'due')
local at_work = redis.call('ZCARD', key) - (due and 1 or 0)
if at_work >= tonumber(most) then return 1000000 end
due = tonumber(due or now) + cost
if due - now > tonumber(burst) then return due - now - burst end
local ends = now + longest
redis.call('ZADD', key, string.format('%.0f', due), 'due', string.format('%.0f', ends), request)
redis.call('PEXPIRE', key, math.ceil((math.max(due, ends) - now) / 1000) + 1)
return 0
"""


class RedisLimits(Limits):
    """So many bytes a second for each client, for a short while as many as `BURST_S` seconds have, and `at_once` of its
    requests at once.

    Where Redis does not answer everybody is let in: a limit that cannot be kept must not stop the tills.
    """

    def __init__(self, connection: RedisConnection, bytes_a_second: float, at_once: int) -> None:
        self._connection = connection
        self._us_a_byte = 1_000_000 / bytes_a_second
        self._at_once = at_once

    def take(self, client: str, size: int, request: str) -> None:
        cost, longest = round(size * self._us_a_byte), round(LONGEST_S * 1_000_000)
        limits = (cost, round(BURST_S * 1_000_000), self._at_once, request, longest)
        try:
            wait = self._connection.call("EVAL", SCRIPT, 1, f"{PREFIX}{client}", *limits)
        except Unavailable:
            return
        if microseconds := cast("int", wait):
            raise TooMany(microseconds / 1_000_000)

    def done(self, client: str, request: str) -> None:
        self._connection.tell([("ZREM", f"{PREFIX}{client}", request)])


def connect(url: str, bytes_a_second: float, at_once: int) -> Limits:
    """The limits at `url`; none where it is empty. Raises SettingsError where `url` is none of Redis."""
    return RedisLimits(RedisConnection(url), bytes_a_second, at_once) if url else NoLimits()
