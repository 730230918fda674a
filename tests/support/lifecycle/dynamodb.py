"""One table of DynamoDB, as far as the provider and its tools use it.

It refuses whatever it does not know, so that nothing is taken for granted. moto answers the same
and takes many times as long; ``tests/lifecycle/test_dynamodb.py`` compares the two.

Source: `API reference
<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html>`_.
"""

from __future__ import annotations

import json
import operator
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = dict[str, Any]
"""An item as DynamoDB's JSON has it: each value with its type, bytes in base 64."""
Key = tuple[str, str]

_CLAUSE = re.compile(
    r"attribute_not_exists\((?P<absent>\w+)\)|(?P<name>\w+) (?P<compare>=|<>|<) (?P<value>:\w+)"
)
_OF_PARTITION = re.compile(r"pk = (?P<pk>:\w+) AND begins_with\(sk, (?P<prefix>:\w+)\)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
}
_CONDITIONAL = {"ConditionExpression", "ExpressionAttributeValues"}
_PAGED = {"ConsistentRead", "ExclusiveStartKey", "Limit"}
_PARAMETERS = {
    "GetItem": {"Key", "ConsistentRead"},
    "PutItem": {"Item"} | _CONDITIONAL,
    "DeleteItem": {"Key"} | _CONDITIONAL,
    "Query": {"KeyConditionExpression", "ExpressionAttributeValues"} | _PAGED,
    "Scan": {"ProjectionExpression"} | _PAGED,
}
_LARGEST_ITEM = 400_000
_LARGEST_PAGE = 1_000_000


class DynamoDBError(Exception):
    """An error that DynamoDB answers with.

    :ivar code: the error's code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Table:
    """A table with the string keys ``pk`` and ``sk``.

    :param name: its name; requests for another one do not find it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.items: dict[Key, Item] = {}
        self.exists = True

    def answer(self, operation: str, body: Item) -> Item:
        """Carry out a request.

        :param body: the request's parameters.
        :raises DynamoDBError: as DynamoDB does.
        :raises NotImplementedError: nobody has used this until now.
        """
        if operation not in _PARAMETERS:
            raise NotImplementedError(operation)
        unknown = body.keys() - _PARAMETERS[operation] - {"TableName"}
        if unknown:
            raise NotImplementedError(f"{operation} with {', '.join(sorted(unknown))}")
        if not self.exists or body["TableName"] != self._name:
            raise DynamoDBError("ResourceNotFoundException", "Requested resource not found")
        match operation:
            case "GetItem":
                item = self.items.get(_key(body["Key"], alone=True))
                return {} if item is None else {"Item": item}
            case "PutItem":
                self._put(body)
                return {}
            case "DeleteItem":
                key = _key(body["Key"], alone=True)
                _require(body, self.items.get(key, {}))
                self.items.pop(key, None)
                return {}
            case "Query":
                return self._query(body)
            case _:
                return self._scan(body)

    def _put(self, body: Item) -> None:
        key = _key(body["Item"])
        _require(body, self.items.get(key, {}))
        if _size(body["Item"]) > _LARGEST_ITEM:
            raise DynamoDBError(
                "ValidationException", "Item size has exceeded the maximum allowed size"
            )
        self.items[key] = body["Item"]

    def _query(self, body: Item) -> Item:
        found = _OF_PARTITION.fullmatch(body["KeyConditionExpression"])
        if found is None:
            raise NotImplementedError(body["KeyConditionExpression"])
        values = _require_used(body, body["KeyConditionExpression"])
        pk, prefix = values[found["pk"]]["S"], values[found["prefix"]]["S"]
        keys = (key for key in self.items if key[0] == pk and key[1].startswith(prefix))
        return self._page(body, keys)

    def _scan(self, body: Item) -> Item:
        answer = self._page(body, self.items)
        names = [name.strip() for name in body["ProjectionExpression"].split(",")]
        answer["Items"] = [
            {name: item[name] for name in names if name in item} for item in answer["Items"]
        ]
        return answer

    def _page(self, body: Item, keys: Iterable[Key]) -> Item:
        """Return a page of items, and where the next one begins."""
        left = sorted(keys)
        if "ExclusiveStartKey" in body:
            start = _key(body["ExclusiveStartKey"], alone=True)
            left = [key for key in left if key > start]
        page = list(self._fitting(left[: body.get("Limit")]))
        items = [self.items[key] for key in page]
        answer: Item = {"Items": items, "Count": len(page), "ScannedCount": len(page)}
        if len(page) < len(left):
            pk, sk = page[-1]
            answer["LastEvaluatedKey"] = {"pk": {"S": pk}, "sk": {"S": sk}}
        return answer

    def _fitting(self, keys: Iterable[Key]) -> Iterator[Key]:
        size = 0
        for key in keys:
            size += _size(self.items[key])
            if size > _LARGEST_PAGE:
                return
            yield key


def _key(values: Item, *, alone: bool = False) -> Key:
    """Return the key in *values*; *alone*: nothing else may be there."""
    match values:
        case {"pk": {"S": str(pk)}, "sk": {"S": str(sk)}} if not alone or len(values) == 2:
            return pk, sk
    raise DynamoDBError("ValidationException", "The provided key element does not match the schema")


def _require(body: Item, item: Item) -> None:
    """Refuse a write whose condition does not hold for the item that is there."""
    if "ConditionExpression" not in body:
        return
    condition = body["ConditionExpression"]
    values = _require_used(body, condition)
    if not any(_holds(clause, item, values) for clause in condition.split(" OR ")):
        raise DynamoDBError("ConditionalCheckFailedException", "The conditional request failed")


def _require_used(body: Item, expression: str) -> Item:
    """Return the values of an expression, which are those that it uses."""
    values: Item = body.get("ExpressionAttributeValues", {})
    if values.keys() != set(re.findall(r":\w+", expression)):
        raise DynamoDBError("ValidationException", f"{sorted(values)} do not fit {expression}")
    return values


def _holds(text: str, item: Item, values: Item) -> bool:
    clause = _CLAUSE.fullmatch(text)
    if clause is None:
        raise NotImplementedError(text)
    if clause["absent"]:
        return clause["absent"] not in item
    have, want = item.get(clause["name"]), values[clause["value"]]
    if have is None or have.keys() != want.keys():
        # A comparison with what is not there, or is of another type.
        return clause["compare"] == "<>"
    return _COMPARE[clause["compare"]](_comparable(have), _comparable(want))


def _comparable(value: Item) -> Any:
    return Decimal(value["N"]) if "N" in value else next(iter(value.values()))


def _size(item: Item) -> int:
    """Return about how many bytes an item takes, never too few by much."""
    return sum(
        len(name) + (len(value["B"]) * 3 // 4 if "B" in value else len(json.dumps(value)))
        for name, value in item.items()
    )
