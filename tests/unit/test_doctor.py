"""What `tidemark doctor` says of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tidemark.deployment.doctor import machine
from tidemark.local.home import Home
from tidemark.local.services import Service
from tidemark.local.supervisor import Supervisor, wait_until


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    found = Home(tmp_path)
    found.create()
    yield found
    Supervisor(found).stop()


def local_cloud(home: Home) -> tuple[str, str]:
    """What is found of it, and in which words."""
    (found,) = (one for one in machine(home) if one.what == "local cloud")
    return found.state, found.words


def test_a_local_cloud_that_does_not_run_is_no_fault(home: Home) -> None:
    assert local_cloud(home) == ("ok", "does not run")


def test_processes_are_well_until_one_ends_again_and_again(home: Home) -> None:
    supervisor = Supervisor(home)
    supervisor.start(Service("one", ["sleep", "600"]), Service("two", ["sleep", "600"]))
    wait_until(lambda: {state for state, _ in supervisor.states().values()} == {"running"}, "both", seconds=30)
    assert local_cloud(home) == ("ok", "2 processes run")
    supervisor.add(Service("three", ["false"]))
    wait_until(lambda: local_cloud(home) == ("missing", "not well: three"), "that it is named", seconds=30)
