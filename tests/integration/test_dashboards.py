"""Every metric of ours on a dashboard, or that an alarm waits for, is told by the process that it is said to be of."""

from __future__ import annotations

from tests import metrics
from tests.cloud import Cloud
from tests.samples import sale
from tests.templates import Templates
from tidemark.local.supervisor import wait_until

NOT_HERE = {"flows", "predict"}  # these run in tests/flows


def of_here(found: set[metrics.Metric]) -> set[metrics.Metric]:
    return {metric for metric in found if dict(metric[1])["service"] not in NOT_HERE}


def test_what_the_dashboards_show_is_told(cloud: Cloud, dev: Templates) -> None:
    wanted = of_here(metrics.shown(dev))
    assert len(wanted) >= 12
    cloud.post({"sales": [sale(invoice_id="for-the-dashboard")]})

    def missing() -> set[metrics.Metric]:
        return wanted - metrics.told(cloud.home)

    wait_until(lambda: not missing(), f"the metrics {sorted(name for name, _ in missing())}", seconds=90)
