"""What one client may send, counted in a real Redis."""

from __future__ import annotations

from uuid import uuid4

import pytest
from redis import Redis

from tests.cloud import Cloud
from tidemark.adapters import redis_connection
from tidemark.adapters.redis_limits import PREFIX, connect
from tidemark.errors import SettingsError
from tidemark.limits import BURST_S, LONGEST_S, TooMany

A_SECOND = 1_000.0
AT_ONCE = 10


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_connection, "TIMEOUT_S", 5)


def refused(cloud: Cloud, client: str, size: int) -> float:
    """How long the client must wait; 0 where it is let in. Every call is by another of the Lambda's environments."""
    try:
        connect(url(cloud), A_SECOND, AT_ONCE).take(client, size, str(uuid4()))
    except TooMany as error:
        return error.retry_after
    return 0


def url(cloud: Cloud) -> str:
    return f"redis://127.0.0.1:{cloud.home.port('redis')}"


def test_a_burst_is_let_in_and_what_is_more_must_wait(cloud: Cloud) -> None:
    client, burst = str(uuid4()), int(A_SECOND * BURST_S)
    assert [refused(cloud, client, burst // 2) for _ in range(2)] == [0, 0]
    wait = refused(cloud, client, burst)
    assert 0 < wait <= BURST_S
    assert 0 < refused(cloud, client, burst) <= wait, "who is refused does not wait the longer for it"
    assert refused(cloud, str(uuid4()), burst) == 0, "nobody else waits"


def test_no_more_are_worked_on_at_once_and_what_is_done_makes_room(cloud: Cloud) -> None:
    client, other = str(uuid4()), str(uuid4())
    limits = connect(url(cloud), A_SECOND, 2)
    for request in ("one", "two"):
        limits.take(client, 1, request)
    with pytest.raises(TooMany) as turned_away:
        connect(url(cloud), A_SECOND, 2).take(client, 1, "three")
    assert turned_away.value.retry_after == 1
    limits.take(other, 1, "one")
    limits.done(client, "one")
    limits.take(client, 1, "three")


def test_who_dies_at_work_holds_its_place_for_as_long_as_work_may_take(cloud: Cloud) -> None:
    client, redis = str(uuid4()), Redis(port=cloud.home.port("redis"))
    limits = connect(url(cloud), A_SECOND, 1)
    limits.take(client, 1, "dies")
    ends = redis.zscore(f"{PREFIX}{client}", "dies")
    assert ends is not None
    seconds, microseconds = redis.time()
    assert LONGEST_S - 5 < ends / 1e6 - (seconds + microseconds / 1e6) <= LONGEST_S
    redis.zadd(f"{PREFIX}{client}", {"dies": seconds * 1e6})
    limits.take(client, 1, "next")


def test_who_has_been_quiet_long_enough_is_forgotten(cloud: Cloud) -> None:
    client, redis = str(uuid4()), Redis(port=cloud.home.port("redis"))
    assert refused(cloud, client, 2_000) == 0
    assert LONGEST_S - 5 < redis.pttl(f"{PREFIX}{client}") / 1_000 <= LONGEST_S + 0.1


def test_where_nobody_can_count_everybody_is_let_in() -> None:
    for limits in (connect("redis://127.0.0.1:1", A_SECOND, AT_ONCE), connect("", A_SECOND, AT_ONCE)):
        limits.take("a client", 1 << 40, "one")
        limits.done("a client", "one")
    with pytest.raises(SettingsError, match="redis_url"):
        connect("http://127.0.0.1", A_SECOND, AT_ONCE)
