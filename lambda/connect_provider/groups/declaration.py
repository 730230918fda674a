"""What the properties of a group user or a membership declare, checked and in canonical IDs.

CloudFormation hands every primitive property on as a string, lists and maps as they are. The
identifiers may be IDs or ARNs, and only now are tokens resolved: so everything is checked again
here, before any call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider.connect.client import Group
from connect_provider.errors import InvalidEventError
from connect_provider.identifiers import GROUP_PARTITIONS, Kind, parse, parse_region
from connect_provider.request import fingerprint, read_flag
from connect_provider.users import filter as user_filter
from connect_provider.users import roster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connect_provider.identifiers import Account, Identifier

GROUP_USER = "Custom::ConnectTrafficDistributionGroupUser"
GROUP_USERS = "Custom::ConnectTrafficDistributionGroupMembership"

USERNAMES = "Usernames"
USERS_MATCHING = "UsersMatching"

MAX_USERS = 2500
"""Users in one membership: what Step Functions' 256 KB of input can carry."""


class GroupUsers(NamedTuple):
    """Users who are to be in a traffic distribution group.

    :ivar users: canonical IDs; for a single user a set of one. Empty where they have yet to be
        found by their names or by a rule.
    :ivar exclusive: nobody else is to be in the group.
    :ivar resync: changes when everything is to be brought about again.
    :ivar names: stands for the users' names; empty for IDs and rules.
    :ivar rule: the rule that the users meet; empty for IDs and names.
    """

    instance_id: str
    group: Group
    users: frozenset[str]
    exclusive: bool = False
    resync: str = ""
    names: str = ""
    rule: str = ""


def read(properties: Mapping[str, Any], resource_type: str, *, owner: Account) -> GroupUsers:
    """Read a group user's or a membership's properties.

    The group's home Region is that of its ARN, else ``Region``, else the stack's.

    :raises InvalidEventError: naming the property and what is wrong with it.
    """
    instance = parse(
        properties.get("InstanceId"), kind=Kind.INSTANCE, name="InstanceId", owner=owner
    )
    name = "TrafficDistributionGroupId"
    group = parse(
        properties.get(name), kind=Kind.TRAFFIC_DISTRIBUTION_GROUP, name=name, owner=owner
    )
    if owner.partition and owner.partition not in GROUP_PARTITIONS:
        raise InvalidEventError(
            f"TrafficDistributionGroupId: there are no traffic distribution groups in partition "
            f"{owner.partition!r}, only in {' and '.join(GROUP_PARTITIONS)}."
        )
    region = group.region or owner.region
    if properties.get("Region") and not group.region:
        region = parse_region(properties["Region"], name="Region")
    if not region:
        raise InvalidEventError(
            "Region is missing: give the home Region of the traffic distribution group."
        )
    declared = GroupUsers(
        instance_id=instance.id,
        group=Group(id=group.id, region=region),
        users=frozenset(),
        resync=str(properties.get("Resync", "")),
    )
    if resource_type != GROUP_USERS:
        user_id = _user(properties.get("UserId"), "UserId", instance, owner)
        return declared._replace(users=frozenset((user_id,)))
    declared = declared._replace(exclusive=read_flag(properties, "Exclusive"))
    given = [name for name in ("UserIds", USERNAMES, USERS_MATCHING) if name in properties]
    if len(given) > 1:
        raise InvalidEventError(f"{' and '.join(given)} are given together: give one of them.")
    if USERNAMES in properties:
        names = (name.lower() for name in usernames(properties))
        return declared._replace(names=fingerprint(*sorted(names)))
    if USERS_MATCHING in properties:
        rule = user_filter.read(properties[USERS_MATCHING], name=USERS_MATCHING, owner=owner)
        return declared._replace(rule=rule)
    return declared._replace(users=_users(properties.get("UserIds"), instance, owner))


def usernames(properties: Mapping[str, Any]) -> tuple[str, ...]:
    """Read the users' names, as they are given.

    :raises InvalidEventError: naming the element and what is wrong with it.
    """
    return roster.read(properties[USERNAMES], name=USERNAMES, limit=MAX_USERS)


def _user(value: object, name: str, instance: Identifier, owner: Account) -> str:
    return parse(value, kind=Kind.USER, name=name, owner=owner, instance=instance).id


def _users(value: object, instance: Identifier, owner: Account) -> frozenset[str]:
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
        name = f"UserIds[{index}]"
        user_id = _user(item, name, instance, owner)
        if user_id in users:
            raise InvalidEventError(
                f"{name} names user {user_id} again, after UserIds[{users[user_id]}]."
            )
        users[user_id] = index
    return frozenset(users)
