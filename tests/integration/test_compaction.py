"""Cells become history on the local cloud, with the deployed Lambdas beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cloud import Cloud
from tests.samples import sale
from tidemark.local import stores
from tidemark.local.supervisor import wait_until

LATE = ("2019-01-05T10:17:00Z", "2019-01-20T13:31:00Z")


def asked(cloud: Cloud) -> list[dict[str, Any]]:
    """KPIs of all time, of a part that ends within hours, and of some sales."""
    since, until = LATE
    return [cloud.kpis(), cloud.kpis(**{"from": since, "to": until}), cloud.kpis(branch="A", payment="Cash")]


def moved(cloud: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cloud.run("compact", "--older-than", "0", "--json").stdout)
    return found


def snapshot_tickets(cloud: Cloud) -> int:
    """All that `/v1/snapshot` tells."""
    tickets, cursor = 0, None
    while True:
        page = cloud.get("/v1/snapshot", limit=200, **({"cursor": cursor} if cursor else {})).json()
        tickets += sum(int(combo[3]) for cell in page["cells"] for combo in cell["combos"])
        cursor = page["cursor"]
        if cursor is None:
            return tickets


@pytest.mark.long
def test_every_answer_stays_while_compactions_run_and_one_is_killed(cloud: Cloud) -> None:
    cloud.forget_sales()
    cloud.simulate("--source", "kaggle", "--seed", "5", "--limit", "700", "--max")
    before = asked(cloud)
    one, other = (cloud.start("compact", "--older-than", "0") for _ in range(2))
    history = stores.open_history(cloud.home)
    wait_until(lambda: bool(history.heads()), "the first move", seconds=30)
    one.kill()
    looks = 0
    while other.poll() is None:
        assert asked(cloud) == before
        looks += 1
    one.wait()
    assert looks > 0
    assert moved(cloud)["done"]
    assert list(stores.open_stores(cloud.home)[1].read()) == []
    assert asked(cloud) == before
    assert snapshot_tickets(cloud) == 700
    assert cloud.audit()["tickets"] == 700


def test_a_till_that_sells_on_in_an_old_minute_is_counted_once(cloud: Cloud) -> None:
    cloud.forget_sales()
    for number in range(3):
        answer = cloud.post({"sales": [sale(f"late-{number}", tax=None, total=None)]}).json()
        assert answer["results"][0]["status"] == "accepted"
        assert moved(cloud)["moved"] == 1
        assert cloud.kpis()["tickets"] == number + 1
    again = cloud.post({"sales": [sale("late-0", tax=None, total=None)]}).json()
    assert again["results"][0]["status"] == "duplicate"
    assert cloud.audit()["tickets"] == 3


def test_the_lambda_moves_nothing_that_is_young(cloud: Cloud) -> None:
    cloud.forget_sales()
    cloud.post({"sales": [sale("young", tax=None, total=None)]})
    aws = stores.client(cloud.home, "lambda")
    (name,) = [f["FunctionName"] for f in aws.list_functions()["Functions"] if "Compact" in f["FunctionName"]]
    answer = aws.invoke(FunctionName=name, Payload=b"{}")
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read()) == {
        "moved": 0, "moves": 0, "swept": 0, "refused": 0, "full": 0, "done": True,
    }  # fmt: skip
    assert cloud.kpis()["tickets"] == 1
