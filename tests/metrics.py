"""The metrics that running processes told, in CloudWatch's embedded format, wherever their logs are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tests.templates import Templates
from tidemark.emf import NAMESPACE
from tidemark.local import stores
from tidemark.local.home import Home

Metric = tuple[str, frozenset[tuple[str, str]]]
"""its name, and its dimensions"""


def told(home: Home) -> set[Metric]:
    """By the Lambdas of a local cloud, into the emulator's logs, and by its other processes, into theirs."""
    return set(_metrics(_lambda_lines(home))) | set(_metrics(_process_lines(home)))


def shown(templates: Templates) -> set[Metric]:
    """The metrics of ours that the dashboards show and the alarms wait for."""
    found: set[Metric] = set()
    for dashboard in templates.properties("AWS::CloudWatch::Dashboard").values():
        for widget in json.loads(_plain(dashboard["DashboardBody"]))["widgets"]:
            for row in widget["properties"].get("metrics", []):
                words = [word for word in row if isinstance(word, str)]
                if words[:1] == [NAMESPACE]:
                    found.add((words[1], frozenset(zip(words[2::2], words[3::2], strict=True))))
    for alarm in templates.properties("AWS::CloudWatch::Alarm").values():
        if alarm.get("Namespace") == NAMESPACE:
            found.add((alarm["MetricName"], frozenset((d["Name"], d["Value"]) for d in alarm["Dimensions"])))
    return found


def _metrics(lines: Iterable[str]) -> Iterator[Metric]:
    for line in lines:
        start = line.find('{"_aws"')
        if start < 0:
            continue
        try:
            said = json.loads(line[start:])
        except ValueError:
            continue
        for directive in said["_aws"]["CloudWatchMetrics"]:
            if directive["Namespace"] != NAMESPACE:
                continue
            for names in directive["Dimensions"]:
                dimensions = frozenset((name, str(said[name])) for name in names)
                for metric in directive["Metrics"]:
                    if said.get(metric["Name"]) is not None:
                        yield metric["Name"], dimensions


def _lambda_lines(home: Home) -> Iterator[str]:
    logs = stores.client(home, "logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
                for event in events["events"]:
                    yield from event["message"].splitlines()


def _process_lines(home: Home) -> Iterator[str]:
    for path in home.logs.glob("*.log"):
        yield from path.read_text(errors="replace").splitlines()


def _plain(body: Any) -> str:
    """A dashboard's body with a word in place of what CloudFormation fills in."""
    if isinstance(body, str):
        return body
    return "".join(part if isinstance(part, str) else "x" for part in body["Fn::Join"][1])
