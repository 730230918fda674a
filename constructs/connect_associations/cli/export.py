"""Code that declares what Connect holds now, so that the first deployment of it writes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connect_associations.cli.errors import CommandError, explain
from connect_provider import identifiers
from connect_provider.connect.client import Group
from connect_provider.errors import InvalidEventError
from connect_provider.failures import CallError, Failure
from connect_provider.groups import claims as rules
from connect_provider.groups.declaration import MAX_USERS
from connect_provider.identifiers import Account, Identifier, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from connect_associations.cli.ledgers import Ledgers
    from connect_associations.cli.names import Names
    from connect_associations.cli.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A group as it is.

    :ivar arn: the group's ARN, which names its home Region.
    :ivar name: the group's name.
    :ivar users: the IDs of its users, sorted.
    """

    instance_id: str
    arn: str
    name: str
    users: tuple[str, ...]


def read(
    session: Session,
    group_id: str,
    *,
    instance_id: str | None,
    ledgers: Ledgers | None,
    warn: Callable[[str], None],
) -> Membership:
    """Read a group from Connect.

    :param group_id: its ID or ARN; the ID alone means the session's Region.
    :param instance_id: the ID or ARN of the group's instance. Default: what the group says. It
        has to be given, and the group's ARN too, where the group may not be described.
    :param ledgers: whom they know to be declared is left out. None: nobody is.
    :param warn: receives what does not affect the code, and how many users are left out.
    :raises CommandError: there is no such group in the instance, or it is no group's ID.
    """
    parsed = _parse(group_id, Kind.TRAFFIC_DISTRIBUTION_GROUP, "--traffic-distribution-group-id")
    instance = _parse(instance_id, Kind.INSTANCE, "--instance-id").id if instance_id else ""
    group = Group(id=parsed.id, region=parsed.region or session.region)
    try:
        arn, name, of_instance = _describe(session, group)
    except CallError as error:
        arn, name, of_instance = group_id, "", instance
        if error.failure is not Failure.ACCESS_DENIED or not instance or not parsed.region:
            raise explain(error) from error
        warn(f"the group's name is not known: {explain(error)}")
    if instance not in ("", of_instance):
        raise CommandError(f"{group} belongs to instance {of_instance}, not to {instance}")
    members = session.connect(group.region).list_group_users(group)
    if members is None:
        raise _no_such(group)
    if ledgers:
        home = Group(id=group.id, region=arn.split(":")[3])
        declared = members & rules.wanted(ledgers.of_group(home))
        members -= declared
        warn(f"{len(declared):,} users are declared already, and left out")
    return Membership(instance_id=of_instance, arn=arn, name=name, users=tuple(sorted(members)))


def _parse(value: str, kind: Kind, option: str) -> Identifier:
    try:
        return identifiers.parse(value, kind=kind, name=option, owner=Account())
    except InvalidEventError as error:
        raise CommandError(str(error)) from error


def _describe(session: Session, group: Group) -> tuple[str, str, str]:
    """Return the group's ARN, its name and its instance's ID."""
    connect = session.connect(group.region)
    try:
        described = connect.send(
            "DescribeTrafficDistributionGroup", TrafficDistributionGroupId=group.id
        )["TrafficDistributionGroup"]
    except CallError as error:
        if error.failure is Failure.NOT_FOUND:
            raise _no_such(group) from error
        raise
    instance_id = identifiers.last_segment(described["InstanceArn"])
    return described["Arn"], described.get("Name", ""), instance_id


def _no_such(group: Group) -> CommandError:
    return CommandError(
        f"there is no {group}; give the group's ARN, or its home Region with --region"
    )


def as_python(membership: Membership, names: Names) -> str:
    """Return CDK code, to be pasted into a stack's constructor."""
    if not membership.users:
        return f"# {membership.arn} has no users to declare.\n"
    lines = ["from connect_associations import TrafficDistributionGroupMembership", ""]
    parts = range(0, len(membership.users), MAX_USERS)
    for number, start in enumerate(parts, start=1):
        lines += [
            "TrafficDistributionGroupMembership(",
            "    self,",
            f'    "{_construct_id(membership.name)}{number if len(parts) > 1 else ""}",',
            f'    instance_id="{membership.instance_id}",',
            f'    traffic_distribution_group_id="{membership.arn}",',
            "    user_ids=[",
        ]
        for user_id in membership.users[start : start + MAX_USERS]:
            name = " ".join(names.of(user_id).split())
            lines.append(f'        "{user_id}",{f"  # {name}" if name else ""}')
        lines += ["    ],", ")"]
    return "\n".join(lines) + "\n"


def as_json(membership: Membership, names: Names) -> str:
    """Return the same as data."""
    return json.dumps(
        {
            "instance_id": membership.instance_id,
            "traffic_distribution_group_id": membership.arn,
            "name": membership.name,
            "users": [
                {"user_id": user_id, "username": names.of(user_id) or None}
                for user_id in membership.users
            ],
        },
        indent=2,
    )


def _construct_id(name: str) -> str:
    words = "".join(char if char.isascii() and char.isalnum() else " " for char in name).split()
    return "".join(word[0].upper() + word[1:] for word in words) or "Members"
