"""`python -m ws_server`: serve the live page."""

from gevent import monkey

monkey.patch_all()

import logging  # noqa: E402  # after patching
import signal  # noqa: E402

import gevent  # noqa: E402
from redis import Redis  # noqa: E402
from redis.backoff import NoBackoff  # noqa: E402
from redis.retry import Retry  # noqa: E402

from tidemark import settings  # noqa: E402
from tidemark.adapters import aws  # noqa: E402
from tidemark.adapters.dynamodb import DynamoCells  # noqa: E402
from tidemark.adapters.dynamodb_history import DynamoHistory  # noqa: E402
from tidemark.history.counters import Counters  # noqa: E402
from tidemark.keyring import Keyring  # noqa: E402
from ws_server.access import Access  # noqa: E402
from ws_server.app import LivePage  # noqa: E402
from ws_server.reader import BLOCK_MS, Reader  # noqa: E402
from ws_server.routes import Routes  # noqa: E402

log = logging.getLogger("ws_server")


def main() -> None:
    """Wire the process together and serve until ended."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("ws_server").setLevel(logging.INFO)
    chosen = settings.load(settings.LivePageSettings)
    redis = Redis.from_url(
        chosen.stream_url(),
        socket_timeout=BLOCK_MS / 1000 + 2,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),
    )
    keyring = Keyring(
        lambda: aws.secret(chosen.token_secret), lambda error: log.error("the keys cannot be read again: %s", error)
    )
    page = LivePage(chosen, Access(keyring, redis))
    Routes(page)
    client, zone = aws.dynamodb_reads(), chosen.store_zone
    counters = Counters(DynamoCells(client, chosen), DynamoHistory(client, chosen), zone)
    page.reader = Reader(redis, counters, page.truth, page.ticker, zone, chosen.reload_minutes)
    gevent.spawn(page.reader.run)
    gevent.spawn(page.reader.reload)
    gevent.signal_handler(signal.SIGTERM, lambda: gevent.spawn(page.drain))
    page.serve()


if __name__ == "__main__":
    main()
