"""What ``on_event`` hands to ``is_complete``: the steps still to take, in order.

The plan travels through Step Functions beside the event, 256 KB in all. So users are a bitmap over
the declared list where they are declared, and packed UUIDs where they are not.
"""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider.connect import Group
from connect_provider.errors import InvalidEventError
from connect_provider.user_set import pack_ids, pack_members, unpack_ids, unpack_members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ContactAction(Enum):
    """What is to happen to a contact."""

    ASSIGN = "ASSIGN"
    RELEASE = "RELEASE"
    RELEASE_IF_ACCEPTED = "RELEASE_IF_ACCEPTED"


class Action(Enum):
    """What a step does to each of its users."""

    ASSOCIATE = "ASSOCIATE"
    DISASSOCIATE = "DISASSOCIATE"

    @property
    def done_as(self) -> str:
        """What is done with the users, for "… the group"."""
        return "associated with" if self is Action.ASSOCIATE else "taken out of"


class Step(NamedTuple):
    """Bring users into a group, or out of it.

    :ivar users: canonical IDs, sorted.
    :ivar origin: a group that the users in *origin_users* may have to leave first, because the
        service may allow one group a user.
    """

    action: Action
    group: Group
    users: tuple[str, ...]
    origin: Group | None = None
    origin_users: frozenset[str] = frozenset()


class Plan(NamedTuple):
    """The steps of one request.

    :ivar started_at: when ``on_event`` began, in seconds since the epoch.
    :ivar planned_at: when ``on_event`` was done.
    :ivar rolls_back: the request is itself part of a rollback; None where that is not known.
    :ivar late: nothing was under way in the stack when the request was planned.
    :ivar not_before: when to begin with the steps.
    :ivar steps: what to do about users in groups.
    :ivar contact: what to do about a contact.
    :ivar data: the attributes to answer once complete.
    """

    started_at: float
    planned_at: float
    rolls_back: bool | None = False
    late: bool = False
    not_before: float = 0.0
    steps: tuple[Step, ...] = ()
    contact: ContactAction | None = None
    data: Mapping[str, Any] = MappingProxyType({})

    def to_event(self, declared: Sequence[str] = ()) -> dict[str, Any]:
        """Return the plan as JSON values.

        :param declared: the declared users that bitmaps are over, sorted.
        """
        event: dict[str, Any] = {
            "StartedAt": self.started_at,
            "PlannedAt": self.planned_at,
            "RollsBack": self.rolls_back,
        }
        if self.late:
            event["Late"] = True
        if self.not_before > self.planned_at:
            event["NotBefore"] = self.not_before
        if self.steps:
            event["Steps"] = [_step_to_event(step, declared) for step in self.steps]
        if self.contact:
            event["Contact"] = self.contact.value
        if self.data:
            event["Data"] = dict(self.data)
        return event

    @classmethod
    def from_event(cls, event: Mapping[str, Any], declared: Sequence[str] = ()) -> Plan:
        """Read what :meth:`to_event` wrote.

        :raises InvalidEventError: the event carries no plan of this provider.
        """
        try:
            return cls(
                started_at=float(event["StartedAt"]),
                planned_at=float(event["PlannedAt"]),
                rolls_back=event["RollsBack"],
                late=bool(event.get("Late", False)),
                not_before=float(event.get("NotBefore", 0.0)),
                steps=tuple(_step_from_event(step, declared) for step in event.get("Steps", [])),
                contact=ContactAction(event["Contact"]) if "Contact" in event else None,
                data=event.get("Data", {}),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidEventError(
                f"the event carries no plan: is_complete takes what on_event answered ({error!r})."
            ) from error


def _step_to_event(step: Step, declared: Sequence[str]) -> dict[str, Any]:
    event: dict[str, Any] = {
        "Action": step.action.value,
        "Group": _group_to_event(step.group),
        "Users": _users_to_event(step.users, declared),
    }
    if step.origin:
        event["Origin"] = _group_to_event(step.origin)
        event["OriginUsers"] = _users_to_event(sorted(step.origin_users), declared)
    return event


def _step_from_event(event: Mapping[str, Any], declared: Sequence[str]) -> Step:
    return Step(
        action=Action(event["Action"]),
        group=_group_from_event(event["Group"]),
        users=_users_from_event(event["Users"], declared),
        origin=_group_from_event(event["Origin"]) if "Origin" in event else None,
        origin_users=frozenset(_users_from_event(event.get("OriginUsers", ""), declared)),
    )


def _group_to_event(group: Group) -> str:
    return f"{group.region}:{group.id}"


def _group_from_event(text: str) -> Group:
    region, _, group_id = text.partition(":")
    return Group(id=group_id, region=region)


def _users_to_event(users: Sequence[str], declared: Sequence[str]) -> str:
    if not users:
        return ""
    if set(users) <= set(declared):
        return f"b{pack_members(users, declared)}"
    return f"u{pack_ids(sorted(users))}"


def _users_from_event(text: str, declared: Sequence[str]) -> tuple[str, ...]:
    if not text:
        return ()
    if text[0] == "b":
        return tuple(sorted(unpack_members(text[1:], declared)))
    return unpack_ids(text[1:])
