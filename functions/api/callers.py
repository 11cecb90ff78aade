"""Who asks, and whether the route is theirs: asked before every route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request

from tidemark import access
from tidemark.access import Caller

EVENT = "aws.event"
"""Where Mangum keeps what Lambda was given; without Lambda there is none, and nobody is asked who they are."""


def _caller(request: Request) -> Caller:
    found: Any = getattr(request.state, "caller", None)
    return found or Caller()


Asking = Annotated[Caller, Depends(_caller)]
"""Who asks, for a route that answers by it."""


def allowed(now_ms: Callable[[], int]) -> Callable[[Request], Awaitable[None]]:
    """What raises Unauthorized or Forbidden where the route is not for who asks."""

    async def ask(request: Request) -> None:
        event = request.scope.get(EVENT)
        if event is None:
            return
        caller = request.state.caller = access.caller_of(event, now_ms() / 1000)
        access.allow(caller, request.method, request.scope["route"].path)

    return ask
