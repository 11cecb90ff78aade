"""The routes of operations: what the streams' consumers gave up on, and healing it."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from functions.api.answers import MsgspecResponse, answers, refused
from tidemark.dead_letters import Depth, Redrive, Redriven

REDRIVE_S = 15.0  # API Gateway waits 29 s, and one consumer may take some of them

QUEUES = {
    "queues": [{"consumer": "archive", "waiting": 1, "in_work": 0}, {"consumer": "publish", "waiting": 0, "in_work": 0}]
}
REDRIVEN = {
    "healed": [{"consumer": "archive", "letters": 1, "items": 412, "problem": None}],
    "queues": [
        {"consumer": "archive", "waiting": 0, "in_work": 0},
        {"consumer": "publish", "waiting": 0, "in_work": 0},
    ],
}


class Queues(msgspec.Struct, frozen=True):
    """How much lies in each consumer's queue of dead letters."""

    queues: list[Depth]


def routes(redrive: Redrive, seconds: Callable[[], float] = time.monotonic) -> APIRouter:
    """The routes."""
    router = APIRouter(default_response_class=MsgspecResponse)

    @router.get(
        "/v1/operations",
        summary="What the streams' consumers gave up on",
        responses={**answers("The queues", Queues, example=QUEUES), 503: refused("Not now; ask again")},
    )
    def get_operations() -> Response:
        """How many dead letters wait, by consumer; each stands for a batch of changes. None is how it should be."""
        return MsgspecResponse(Queues(redrive.depths()))

    @router.post(
        "/v1/operations/redrive",
        summary="Heal what the streams' consumers gave up on",
        responses={
            **answers("What was done", Redriven, example=REDRIVEN),
            403: refused("Only an admin token may do this"),
            503: refused("Not now; ask again"),
        },
    )
    def post_redrive() -> Response:
        """Each consumer is given once more what ledger or cells hold of the time; a letter goes only after that has
        succeeded. Again is harmless. Where there is too much for one request, `problem` says so."""
        ends = seconds() + REDRIVE_S
        return MsgspecResponse(redrive.run(lambda: ends - seconds()))

    return router
