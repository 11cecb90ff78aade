"""One suite, many clouds: `pytest tests/clouds --cloud ministack|localstack|aws`.

Each test names the service that it is about. What a cloud cannot do is NOT RUN, with the reason; the closing lines tell
which cloud ran, and what of each service that was asked for passed, failed or was not run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.clouds import backends
from tests.clouds.backends import SERVICES, Backend

CLOUDS = {"ministack": backends.ministack, "localstack": backends.localstack, "aws": backends.aws}
_ran: dict[str, Backend] = {}
_said: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The cloud that was asked for, running."""
    with CLOUDS[request.config.getoption("--cloud")](tmp_path_factory.mktemp("cloud")) as found:
        _ran["backend"] = found
        yield found


@pytest.fixture(autouse=True)
def here(request: pytest.FixtureRequest, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """The test's clients talk to that cloud and to no other; a test of what it cannot do is not run."""
    for name, value in backend.environment.items():
        monkeypatch.setenv(name, value)
    for what in _about(request.node):
        backend.demand(what)
    return backend


def _about(item: pytest.Item) -> tuple[str, ...]:
    """The service that a test is about, and what of it."""
    marker = item.get_closest_marker("service")
    assert marker is not None, f"{item.name} names no service"
    assert marker.args[0] in SERVICES
    return marker.args


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Count what became of each service's tests."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call" or report.outcome != "passed":
        _said[_about(item)[0]][report.outcome] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The closing lines."""
    backend = _ran.get("backend")
    if backend is None:
        return
    terminalreporter.section(f"ran on {backend.title}")
    for service in (one for one in SERVICES if one in _said or one in backend.cannot):
        counts = _said[service]
        words = f"passed {counts['passed']}, failed {counts['failed']}, NOT RUN {counts['skipped']}"
        reason = f": {backend.cannot[service]}" if service in backend.cannot else ""
        terminalreporter.write_line(f"{service:15} {words}{reason}")
    for what in sorted(set(backend.cannot) - set(SERVICES)):
        terminalreporter.write_line(f"{what}: NOT RUN: {backend.cannot[what]}")
