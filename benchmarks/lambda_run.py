"""Requests of CloudFormation, handled in this process by the handlers that run in Lambda."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connect_provider.association_provider import AssociationProvider

if TYPE_CHECKING:
    from collections.abc import Sequence

# What `benchmarks.subjects` and the emulation's seed say, without what they import.
_INSTANCE_ID = "11111111-1111-4111-8111-111111111111"
_GROUP_ID = "22222222-2222-4222-8222-000000000001"


def create(
    provider: AssociationProvider, users: Sequence[str], *, as_membership: bool = True
) -> None:
    """Carry a Create out, with as many calls of ``is_complete`` as it takes."""
    group: dict[str, Any] = {
        "InstanceId": _INSTANCE_ID,
        "TrafficDistributionGroupId": _GROUP_ID,
    }
    if as_membership:
        kind, properties = "Membership", {**group, "UserIds": list(users)}
    else:
        kind, properties = "User", {**group, "UserId": users[0]}
    event: dict[str, Any] = {
        "RequestType": "Create",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/Benchmark/1",
        "RequestId": f"request-{users[0]}",
        "LogicalResourceId": "Agents",
        "ResourceType": f"Custom::ConnectTrafficDistributionGroup{kind}",
        "ResourceProperties": properties,
    }
    event |= provider.on_event(event)
    while not provider.is_complete(event)["IsComplete"]:
        pass


def associate(count: int) -> None:
    """Associate *count* users as a membership, over HTTP."""
    create(
        AssociationProvider(), [f"99999999-cccc-4ccc-8ccc-{number:012d}" for number in range(count)]
    )
