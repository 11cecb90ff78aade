"""The deployed API against its own description: Schemathesis sends what that allows, and what it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cloud import Cloud
from tests.pipelines import champion_of, seed, small_model
from tidemark.local import stores

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
CASES = 10  # drawn for a route and phase, beside those that cover every limit
PIPELINES = "^/v1/(flows|housing)"
# API Gateway, not the API, answers a method that a path does not have; the emulator asks the next pattern that has it.
NOT_OURS = "unsupported_method"
# A wrong row is answered beside the good ones, with 200.
BY_ROW = "negative_data_rejection"
# That a time must be a whole minute, no schema can say.
NOT_SAID = "positive_data_acceptance"

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def seeded(cloud: Cloud) -> Cloud:
    """Runs and a champion where no test before has left some; the examples of the description lead to them."""
    runs, objects = stores.open_pipelines(cloud.home)
    seed(runs, objects)
    if runs.champion("housing") is None:
        champion, content = champion_of(small_model())
        objects.put(champion.key, content)
        runs.crown(champion, replacing=None)
    return cloud


def examine(cloud: Cloud, folder: Path, *options: str, token: str = "read") -> None:
    """Run it with a token; the same cases each time. Everything that it finds is said."""
    command = [
        *(str(SCHEMATHESIS), "run", f"{cloud.api}/openapi.json", "--url", cloud.api),
        *("--header", f"Authorization: Bearer {cloud.tokens[token]}", "--no-color", "--continue-on-failure"),
        *("--phases", "examples,coverage,fuzzing", "--generation-deterministic", "--max-examples", str(CASES)),
        *("--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "30", *options),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)
    said = "\n".join(line[:300] for line in done.stdout.splitlines())
    assert done.returncode == 0, said[-8_000:] + done.stderr[-2_000:]
    assert "0 selected" not in said


def test_the_pipelines_routes_are_as_they_are_described(seeded: Cloud, tmp_path: Path) -> None:
    examine(seeded, tmp_path, "--include-path-regex", PIPELINES, "--exclude-checks", NOT_OURS)


def test_all_other_routes_for_reading_are_as_they_are_described(seeded: Cloud, tmp_path: Path) -> None:
    options = ("--exclude-path-regex", PIPELINES, "--include-method", "GET")
    examine(seeded, tmp_path, *options, "--exclude-checks", f"{NOT_OURS},{NOT_SAID}")


@pytest.mark.parametrize(
    ("path", "token", "spared"),
    [
        ("^/v1/sales$", "ingest", f"{NOT_OURS},{NOT_SAID},{BY_ROW}"),
        ("^/v1/feedback$", "read", NOT_OURS),
        ("^/v1/verdicts$", "read", NOT_OURS),
    ],
)
def test_what_is_posted_is_taken_or_refused_as_it_is_described(
    cloud: Cloud, tmp_path: Path, path: str, token: str, spared: str
) -> None:
    options = ("--include-path-regex", path, "--include-method", "POST", "--exclude-checks", spared)
    examine(cloud, tmp_path, *options, token=token)
