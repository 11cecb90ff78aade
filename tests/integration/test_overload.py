"""Ten times the clients that the machine can serve: each answer is one that a till understands, nothing that was
accepted is lost, memory stays bounded, and afterwards all is as before."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil
import pytest

from tests.cloud import Cloud
from tests.samples import sale
from tests.trust import VARIABLE, tell
from tidemark.local import stores
from tidemark.local.services import LAMBDAS_A_PROCESSOR
from tidemark.local.supervisor import Supervisor

ENOUGH = 8
"""Clients at once that the machine is busy with (`facts.md`, section 1: no more is served with more)."""
TIMES = 10
SECONDS = 20.0
NEIGHBOURS = LAMBDAS_A_PROCESSOR * (os.cpu_count() or 1) * 5 // 8
"""Connections of one token beside which another's till is served as if each were a till like it. More of them fill the
emulator's cap of Lambdas with refusals, and it turns away whoever comes, without a look at the token."""
SALES = 10
WARM_S, MEASURED_S = 10.0, 5.0
NORMAL_AGAIN_S = 10.0
MOST_MB = 3_000
"""How much more memory all of it may take under load: the emulator begins a process for each call that is under way."""


EMULATORS = b"Rate Exceeded: account concurrency cap"
"""ministack's own 429, when as many Lambdas are at work as may be: it says when to come again in the body alone. AWS
answers by API Gateway there, whose answers `infra/cdk/http_api.py` gives the header."""


class Till(threading.Thread):
    """Posts as fast as it is answered, whatever the answer, until it is told to end.

    `polite`: whoever is turned away waits as long as the answer says, and sends the same again.
    """

    def __init__(
        self, cloud: Cloud, name: str, token: str, end: threading.Event, *, pause_s: float = 0, polite: bool = False
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.cloud, self.token, self.end, self.pause_s, self.polite = cloud, token, end, pause_s, polite
        self.statuses: Counter[int] = Counter()
        self.accepted: list[str] = []
        self.latencies: list[float] = []
        self.unsaid: Counter[str] = Counter()
        self.cut: list[str] = []

    def run(self) -> None:
        number = 0
        while not self.end.is_set():
            rows = [sale(f"{self.name}-{number}-{n}", tax=None, total=None) for n in range(SALES)]
            try:
                self.post(rows)
            except (OSError, http.client.HTTPException) as error:
                self.cut.append(repr(error))
            number += 1
            self.end.wait(self.pause_s)

    def post(self, rows: list[dict[str, object]]) -> None:
        """Post some sales; how long that takes counts the waiting of a polite one."""
        began = time.monotonic()
        while (wait := self._post(rows)) is not None and self.polite:
            time.sleep(wait)
        self.latencies.append(time.monotonic() - began)

    def _post(self, rows: list[dict[str, object]]) -> float | None:
        """How long to wait before the same is sent again; None where it was taken."""
        url = urlsplit(self.cloud.api)
        assert url.hostname
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request("POST", f"{url.path}/v1/sales", json.dumps({"sales": rows}), headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        self.statuses[answer.status] += 1
        if answer.status == 200:
            results = json.loads(content)["results"]
            self.accepted += [one["invoice_id"] for one in results if one["status"] == "accepted"]
            return None
        after = answer.headers.get("Retry-After")
        if after is None and not (answer.status == 429 and EMULATORS in content):
            self.unsaid[content.decode()[:200]] += 1
        return float(after or 1)


@contextmanager
def crowd(tills: list[Till], end: threading.Event) -> Iterator[None]:
    for till in tills:
        till.start()
    yield
    end.set()
    for till in tills:
        till.join(120)
        assert not till.is_alive()


def megabytes(cloud: Cloud) -> float:
    """What all processes of the local cloud take, what is shared counted once."""
    whole = 0.0
    for _, pid in Supervisor(cloud.home).states().values():
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)] if pid else []:
            try:
                whole += process.memory_full_info().pss / 1e6
            except psutil.NoSuchProcess:
                continue
    return whole


def minted(cloud: Cloud, name: str) -> str:
    return cloud.run("token", "ingest", "--name", name).stdout.strip()


@pytest.mark.skipif(VARIABLE not in os.environ, reason="loads the machine and measures: `make trust` runs it")
@pytest.mark.long
@pytest.mark.timeout(600)
def test_ten_times_the_load(cloud: Cloud) -> None:
    quiet, noisy = minted(cloud, "quiet"), minted(cloud, "noisy")
    alone = Till(cloud, "alone", quiet, threading.Event(), polite=True)
    for n in range(20):
        alone.post([sale(f"alone-{n}", tax=None, total=None)])
    usual = statistics.median(alone.latencies[5:])

    end = threading.Event()
    few = [Till(cloud, f"few-{n}", minted(cloud, f"few-{n}"), end) for n in range(ENOUGH)]
    with crowd(few, end):
        time.sleep(WARM_S)
        before_s, begun = sum(till.statuses[200] for till in few), time.monotonic()
        time.sleep(MEASURED_S)
        served = (sum(till.statuses[200] for till in few) - before_s) / (time.monotonic() - begun)

    end = threading.Event()
    some = [Till(cloud, f"some-{n}", noisy, end) for n in range(NEIGHBOURS)]
    neighbour = Till(cloud, "neighbour", quiet, end, pause_s=0.5, polite=True)
    with crowd([*some, neighbour], end):
        time.sleep(SECONDS)

    before = megabytes(cloud)
    end, most = threading.Event(), before
    many = [Till(cloud, f"many-{n}", noisy, end) for n in range(ENOUGH * TIMES)]
    beside = Till(cloud, "beside", quiet, end, pause_s=0.5, polite=True)
    with crowd([*many, beside], end):
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            most = max(most, megabytes(cloud))
            end.wait(1)

    ended, normal = time.monotonic(), False
    while not normal and time.monotonic() - ended < 60:
        after = Till(cloud, f"after-{time.monotonic_ns()}", quiet, threading.Event(), polite=True)
        for n in range(3):
            after.post([sale(f"{after.name}-{n}", tax=None, total=None)])
        normal = statistics.median(after.latencies) <= 2 * usual
    recovered = time.monotonic() - ended

    answers = sum((till.statuses for till in many), Counter[int]())
    assert [cut for till in [*few, *some, neighbour, *many, beside] for cut in till.cut] == []
    assert set(answers) <= {200, 429, 503}
    unsaid = sum((till.unsaid for till in many), Counter[str]())
    assert unsaid == {}, "whoever is turned away is told when to come again"
    assert answers[429], "one token is held to what one may send"
    assert beside.latencies, "who comes again when told to is served in the end"
    turn = (NEIGHBOURS + 1) / served
    assert statistics.median(neighbour.latencies) <= 2 * turn, "one token's connections take no more than their turn"
    assert most - before <= MOST_MB
    assert recovered <= NORMAL_AGAIN_S
    ledger, _ = stores.open_stores(cloud.home)
    sold = Counter(counted.entry.invoice_id for counted in ledger.scan())
    for till in [alone, *few, *some, neighbour, *many, beside]:
        assert all(sold[invoice_id] == 1 for invoice_id in till.accepted)
    cloud.audit()
    tell(
        "overload",
        served=round(served),
        clients=len(many),
        answers=sum(answers.values()),
        turned_away=answers[429] + answers[503],
        neighbours=NEIGHBOURS,
        alone_ms=round(usual * 1e3),
        neighbour_ms=round(statistics.median(neighbour.latencies) * 1e3),
        beside_ms=round(statistics.median(beside.latencies) * 1e3),
        more_mb=round(most - before),
        recovered_ms=round(recovered * 1e3),
    )
