"""Flask-SocketIO in gevent mode with gevent-websocket, as its documentation has it.

`python -m benchmarks.peers.flask_gevent PORT RATE SIZE`, in the benchmarks' own environment; ticks after SIGUSR2.
"""

from gevent import monkey

monkey.patch_all()

import signal  # noqa: E402  # after patching
import sys  # noqa: E402

import gevent  # noqa: E402
from flask import Flask  # noqa: E402
from flask_socketio import SocketIO  # noqa: E402

from benchmarks.fan_out import tick  # noqa: E402


def main(port: int, rate: int, size: int) -> None:
    """Serve."""
    app = Flask(__name__)
    sockets = SocketIO(app, async_mode="gevent")

    def tell() -> None:
        for wait in tick.waits(rate):
            sockets.sleep(wait)  # type: ignore[arg-type]  # gevent takes parts of a second
            sockets.emit(tick.EVENT, tick.content(size))

    gevent.signal_handler(signal.SIGUSR2, sockets.start_background_task, tell)
    sockets.run(app, host="127.0.0.1", port=port)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
