"""Limits of clients, kept in Valkey or Redis: all Lambdas' environments count together.

One number a client (GCRA, as in ITU-T I.371): the moment at which all that it sent would have been let in at its rate.
"""

from __future__ import annotations

from typing import cast

from tidemark.adapters.redis_connection import RedisConnection
from tidemark.errors import Unavailable
from tidemark.limits import BURST_S, Limits, NoLimits, TooMany

PREFIX = "tidemark:limit:"
# Redis's own clock: those of the Lambdas differ. All in microseconds; what the client must wait is the answer.
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local due = math.max(now, tonumber(redis.call('GET', KEYS[1]) or now)) + tonumber(ARGV[1])
local wait = due - now - tonumber(ARGV[2])
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000) + 1)
return 0
"""


class RedisLimits(Limits):
    """So many bytes a second for each client, and for a short while as many as `BURST_S` seconds have.

    Where Redis does not answer everybody is let in: a limit that cannot be kept must not stop the tills.
    """

    def __init__(self, connection: RedisConnection, bytes_a_second: float) -> None:
        self._connection = connection
        self._us_a_byte = 1_000_000 / bytes_a_second

    def take(self, client: str, size: int) -> None:
        cost = round(size * self._us_a_byte)
        try:
            wait = self._connection.call("EVAL", SCRIPT, 1, f"{PREFIX}{client}", cost, round(BURST_S * 1_000_000))
        except Unavailable:
            return
        if microseconds := cast("int", wait):
            raise TooMany(microseconds / 1_000_000)


def connect(url: str, bytes_a_second: float) -> Limits:
    """The limits at `url`; none where it is empty. Raises SettingsError where `url` is none of Redis."""
    return RedisLimits(RedisConnection(url), bytes_a_second) if url else NoLimits()
