"""How many schedules are run, from which seed on: `FAULT_SEED=… FAULT_SCHEDULES=N pytest tests/faults`."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.cloud import Cloud
from tests.faults.backend import Backend

ran: Counter[str] = Counter()
"""What the schedules did."""


@pytest.fixture(scope="session")
def backend(cloud: Cloud) -> Backend:
    """What the schedules run on."""
    return Backend(cloud)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The closing lines."""
    if ran:
        terminalreporter.section("faults, on ministack, an emulator")
        for what, count in ran.most_common():
            terminalreporter.write_line(f"{count:>8,} {what}")
