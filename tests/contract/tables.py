"""Tables of a test's own."""

from __future__ import annotations

from typing import Any


def clone_table(dynamodb: Any, table: str, name: str, *, stream: bool = False) -> str:
    """An empty table with the keys and indexes of a deployed one, and a stream of its own where that is wanted."""
    found = dynamodb.describe_table(TableName=table)["Table"]
    indexes = [
        {key: index[key] for key in ("IndexName", "KeySchema", "Projection")}
        for index in found.get("GlobalSecondaryIndexes", [])
    ]
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=found["AttributeDefinitions"],
        KeySchema=found["KeySchema"],
        BillingMode="PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
        **({"StreamSpecification": found["StreamSpecification"]} if stream else {}),
    )
    return name
