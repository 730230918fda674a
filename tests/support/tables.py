"""Tables of moto's DynamoDB that are ledgers, or nearly so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

LEDGER_KEYS = ("pk", "sk")


def make_table(client: DynamoDBClient, name: str, *keys: str) -> None:
    """Make a table with string keys, the partition key first."""
    client.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": key, "KeyType": kind}  # type: ignore[typeddict-item] # of two
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )
