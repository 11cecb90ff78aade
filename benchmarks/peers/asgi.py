"""python-socketio's AsyncServer under uvicorn with uvloop.

`python -m benchmarks.peers.asgi PORT RATE SIZE`, in the benchmarks' own environment; ticks after SIGUSR2.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import socketio
import uvicorn

from benchmarks.fan_out import tick


def main(port: int, rate: int, size: int) -> None:
    """Serve."""
    sockets = socketio.AsyncServer(async_mode="asgi")

    async def tell() -> None:
        for wait in tick.waits(rate):
            await sockets.sleep(wait)
            await sockets.emit(tick.EVENT, tick.content(size))

    async def started() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, sockets.start_background_task, tell)

    app = socketio.ASGIApp(sockets, on_startup=started)
    uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", log_level="warning")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
