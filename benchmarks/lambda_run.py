"""Requests of CloudFormation, handled in this process by the handlers that run in Lambda."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Protocol

from connect_provider.handler import Provider

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What `benchmarks.subjects` and the emulation's seed say, without what they import.
_INSTANCE_ID = "11111111-1111-4111-8111-111111111111"
_GROUP_ID = "22222222-2222-4222-8222-000000000001"

Event = dict[str, Any]


class Handlers(Protocol):
    """What the Lambda functions do."""

    def on_event(self, event: Event) -> Mapping[str, Any]:
        """Plan."""
        ...

    def is_complete(self, event: Event) -> Mapping[str, Any]:
        """Converge."""
        ...


class Resource:
    """A custom resource, and what happens to it.

    :param handlers: the handlers that carry its requests out.
    :param logical_id: its name in the template.
    :ivar physical_id: what the handlers call its present version.
    """

    _numbers = itertools.count()

    def __init__(self, handlers: Handlers, logical_id: str = "Agents") -> None:
        self.handlers = handlers
        self._logical_id = logical_id
        self.physical_id = ""
        self._properties: Event = {}

    def create(self, users: Sequence[str], *, as_membership: bool) -> None:
        """Create it: a membership, or a single user."""
        self._properties = _properties(users, as_membership=as_membership)
        self.physical_id = self._request("Create")

    def update(self, users: Sequence[str]) -> None:
        """Change its users; the version before waits for :meth:`clean_up`."""
        old, before = self._properties, self.physical_id
        self._properties = _properties(users, as_membership="UserIds" in old)
        self.physical_id = self._request(
            "Update", OldResourceProperties=old, PhysicalResourceId=before
        )

    def clean_up(self, physical_id: str) -> None:
        """Delete a version before."""
        self._request("Delete", PhysicalResourceId=physical_id)

    def delete(self) -> None:
        """Delete it."""
        self._request("Delete", PhysicalResourceId=self.physical_id)

    def _request(self, kind: str, **more: Any) -> str:  # noqa: ANN401 - members of an event
        """Carry a request out, with as many calls of ``is_complete`` as it takes."""
        many = "UserIds" in self._properties
        event: Event = {
            "RequestType": kind,
            "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/Benchmark/1",
            "RequestId": f"request-{self._logical_id}-{next(self._numbers)}",
            "LogicalResourceId": self._logical_id,
            "ResourceType": f"Custom::ConnectTrafficDistributionGroup"
            f"{'Membership' if many else 'User'}",
            "ResourceProperties": self._properties,
            **more,
        }
        event |= self.handlers.on_event(event)
        while not self.handlers.is_complete(event)["IsComplete"]:
            pass
        return str(event["PhysicalResourceId"])


def _properties(users: Sequence[str], *, as_membership: bool) -> Event:
    named = {"UserIds": list(users)} if as_membership else {"UserId": users[0]}
    return {"InstanceId": _INSTANCE_ID, "TrafficDistributionGroupId": _GROUP_ID, **named}


def associate(first: int, count: int) -> None:
    """Associate *count* users, from number *first* on: as a membership, or a single one."""
    users = [f"99999999-cccc-4ccc-8ccc-{number:012d}" for number in range(first, first + count)]
    resource = Resource(Provider(), f"Agent{first}")
    resource.create(users, as_membership=count > 1)
