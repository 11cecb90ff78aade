"""What the dashboards show of the flows and of prices asked for is told: after the other tests of this folder."""

from __future__ import annotations

import pytest

from infra.cdk.dashboards import FLOWS
from tests import metrics
from tests.flows.cloud import Flows
from tests.templates import Templates
from tidemark.local.supervisor import wait_until
from tidemark.runs import WITH_RESULTS


def test_what_the_dashboards_show_is_told(running: Flows, dev: Templates) -> None:
    for flow in FLOWS:
        if not any(run.status in WITH_RESULTS for run in running.index.page(flow, limit=50).runs):
            pytest.skip(f"{flow} has not run here with results: run all of tests/flows")
    wanted = {metric for metric in metrics.shown(dev) if dict(metric[1])["service"] in ("flows", "predict")}
    assert len(wanted) >= 3 * len(FLOWS) + 2

    def missing() -> set[metrics.Metric]:
        return wanted - metrics.told(running.home)

    wait_until(lambda: not missing(), f"the metrics {sorted(name for name, _ in missing())}", seconds=30)
