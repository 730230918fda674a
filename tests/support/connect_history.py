"""The same calls of any Amazon Connect, and how each of them ended.

Run as a program it makes them of the moto that is on the path.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

HOME, REPLICA = "us-east-1", "us-west-2"
FLOW = "55555555-5555-4555-8555-000000000001"
QUEUE = "44444444-4444-4444-8444-000000000001"


class Caller:
    """Makes calls, and keeps how they ended.

    :ivar seen: operation, error code or Succeeds, and the members of the answer.
    """

    def __init__(self) -> None:
        self.seen: list[list[Any]] = []

    def ask(self, client: Any, operation: str, **request: Any) -> dict[str, Any]:
        """Return the answer; empty for an error."""
        try:
            answer: dict[str, Any] = getattr(client, operation)(**request)
        except ClientError as error:
            self.seen.append([operation, error.response.get("Error", {}).get("Code"), []])
            return {}
        answer.pop("ResponseMetadata")
        self.seen.append([operation, "Succeeds", sorted(answer)])
        return answer


def history(prepare: Callable[[Any], str]) -> list[list[Any]]:
    """Make users, groups and tasks, and use them well and badly.

    :param prepare: makes a replicated instance with a client of the home Region; returns its ID.
    """
    east: Any = boto3.client("connect", region_name=HOME)
    west: Any = boto3.client("connect", region_name=REPLICA)
    instance = prepare(east)
    caller = Caller()
    ann, bob, _ = (_user(caller, east, instance, name) for name in ("ann", "bob", "ANN"))
    _groups(caller, east, west, instance=instance, ann=ann, bob=bob)
    for _ in range(2):
        _task(caller, east, west, instance=instance, ann=ann, bob=bob)
    for _ in range(2):
        caller.ask(east, "delete_user", InstanceId=instance, UserId=ann)
    return caller.seen


def _user(caller: Caller, client: Any, instance: str, name: str) -> str:
    answer = caller.ask(
        client,
        "create_user",
        Username=name,
        PhoneConfig={"PhoneType": "SOFT_PHONE"},
        SecurityProfileIds=["security"],
        RoutingProfileId="routing",
        InstanceId=instance,
    )
    return str(answer.get("UserId"))


def _groups(caller: Caller, east: Any, west: Any, *, instance: str, ann: str, bob: str) -> None:
    ask, make = caller.ask, "create_traffic_distribution_group"
    group = ask(east, make, Name="group", InstanceId=instance)
    ask(east, make, Name="group", InstanceId=instance)
    second = ask(west, make, Name="second", InstanceId=instance)
    join = "associate_traffic_distribution_group_user"
    listing = "list_traffic_distribution_group_users"
    for client in (east, west):
        for group_id in (group["Id"], group["Arn"]):
            name = {"TrafficDistributionGroupId": group_id}
            pair = {**name, "InstanceId": instance}
            ask(client, "describe_traffic_distribution_group", **name)
            for member in (ann, ann, "nobody"):
                ask(client, join, UserId=member, **pair)
            ask(client, listing, **name)
            ask(client, f"dis{join}", UserId=bob, **pair)
    ask(
        west,
        join,
        UserId=ann,
        TrafficDistributionGroupId=second["Arn"],
        InstanceId=instance,
    )
    ask(east, "list_traffic_distribution_groups", InstanceId=instance)
    ask(east, "delete_user", InstanceId=instance, UserId=bob)
    ask(east, listing, TrafficDistributionGroupId=group["Id"])
    for _ in range(2):
        ask(
            east,
            "delete_traffic_distribution_group",
            TrafficDistributionGroupId=group["Id"],
        )


def _task(caller: Caller, east: Any, west: Any, *, instance: str, ann: str, bob: str) -> None:
    ask = caller.ask
    task = ask(east, "start_task_contact", InstanceId=instance, ContactFlowId=FLOW, Name="task")
    name = {"InstanceId": instance, "ContactId": task["ContactId"]}
    moved = {**name, "ContactFlowId": FLOW}
    offer = "associate_contact_with_user"
    ask(west, offer, UserId=ann, **name)
    ask(west, "describe_contact", **name)
    ask(west, "stop_contact", **name)
    ask(east, "transfer_contact", **moved)
    for user_id in ("nobody", ann, ann, bob):
        ask(east, offer, UserId=user_id, **name)
    for _ in range(2):
        ask(east, "transfer_contact", QueueId=QUEUE, **moved)
    ask(east, "stop_contact", **name)
    ask(east, offer, UserId=ann, **name)


def _replicated(client: Any) -> str:
    instance: str = client.create_instance(
        IdentityManagementType="CONNECT_MANAGED",
        InboundCallsEnabled=True,
        OutboundCallsEnabled=True,
    )["Id"]
    client.replicate_instance(InstanceId=instance, ReplicaRegion=REPLICA, ReplicaAlias="replica")
    return instance


if __name__ == "__main__":
    from moto import mock_aws

    with mock_aws():
        sys.stdout.write(json.dumps(history(_replicated)))
