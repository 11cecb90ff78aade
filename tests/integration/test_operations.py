"""Seeing trouble: one id through every stage, alarms caused, dead letters healed."""

from __future__ import annotations

import json
import re
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import socketio

from flows.work import _measure
from tests.cloud import Cloud
from tests.infra.test_runbooks import alarms, watched
from tests.samples import sale
from tests.templates import Templates
from tests.trust import tell
from tidemark.lake_audit import audit_lake
from tidemark.local import stores
from tidemark.local.supervisor import wait_until
from tidemark.runs import Run

ID = f"till-0007-{secrets.token_hex(4)}"
CAUSED: set[str] = set()
AFTER_S = 40


def lines_of(cloud: Cloud, part: str, *, since_ms: int = 0) -> list[dict[str, Any]]:
    """What a part has logged, as far as it is JSON: a Lambda in CloudWatch Logs, `live` in its file."""
    if part == "live":
        texts = (cloud.home.logs / "ws_server.log").read_text().splitlines()
    else:
        logs = stores.client(cloud.home, "logs")
        (group,) = [
            found["logGroupName"]
            for found in logs.describe_log_groups()["logGroups"]
            if re.search(rf"/{part.capitalize()}Logs", found["logGroupName"])
        ]
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since_ms)
        texts = [event["message"] for page in pages for event in page["events"]]
    return [json.loads(text) for text in texts if text.startswith("{")]


def new(name: str) -> str:
    return f"{name} {secrets.token_hex(4)}"


def post(cloud: Cloud, *rows: dict[str, Any], known_by: str = ID) -> httpx.Response:
    headers = {"Authorization": f"Bearer {cloud.tokens['ingest']}", "X-Request-Id": known_by}
    return httpx.post(f"{cloud.api}/v1/sales", json={"sales": list(rows)}, headers=headers, timeout=40)


def test_one_id_is_seen_from_the_post_to_the_page(cloud: Cloud) -> None:
    page = socketio.SimpleClient()
    page.connect(cloud.live, headers={"Authorization": f"Bearer {cloud.tokens['read']}"}, transports=["websocket"])
    answer = post(cloud, sale(new("followed"), customer_id="customer-4711"))
    assert answer.headers["X-Request-Id"] == ID
    stages = {"answer"}
    while "frame" not in stages:
        name, *content = page.receive(timeout=AFTER_S)
        if name == "tick" and content[0]["request"] == ID:
            stages.add("frame")
    page.disconnect()

    def is_in(part: str) -> Callable[[], bool]:
        return lambda: any(ID in (line.get("request"), *line.get("requests", ())) for line in lines_of(cloud, part))

    for part in ("ingest", "archive", "publish", "live"):
        wait_until(is_in(part), f"the id in the log of {part}", seconds=AFTER_S)
        stages.add(part)
        assert not any("customer-4711" in json.dumps(line) for line in lines_of(cloud, part))
    ingest = [line for line in lines_of(cloud, "ingest") if line.get("request") == ID]
    assert {"taken", "answered"} <= {line["message"] for line in ingest}, "each line of the call"
    tell("one id", stages=len(stages))


def test_an_id_that_is_not_well_formed_is_not_taken(cloud: Cloud) -> None:
    answer = post(cloud, sale(new("badly known")), known_by="someone@example.com")
    assert answer.headers["X-Request-Id"] not in ("", "someone@example.com")


# -- dead letters


def letter() -> str:
    now = datetime.now(UTC).isoformat()
    return json.dumps(
        {
            "requestContext": {"condition": "RetryAttemptsExhausted"},
            "DDBStreamBatchInfo": {
                "approximateArrivalOfFirstRecord": now,
                "approximateArrivalOfLastRecord": now,
                "batchSize": 1,
            },
        }
    )


def queues(cloud: Cloud) -> dict[str, int]:
    found = cloud.get("/v1/operations").json()["queues"]
    return {each["consumer"]: each["waiting"] + each["in_work"] for each in found}


def give_up(cloud: Cloud, consumer: str) -> None:
    """Lay a letter into a consumer's queue, as Lambda would: the emulator tries for ever and lays none."""
    outputs = stores.running(cloud.home)
    queue = outputs[f"{consumer.capitalize()}FailedQueue"]
    stores.client(cloud.home, "sqs").send_message(QueueUrl=queue, MessageBody=letter())


@pytest.mark.parametrize("by", ["the command", "the page"])
def test_what_was_given_up_is_healed_and_twice_is_harmless(cloud: Cloud, dev: Templates, by: str) -> None:
    name = new("given up")
    day = {"the command": "2031-05-05", "the page": "2031-05-06"}[by]  # no other test sells then
    post(cloud, sale(name, sold_at=f"{day}T12:00:00Z"), known_by="given-up-1")
    ledger, lake = stores.open_stores(cloud.home)[0], stores.open_lake(cloud.home)
    wait_until(lambda: bool(lake.keys(day)), "the sale in the lake", seconds=AFTER_S)
    lake.remove(lake.keys(day))
    for consumer in ("archive", "publish"):
        give_up(cloud, consumer)
        assert queues(cloud)[consumer] == 1
        (metric,) = watched(alarm := alarms(dev)[f"{consumer}-gave-up"])
        assert metric["MetricName"] == "ApproximateNumberOfMessagesVisible"
        assert crosses(alarm, queues(cloud)[consumer])
        CAUSED.add(f"{consumer}-gave-up")
    assert name in audit_lake(ledger, lake, cloud.home.lake_mirror, lag_s=0).missing

    def heal() -> dict[str, Any]:
        if by == "the command":
            found: dict[str, Any] = json.loads(cloud.run("redrive", "--json").stdout)
            return found
        token = {"Authorization": f"Bearer {cloud.tokens['admin']}"}
        answer = httpx.post(f"{cloud.live}/v1/operations/redrive", headers=token, timeout=60)
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    healed = heal()["healed"]
    assert [(each["consumer"], each["letters"], each["problem"]) for each in healed] == [
        ("archive", 1, None),
        ("publish", 1, None),
    ]
    assert queues(cloud) == {"archive": 0, "publish": 0}
    assert name not in audit_lake(ledger, lake, cloud.home.lake_mirror, lag_s=0).missing
    assert heal()["healed"] == []


def test_a_session_that_reads_cannot_heal(cloud: Cloud) -> None:
    with httpx.Client(base_url=cloud.live, follow_redirects=True) as browser:
        browser.get(cloud.sign_in_link())
        assert browser.get("/operations/figures").status_code == 200
        assert browser.post("/v1/operations/redrive").status_code == 401


# -- alarms: that what our parts write is what an alarm looks at, and crosses its threshold when there is trouble


def crosses(alarm: dict[str, Any], value: float) -> bool:
    if alarm["ComparisonOperator"] == "LessThanThreshold":
        return bool(value < alarm["Threshold"])
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    return bool(value >= alarm["Threshold"])


def values(lines: list[dict[str, Any]], metric: dict[str, Any]) -> list[float]:
    """What CloudWatch would make of these lines for one metric: namespace, name and every dimension must agree."""
    dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
    found: list[float] = []
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            names = [each["Name"] for each in directive["Metrics"]]
            same = any({name: line[name] for name in names_} == dimensions for names_ in directive["Dimensions"])
            if directive["Namespace"] == metric["Namespace"] and metric["MetricName"] in names and same:
                value = line[metric["MetricName"]]
                found += value if isinstance(value, list) else [value]
    return found


@contextmanager
def frozen(cloud: Cloud, service: str) -> Iterator[None]:
    process = cloud.process(service)
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def test_alarms_on_the_live_stream_are_caused_by_stopping_it(cloud: Cloud, dev: Templates) -> None:
    untold, blind = (alarms(dev)[name] for name in ("sales-unpublished", "live-page-is-blind"))
    (of_untold,), (of_blind,) = watched(untold), watched(blind)
    post(cloud, sale(new("heard")), known_by="told-of-1")
    wait_until(lambda: values(lines_of(cloud, "ingest"), of_untold) != [], "a line of metrics", seconds=AFTER_S)
    began = int(datetime.now(UTC).timestamp() * 1000)
    with frozen(cloud, "redis"):
        assert post(cloud, sale(new("unheard")), known_by="untold-1").json()["results"][0]["status"] == "accepted"
        wait_until(
            lambda: any(
                crosses(untold, value) for value in values(lines_of(cloud, "ingest", since_ms=began), of_untold)
            ),
            "an alarm on sales that are not told",
            seconds=AFTER_S,
        )
        wait_until(
            lambda: any(crosses(blind, value) for value in values(lines_of(cloud, "live"), of_blind)),
            "an alarm on a live page that hears nothing",
            seconds=AFTER_S,
        )
    wait_until(
        lambda: not crosses(blind, values(lines_of(cloud, "live"), of_blind)[-1]), "the end of it", seconds=AFTER_S
    )
    CAUSED.update(("sales-unpublished", "live-page-is-blind"))


@pytest.mark.parametrize("flow", ["housing-data", "housing-ml", "sales-watch"])
def test_alarms_on_flows_look_at_what_a_run_writes(dev: Templates, capsys: Any, flow: str) -> None:
    alarm = alarms(dev)[f"{flow}-stands"]
    (metric,) = watched(alarm)
    _measure(Run("1", flow, "prefect", "failed", 1, 2, "words"))
    told = values([json.loads(line) for line in capsys.readouterr().out.splitlines()], metric)
    assert told == [1]
    assert not crosses(alarm, sum(told))
    assert crosses(alarm, 0)
    assert alarm["TreatMissingData"] == "breaching", "no run writes no line"


def test_every_alarm_on_a_metric_of_ours_is_tried_here(dev: Templates) -> None:
    own = {name for name, alarm in alarms(dev).items() if any(m["Namespace"] == "Tidemark" for m in watched(alarm))}
    assert own == {
        *("sales-unpublished", "live-page-is-blind"),
        *("housing-data-stands", "housing-ml-stands", "sales-watch-stands"),
    }
    tell("alarms", caused=len(CAUSED), own=len(own), alarms=len(alarms(dev)))
