"""What a deployment is told and keeps, and what is found of an account."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tidemark.deployment import account, options
from tidemark.deployment.account import Account
from tidemark.deployment.deploy import Deployment
from tidemark.errors import Misuse, TidemarkError

BEFORE = {"profile": "prod", "domain": "sales.example.com", "certificate_arn": "arn:1", "alert_email": "a@example.com"}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment tells nothing of the store."""
    for name in options.STORE:
        monkeypatch.delenv(name, raising=False)


def told(**words: str) -> dict[str, str | None]:
    """As the command line tells: None where nothing was given."""
    return {name: words.get(name) for name in options.NAMES}


def test_what_is_not_told_again_stays() -> None:
    assert options.merge(BEFORE, told()) == BEFORE
    assert options.merge(BEFORE, told(alert_email="b@example.com")) == {**BEFORE, "alert_email": "b@example.com"}
    assert options.merge({}, told()) == {"profile": "dev"}


def test_an_empty_word_takes_an_option_away_and_a_certificate_goes_with_its_domain() -> None:
    assert options.merge(BEFORE, told(domain="")) == {"profile": "prod", "alert_email": "a@example.com"}
    left = options.merge({}, told(certificate_arn="arn:1"))
    assert left["certificate_arn"] == "arn:1", "the stacks refuse one without a domain: it is not dropped in silence"


def test_one_profile_does_not_become_the_other_by_an_oversight() -> None:
    with pytest.raises(Misuse, match="what is deployed is prod, and not dev"):
        options.merge(BEFORE, told(profile="dev"))
    assert options.merge(BEFORE, told(profile="dev"), change_profile=True)["profile"] == "dev"


def test_the_stores_settings_are_the_environments_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_STORE_ZONE", "Europe/Berlin")
    first = options.merge({}, told())
    assert first == {"profile": "dev", "TIDEMARK_STORE_ZONE": "Europe/Berlin"}
    monkeypatch.delenv("TIDEMARK_STORE_ZONE")
    assert options.merge(first, told()) == first
    assert options.kept({"Options": json.dumps(first)}) == first
    assert options.kept({}) == {}


def test_all_is_said_of_an_account_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    found = {finding.what: finding for finding in Account().findings()}
    assert {what: finding.state for what, finding in found.items()} == dict.fromkeys(
        ("credentials", "region", "Docker"), "missing"
    )
    assert all(finding.remedy for finding in found.values())
    with pytest.raises(TidemarkError, match=r"^credentials: .*aws configure sso"):
        Deployment(Account(), tmp_path, lambda words: None).check()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert Account().findings()[-1].state == "unknown", "an emulator wants no Docker"


def test_an_old_bootstrap_is_not_well_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """`deploy` renews it then."""
    for version, words in ((0, "not there yet"), (20, "older than 21"), (21, "version 21")):
        monkeypatch.setattr(account.Account, "bootstrapped", lambda self, version=version: version)
        assert words in Account()._bootstrap().words
