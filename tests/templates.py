"""The stacks as `cdk.json`'s command synthesises them: with no account, no network, and nothing but this project's own
programs on the PATH."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.bundles import FUNCTIONS
from tidemark.deployment.cdk import ROOT, templates

BIN = Path(sys.executable).parent


class Templates(dict[str, dict[str, Any]]):
    """By the name of a stack its template, as in the CDK's assembly."""

    folder: Path

    def resources(self, *kinds: str) -> dict[str, dict[str, Any]]:
        """Every resource of these kinds, as `Stack/LogicalId`: the whole resource."""
        return {
            f"{stack}/{name}": resource
            for stack, template in self.items()
            for name, resource in template["Resources"].items()
            if resource["Type"] in kinds
        }

    def properties(self, *kinds: str) -> dict[str, dict[str, Any]]:
        """Of every resource of these kinds its properties."""
        return {name: resource.get("Properties", {}) for name, resource in self.resources(*kinds).items()}


def listed(value: Any) -> list[Any]:
    """A policy's one or many."""
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles that hold nothing of note: what is in them is tested apart."""
    folder = tmp_path_factory.mktemp("bundles")
    for name in FUNCTIONS:
        (folder / name).mkdir()
        (folder / name / "handler.py").write_text(f"# {name}")
    return folder


def without_network() -> list[str]:
    """What a command is started with so that it has no network, where this machine lets us."""
    command = [shutil.which("unshare") or "", "--net", "--map-root-user"]
    if command[0] and not subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        return command
    return []


@pytest.fixture(scope="session")
def synthesise(tmp_path_factory: pytest.TempPathFactory, bundles: Path) -> Callable[..., Templates]:
    """Synthesise with this context."""
    made: dict[str, Templates] = {}

    def run(**context: str) -> Templates:
        key = json.dumps(context, sort_keys=True)
        if key not in made:
            folder = tmp_path_factory.mktemp("cdk.out")
            app = shlex.split(json.loads((ROOT / "cdk.json").read_text())["app"])
            path = tmp_path_factory.mktemp("path")
            for program in ("node", "python"):
                (path / program).symlink_to(BIN / program)
            given = json.loads((ROOT / "cdk.json").read_text())["context"]
            environment = {
                "PATH": str(path),
                "HOME": os.environ.get("HOME", "/"),
                "CDK_OUTDIR": str(folder),
                "CDK_CONTEXT_JSON": json.dumps({**given, "bundles": str(bundles), **context}),
            }
            command = [*without_network(), *app]
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=240
            )
            assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
            made[key] = Templates(templates(folder))
            made[key].folder = folder
        return made[key]

    return run


@pytest.fixture(scope="session")
def dev(synthesise: Callable[..., Templates]) -> Templates:
    """The small deployment."""
    return synthesise()


@pytest.fixture(scope="session")
def prod(synthesise: Callable[..., Templates]) -> Templates:
    """The large one, with a domain of its own."""
    return synthesise(
        profile="prod",
        domain="sales.example.com",
        certificate_arn="arn:aws:acm:us-east-1:123456789012:certificate/x",
        prefect_api_url="https://prefect.example.com/api",
        alert_email="someone@example.com",
    )


@pytest.fixture(scope="session", params=["dev", "prod"])
def stacks(request: pytest.FixtureRequest) -> Templates:
    """Either."""
    found: Templates = request.getfixturevalue(request.param)
    return found
