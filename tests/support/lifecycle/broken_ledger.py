"""Handlers that misuse the ledger: what each of its rules is good for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lifecycle.spoiled import Spoiled, Wrapper

if TYPE_CHECKING:
    from lifecycle.framework import Event
    from lifecycle.spoiled import Answer

Item = dict[str, Any]
_Key = tuple[str, str]
_SELDOM = 30.0


class _WithTable(Wrapper):
    """Sees another table; subclasses say which calls differ.

    :ivar owner: whose request is handled, as the sort keys name it.
    """

    def __init__(self, **arguments: Any) -> None:
        self.owner = ""
        super().__init__(**arguments)

    def client(self, service: str, region: str) -> Any:
        """Return a client whose DynamoDB is spoiled."""
        client = super().client(service, region)
        return self.table(client) if service == "dynamodb" else client

    def table(self, client: Any) -> Any:
        """Return the spoiled client."""
        raise NotImplementedError

    def on_event(self, event: Event, context: object) -> Answer:
        """Plan."""
        self.begin(event)
        return super().on_event(event, context)

    def is_complete(self, event: Event, context: object) -> Answer:
        """Converge."""
        self.begin(event)
        return super().is_complete(event, context)

    def begin(self, event: Event) -> None:
        """Remember whose request it is."""
        self.owner = f"{event['StackId']}/{event['LogicalResourceId']}#"


class IgnoresOtherResources(_WithTable):
    """Believes that nothing else declares anything."""

    def table(self, client: Any) -> Any:
        """Return a client that shows the claims of one resource."""

        def query(**arguments: Any) -> Any:
            answer = client.query(**arguments)
            answer["Items"] = [item for item in answer["Items"] if self.is_seen(item["sk"]["S"])]
            return answer

        return Spoiled(client, query=query)

    def is_seen(self, sort_key: str) -> bool:
        """Whether the handlers see the item of that key."""
        return self.owner in sort_key


class IgnoresOtherStacks(IgnoresOtherResources):
    """Believes that no other stack declares anything."""

    def is_seen(self, sort_key: str) -> bool:
        """Whether the handlers see the item of that key."""
        return self.owner.rpartition("/")[0] in sort_key


class ForgetsAdoption(_WithTable):
    """Does not remember who was a member before."""

    def table(self, client: Any) -> Any:
        """Return a client that takes adopted users for added ones."""

        def put(**arguments: Any) -> Any:
            item = dict(arguments["Item"])
            if "adopted" in item:
                users = bytes(item.get("users", {"B": b""})["B"])
                item["users"] = {"B": users + bytes(item["adopted"]["B"])}
                item["adopted"] = {"B": b""}
            return client.put_item(**{**arguments, "Item": item})

        return Spoiled(client, put_item=put)


class NeedsNoLease(_WithTable):
    """Converges a group whoever else does."""

    def table(self, client: Any) -> Any:
        """Return a client whose leases are always free."""

        def put(**arguments: Any) -> Any:
            if arguments["Item"]["sk"]["S"] == "lease":
                return {}
            return client.put_item(**arguments)

        return Spoiled(client, put_item=put)


class ForgetsEndedClaims(_WithTable):
    """Lets tombstones expire at once."""

    def table(self, client: Any) -> Any:
        """Return a client that deletes what has ended."""

        def put(**arguments: Any) -> Any:
            answer = client.put_item(**arguments)
            item = arguments["Item"]
            if item.get("phase", {}).get("S") == "ENDED":
                key = {"pk": item["pk"], "sk": item["sk"]}
                client.delete_item(TableName=arguments["TableName"], Key=key)
            return answer

        return Spoiled(client, put_item=put)


class ReadsClaimsSeldom(_WithTable):
    """Goes on for half a minute with the claims that it has read."""

    _read: dict[str, tuple[float, Any]]

    def table(self, client: Any) -> Any:
        """Return a client that answers the same query the same way for a while."""

        def query(**arguments: Any) -> Any:
            question = repr(arguments)
            moment, answer = self._read.get(question, (0.0, None))
            if moment < time.time() - _SELDOM:
                answer = client.query(**arguments)
                self._read[question] = (time.time(), answer)
            return answer

        return Spoiled(client, query=query)

    def begin(self, event: Event) -> None:
        """Forget what was read before."""
        super().begin(event)
        self._read = {}


class ClaimsTooLate(_WithTable):
    """Writes a claim only once it has written to Connect."""

    _kept: dict[_Key, Item]
    _table: Any

    def client(self, service: str, region: str) -> Any:
        """Return a client that writes claims after Connect's first write."""
        client = super().client(service, region)
        if service != "connect":
            return client

        def associate(**arguments: Any) -> Any:
            answer = client.associate_traffic_distribution_group_user(**arguments)
            self._write()
            return answer

        return Spoiled(client, associate_traffic_distribution_group_user=associate)

    def table(self, client: Any) -> Any:
        """Return a client that keeps new claims for a while."""
        self._table = client

        def put(**arguments: Any) -> Any:
            item = arguments["Item"]
            key = (item["pk"]["S"], item["sk"]["S"])
            new = arguments["ConditionExpression"] == "attribute_not_exists(pk)"
            if item.get("phase", {}).get("S") == "PENDING" and (new or key in self._kept):
                self._kept[key] = {"TableName": arguments["TableName"], "Item": item}
                return {}
            if item["sk"]["S"] != "lease":
                self._write()
            return client.put_item(**arguments)

        def get(**arguments: Any) -> Any:
            key = (arguments["Key"]["pk"]["S"], arguments["Key"]["sk"]["S"])
            if key in self._kept:
                return {"Item": self._kept[key]["Item"]}
            return client.get_item(**arguments)

        def query(**arguments: Any) -> Any:
            answer = client.query(**arguments)
            wanted = arguments["ExpressionAttributeValues"][":pk"]["S"]
            if "ExclusiveStartKey" not in arguments:
                kept = [it["Item"] for (pk, _), it in self._kept.items() if pk == wanted]
                answer["Items"] = [*answer["Items"], *kept]
            return answer

        return Spoiled(client, put_item=put, get_item=get, query=query)

    def begin(self, event: Event) -> None:
        """Begin with nothing to write."""
        super().begin(event)
        self._kept = {}

    def is_complete(self, event: Event, context: object) -> Answer:
        """Converge, and write what is left to write, unless the environment dies."""
        try:
            answer = super().is_complete(event, context)
        except Exception:
            self._write()
            raise
        self._write()
        return answer

    def _write(self) -> None:
        while self._kept:
            _, request = self._kept.popitem()
            self._table.put_item(**request)
