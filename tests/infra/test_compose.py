"""`compose.yaml` and the workflows, as far as they can be looked at without an engine and without GitHub."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import images
from tidemark import settings
from tidemark.deployment.cdk import ROOT
from tidemark.deployment.deploy import SETTINGS

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return found


def test_every_image_is_a_service_and_every_other_is_pinned(compose: dict[str, Any]) -> None:
    built = {
        name: service["build"]["dockerfile"] for name, service in compose["services"].items() if "build" in service
    }
    assert built == {image.name: image.file for image in images.ALL}
    for name, service in compose["services"].items():
        if "image" in service:
            assert re.search(r":\d+\.\d+", service["image"]), name


def test_nothing_listens_beyond_this_machine(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert len(ports) >= 5
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_containers_are_told_settings_that_there_are(compose: dict[str, Any]) -> None:
    known = {name for name, _, _ in settings.documented()}
    written = {settings.variable(name) for name in (*SETTINGS, "api_token")} | {"API_ID", "LOCALSTACK_AUTH_TOKEN"}
    for name, service in compose["services"].items():
        told = {variable for variable in service.get("environment", {}) if variable.startswith("TIDEMARK_")}
        assert told <= known, name
        asked = set(re.findall(r"\$\{(\w+)", str(service.get("environment", {}))))
        assert asked <= written, name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_pins_its_actions_and_asks_for_little(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    used = re.findall(r"uses: (\S+)", path.read_text())
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)
    assert workflow["permissions"]["contents"] == "read"
    assert "secrets." not in path.read_text()


def test_the_workflow_deploys_by_the_command_of_the_page() -> None:
    said = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    assert "id-token: write" in said
    assert ".venv/bin/tidemark deploy --yes" in said
    assert "AWS_SECRET_ACCESS_KEY" not in said
