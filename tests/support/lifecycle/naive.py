"""The provider that everybody writes first: associate on Create, disassociate on Delete.

It works as long as nothing goes wrong. The scenarios run it to show what does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifecycle import cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_connect.client import ConnectClient

    from lifecycle.clients import SimulatedClients
    from lifecycle.framework import Event

Pair = tuple[str, str, str, str]
"""Region, instance, group and user."""


def canonical(value: str) -> str:
    """Return the ID at the end of an ID or ARN."""
    return value.rsplit("/", 1)[-1].lower()


def pairs_of(properties: Mapping[str, Any]) -> list[Pair]:
    """Return the memberships that a group's custom resource declares."""
    group = str(properties["TrafficDistributionGroupId"])
    region = group.split(":")[3] if group.startswith("arn:") else ""
    named = [user.id for user in cast.USERS if user.name in properties.get("Usernames", ())]
    users = properties.get("UserIds") or named or [properties["UserId"]]
    return [
        (
            region or properties.get("Region") or cast.HOME,
            canonical(properties["InstanceId"]),
            canonical(group),
            canonical(user),
        )
        for user in users
    ]


class NaiveProvider:
    """Associates and disassociates as the events say, in ``on_event``."""

    def __init__(self, *, clients: SimulatedClients) -> None:
        self.clients = clients

    def on_event(self, event: Event, context: object) -> dict[str, Any]:
        """Do what the event says."""
        del context
        pairs = pairs_of(event["ResourceProperties"])
        if event["RequestType"] == "Delete":
            self.remove(pairs)
            return {"PhysicalResourceId": event["PhysicalResourceId"]}
        if event["RequestType"] == "Update":
            kept = set(pairs)
            self.remove([p for p in pairs_of(event["OldResourceProperties"]) if p not in kept])
        self.add(pairs)
        return {"PhysicalResourceId": f"{event['LogicalResourceId']}-{event['StackId'][-8:]}"}

    def is_complete(self, event: Event, context: object) -> dict[str, Any]:
        """There is nothing left to do."""
        del event, context
        return {"IsComplete": True, "Data": {}}

    def add(self, pairs: list[Pair]) -> None:
        """Associate users with groups."""
        for region, instance_id, group_id, user_id in pairs:
            self.client(region).associate_traffic_distribution_group_user(
                InstanceId=instance_id, TrafficDistributionGroupId=group_id, UserId=user_id
            )

    def remove(self, pairs: list[Pair]) -> None:
        """Disassociate users from groups."""
        for region, instance_id, group_id, user_id in pairs:
            self.client(region).disassociate_traffic_distribution_group_user(
                InstanceId=instance_id, TrafficDistributionGroupId=group_id, UserId=user_id
            )

    def client(self, region: str) -> ConnectClient:
        """Return the Connect client of a Region."""
        client: ConnectClient = self.clients("connect", region)
        return client
