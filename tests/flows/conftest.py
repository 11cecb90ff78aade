"""One local cloud with the part `flows` for the tests of this folder. Its schedule rests: tests run the flows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.cloud import UP, Flows
from tidemark.local.home import Home


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flows]:
    """`tidemark up` in a home of its own, ended with the last test of the folder."""
    flows = Flows(Home(tmp_path_factory.mktemp("flows")))
    try:
        flows.run(*UP)
        yield flows
    finally:
        flows.run("down", "--wipe")
