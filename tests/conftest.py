"""What every test may use. `cloud` is one local cloud for the whole session."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud import Cloud, sales_file
from tests.templates import bundles, dev, prod, stacks, synthesise  # noqa: F401  # fixtures
from tidemark.local.home import Home

TIDEMARK = Path(sys.executable).parent / "tidemark"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which cloud `tests/clouds` runs on."""
    parser.addoption(
        "--cloud", choices=["ministack", "localstack", "aws"], default="ministack", help="the cloud of tests/clouds"
    )


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
