"""ministack, whose streams outlast it. The emulator's own Python runs this file: see `services.emulator`.

At its end ministack writes down how far each consumer has read a table's stream, but not the stream: begun again, it
would skip as many changes as had been read before. Here what is still to be read is written down with the tables.
"""

from __future__ import annotations

import sys
from typing import Any

from ministack.app import main
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import dynamodb, lambda_svc

UNREAD = "tidemark_unread"
"""Where it stands in the state of DynamoDB."""

_tables_state, _load_tables = dynamodb.get_state, dynamodb.load_persisted_state


def keep() -> dict[str, Any]:
    """DynamoDB's state, and of each stream what its slowest consumer has yet to read, with the place that starts at."""
    reached: dict[tuple[str, str, str], int] = {}
    for (account, region, number), consumer in lambda_svc._esms.all_items():
        position = lambda_svc._dynamodb_stream_positions.get_scoped(account, region, number)
        if position is not None:
            name = consumer["EventSourceArn"].split("/")[1]  # arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL
            table = (account, region, name)
            reached[table] = min(position, reached.get(table, position))
    unread = AccountRegionScopedDict()
    for (account, region, name), position in reached.items():
        scope = {"account_id": account, "region": region}
        first = max(position, dynamodb.stream_start_position(name, **scope))
        records = dynamodb.stream_records_since(name, first, sys.maxsize, **scope)
        unread.set_scoped(account, region, name, {"first": first, "records": records})
    return {**_tables_state(), UNREAD: unread}


def load(state: dict[str, Any]) -> None:
    """Begin with what `keep` wrote down."""
    _load_tables(state)
    if UNREAD in state:
        for (account, region, name), kept in state[UNREAD].all_items():
            dynamodb._stream_trimmed.set_scoped(account, region, name, kept["first"])  # until now it seems empty
            dynamodb._stream_records.set_scoped(account, region, name, kept["records"])


dynamodb.get_state, dynamodb.load_persisted_state = keep, load
main()
