"""The ledger: claims as items of a DynamoDB table, and one lease per group or contact.

A third kind of item names the version that a deployment makes of a resource.

Every write is conditional, every read consistent. A change states the revision that it was decided
on; the second writer reads and decides again.

Source: `Condition expressions
<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html>`_.
"""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from connect_provider.connect.client import Group
from connect_provider.errors import LedgerError, StillWaiting
from connect_provider.failures import CallError, call
from connect_provider.ledger.claim import (
    CLAIM,
    TOMBSTONE_SECONDS,
    ContactClaim,
    GroupClaim,
    Phase,
    contact_key,
    from_item,
    group_key,
    key_of,
    to_item,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_dynamodb.client import DynamoDBClient

    from connect_provider.ledger.claim import Claim, Owner

_C = TypeVar("_C", GroupClaim, ContactClaim)

LEASE_SECONDS = 30.0
"""A killed converger's lease is free again after this time."""
LEASE_RESERVE = 15.0
"""More than one call to Connect can take: a lease with less left is renewed before a write."""

_PLAIN = frozenset(("Item", "Key", "ExpressionAttributeValues"))


class LedgerMissingError(LedgerError):
    """There is no such table."""


class Ledger(NamedTuple):
    """The claims in one table.

    :ivar client: boto3's DynamoDB client.
    :ivar table: the table's name.
    """

    client: DynamoDBClient
    table: str

    def get(self, like: _C) -> _C | None:
        """Return the claim with the key of *like*, as it is now; None if there is none."""
        return cast("_C | None", self._claim(key_of(like)))

    def of_group(self, group: Group, owner: Owner | None = None) -> list[GroupClaim]:
        """Return the claims on users of *group*, of one resource or of all; tombstones as well."""
        prefix = f"{CLAIM}{owner}#" if owner else CLAIM
        return cast("list[GroupClaim]", self._query(group_key(group), prefix))

    def groups(self, stack_id: str) -> list[Group]:
        """Return the groups that a stack has claims on, whatever has happened to the claims."""
        request: dict[str, Any] = {"ProjectionExpression": "pk, sk", "ConsistentRead": True}
        found: set[Group] = set()
        while True:
            page = self.send("scan", **request)
            for item in page["Items"]:
                kind, _, place = item["pk"]["S"].partition("#")
                if kind == "group" and item["sk"]["S"].startswith(f"{CLAIM}{stack_id}/"):
                    region, _, group_id = place.partition(":")
                    found.add(Group(id=group_id, region=region))
            if "LastEvaluatedKey" not in page:
                return sorted(found)
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def of_contact(self, instance_id: str, contact_id: str) -> list[ContactClaim]:
        """Return the claims on a contact."""
        claims = self._query(contact_key(instance_id, contact_id), CLAIM)
        return cast("list[ContactClaim]", claims)

    def put(self, claim: _C) -> _C:
        """Write a claim that is not there yet; return the one that is there then."""
        written = self.send(
            "put_item", Item=to_item(claim), ConditionExpression="attribute_not_exists(pk)"
        )
        return claim if written is not None else self.get(claim) or claim

    def change(self, claim: _C, decide: Callable[[_C], _C | None]) -> _C:
        """Change a claim, and return what it is then.

        :param claim: the claim as it was read.
        :param decide: returns the changed claim; None leaves it alone. It is asked again when
            somebody else has changed the claim in the meantime.
        """
        while (changed := decide(claim)) is not None:
            changed = changed._replace(revision=claim.revision + 1)
            written = self.send(
                "put_item",
                Item=to_item(changed),
                ConditionExpression="revision = :seen",
                ExpressionAttributeValues={":seen": claim.revision},
            )
            if written is not None:
                return changed
            current = self.get(claim)
            if current is None:
                raise StillWaiting("a claim disappeared from the ledger")
            claim = current
        return claim

    def note_version(self, claim: _C) -> _C | None:
        """Note which version of its resource a deployment makes, unless it makes another one.

        CloudFormation makes one version of a resource at a time. So where two requests claim for
        the same resource in one deployment, and one of them was seen in an earlier deployment,
        that one comes late.

        :returns: the other version's claim, if one of the two comes late and that has not ended.
        """
        key = {"pk": f"resource#{claim.owner}", "sk": "version"}
        made = {"claim": key_of(claim), "began": claim.began, "repeated": claim.repeated}
        while (
            self.send(
                "put_item",
                Item={**key, **made, "expires_at": int(time.time()) + TOMBSTONE_SECONDS},
                ConditionExpression="attribute_not_exists(pk) OR claim = :claim OR began <> :began "
                "OR repeated = :repeated",
                ExpressionAttributeValues={f":{name}": value for name, value in made.items()},
            )
            is None
        ):
            noted = self._get(key)
            if noted is None:
                continue
            other = self._claim(noted["claim"])
            if other is not None and other.phase is not Phase.ENDED:
                return cast("_C", other)
            self.send(
                "delete_item",
                Key=key,
                ConditionExpression="claim = :claim",
                ExpressionAttributeValues={":claim": noted["claim"]},
            )
        return None

    @contextmanager
    def lease(self, claim: Claim) -> Iterator[Lease]:
        """Hold the lease of the group or contact that *claim* is for.

        :raises StillWaiting: another request has it.
        """
        lease = Lease(self, key_of(claim)["pk"])
        lease.hold()
        try:
            yield lease
        except Exception:
            lease.give_back()
            raise
        lease.give_back()

    def send(self, method: str, **request: Any) -> Any:  # noqa: ANN401 - what the method takes and answers
        """Call a method of the client with plain values; None: the condition does not hold.

        :raises LedgerError: there is no such table, or it cannot be a ledger.
        :raises CallError: the call failed otherwise.
        """
        serialize = TypeSerializer().serialize
        for name in _PLAIN.intersection(request):
            request[name] = {
                key: serialize(Decimal(str(value)) if isinstance(value, float) else value)
                for key, value in request[name].items()
            }
        operation = method.title().replace("_", "")
        send = getattr(self.client, method)
        try:
            return call(operation, self.table, lambda: send(TableName=self.table, **request))
        except CallError as error:
            if error.code == "ConditionalCheckFailedException":
                return None
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

    def _get(self, key: Mapping[str, str]) -> dict[str, Any] | None:
        item = self.send("get_item", Key=key, ConsistentRead=True).get("Item")
        return _plain(item) if item else None

    def _claim(self, key: Mapping[str, str]) -> Claim | None:
        item = self._get(key)
        return from_item(item) if item else None

    def _query(self, pk: str, prefix: str) -> list[Claim]:
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": {":pk": pk, ":prefix": prefix},
            "ConsistentRead": True,
        }
        claims: list[Claim] = []
        while True:
            page = self.send("query", **request)
            claims += (from_item(_plain(item)) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return claims
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


class Lease:
    """The right to change one group or contact, for half a minute at a time.

    :param ledger: where the lease is kept.
    :param pk: the partition key of the group or contact.
    """

    def __init__(self, ledger: Ledger, pk: str) -> None:
        self._ledger = ledger
        self._key = {"pk": pk, "sk": "lease"}
        self._holder = uuid.uuid4().hex
        self._until = 0.0

    def hold(self) -> None:
        """Take the lease, or make sure before a write that it lasts longer than the write.

        :raises StillWaiting: another request has it.
        """
        now = time.time()
        if self._until - now >= LEASE_RESERVE:
            return
        until = now + LEASE_SECONDS
        taken = self._ledger.send(
            "put_item",
            Item={**self._key, "holder": self._holder, "held_until": until},
            ConditionExpression="attribute_not_exists(pk) OR holder = :me OR held_until < :now",
            ExpressionAttributeValues={":me": self._holder, ":now": now},
        )
        if taken is None:
            raise StillWaiting(f"another request works on {self._key['pk'].replace('#', ' ')}")
        self._until = until

    def give_back(self) -> None:
        """Let the next one have it at once; a lease that is not given back expires."""
        self._ledger.send(
            "delete_item",
            Key=self._key,
            ConditionExpression="holder = :me",
            ExpressionAttributeValues={":me": self._holder},
        )


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}
