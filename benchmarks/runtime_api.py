"""A Lambda runtime API for one function: awslambdaric, the true runtime client, asks it for events.

AWS, Lambda runtime API (2018-06-01): GET …/invocation/next, POST …/invocation/ID/response.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PREFIX = "/2018-06-01/runtime/"
RUNTIME = (sys.executable, "-m", "awslambdaric")


class Function:
    """One environment of a Lambda, driven through awslambdaric; a context manager that ends it.

    `start`: the command that starts the runtime client, before the handler's name.
    """

    def __init__(self, bundle: Path, handler: str, environment: dict[str, str], start: Sequence[str] = RUNTIME) -> None:
        self._events: queue.Queue[bytes] = queue.Queue()
        self._answers: queue.Queue[bytes] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler_class())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{self._server.server_address[1]}"
        self.process = subprocess.Popen(
            [*start, handler],
            cwd=bundle,
            env={
                **environment,
                "AWS_LAMBDA_RUNTIME_API": address,
                "AWS_LAMBDA_FUNCTION_NAME": "bench",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
                "PYTHONPATH": str(bundle),
                "PATH": "/usr/bin:/bin",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.errors: list[bytes] = []
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.errors = [*self.errors[-20:], line]

    def __enter__(self) -> Function:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait()
        self._server.shutdown()

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """One invocation, answered; empty where the handler returns nothing."""
        self._events.put(json.dumps(event).encode())
        while True:
            try:
                answer: dict[str, Any] | None = json.loads(self._answers.get(timeout=1))
                if answer and "errorType" in answer:
                    raise RuntimeError(answer)
                return answer or {}
            except queue.Empty:
                if self.process.poll() is not None:
                    raise RuntimeError(b"".join(self.errors).decode()) from None

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        events, answers = self._events, self._answers

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                event = events.get()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", f"{time.time_ns():x}")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 28_000))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:0:function:bench")
                self.send_header("Lambda-Runtime-Trace-Id", "Root=1-0-0;Parent=0;Sampled=0")
                self.send_header("Content-Type", "application/json")  # without it the runtime client crashes
                self.send_header("Content-Length", str(len(event)))
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                # an answer, or why the function could not start or go on
                answers.put(body)

            def log_message(self, *words: object) -> None:
                """Nothing."""

        return Handler
