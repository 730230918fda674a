"""The ledger of a simulated world: what the provider asks of it, and what tests see in it."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifecycle.clients import json_error, response
from lifecycle.dynamodb import DynamoDBError, Table

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from lifecycle.clock import SimulatedClock
    from lifecycle.history import History

TABLE = "ledger"
"""The name of the table, as ``LEDGER_TABLE_NAME`` tells it."""

_READS = frozenset({"GetItem", "Query"})
_WRITES = frozenset({"PutItem", "DeleteItem"})
_UUID_BYTES = 16

Item = dict[str, Any]
Snapshot = Any


def writes_ledger(operation: str) -> bool:
    """Whether a DynamoDB *operation* changes something."""
    return operation not in _READS


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCall:
    """A call that reached the table."""

    time: float
    operation: str
    body: Item
    status: int

    @property
    def writes(self) -> bool:
        """Whether the operation changes something."""
        return writes_ledger(self.operation)


class Ledger:
    """Answers DynamoDB's requests, and lets tests look and meddle behind the provider's back.

    :ivar calls: what reached the table.
    :ivar page: how many items a Query answers at most; None: as DynamoDB does.
    """

    def __init__(self, clock: SimulatedClock, history: History) -> None:
        self._clock = clock
        self._history = history
        self._table = Table(TABLE)
        self.calls: list[LedgerCall] = []
        self.page: int | None = None

    # For the provider

    def answer(self, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        """Answer one call."""
        if operation not in _READS | _WRITES:
            raise NotImplementedError(f"the provider has no business calling {operation}")
        assert isinstance(request.body, bytes), "boto3 sends DynamoDB's requests from memory"
        body: Item = json.loads(request.body)
        self._check(operation, body)
        limit = {"Limit": self.page} if operation == "Query" and self.page else {}
        code, status = "", 200
        try:
            told = self._table.answer(operation, {**limit, **body})
        except DynamoDBError as error:
            code, status = error.code, 400
            answer = json_error(request, status, code, str(error))
        else:
            answer = response(request, status, json.dumps(told), {})
        self._history.note("ledger", f"{operation} {_told(body)} -> {status} {code}")
        self.calls.append(
            LedgerCall(time=self._clock.time(), operation=operation, body=body, status=status)
        )
        return answer

    def writes_since(self, mark: int) -> list[LedgerCall]:
        """Return the calls after the first *mark* ones that changed something, or tried to."""
        return [call for call in self.calls[mark:] if call.writes]

    # For tests

    def mentions(self, text: str) -> bool:
        """Whether *text* was ever written."""
        return any(
            call.writes and call.status == 200 and text in json.dumps(call.body)
            for call in self.calls
        )

    def items(self) -> list[Item]:
        """Return all items as plain values, in the order of their keys."""
        items = self._table.items
        return [
            {name: _plain(value) for name, value in items[key].items()} for key in sorted(items)
        ]

    def claims(self) -> list[Item]:
        """Return the claims."""
        return [item for item in self.items() if item["sk"].startswith("claim#")]

    def empty(self) -> None:
        """Lose everything in the table."""
        self._table.items.clear()

    def delete_table(self) -> None:
        """Delete the table."""
        self._table.exists = False

    def create_table(self) -> None:
        """Make the table anew, with nothing in it."""
        self._table = Table(TABLE)

    def snapshot(self) -> Snapshot:
        """Return what :meth:`restore` takes."""
        return dict(self._table.items)  # a write replaces an item, and changes none

    def restore(self, snapshot: Snapshot) -> None:
        """Bring the table back to an earlier state."""
        self._table.items = dict(snapshot)

    def put(self, item: Item) -> None:
        """Write an item of plain values out of band."""
        self._table.items[item["pk"], item["sk"]] = {
            name: _typed(value) for name, value in item.items()
        }

    def remove(self, pk: str, sk: str) -> None:
        """Delete an item out of band."""
        del self._table.items[pk, sk]

    def _check(self, operation: str, body: Item) -> None:
        if operation in _READS and body.get("ConsistentRead") is not True:
            self._history.broken(f"a {operation} of the ledger is only eventually consistent")


def _plain(value: Item) -> Any:
    ((kind, held),) = value.items()
    if kind == "N":
        return float(held) if "." in held else int(held)
    if kind == "L":
        return [_plain(item) for item in held]
    if kind == "M":
        return {name: _plain(item) for name, item in held.items()}
    if kind == "NULL":
        return None
    return base64.b64decode(held) if kind == "B" else held


def _typed(value: Any) -> Item:
    match value:
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": str(value)}
        case bytes():
            return {"B": base64.b64encode(value).decode()}
        case list():
            return {"L": [_typed(item) for item in value]}
        case dict():
            return {"M": {name: _typed(item) for name, item in value.items()}}
        case None:
            return {"NULL": True}
    return {"S": str(value)}


_UNTOLD = frozenset(("pk", "sk", "instance", "began", "since", "revision", "expires_at"))


def _told(body: Item) -> str:
    """Return what a request is about, for people."""
    if "Item" in body:
        values = {name: _told_value(value) for name, value in body["Item"].items()}
        told = [
            f"{name}={value}"
            for name, value in values.items()
            if name not in _UNTOLD and value not in ("False", "0")
        ]
        return f"{_told_key(values.get('pk', ''), values.get('sk', ''))} {' '.join(told)}"
    if "Key" in body:
        return _told_key(*(value["S"] for value in body["Key"].values()))
    if "ExpressionAttributeValues" in body:
        return " ".join(map(_told_value, body["ExpressionAttributeValues"].values()))
    return json.dumps(body)[:200]


def _told_key(pk: str, sk: str) -> str:
    return f"{pk} {sk.rpartition('/')[2]}"


def _told_value(value: Item) -> str:
    if "B" not in value:
        return str(next(iter(value.values())))
    held = base64.b64decode(value["B"])
    if len(held) % _UUID_BYTES:
        return f"{len(held)} bytes"
    users = [
        str(uuid.UUID(bytes=held[start : start + _UUID_BYTES]))
        for start in range(0, min(len(held), 8 * _UUID_BYTES), _UUID_BYTES)
    ]
    more = ["…"] if len(held) > len(users) * _UUID_BYTES else []
    return f"[{' '.join(users + more)}]"
