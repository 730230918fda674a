"""The ledger of a simulated world: moto's DynamoDB, without a network and without moto's mocks."""

from __future__ import annotations

import base64
import copy
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.core.request import normalize_request
from moto.core.responses import ActionResult
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler

from lifecycle.clients import response
from lifecycle.stack_parts import ACCOUNT

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from moto.core.common_types import TYPE_RESPONSE

    from lifecycle.clock import SimulatedClock
    from lifecycle.history import History

TABLE = "ledger"
"""The name of the table, as ``LEDGER_TABLE_NAME`` tells it."""

_REGION = "us-east-1"
_READS = frozenset({"GetItem", "BatchGetItem", "Query"})
_WRITES = frozenset({"PutItem", "DeleteItem"})
_KEYS = ("pk", "sk")
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
    :ivar page: how many items a Query or BatchGetItem answers at most; None: as DynamoDB does.
    """

    def __init__(self, clock: SimulatedClock, history: History) -> None:
        self._clock = clock
        self._history = history
        self._backend = DynamoDBBackend(_REGION, ACCOUNT)
        self.calls: list[LedgerCall] = []
        self.page: int | None = None
        self.create_table()

    # For the provider

    def answer(self, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        """Answer one call."""
        if operation not in _READS | _WRITES:
            raise NotImplementedError(f"the provider has no business calling {operation}")
        assert isinstance(request.body, bytes), "boto3 sends DynamoDB's requests from memory"
        body: Item = json.loads(request.body)
        self._check(operation, body)
        status, headers, text = _Handler(self._backend, self.page).respond(request)
        self._history.note("ledger", f"{operation} {_told(body)} -> {status} {_code(text)}")
        self.calls.append(
            LedgerCall(time=self._clock.time(), operation=operation, body=body, status=status)
        )
        return response(request, status, text, headers)

    def writes_since(self, mark: int) -> list[LedgerCall]:
        """Return the calls after the first *mark* ones that changed something, or tried to."""
        return [call for call in self.calls[mark:] if call.writes]

    # For tests

    def items(self) -> list[Item]:
        """Return all items as plain values, in the order of their keys."""
        found = [
            {name: _plain(value) for name, value in item.to_json()["Attributes"].items()}
            for item in self._backend.tables[TABLE].all_items()
        ]
        return sorted(found, key=lambda item: (item["pk"], item["sk"]))

    def claims(self) -> list[Item]:
        """Return the claims."""
        return [item for item in self.items() if item["sk"].startswith("claim#")]

    def empty(self) -> None:
        """Lose everything in the table."""
        self._backend.tables[TABLE].items.clear()

    def delete_table(self) -> None:
        """Delete the table."""
        self._backend.delete_table(TABLE)

    def create_table(self) -> None:
        """Make the table, with the keys of the contract."""
        self._backend.create_table(
            TABLE,
            schema=[
                {"AttributeName": name, "KeyType": kind}
                for name, kind in zip(_KEYS, ("HASH", "RANGE"), strict=True)
            ],
            throughput=None,
            attr=[{"AttributeName": name, "AttributeType": "S"} for name in _KEYS],
            global_indexes=None,
            indexes=None,
            streams=None,
            billing_mode="PAY_PER_REQUEST",
            sse_specification=None,
            tags=[],
            deletion_protection_enabled=False,
            warm_throughput=None,
        )
        self._backend.update_time_to_live(TABLE, {"Enabled": True, "AttributeName": "expires_at"})

    def snapshot(self) -> Snapshot:
        """Return what :meth:`restore` takes."""
        return copy.deepcopy(self._backend.tables[TABLE].items)

    def restore(self, snapshot: Snapshot) -> None:
        """Bring the table back to an earlier state."""
        self._backend.tables[TABLE].items = copy.deepcopy(snapshot)

    def put(self, item: Item) -> None:
        """Write an item of plain values out of band."""
        typed = {name: _typed(value) for name, value in item.items()}
        self._backend.put_item(TABLE, typed)

    def remove(self, pk: str, sk: str) -> None:
        """Delete an item out of band."""
        self._backend.delete_item(TABLE, {"pk": {"S": pk}, "sk": {"S": sk}}, {}, {}, None)

    def _check(self, operation: str, body: Item) -> None:
        asked = body["RequestItems"].get(TABLE, {}) if operation == "BatchGetItem" else body
        if operation in _READS and asked.get("ConsistentRead") is not True:
            self._history.broken(f"a {operation} of the ledger is only eventually consistent")


class _Handler(DynamoHandler):
    """Moto's handlers on a table of our own, with answers that are spelled out fast."""

    def __init__(self, backend: DynamoDBBackend, page: int | None) -> None:
        super().__init__()
        self._own = backend
        self._page = page

    @property
    def dynamodb_backend(self) -> DynamoDBBackend:
        return self._own

    def respond(self, request: AWSPreparedRequest) -> tuple[int, dict[str, str], str]:
        """Answer *request*."""
        status, headers, body = self._dispatch(normalize_request(request), request.url, {})
        text = body.decode() if isinstance(body, bytes) else str(body)
        return int(status), {name: str(value) for name, value in headers.items()}, text

    def query(self) -> ActionResult:
        """Answer with a page."""
        if self._page is not None:
            self.body = {"Limit": self._page, **self.body}
        return super().query()

    def batch_get_item(self) -> ActionResult:
        """Answer a part, and leave the rest unprocessed."""
        ((table, asked),) = self.body["RequestItems"].items()
        rest = asked["Keys"][self._page :] if self._page is not None else []
        if not rest:
            return super().batch_get_item()
        kept = {**asked, "Keys": asked["Keys"][: self._page]}
        self.body = {**self.body, "RequestItems": {table: kept}}
        answer: dict[str, Any] = super().batch_get_item().result  # type: ignore[assignment]
        left = {**asked, "Keys": rest}
        return ActionResult({**answer, "UnprocessedKeys": {table: left}})

    def serialized(self, action_result: ActionResult) -> TYPE_RESPONSE:
        """Spell out an answer; moto's own way takes most of its time."""
        if isinstance(action_result.result, Exception):
            return super().serialized(action_result)
        return 200, {}, json.dumps(action_result.result, default=_base64)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


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
    return bytes(held) if kind == "B" else held


def _typed(value: Any) -> Item:
    match value:
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
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


def _code(text: str) -> str:
    return str(json.loads(text).get("__type", "")).rpartition("#")[2] if "__type" in text else ""
