"""Our server as fan-out measures it: the live page's process, told ticks by a timer in the place of Redis.

`python -m benchmarks.fan_out.live_page [--at-once] PORT RATE SIZE`; ticks after SIGUSR2. Told at once, all clients are
sent the same message one after another, as the peers do it; else in groups, as the ticker does.
"""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402  # after patching
import signal  # noqa: E402
import sys  # noqa: E402

import gevent  # noqa: E402
import msgspec  # noqa: E402
from redis import Redis  # noqa: E402

from benchmarks.fan_out import tick  # noqa: E402
from tidemark.keyring import Keyring  # noqa: E402
from tidemark.settings import LivePageSettings  # noqa: E402
from ws_server.access import Access  # noqa: E402
from ws_server.app import LivePage  # noqa: E402
from ws_server.routes import Routes  # noqa: E402


def main(port: int, rate: int, size: int, *, at_once: bool) -> None:
    """Serve."""
    settings = LivePageSettings(
        ledger_table="",
        cells_table="",
        history_table="",
        quarantine_table="",
        token_secret="",
        port=port,
        max_clients_per_session=10_000,
    )
    page = LivePage(settings, Access(Keyring(lambda: os.environ["SECRET"]), Redis()))
    Routes(page)

    def tell() -> None:
        groups = [page.broadcast] if at_once else [group for group in page.broadcast.groups if len(group)]
        for turn, wait in enumerate(tick.waits(rate * len(groups))):
            gevent.sleep(wait)
            groups[turn % len(groups)].send(tick.EVENT, msgspec.json.encode(tick.content(size)))

    gevent.signal_handler(signal.SIGUSR2, gevent.spawn, tell)
    page.serve()


if __name__ == "__main__":
    main(*map(int, sys.argv[-3:]), at_once="--at-once" in sys.argv)
