"""The Streamlit app for tests: started as `tidemark up` starts it, and an API in memory that it may read."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response

from functions.api import pipelines
from functions.api.answers import MsgspecResponse
from functions.api.app import create_app
from functions.api.results import Results
from tests.pipelines import NOW, champion_of, small_model
from tidemark.adapters.memory import MemoryFeedback, MemoryLedger
from tidemark.adapters.memory_runs import MemoryObjects, MemoryRuns
from tidemark.housing.requests import decode
from tidemark.housing.serving import Serving
from tidemark.local import services
from tidemark.local.home import HOST, free_port
from tidemark.local.supervisor import answers, wait_until
from tidemark.runs import FLOWS
from tidemark.settings import variable
from tidemark.store import Store

NO_TABLES = Path("/nowhere")


class Behind:
    """All that is behind the API, in memory, and the API's own routes over it."""

    def __init__(self) -> None:
        self.runs, self.objects = MemoryRuns(), MemoryObjects()
        for flow in FLOWS:
            self.runs.schedule(flow, 120)
        routes = pipelines.routes(Results(self.runs, self.objects), lambda: NOW)
        self.app: FastAPI = create_app(Store(), MemoryLedger(), MemoryLedger(), MemoryFeedback(), lambda: NOW, routes)
        serving = Serving(self.runs, self.objects, time.monotonic, lambda words: None)

        @self.app.post("/v1/housing/predict")
        async def predict(request: Request) -> Response:
            return MsgspecResponse(serving.answer(decode(await request.body())))

    def crown(self) -> None:
        """Let the small model serve."""
        champion, content = champion_of(small_model())
        self.objects.put(champion.key, content)
        assert self.runs.crown(champion, replacing=None)


@contextlib.contextmanager
def served(app: FastAPI, port: int) -> Iterator[None]:
    """The API at a port of this machine."""
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: answers(f"http://{HOST}:{port}/healthz"), "the API in memory", seconds=20)
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def explorer(api: str, token: str, pages: dict[str, str], tables: Path = NO_TABLES) -> Iterator[str]:
    """The app over an API; `pages`: where Prefect and MLflow are. Gives its address."""
    port = free_port()
    service = services.explorer(port, api, token, pages, tables)
    with _running(service.command, service.environment, f"http://{HOST}:{port}"):
        yield f"http://{HOST}:{port}"


@contextlib.contextmanager
def container(port: int, base: str, log: Path | None = None, /, **given: str) -> Iterator[subprocess.Popen[bytes]]:
    """The app as its container starts it, but at a port of this machine; `base`: its path; `log`: where it writes what
    it has to say; `given`: its settings."""
    command = [sys.executable, "-m", "streamlit_app.serve", "--server.address", HOST, "--server.port", str(port)]
    environment = {variable(name): value for name, value in given.items()}
    with _running(command, environment, f"http://{HOST}:{port}{base}", log) as process:
        yield process


@contextlib.contextmanager
def _running(
    command: list[str], environment: dict[str, str], address: str, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with (log or Path(os.devnull)).open("wb") as said:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=said, stderr=said)
    try:
        wait_until(lambda: answers(f"{address}/_stcore/health"), "the explorer", seconds=60)
        yield process
    finally:
        process.kill()
        process.wait()


class Bridge(httpx.BaseTransport):
    """An API in memory for a client that does not wait for others; `down` while nothing answers."""

    def __init__(self, app: FastAPI) -> None:
        self.down = False
        self.asked: list[str] = []
        self._app = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if self.down:
            raise httpx.ConnectError("refused")
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._app) as client:
            found = await client.request(request.method, request.url, headers=request.headers, content=request.read())
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)
