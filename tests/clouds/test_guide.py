"""`docs/deploy.md`: every command on it that needs no account is run here, in the order in which it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.model import OperationModel

from tests.clouds.backends import Backend
from tests.templates import listed
from tidemark.deployment import stacks
from tidemark.deployment.account import Account
from tidemark.deployment.cdk import ROOT
from tidemark.deployment.deploy import Deployment, Wanted
from tidemark.deployment.destroy import PROJECT, TAG, Destruction

NEEDS = "# needs an AWS account"
GUIDE = ROOT / "docs" / "deploy.md"


def blocks() -> list[list[str]]:
    """The commands of each block of the page."""
    return [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)]


@pytest.mark.service("cloudformation")
def test_every_command_is_run_here_or_says_that_it_needs_an_account() -> None:
    for block in blocks():
        assert block[0] == NEEDS or all(line.startswith(("make ", ".venv/bin/tidemark ")) for line in block), block


def role() -> list[dict[str, Any]]:
    """What the page lets GitHub's role do."""
    (found,) = re.findall(r"put-role-policy .*--policy-document '(.*)'", GUIDE.read_text())
    statements: list[dict[str, Any]] = json.loads(found)["Statement"]
    return statements


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.service("cloudformation")
def test_githubs_role_may_do_what_deploying_asks_for_and_no_more(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()
    made = botocore.session.get_session

    def listening() -> botocore.session.Session:
        session = made()
        session.register("before-call", lambda **told: asked.add(_action(told["model"])))
        return session

    monkeypatch.setattr(botocore.session, "get_session", listening)
    account = Account()
    deployment = Deployment(account, tmp_path, lambda words: None)
    try:
        deployment.check()
        deployment.perform(deployment.prepare(Wanted(only=(stacks.CORE,))))
        stacks.reasons(account, stacks.CORE)  # as after a failure
        wanted = asked - {"sts:GetCallerIdentity", "cloudformation:ValidateTemplate"}
    finally:
        assert Destruction(Account(), lambda words: None).perform().stray == []
    # The first of those needs no leave, the second is asked of emulators alone (`emulated.fit`).
    allowed = {action for statement in role() for action in listed(statement["Action"])}
    assert wanted == allowed - {"sts:AssumeRole"}  # the CDK's command takes on the bootstrap's roles
    for statement in role():
        if any(action.startswith("secretsmanager:") for action in listed(statement["Action"])):
            assert statement["Condition"] == {"StringEquals": {f"aws:ResourceTag/{TAG}": PROJECT}}


def _action(model: OperationModel) -> str:
    prefix = {"service-quotas": "servicequotas"}
    service = str(model.service_model.service_name)
    return f"{prefix.get(service, service)}:{model.name}"


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.service("cloudformation")
def test_the_page_can_be_followed(backend: Backend) -> None:
    commands = [line for block in blocks() if block[0] != NEEDS for line in block]
    assert len(commands) >= 7
    for command in commands:
        done = subprocess.run(
            ["/bin/sh", "-ec", command], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{(done.stdout + done.stderr)[-3000:]}"
