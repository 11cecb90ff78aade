"""Secrets that are defaults, or could be guessed, are refused as a process starts, unless AWS is an emulator."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import MISSING, fields
from typing import Any

import pytest

from tidemark import keyring, settings
from tidemark.errors import SettingsError
from tidemark.local.home import ROOT
from tidemark.settings import EMULATOR, SHORTEST_SECRET, ExplorerSettings, LivePageSettings, variable

GOOD = "drawn-for-these-tests-7Gk2pQx9"
BAD = ("changeme", "secret", "local", "x" * 64, "your-secret-goes-in-here-please", "a-default-value-of-32-characters")
KINDS = [
    *(settings.IngestSettings, settings.PublishSettings, settings.ApiSettings, settings.PredictSettings),
    *(settings.ArchiveSettings, settings.CompactSettings, settings.FlowSettings, settings.TokenSettings),
    *(LivePageSettings, ExplorerSettings),
]
SECRETS = {
    (settings.IngestSettings, "redis_password"),
    (settings.IngestSettings, "person_key"),
    (settings.PublishSettings, "redis_password"),
    (LivePageSettings, "redis_password"),
    (LivePageSettings, "oidc_client_secret"),
    (ExplorerSettings, "oidc_client_secret"),
    (ExplorerSettings, "cookie_secret"),
}
NO_SECRETS = {"token_secret", "reader_token", "api_token"}
"""Two names of secrets, and a token, which the API judges."""


def given(kind: type[Any], **changes: str) -> dict[str, str]:
    secret = set(settings.secrets_of(kind))
    needed = {field.name: GOOD if field.name in secret else "x" for field in fields(kind) if field.default is MISSING}
    return {variable(name): value for name, value in {**needed, "redis_url": "rediss://valkey:6379", **changes}.items()}


def test_the_table_has_every_setting_that_is_a_secret() -> None:
    assert {(kind, name) for kind in KINDS for name in settings.secrets_of(kind)} == SECRETS
    named = {field.name for kind in KINDS for field in fields(kind) if _sounds_secret(field.name)}
    assert named == {name for _, name in SECRETS} | NO_SECRETS


def _sounds_secret(name: str) -> bool:
    return any(word in name for word in ("secret", "password", "token", "key"))


@pytest.mark.parametrize("secret", BAD)
@pytest.mark.parametrize(("kind", "name"), sorted(SECRETS, key=str))
def test_a_bad_one_is_refused_but_on_an_emulator(kind: type[Any], name: str, secret: str) -> None:
    good = given(kind, redis_password=GOOD, **({name: GOOD} if name != "redis_password" else {}))
    settings.load(kind, good)
    with pytest.raises(SettingsError, match=variable(name)):
        settings.load(kind, {**good, variable(name): secret})
    settings.load(kind, {**good, variable(name): secret, EMULATOR: "http://127.0.0.1:4566"})


@pytest.mark.parametrize("kind", [settings.IngestSettings, settings.PublishSettings, LivePageSettings])
def test_a_live_stream_elsewhere_has_a_password(kind: type[Any]) -> None:
    with pytest.raises(SettingsError, match="TIDEMARK_REDIS_PASSWORD"):
        settings.load(kind, given(kind))
    settings.load(kind, given(kind, redis_url="redis://127.0.0.1:6379"))
    settings.load(kind, given(kind, redis_url=f"rediss://:{GOOD}@valkey:6379"))


@pytest.mark.parametrize("lacking", ["oidc_client_secret", "cookie_secret"])
def test_who_lets_people_sign_in_has_every_secret(lacking: str) -> None:
    whole = {
        "oidc_issuer": "https://people.example.com",
        "public_url": "https://shop.example.com",
        "oidc_client_id": "page",
        "oidc_client_secret": GOOD,
        "cookie_secret": GOOD + GOOD,
    }
    assert len(whole["cookie_secret"]) >= SHORTEST_SECRET
    assert settings.load(ExplorerSettings, given(ExplorerSettings, **whole)).offers_sign_in()
    with pytest.raises(SettingsError, match=variable(lacking)):
        settings.load(ExplorerSettings, given(ExplorerSettings, **{**whole, lacking: ""})).offers_sign_in()


def test_a_token_that_is_empty_is_none() -> None:
    with pytest.raises(SettingsError, match="TIDEMARK_API_TOKEN"):
        settings.load(ExplorerSettings, given(ExplorerSettings, api_token=""))


@pytest.mark.parametrize("secret", ["", *BAD])
def test_a_key_that_could_be_guessed_signs_nothing_not_even_here(secret: str) -> None:
    with pytest.raises(SettingsError):
        keyring.read(secret)


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        ("ws_server", LivePageSettings),
        ("streamlit_app.serve", ExplorerSettings),
        ("functions.ingest.handler", settings.IngestSettings),
        ("functions.publish.handler", settings.PublishSettings),
    ],
)
def test_a_process_with_a_default_secret_does_not_start(module: str, kind: type[Any]) -> None:
    name = "cookie_secret" if kind is ExplorerSettings else "redis_password"
    clean = {key: value for key, value in os.environ.items() if key != EMULATOR}
    done = subprocess.run(
        [sys.executable, "-m", module],
        env={**clean, **given(kind, **{name: "changeme"}), "AWS_REGION": "eu-west-1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode
    assert variable(name) in done.stderr
