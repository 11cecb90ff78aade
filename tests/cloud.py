"""The local cloud as its users see it: HTTP and the command line."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import httpx
import psutil

from tidemark import data
from tidemark.lake_audit import audit_lake
from tidemark.local import services, stores
from tidemark.local.home import Home, free_port
from tidemark.local.supervisor import Supervisor, answers, wait_until
from tidemark.local.up import sign_in_link
from tidemark.settings import variable

TIDEMARK = Path(sys.executable).parent / "tidemark"


class LiveServer:
    """A ws_server that a test started."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process
        self.address = f"http://127.0.0.1:{port}"

    def answers(self) -> bool:
        """Whether it serves."""
        try:
            return httpx.get(f"{self.address}/healthz", timeout=10).status_code == 200
        except httpx.TransportError:
            return False


class Cloud:
    """A running local cloud."""

    def __init__(self, home: Home, environment: dict[str, str]) -> None:
        self.home = home
        self.environment = environment
        state = home.state()
        self.api = state.endpoints["api"]
        self.tokens = state.tokens
        self.live = state.endpoints["live"].split("/signin")[0]

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`tidemark WORDS`."""
        return subprocess.run(
            [str(TIDEMARK), *words], env=self.environment, capture_output=True, text=True, check=check
        )

    def start(self, *words: str, says: IO[str] | None = None) -> subprocess.Popen[bytes]:
        """`tidemark WORDS`, going on by itself. `says`: the file that gets its words."""
        to = says or subprocess.DEVNULL
        return subprocess.Popen([str(TIDEMARK), *words], env=self.environment, stdout=to, stderr=to)

    def simulate(self, *words: str) -> dict[str, Any]:
        """The summary of `tidemark simulate`."""
        summary: dict[str, Any] = json.loads(self.run("simulate", "--json", *words).stdout)
        return summary

    def get(self, path: str, token: str | None = None, **query: Any) -> httpx.Response:
        """A GET with the read token, or another."""
        return httpx.get(
            f"{self.api}{path}",
            params=query,
            headers={"Authorization": f"Bearer {token or self.tokens['read']}"},
            timeout=30,
        )

    def kpis(self, **query: Any) -> dict[str, Any]:
        """The KPIs."""
        answer = self.get("/v1/kpis", **query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def snapshot(self) -> dict[str, Any]:
        """What the live page is given; empty while ws_server does not answer."""
        try:
            answer = httpx.get(
                f"{self.live}/snapshot", headers={"Authorization": f"Bearer {self.tokens['read']}"}, timeout=20
            )
        except httpx.TransportError:
            return {"names": [], "cells": []}
        found: dict[str, Any] = answer.json()
        return found

    def post(self, content: bytes | dict[str, Any], token: str | None = None) -> httpx.Response:
        """POST /v1/sales with the ingest token, or another."""
        return httpx.post(
            f"{self.api}/v1/sales",
            content=content if isinstance(content, bytes) else json.dumps(content).encode(),
            headers={"Authorization": f"Bearer {token or self.tokens['ingest']}", "Content-Type": "application/json"},
            timeout=40,
        )

    def sign_in_link(self, live: str | None = None) -> str:
        """A link that signs one browser in, at another address than the live page's own where one is given."""
        return sign_in_link(live or self.live, self.tokens["read"])

    @contextlib.contextmanager
    def another_live_page(self, **settings: Any) -> Iterator[LiveServer]:
        """One more ws_server beside the one that runs, with other settings."""
        port = free_port()
        stack = stores.running(self.home)
        service = services.live_page(
            self.home, port, self.home.port("redis"), self.home.port("ministack"), stack, "another server"
        )
        variables = {variable(name): str(value) for name, value in settings.items()}
        process = subprocess.Popen(service.command, env={**os.environ, **service.environment, **variables})
        server = LiveServer(port, process)
        try:
            wait_until(server.answers, "another live page", seconds=30)
            yield server
        finally:
            process.kill()
            process.wait()

    def process(self, service: str) -> psutil.Process:
        """A service's process."""
        return psutil.Process(Supervisor(self.home).states()[service][1])

    def kill(self, service: str) -> None:
        """End a service as a crash does."""
        self.process(service).kill()

    def restart(self, service: str) -> None:
        """Kill a service and wait until its successor answers."""
        old = self.process(service).pid
        self.kill(service)
        wait_until(lambda: Supervisor(self.home).states()[service][1] not in (0, old), service, seconds=20)
        wait_until(self._live_answers, "the live page", seconds=20)

    def restart_emulator(self) -> None:
        """ministack ends of itself, and is begun again with what it kept."""
        process = self.process("ministack")
        process.terminate()
        process.wait(60)
        address = f"http://127.0.0.1:{self.home.port('ministack')}"
        wait_until(lambda: answers(f"{address}/_ministack/health"), "ministack to answer again", seconds=60)

    def _live_answers(self) -> bool:
        try:
            return httpx.get(f"{self.live}/healthz", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def forget_sales(self) -> None:
        """Empty the tables behind the running Lambdas' backs: whatever they remember is wrong from now on."""
        outputs = stores.running(self.home)
        dynamodb = stores.client(self.home, "dynamodb")
        lake = stores.open_lake(self.home)
        audit_lake(stores.open_stores(self.home)[0], lake, self.home.lake_mirror)  # nothing is on its way any more
        for table in (outputs["LedgerTable"], outputs["CellsTable"], outputs["HistoryTable"]):
            keys = [key["AttributeName"] for key in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]
            for page in dynamodb.get_paginator("scan").paginate(TableName=table):
                gone = [{"DeleteRequest": {"Key": {key: item[key] for key in keys}}} for item in page["Items"]]
                for start in range(0, len(gone), 25):
                    dynamodb.batch_write_item(RequestItems={table: gone[start : start + 25]})
        lake.remove(lake.keys())

    def audit(self) -> dict[str, Any]:
        """What the audit found; it must agree."""
        done = self.run("audit", "--json", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        counters: dict[str, Any] = found["counters"]
        assert found["lake"]["missing"] == found["lake"]["different"] == found["lake"]["unknown"] == []
        return counters


def sales_file() -> Path | None:
    """The real supermarket file, where it is here."""
    return data.find("supermarket_sales.csv")
