"""What one client may send, counted in a real Redis."""

from __future__ import annotations

from uuid import uuid4

import pytest
from redis import Redis

from tests.cloud import Cloud
from tidemark.adapters import redis_connection
from tidemark.adapters.redis_limits import PREFIX, connect
from tidemark.errors import SettingsError
from tidemark.limits import BURST_S, TooMany

A_SECOND = 1_000.0


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_connection, "TIMEOUT_S", 5)


def refused(cloud: Cloud, client: str, size: int) -> float:
    """How long the client must wait; 0 where it is let in. Every call is by another of the Lambda's environments."""
    try:
        connect(url(cloud), A_SECOND).take(client, size)
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


def test_who_has_been_quiet_long_enough_is_forgotten(cloud: Cloud) -> None:
    client, redis = str(uuid4()), Redis(port=cloud.home.port("redis"))
    assert refused(cloud, client, 1) == 0
    key = f"{PREFIX}{client}"
    assert 0 < redis.pttl(key) <= 3
    assert refused(cloud, client, 2_000) == 0
    assert 1_000 < redis.pttl(key) <= 2_003


def test_where_nobody_can_count_everybody_is_let_in() -> None:
    for limits in (connect("redis://127.0.0.1:1", A_SECOND), connect("", A_SECOND)):
        limits.take("a client", 1 << 40)
    with pytest.raises(SettingsError, match="redis_url"):
        connect("http://127.0.0.1", A_SECOND)
