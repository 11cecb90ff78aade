"""What every test may use. `cloud` is one local cloud for the whole session."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.cloud import Cloud, sales_file
from tidemark.local.home import Home

TIDEMARK = Path(sys.executable).parent / "tidemark"
ONE_CLOUD = {"browser", "contract", "integration"}
"""The folders of tests that share the fixture `cloud`; those of `flows` share another."""


class SideBySide(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist is not typed
    """Where tests run side by side: those of one cloud, or else of one file, by one process."""

    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.split("/")[1]
        return "cloud" if folder in ONE_CLOUD else folder if folder == "flows" else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SideBySide:
    return SideBySide(config, log)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """`tidemark up` in a home of its own, ended when the session ends."""
    home = tmp_path_factory.mktemp("cloud")
    environment = {**os.environ, "TIDEMARK_HOME": str(home)}
    command = [str(TIDEMARK), "up", "--detach", "--only", "core,live,explorer", "--no-simulate"]
    started = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    try:
        assert started.returncode == 0, started.stderr
        yield Cloud(Home(home), environment)
    finally:
        subprocess.run([str(TIDEMARK), "down", "--wipe"], env=environment, capture_output=True, check=False)


@pytest.fixture(scope="session")
def supermarket_file() -> Path:
    """The real file; tests that need it say so where it is not here."""
    found = sales_file()
    if found is None:
        pytest.skip("supermarket_sales.csv is not here: `tidemark data fetch` brings it")
    return found
