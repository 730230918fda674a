"""The table of the simulated worlds answers as moto's DynamoDB does, which is slower."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from lifecycle.dynamodb import DynamoDBError, Table
from lifecycle.ledger import TABLE
from lifecycle.under_test import emulated_world
from tables import LEDGER_KEYS, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb.client import DynamoDBClient

_NUMBERS = st.sampled_from(("0", "1", "1800000000.25")).map(lambda it: {"N": it})
_TEXTS = st.sampled_from(("mine", "theirs")).map(lambda it: {"S": it})
_KEYS = st.fixed_dictionaries(
    {
        "pk": st.sampled_from(("group#a", "group#ab")).map(lambda it: {"S": it}),
        "sk": st.sampled_from(("claim#a", "claim#b", "lease")).map(lambda it: {"S": it}),
    }
)
_VALUES: dict[str, Any] = {
    "revision": _NUMBERS,
    "held_until": _NUMBERS,
    "holder": _TEXTS,
    "began": _TEXTS,
    "repeated": st.booleans().map(lambda it: {"BOOL": it}),
    "claim": _KEYS.map(lambda it: {"M": it}),
    "users": st.binary(min_size=1, max_size=32).map(lambda it: {"B": it}),
}
_CONDITIONS: Any = {
    "attribute_not_exists(pk)": {},
    "revision = :seen": {":seen": _VALUES["revision"]},
    "holder = :me": {":me": _VALUES["holder"]},
    "claim = :claim": {":claim": _VALUES["claim"]},
    "attribute_not_exists(pk) OR holder = :me OR held_until < :now": {
        ":me": _VALUES["holder"],
        ":now": _VALUES["held_until"],
    },
    "attribute_not_exists(pk) OR claim = :claim OR began <> :began OR repeated = :repeated": {
        f":{name}": _VALUES[name] for name in ("claim", "began", "repeated")
    },
}
"""What the provider asks, and other values than it has."""


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    text, values = draw(st.sampled_from((None, *_CONDITIONS.items()))) or (None, {})
    if text is None:
        return {}
    told = {name: draw(value) for name, value in values.items()}
    return {
        "ConditionExpression": text,
        **({"ExpressionAttributeValues": told} if told else {}),
    }


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    key = draw(_KEYS)
    match draw(st.sampled_from(("GetItem", "PutItem", "PutItem", "DeleteItem", "Query", "Scan"))):
        case "GetItem":
            return "get_item", {"Key": key, "ConsistentRead": True}
        case "PutItem":
            item = {**draw(st.fixed_dictionaries(_VALUES)), **key}
            return "put_item", {"Item": item, **draw(conditions())}
        case "DeleteItem":
            return "delete_item", {"Key": key, **draw(conditions())}
        case "Query":
            prefix = draw(st.sampled_from(("claim#", "claim#a", "lease")))
            values = {":pk": key["pk"], ":prefix": {"S": prefix}}
            expression = "pk = :pk AND begins_with(sk, :prefix)"
            asked = {"KeyConditionExpression": expression, "ExpressionAttributeValues": values}
            return "query", asked
        case _:
            return "scan", {"ProjectionExpression": "pk, sk, holder"}


@pytest.fixture(scope="module")
def moto() -> Iterator[DynamoDBClient]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        yield boto3.client("dynamodb", region_name="us-east-1")


def spelled(told: Any) -> Any:
    """Return what was told as JSON has it, in the order of the keys."""

    def plain(value: bytes) -> str:
        return base64.b64encode(value).decode()

    answer: dict[str, Any] = json.loads(json.dumps(told, default=plain))
    answer.pop("ResponseMetadata", None)
    if "Items" in answer:
        answer["Items"].sort(key=lambda item: (item["pk"]["S"], item["sk"]["S"]))
    return answer


def ask_moto(client: DynamoDBClient, method: str, request: dict[str, Any]) -> Any:
    try:
        return spelled(getattr(client, method)(TableName=TABLE, **request))
    except ClientError as error:
        return error.response.get("Error", {}).get("Code")


def ask_ours(table: Table, method: str, request: dict[str, Any]) -> Any:
    operation = method.title().replace("_", "")
    try:
        return spelled(table.answer(operation, spelled({"TableName": TABLE, **request})))
    except DynamoDBError as error:
        return error.code


@settings(max_examples=50)
@given(st.lists(requests(), min_size=3, max_size=12))
def test_it_answers_as_moto_does(
    moto: DynamoDBClient, asked: list[tuple[str, dict[str, Any]]]
) -> None:
    make_table(moto, TABLE, *LEDGER_KEYS)
    try:
        table = Table(TABLE)
        for method, request in asked:
            assert ask_ours(table, method, request) == ask_moto(moto, method, request), method
    finally:
        moto.delete_table(TableName=TABLE)


_KEY: Any = {"pk": {"S": "group#a"}, "sk": {"S": "claim#b"}}
_LARGE: Any = {**_KEY, "users": {"B": bytes(410_000)}}


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("get_item", {"Key": {"pk": {"S": "group#a"}}}),
        ("put_item", {"Item": {"pk": {"S": "group#a"}}}),
        ("put_item", {"Item": _LARGE}),
    ],
)
def test_it_refuses_what_moto_refuses(
    moto: DynamoDBClient, method: str, request_: dict[str, Any]
) -> None:
    make_table(moto, TABLE, *LEDGER_KEYS)
    theirs = ask_moto(moto, method, request_)
    moto.delete_table(TableName=TABLE)
    assert ask_ours(Table(TABLE), method, request_) == theirs == "ValidationException"


def test_it_refuses_values_that_are_not_used_as_dynamodb_does_and_moto_does_not() -> None:
    condition = {
        "ConditionExpression": "attribute_not_exists(pk)",
        "ExpressionAttributeValues": {":unused": {"S": "x"}},
    }
    assert ask_ours(Table(TABLE), "put_item", {"Item": _KEY, **condition}) == "ValidationException"


def test_pages_of_many_and_of_large_items_are_the_same(moto: DynamoDBClient) -> None:
    make_table(moto, TABLE, *LEDGER_KEYS)
    table = Table(TABLE)
    for number in range(9):
        item = {**_KEY, "sk": {"S": f"claim#{number}"}, "users": {"B": bytes(200_000)}}
        assert ask_moto(moto, "put_item", {"Item": item}) == {}
        assert ask_ours(table, "put_item", {"Item": item}) == {}
    for limit in ({}, {"Limit": 2}):
        query: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": {":pk": _KEY["pk"], ":prefix": {"S": "claim#"}},
            **limit,
        }
        pages = 0
        while True:
            page = ask_moto(moto, "query", query)
            assert ask_ours(table, "query", query) == page
            pages += 1
            if "LastEvaluatedKey" not in page:
                break
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        assert pages > 2
    moto.delete_table(TableName=TABLE)


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("UpdateItem", {"Key": _KEY}),
        ("PutItem", {"Item": _KEY, "ReturnValues": "ALL_OLD"}),
        ("PutItem", {"Item": _KEY, "ConditionExpression": "size(pk) = :x"}),
        ("Query", {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {}}),
    ],
)
def test_it_does_not_guess(operation: str, request_: dict[str, Any]) -> None:
    if ":x" in str(request_):
        request_ = {**request_, "ExpressionAttributeValues": {":x": {"N": "1"}}}
    with pytest.raises(NotImplementedError):
        Table(TABLE).answer(operation, {"TableName": TABLE, **request_})


def test_another_table_is_not_found() -> None:
    client = emulated_world().clients("dynamodb", "us-east-1")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_item(TableName="other", Key=_KEY, ConsistentRead=True)
