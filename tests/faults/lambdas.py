"""Lambdas' environments: a handler loaded anew, whose every call of another service is a point where it may be paused,
killed or lied to."""

from __future__ import annotations

import importlib.util
import itertools
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import botocore.session
import msgspec
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from tests.property.stepwise import Processes
from tidemark.adapters import redis_stream
from tidemark.cells import Cell
from tidemark.deployment.cdk import ROOT
from tidemark.errors import Unavailable
from tidemark.ledger import Entry
from tidemark.ports import LiveStream

_numbers = itertools.count()
WRITES = {"TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PutObject", "DeleteObject"}


class Fault(Enum):
    """What happens to one write."""

    CONFLICT = "TransactionConflict: another transaction holds an item; what is no transaction is throttled"
    THROTTLED = "ThrottlingException"
    BROKEN = "an error of the store's own, and nothing happened"
    LOST_REQUEST = "it never arrives, nobody says so"
    LOST_ANSWER = "it lands, its answer is lost"
    LATE = "nobody answers, and it lands some time later"


class Time:
    """A clock that only sleeping moves; whoever sleeps lets others go on. `skew_s`: how wrong it is."""

    def __init__(self, processes: Processes, began_s: float) -> None:
        self._processes = processes
        self.now_s = began_s
        self.skew_s = 0.0

    def time(self) -> float:
        return self.now_s + self.skew_s

    def time_ns(self) -> int:
        return int(self.time() * 1e9)

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += max(seconds, 0.001)
        self._processes.pause()


class Wire:
    """Between the Lambdas and the emulator: each request may be met by a fault, and both sides of it are a pause."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._http = URLLib3Session(socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)])  # type: ignore[list-item]
        self.faults: list[Fault] = []
        self.late: list[AWSPreparedRequest] = []
        self.away = {"dynamodb": 0, "s3": 0}
        self.points = 0

    def listen(self, session: botocore.session.Session) -> None:
        """Stand between this session's clients and the emulator."""
        session.register("before-send", lambda **sent: self._send(sent["request"], sent["event_name"]))

    def _send(self, request: Any, event_name: str) -> Any:
        _, service, operation = event_name.split(".")
        self._point()
        if self.away[service]:
            self.away[service] -= 1
            raise EndpointConnectionError(endpoint_url=request.url)
        fault = self.faults.pop(0) if self.faults and operation in WRITES else None
        if fault in (Fault.CONFLICT, Fault.THROTTLED, Fault.BROKEN):
            return _refusal(request, service, operation, fault)
        if fault is Fault.LATE:
            self.late.append(_kept(request))
        if fault in (Fault.LATE, Fault.LOST_REQUEST):
            raise ReadTimeoutError(endpoint_url=request.url)
        answer = self._http.send(request)
        self._point()
        if fault is Fault.LOST_ANSWER:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    def _point(self) -> None:
        self.points += 1
        self._processes.pause()

    def close(self) -> None:
        """Nothing more is sent."""
        self._http.close()

    def land_late(self, number: int) -> None:
        """An old request arrives at last; nobody listens to its answer."""
        self._http.send(self.late.pop(number % len(self.late)))


def _kept(request: Any) -> AWSPreparedRequest:
    """The same, whatever becomes of the body's stream meanwhile."""
    body = request.body
    if hasattr(body, "read"):
        body = body.read()
        request.reset_stream()
    return AWSPreparedRequest(request.method, request.url, request.headers, body, request.stream_output)


def _refusal(request: Any, service: str, operation: str, fault: Fault) -> Any:
    if service == "s3":
        content = b"<Error><Code>SlowDown</Code><Message>less, please</Message></Error>"
        return _answer(request, 503, "application/xml", content)
    if fault is Fault.BROKEN:
        found: dict[str, Any] = {"__type": "InternalServerError", "message": "it is us"}
    elif fault is Fault.CONFLICT and operation == "TransactWriteItems":
        found = {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
            "CancellationReasons": [
                {"Code": "TransactionConflict" if place == 0 else "None"}
                for place, _ in enumerate(msgspec.json.decode(request.body)["TransactItems"])
            ],
        }
    else:
        found = {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "less, please"}
    return _answer(
        request, 500 if fault is Fault.BROKEN else 400, "application/x-amz-json-1.0", msgspec.json.encode(found)
    )


def _answer(request: Any, status: int, kind: str, content: bytes) -> AWSResponse:
    headers: Any = {"content-type": kind}
    return AWSResponse(request.url, status, headers, _Raw(content))


class _Raw:
    """A body as a client reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


class UnsureStream(LiveStream):
    """A live stream that is away, or loses what it is told, as often as it is told to."""

    def __init__(self, inner: LiveStream, processes: Processes, troubles: list[str]) -> None:
        self._inner = inner
        self._processes = processes
        self._troubles = troubles

    def publish(self, cells: Any, anomalies: Any, *, request: str = "", committed_at: int = 0) -> None:
        self._processes.pause()
        trouble = self._troubles.pop(0) if self._troubles else ""
        if trouble == "away":
            raise Unavailable("the live stream does not answer")
        told: tuple[list[Cell], list[Entry]] = (list(cells), list(anomalies))
        if trouble != "lost":
            self._inner.publish(*told, request=request, committed_at=committed_at)
        self._processes.pause()


class Lambda:
    """One Lambda with its environments: which are begun when they are asked, and gone when they are killed."""

    def __init__(
        self,
        name: str,
        variables: Mapping[str, str],
        session: botocore.session.Session,
        clock: Time,
        timeout_s: float,
        stream: Callable[[LiveStream], LiveStream] = lambda inner: inner,
    ) -> None:
        self.name = name
        self._variables = variables
        self._session = session
        self._clock = clock
        self._timeout_s = timeout_s
        self._stream = stream
        self._environments: dict[int, ModuleType] = {}

    def environment(self, place: int) -> ModuleType:
        """The handler's module of one environment."""
        if place not in self._environments:
            self._environments[place] = self._load()
        return self._environments[place]

    def kill(self, place: int) -> None:
        """What an environment had in memory is gone."""
        self._environments.pop(place, None)

    def invoke(self, place: int, event: Any) -> Any:
        """One invocation. Raises what the handler raises."""
        ends = self._clock.monotonic() + self._timeout_s
        context = SimpleNamespace(
            function_name=self.name,
            memory_limit_in_mb=512,
            invoked_function_arn=f"arn:aws:lambda:eu-west-1:000000000000:function:{self.name}",
            aws_request_id=f"{next(_numbers)}",
            get_remaining_time_in_millis=lambda: int((ends - self._clock.monotonic()) * 1000),
        )
        return self.environment(place).handler(event, context)

    def _load(self) -> ModuleType:
        path = ROOT / "functions" / self.name / "handler.py"
        spec = importlib.util.spec_from_file_location(f"faulty_{self.name}_{next(_numbers)}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        connect = redis_stream.connect
        with (
            mock.patch.dict(os.environ, self._variables),
            mock.patch.object(botocore.session, "get_session", return_value=self._session),
            mock.patch.object(redis_stream, "connect", lambda url: self._stream(connect(url))),
            mock.patch("time.monotonic", self._clock.monotonic),  # by which a handler asks anew who serves
        ):
            spec.loader.exec_module(module)
        if hasattr(module, "time"):
            module.time = self._clock  # type: ignore[attr-defined]
        return module
