"""The ledger: claims as items of a DynamoDB table, and one lease a group or contact.

Every write is conditional, every read consistent. A change states the revision that it was decided
on; whoever comes second reads again and decides again.

Source: `Condition expressions
<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html>`_.
"""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from connect_provider.errors import LedgerError, StillWaiting
from connect_provider.failures import CallError, call
from connect_provider.ledger.claim import ContactClaim, GroupClaim
from connect_provider.ledger.item import CLAIM, contact_key, from_item, group_key, key_of, to_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_dynamodb.client import DynamoDBClient

    from connect_provider.connect.client import Group
    from connect_provider.ledger.claim import Claim, Owner

_C = TypeVar("_C", GroupClaim, ContactClaim)

LEASE_SECONDS = 30.0
"""A killed converger's lease is free again after this time."""
LEASE_RESERVE = 15.0
"""More than one call to Connect can take: a lease with less left is renewed before a write."""

_LEASE = "lease"


class LedgerMissingError(LedgerError):
    """There is no such table."""


class Ledger:
    """The claims in one table.

    :param client: boto3's DynamoDB client.
    :param table: the table's name.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, like: _C) -> _C | None:
        """Return the claim with the key of *like*, as it is now; None if there is none."""
        item = self._call("get_item", Key=_packed(key_of(like)), ConsistentRead=True).get("Item")
        return cast("_C", _unpacked(item)) if item else None

    def of_group(self, group: Group, owner: Owner | None = None) -> list[GroupClaim]:
        """Return the claims on users of *group*, of one resource or of all; tombstones as well."""
        prefix = f"{CLAIM}{owner}#" if owner else CLAIM
        return cast("list[GroupClaim]", self._query(group_key(group), prefix))

    def of_contact(self, instance_id: str, contact_id: str) -> list[ContactClaim]:
        """Return the claims on a contact."""
        claims = self._query(contact_key(instance_id, contact_id), CLAIM)
        return cast("list[ContactClaim]", claims)

    def put(self, claim: _C) -> _C:
        """Write a claim that is not there yet; return the one that is there then."""
        written = self.write(to_item(claim), "attribute_not_exists(pk)")
        return claim if written else self.get(claim) or claim

    def change(self, claim: _C, decide: Callable[[_C], _C | None]) -> _C:
        """Change a claim, and return what it is then.

        :param claim: the claim as it was read.
        :param decide: returns the changed claim; None leaves it alone. It is asked again when
            somebody else has changed the claim in the meantime.
        """
        while True:
            changed = decide(claim)
            if changed is None:
                return claim
            changed = changed._replace(revision=claim.revision + 1)
            if self.write(to_item(changed), "revision = :seen", seen=claim.revision):
                return changed
            current = self.get(claim)
            if current is None:
                raise StillWaiting("a claim disappeared from the ledger")
            claim = current

    @contextmanager
    def lease(self, claim: Claim) -> Iterator[Lease]:
        """Hold the lease of the group or contact that *claim* is for.

        :raises StillWaiting: another request has it.
        """
        pk = key_of(claim)["pk"]
        lease = Lease(self, pk)
        if not lease.take():
            raise StillWaiting(f"another request works on {pk.replace('#', ' ')}")
        try:
            yield lease
        except Exception:
            lease.give_back()
            raise
        lease.give_back()

    def write(self, item: Mapping[str, Any], condition: str, **values: Any) -> bool:  # noqa: ANN401 - what the condition names
        """Write an item; return whether the condition held."""
        return self._conditional("put_item", condition, values, Item=_packed(item))

    def delete(self, pk: str, sk: str, condition: str, **values: Any) -> bool:  # noqa: ANN401 - what the condition names
        """Delete an item; return whether the condition held."""
        return self._conditional(
            "delete_item", condition, values, Key=_packed({"pk": pk, "sk": sk})
        )

    def _conditional(
        self,
        method: str,
        condition: str,
        values: Mapping[str, Any],
        **request: Any,  # noqa: ANN401 - what the method takes
    ) -> bool:
        if values:
            request["ExpressionAttributeValues"] = _packed(
                {f":{name}": value for name, value in values.items()}
            )
        try:
            self._call(method, ConditionExpression=condition, **request)
        except CallError as error:
            if error.code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _query(self, pk: str, prefix: str) -> list[Claim]:
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": _packed({":pk": pk, ":prefix": prefix}),
            "ConsistentRead": True,
        }
        claims: list[Claim] = []
        while True:
            page = self._call("query", **request)
            claims += map(_unpacked, page["Items"])
            if "LastEvaluatedKey" not in page:
                return claims
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _call(self, method: str, **request: Any) -> Any:  # noqa: ANN401 - what the method takes and answers
        operation = method.title().replace("_", "")
        send = getattr(self._client, method)
        try:
            return call(operation, self._table, lambda: send(TableName=self._table, **request))
        except CallError as error:
            if error.code == "ResourceNotFoundException":
                raise LedgerMissingError(
                    f"{error}. The ledger does not exist: restore the table under this name, or "
                    "deploy the stack of its ConnectAssociationProvider again."
                ) from error
            if error.code == "ValidationException":
                raise LedgerError(
                    f"{error}. The table cannot be a ledger: it needs the string keys pk and sk."
                ) from error
            raise


class Lease:
    """The right to change one group or contact, for half a minute at a time.

    :param ledger: where the lease stands.
    :param pk: the partition key of the group or contact.
    """

    def __init__(self, ledger: Ledger, pk: str) -> None:
        self._ledger = ledger
        self._pk = pk
        self._holder = uuid.uuid4().hex
        self._until = 0.0

    def take(self) -> bool:
        """Take or renew the lease; return whether that succeeded."""
        now = time.time()
        until = now + LEASE_SECONDS
        taken = self._ledger.write(
            {"pk": self._pk, "sk": _LEASE, "holder": self._holder, "held_until": until},
            "attribute_not_exists(pk) OR holder = :me OR held_until < :now",
            me=self._holder,
            now=now,
        )
        self._until = until if taken else 0.0
        return taken

    def hold(self) -> None:
        """Make sure of the lease before a write.

        :raises StillWaiting: it expired, and somebody else has it.
        """
        if self._until - time.time() < LEASE_RESERVE and not self.take():
            raise StillWaiting("somebody else goes on")

    def give_back(self) -> None:
        """Let the next one have it at once; a lease that is not given back expires."""
        self._ledger.delete(self._pk, _LEASE, "holder = :me", me=self._holder)


def _packed(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values as DynamoDB's attribute values."""
    serialize = TypeSerializer().serialize
    return {
        name: serialize(Decimal(str(value)) if isinstance(value, float) else value)
        for name, value in item.items()
    }


def _unpacked(item: Mapping[str, Any]) -> Claim:
    deserialize = TypeDeserializer().deserialize
    return from_item({name: deserialize(value) for name, value in item.items()})
