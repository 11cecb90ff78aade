"""Runbooks: one for each alarm, and nothing in one that is not there. Metrics: each is written, described and asked for
by the same name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tests.templates import Templates
from tidemark import settings
from tidemark.cli.main import app
from tidemark.metrics import METRICS

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = {path.stem: path.read_text() for path in (ROOT / "docs" / "runbooks").glob("*.md") if path.stem != "README"}
INDEX = (ROOT / "docs" / "runbooks" / "README.md").read_text()
PARTS = ["What users see", "How to look", "How to mend", "Mended when"]
KNOWN = {f"{metric.service}.{metric.name}": metric for metric in METRICS}
OWN = re.compile(rf"`({'|'.join(sorted({metric.service for metric in METRICS}))})\.([a-z_0-9]+)`")
WRITERS = ("functions", "flows", "ws_server")


def alarms(stacks: Templates) -> dict[str, dict[str, Any]]:
    """By the name of its runbook, each alarm."""
    found = {}
    for alarm in stacks.properties("AWS::CloudWatch::Alarm").values():
        told = re.search(r"docs/runbooks/([a-z-]+)\.md$", alarm["AlarmDescription"])
        assert told, alarm["AlarmDescription"]
        found[told[1]] = alarm
    return found


def watched(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The metrics that an alarm looks at: namespace, name, dimensions."""
    if "MetricName" in alarm:
        yield alarm
    for part in alarm.get("Metrics", ()):
        if "MetricStat" in part:
            yield part["MetricStat"]["Metric"]


def test_every_alarm_has_a_runbook_and_every_runbook_an_alarm(stacks: Templates) -> None:
    assert set(alarms(stacks)) == set(RUNBOOKS)
    assert re.findall(r"\((\S+)\.md\)\n", INDEX + "\n") == sorted(RUNBOOKS)


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_a_runbook_says_all_that_it_should(name: str) -> None:
    assert re.findall(r"^## (.*)$", RUNBOOKS[name], re.M) == PARTS
    for part in re.split(r"^## .*$", RUNBOOKS[name], flags=re.M):
        assert len(part.strip()) > 20, name


def test_a_runbook_names_the_metrics_that_its_alarm_looks_at(dev: Templates) -> None:
    for name, alarm in alarms(dev).items():
        for metric in watched(alarm):
            assert metric["MetricName"] in RUNBOOKS[name], f"{name} does not name {metric['MetricName']}"


def test_what_runbooks_name_is_there(dev: Templates) -> None:
    variables = {name for name, _, _ in settings.documented()}
    command: Any = typer.main.get_command(app)
    log_groups = [name.replace("/", "-", 1) for name in dev.resources("AWS::Logs::LogGroup")]
    services = [name.replace("/", "-", 1) for name in dev.resources("AWS::ECS::Service")]
    functions = set(re.findall(r"^(tidemark_[a-z]+)\(\)", INDEX, re.M))
    for name, text in {**RUNBOOKS, "README": INDEX}.items():
        assert set(re.findall(r"TIDEMARK_[A-Z_]+", text)) <= variables, name
        assert {f"{service}.{metric}" for service, metric in OWN.findall(text)} <= set(KNOWN), name
        assert set(re.findall(r"tidemark_[a-z]+", text)) <= functions, name
        for group in re.findall(r"tidemark_logs (\S+)", text):
            assert any(there.startswith(group) for there in log_groups), f"{name}: no log group {group}"
        for service in re.findall(r"tidemark_restart (Tidemark[A-Za-z]+-[A-Za-z]+)", text):
            assert any(there.startswith(service) for there in services), f"{name}: no service {service}"
        for line in re.findall(r"(?:^\s*|`)tidemark ([a-z][^`\n]*)", text, re.M):
            _runs(command, line.split(), name)
        for path in re.findall(r"`((?:infra|docs|tidemark)/[\w/.-]+)`", text):
            assert (ROOT / path).exists(), f"{name}: no {path}"
        for link in re.findall(r"\]\(([^)#]+)\)", text):
            assert (ROOT / "docs" / "runbooks" / link).exists(), f"{name} links to {link}"


def _runs(command: Any, words: list[str], where: str) -> None:
    """That the command line is one: its commands and its options."""
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"{where}: tidemark {words[0]}"
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    for word in words:
        assert not word.startswith("--") or word in known, f"{where}: {command.name} {word}"


def test_each_metric_is_written_and_each_that_is_written_is_described() -> None:
    text = "\n".join(path.read_text() for folder in WRITERS for path in sorted((ROOT / folder).rglob("*.py")))
    written = set(re.findall(r'add_metric\(\s*name="(\w+)"', text))
    written |= {
        name for quoted in re.findall(r'"(\w+)": \(.*?"(?:Count|Milliseconds|Seconds)"\)', text) for name in [quoted]
    }
    written |= set(re.findall(r'metrics\["(\w+)"\] =', text))
    written |= {f"sales_{status}" for status in ("accepted", "duplicate", "conflict", "rejected")}
    assert written == {metric.name for metric in METRICS}


def test_dashboards_and_alarms_ask_for_metrics_that_are_written_with_their_dimensions(stacks: Templates) -> None:
    asked = [metric for alarm in alarms(stacks).values() for metric in watched(alarm)]
    own = [metric for metric in asked if metric["Namespace"] == "Tidemark"]
    assert own
    for metric in own:
        found = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
        described = KNOWN[f"{found['service']}.{metric['MetricName']}"]
        assert set(found) == {"service", *described.dimensions}, metric["MetricName"]
    bodies = json.dumps(list(stacks.properties("AWS::CloudWatch::Dashboard").values()))
    drawn = re.findall(r'\\"Tidemark\\",\\"(\w+)\\",((?:\\"\w+\\",\\"[\w-]+\\",?)+)', bodies)
    assert len(drawn) > 20
    for name, dimensions in drawn:
        found = dict(re.findall(r'\\"(\w+)\\",\\"([\w-]+)\\"', dimensions))
        assert f"{found['service']}.{name}" in KNOWN, name
        assert set(found) == {"service", *KNOWN[f"{found['service']}.{name}"].dimensions}, name
