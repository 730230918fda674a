"""Code that declares what Connect holds now, so that the first deployment of it writes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connect_associations.cli.errors import CommandError, explain
from connect_provider import identifiers
from connect_provider.calls import CallError, Failure
from connect_provider.connect import Group
from connect_provider.declaration import MAX_USERS
from connect_provider.errors import InvalidEventError
from connect_provider.identifiers import Kind, Owner

if TYPE_CHECKING:
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


def read(session: Session, group_id: str) -> Membership:
    """Read a group from Connect.

    :param group_id: its ID or ARN; the ID alone means the session's Region.
    :raises CommandError: there is no such group, or it is no group's ID.
    """
    try:
        parsed = identifiers.parse(
            group_id,
            kind=Kind.TRAFFIC_DISTRIBUTION_GROUP,
            name="--traffic-distribution-group-id",
            owner=Owner(),
        )
    except InvalidEventError as error:
        raise CommandError(str(error)) from error
    group = Group(id=parsed.id, region=parsed.region or session.region)
    client = session.connect_client(group.region)
    try:
        described = session.until_done(
            lambda: session.ask(
                group.region,
                "DescribeTrafficDistributionGroup",
                str(group),
                lambda: client.describe_traffic_distribution_group(
                    TrafficDistributionGroupId=group.id
                ),
            )
        )["TrafficDistributionGroup"]
    except CallError as error:
        if error.failure is Failure.NOT_FOUND:
            raise CommandError(
                f"there is no {group}; give the group's ARN, or its home Region with --region"
            ) from error
        raise explain(error) from error
    members = session.until_done(lambda: session.connect(group.region).list_group_users(group))
    return Membership(
        instance_id=identifiers.last_segment(described["InstanceArn"]),
        arn=described["Arn"],
        name=described.get("Name", ""),
        users=tuple(sorted(members or ())),
    )


def as_python(membership: Membership, names: Names) -> str:
    """Return CDK code, to be pasted into a stack's constructor."""
    if not membership.users:
        return f"# {membership.arn} has no users.\n"
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
