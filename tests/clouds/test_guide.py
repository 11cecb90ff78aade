"""`docs/deploy.md`: every command on it that needs no account is run here, in the order in which it stands there."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.clouds.backends import Backend
from tidemark.deployment.cdk import ROOT

NEEDS = "# needs an AWS account"
GUIDE = ROOT / "docs" / "deploy.md"


def blocks() -> list[list[str]]:
    """The commands of each block of the page."""
    return [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)]


@pytest.mark.service("cloudformation")
def test_every_command_is_run_here_or_says_that_it_needs_an_account() -> None:
    for block in blocks():
        assert block[0] == NEEDS or all(line.startswith(("make ", ".venv/bin/tidemark ")) for line in block), block


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
