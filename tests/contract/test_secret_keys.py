"""The keys in Secrets Manager, on the emulator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.cloud import Cloud
from tidemark.adapters.secret_keys import SecretKeys
from tidemark.errors import SettingsError, Unavailable
from tidemark.keyring import Keys
from tidemark.local import stores

SECRET = "a secret of the tests, of thirty-two bytes and more"


@pytest.fixture
def client(cloud: Cloud) -> Any:
    return stores.client(cloud.home, "secretsmanager")


@pytest.fixture
def name(client: Any) -> Iterator[str]:
    made: str = client.create_secret(Name=f"keys-{time.time_ns()}", SecretString=SECRET)["ARN"]
    yield made
    client.delete_secret(SecretId=made, ForceDeleteWithoutRecovery=True)


def test_a_secret_of_before_is_read_and_changed(client: Any, name: str) -> None:
    keys = SecretKeys(client, name)
    assert keys.read().signs.secret == SECRET
    changed = keys.change(lambda before: before.revoking("0" * 16, time.time() + 60))
    assert keys.read() == changed
    assert changed.signs.secret == SECRET


def test_all_who_change_it_at_once_have_their_way(client: Any, name: str) -> None:
    def revoke(number: int) -> None:
        while True:
            try:
                SecretKeys(client, name).change(lambda before: before.revoking(f"{number:016d}", time.time() + 60))
            except Unavailable:
                continue
            return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(revoke, range(12)))
    assert set(SecretKeys(client, name).read().revoked) == {f"{n:016d}" for n in range(12)}


def test_what_is_no_secret_is_not_changed(client: Any, name: str) -> None:
    client.put_secret_value(SecretId=name, SecretString="changeme")

    def never(before: Keys) -> Keys:
        raise AssertionError(before)

    with pytest.raises(SettingsError):
        SecretKeys(client, name).change(never)
