"""Handlers that break one promise each: the machine has to catch them all.

Most wrap the real ones and spoil what goes in, what comes out, or what they see of AWS, the way a
mistake in the real ones would. Those that misuse the ledger are in
:mod:`~lifecycle.broken_ledger`.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from lifecycle import cast
from lifecycle.naive import NaiveProvider, canonical, pairs_of
from lifecycle.spoiled import Spoiled, Wrapper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifecycle.clients import SimulatedClients
    from lifecycle.framework import Event
    from lifecycle.spoiled import Answer


def _declares_users(event: Event) -> bool:
    return "TrafficDistributionGroupId" in event["ResourceProperties"]


class NaiveButWaiting(NaiveProvider):
    """Naive, but at least it writes in ``is_complete`` and swallows what cannot be done."""

    def on_event(self, event: Event, context: object) -> Answer:
        """Choose an ID."""
        del context
        return {"PhysicalResourceId": event.get("PhysicalResourceId", event["LogicalResourceId"])}

    def is_complete(self, event: Event, context: object) -> Answer:
        """Do what the event says."""
        if _declares_users(event):
            super().on_event(event, context)
        return {"IsComplete": True}


class IgnoresRollbacks(Wrapper):
    """Believes that every deployment goes well."""

    def client(self, service: str, region: str) -> Any:
        """Return a client to whom no stack ever rolls back."""
        client = super().client(service, region)
        if service != "cloudformation":
            return client

        def describe(**arguments: Any) -> Any:
            answer = client.describe_stacks(**arguments)
            for stack in answer["Stacks"]:
                if stack["StackStatus"].startswith("ROLLBACK"):
                    stack["StackStatus"] = "DELETE_IN_PROGRESS"
                elif "ROLLBACK" in stack["StackStatus"]:
                    stack["StackStatus"] = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
            return answer

        return Spoiled(client, describe_stacks=describe)


class RemovesInUpdate(Wrapper):
    """Removes in the Update what the clean-up phase should remove."""

    def is_complete(self, event: Event, context: object) -> Answer:
        """Converge, then remove at once."""
        answer = super().is_complete(event, context)
        if answer["IsComplete"] and event["RequestType"] == "Update" and _declares_users(event):
            kept = set(pairs_of(event["ResourceProperties"]))
            for pair in pairs_of(event["OldResourceProperties"]):
                if pair not in kept:
                    _remove(self.clients, pair)
        return answer


class WritesInOnEvent(Wrapper):
    """Does everything in ``on_event``."""

    def on_event(self, event: Event, context: object) -> Answer:
        """Plan and converge."""
        answer = super().on_event(event, context)
        super().is_complete({**event, **answer}, context)
        return answer


class RefusesRepeats(Wrapper):
    """Takes the second delivery of an event for an error."""

    _seen: frozenset[str] = frozenset()

    def on_event(self, event: Event, context: object) -> Answer:
        """Plan what is new."""
        if event["RequestId"] in self._seen:
            raise RuntimeError("this was done already")
        self._seen |= {event["RequestId"]}
        return super().on_event(event, context)


class WritesOnNoOp(Wrapper):
    """Associates once more at every Update."""

    def is_complete(self, event: Event, context: object) -> Answer:
        """Converge, and write in any case."""
        answer = super().is_complete(event, context)
        if answer["IsComplete"] and event["RequestType"] == "Update" and _declares_users(event):
            for region, instance_id, group_id, user_id in pairs_of(event["ResourceProperties"]):
                _quietly(
                    self.clients("connect", region).associate_traffic_distribution_group_user,
                    InstanceId=instance_id,
                    TrafficDistributionGroupId=group_id,
                    UserId=user_id,
                )
        return answer


def _with_properties(event: Event, **properties: str) -> Event:
    return {**event, "ResourceProperties": {**event["ResourceProperties"], **properties}}


class AlwaysExclusive(Wrapper):
    """Takes every membership for an exclusive one."""

    def on_event(self, event: Event, context: object) -> Answer:
        """Plan to remove everybody else."""
        return super().on_event(self._spoiled(event), context)

    def is_complete(self, event: Event, context: object) -> Answer:
        """Remove everybody else."""
        return super().is_complete(self._spoiled(event), context)

    def _spoiled(self, event: Event) -> Event:
        if event["ResourceType"] != cast.GROUP_MEMBERSHIP or event["RequestType"] == "Delete":
            return event
        return _with_properties(event, Exclusive="true")


class NeverExclusive(AlwaysExclusive):
    """Overlooks ``Exclusive``."""

    def _spoiled(self, event: Event) -> Event:
        if "Exclusive" not in event["ResourceProperties"]:
            return event
        return _with_properties(event, Exclusive="false")


class DeletesOnlyOnce(Wrapper):
    """Takes a missing membership for an error when it deletes."""

    def on_event(self, event: Event, context: object) -> Answer:
        """Plan, after a look whether there is something to delete."""
        if event["RequestType"] == "Delete" and _declares_users(event):
            for region, _, group_id, user_id in pairs_of(event["ResourceProperties"]):
                members = self.clients("connect", region).list_traffic_distribution_group_users(
                    TrafficDistributionGroupId=group_id
                )["TrafficDistributionGroupUserSummaryList"]
                if user_id not in {canonical(member.get("UserId", "")) for member in members}:
                    raise RuntimeError(f"{user_id} is not a member")
        return super().on_event(event, context)


class CannotDelete(Wrapper):
    """Fails to delete."""

    def on_event(self, event: Event, context: object) -> Answer:
        """Plan, unless it is a Delete."""
        if event["RequestType"] == "Delete":
            raise RuntimeError("never delete anything")
        return super().on_event(event, context)


class DoesNothing(Wrapper):
    """Says that all is done."""

    def is_complete(self, event: Event, context: object) -> Answer:
        """Say so."""
        del event, context
        return {"IsComplete": True}


class KeepsEverything(Wrapper):
    """Does nothing on Delete."""

    def is_complete(self, event: Event, context: object) -> Answer:
        """Converge, unless it is a Delete."""
        if event["RequestType"] == "Delete":
            return {"IsComplete": True}
        return super().is_complete(event, context)


class StopsEveryContact(Wrapper):
    """Stops a contact at every Delete, whoever it is with."""

    def is_complete(self, event: Event, context: object) -> Answer:
        """Converge, then stop."""
        answer = super().is_complete(event, context)
        properties: Mapping[str, Any] = event["ResourceProperties"]
        if event["RequestType"] == "Delete" and "ContactId" in properties:
            _quietly(
                self.clients("connect", cast.HOME).stop_contact,
                InstanceId=canonical(properties["InstanceId"]),
                ContactId=canonical(properties["ContactId"]),
            )
        return answer


class OffersAgain(Wrapper):
    """Offers a contact whatever happened before."""

    def is_complete(self, event: Event, context: object) -> Answer:
        """Offer, then converge."""
        properties: Mapping[str, Any] = event["ResourceProperties"]
        if event["RequestType"] != "Delete" and "ContactId" in properties:
            _quietly(
                self.clients("connect", cast.HOME).associate_contact_with_user,
                InstanceId=canonical(properties["InstanceId"]),
                ContactId=canonical(properties["ContactId"]),
                UserId=canonical(properties["UserId"]),
            )
        return super().is_complete(event, context)


def _remove(clients: SimulatedClients, pair: tuple[str, str, str, str]) -> None:
    region, instance_id, group_id, user_id = pair
    _quietly(
        clients("connect", region).disassociate_traffic_distribution_group_user,
        InstanceId=instance_id,
        TrafficDistributionGroupId=group_id,
        UserId=user_id,
    )


def _quietly(call: Callable[..., object], **arguments: str) -> None:
    """Make a call whose failure does not matter here."""
    with contextlib.suppress(Exception):  # a broken handler need not be careful
        call(**arguments)
