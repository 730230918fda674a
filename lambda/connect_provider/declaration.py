"""What a resource's properties declare, checked and in canonical IDs.

CloudFormation hands every primitive property on as a string, lists and maps as they are. The
identifiers may be IDs or ARNs, and only now are tokens resolved: so everything is checked again
here, before any call.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider import identifiers
from connect_provider.connect import Group
from connect_provider.errors import InvalidEventError
from connect_provider.identifiers import Identifier, Kind, Owner

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUP_USER = "Custom::ConnectTrafficDistributionGroupUser"
GROUP_USERS = "Custom::ConnectTrafficDistributionGroupMembership"
CONTACT_USER = "Custom::ConnectContactUserAssignment"
ASSOCIATION_TYPES = frozenset((GROUP_USER, GROUP_USERS, CONTACT_USER))
USER_LOOKUP = "Custom::ConnectUserLookup"
RESOURCE_TYPES = ASSOCIATION_TYPES | {USER_LOOKUP}

MAX_USERS = 2500
"""Users in one membership: what a physical ID and Step Functions' 256 KB of input can carry."""

MAX_USERNAMES = 40
"""Names in one lookup: what a physical ID can carry of the users' IDs."""

_LONGEST_USERNAME = 100
_GROUP_PARTITIONS = ("aws", "aws-us-gov")


class GroupUsers(NamedTuple):
    """Users who are to be in a traffic distribution group.

    :ivar users: canonical IDs, sorted; for a single user a tuple of one.
    :ivar exclusive: nobody else is to be in the group.
    """

    instance_id: str
    group: Group
    users: tuple[str, ...]
    exclusive: bool = False


class ReleaseMode(Enum):
    """What happens to the contact when its assignment is deleted."""

    RETAIN = "RETAIN"
    STOP = "STOP"
    TRANSFER_TO_QUEUE = "TRANSFER_TO_QUEUE"


class Release(NamedTuple):
    """A release mode with what TransferContact needs for it."""

    mode: ReleaseMode = ReleaseMode.RETAIN
    contact_flow_id: str | None = None
    queue_id: str | None = None


class ContactUser(NamedTuple):
    """A contact that is to be assigned to a user."""

    instance_id: str
    contact_id: str
    user_id: str
    release: Release
    allow_voice: bool


class UserLookup(NamedTuple):
    """Users of an instance who are known by their names."""

    instance_id: str
    region: str
    usernames: tuple[str, ...]


def group_users(properties: Mapping[str, Any], resource_type: str, *, owner: Owner) -> GroupUsers:
    """Read a group user's or a membership's properties.

    The group's home Region is that of its ARN, else ``Region``, else the stack's.

    :raises InvalidEventError: naming the property and what is wrong with it.
    """
    instance = _identifier(properties, "InstanceId", Kind.INSTANCE, owner)
    group = _identifier(
        properties, "TrafficDistributionGroupId", Kind.TRAFFIC_DISTRIBUTION_GROUP, owner
    )
    if group.region and owner.partition and owner.partition not in _GROUP_PARTITIONS:
        raise InvalidEventError(
            f"TrafficDistributionGroupId: there are no traffic distribution groups in partition "
            f"{owner.partition!r}, only in {' and '.join(_GROUP_PARTITIONS)}."
        )
    region = group.region or owner.region
    if properties.get("Region") and not group.region:
        region = identifiers.parse_region(properties["Region"], name="Region")
    if not region:
        raise InvalidEventError(
            "Region is missing: give the home Region of the traffic distribution group."
        )
    if resource_type == GROUP_USER:
        users = [_user(properties.get("UserId"), "UserId", instance, owner)]
    else:
        users = _users(properties.get("UserIds"), instance, owner)
    return GroupUsers(
        instance_id=instance.id,
        group=Group(id=group.id, region=region),
        users=tuple(sorted(users)),
        exclusive=resource_type == GROUP_USERS and _flag(properties, "Exclusive"),
    )


def contact_user(properties: Mapping[str, Any], *, owner: Owner) -> ContactUser:
    """Read a contact assignment's properties.

    :raises InvalidEventError: naming the property and what is wrong with it.
    """
    instance = _identifier(properties, "InstanceId", Kind.INSTANCE, owner)
    contact = _identifier(properties, "ContactId", Kind.CONTACT, owner)
    _same_instance("ContactId", contact, instance)
    return ContactUser(
        instance_id=instance.id,
        contact_id=contact.id,
        user_id=_user(properties.get("UserId"), "UserId", instance, owner),
        release=_release(properties.get("Release"), instance, owner),
        allow_voice=_flag(properties, "AllowVoice"),
    )


def user_lookup(properties: Mapping[str, Any], *, owner: Owner) -> UserLookup:
    """Read a lookup's properties.

    :raises InvalidEventError: naming the property and what is wrong with it.
    """
    instance = _identifier(properties, "InstanceId", Kind.INSTANCE, owner)
    region = owner.region
    if properties.get("Region"):
        region = identifiers.parse_region(properties["Region"], name="Region")
    names = properties.get("Usernames")
    if not isinstance(names, list) or not 1 <= len(names) <= MAX_USERNAMES:
        raise InvalidEventError(
            f"Usernames is not a list of 1 to {MAX_USERNAMES} names: got {names!r:.100}."
        )
    for index, name in enumerate(names):
        if not isinstance(name, str) or not 1 <= len(name) <= _LONGEST_USERNAME:
            raise InvalidEventError(
                f"Usernames[{index}] is not a name of 1 to {_LONGEST_USERNAME} characters: "
                f"got {name!r:.100}."
            )
    return UserLookup(instance_id=instance.id, region=region, usernames=tuple(names))


def _identifier(properties: Mapping[str, Any], name: str, kind: Kind, owner: Owner) -> Identifier:
    return identifiers.parse(properties.get(name), kind=kind, name=name, owner=owner)


def _user(value: object, name: str, instance: Identifier, owner: Owner) -> str:
    user = identifiers.parse(value, kind=Kind.USER, name=name, owner=owner)
    _same_instance(name, user, instance)
    return user.id


def _users(value: object, instance: Identifier, owner: Owner) -> list[str]:
    if not isinstance(value, list):
        raise InvalidEventError(f"UserIds is not a list of user IDs or ARNs: got {value!r:.100}.")
    if not value:
        raise InvalidEventError("UserIds is empty: name at least one user.")
    if len(value) > MAX_USERS:
        raise InvalidEventError(
            f"UserIds has {len(value):,} users; one membership holds at most {MAX_USERS:,}. "
            "Split it into several memberships of the same group."
        )
    users: dict[str, int] = {}
    for index, item in enumerate(value):
        user_id = _user(item, f"UserIds[{index}]", instance, owner)
        if user_id in users:
            raise InvalidEventError(
                f"UserIds[{index}] names user {user_id} again, after UserIds[{users[user_id]}]."
            )
        users[user_id] = index
    return list(users)


def _release(value: object, instance: Identifier, owner: Owner) -> Release:
    if value is None:
        return Release()
    modes = ", ".join(mode.value for mode in ReleaseMode)
    if not isinstance(value, dict) or value.get("Mode") not in list(ReleaseMode.__members__):
        raise InvalidEventError(f"Release.Mode is none of {modes}: got {value!r:.100}.")
    mode = ReleaseMode(value["Mode"])
    if mode is not ReleaseMode.TRANSFER_TO_QUEUE:
        return Release(mode=mode)
    flow = _identifier(value, "ContactFlowId", Kind.CONTACT_FLOW, owner)
    _same_instance("Release.ContactFlowId", flow, instance)
    queue = None
    if value.get("QueueId"):
        queue = _identifier(value, "QueueId", Kind.QUEUE, owner)
        _same_instance("Release.QueueId", queue, instance)
    return Release(mode=mode, contact_flow_id=flow.id, queue_id=queue.id if queue else None)


def _same_instance(name: str, identifier: Identifier, instance: Identifier) -> None:
    if identifier.instance_id not in (None, instance.id):
        raise InvalidEventError(
            f"{name} belongs to instance {identifier.instance_id}, InstanceId is {instance.id}."
        )


def _flag(properties: Mapping[str, Any], name: str) -> bool:
    value = properties.get(name, False)
    text = str(value).lower()
    if text not in ("true", "false"):
        raise InvalidEventError(f"{name} is neither true nor false: got {value!r:.100}.")
    return text == "true"
