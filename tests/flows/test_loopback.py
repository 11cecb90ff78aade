"""The servers of the flows, too, listen to this machine only."""

from __future__ import annotations

from tests.flows.cloud import Flows
from tests.integration.test_loopback import of_this_machine_alone
from tests.trust import tell


def test_no_server_of_the_flows_listens_beyond_this_machine(running: Flows) -> None:
    found = of_this_machine_alone(running.home, "ministack", "postgres", "prefect", "mlflow")
    tell("loopback of flows", processes=len(found), sockets=sum(map(len, found.values())))
