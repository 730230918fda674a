"""Looks at what the person named, before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connect_associations.cli.errors import CommandError
from connect_associations.cli.verify.lab import Group, Lab
from connect_provider.identifiers import last_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from connect_associations.cli.verify.calls import Caller, Callers
    from connect_associations.cli.verify.journal import Journal

_TWO = 2


class Named(NamedTuple):
    """What the person named, as IDs or ARNs.

    :ivar instance_id: the instance.
    :ivar group_id: a traffic distribution group; None: none.
    :ivar second_group_id: another one; None: none.
    :ivar user_ids: two users who may be moved, or nobody.
    :ivar contact_flow_id: a flow that puts tasks into a queue; None: none.
    :ivar queue_id: a queue; None: none.
    :ivar create: whether groups and users may be made.
    :ivar read_only: whether nothing may be changed.
    :ivar cloudformation: whether a stack may be made.
    """

    instance_id: str
    group_id: str | None = None
    second_group_id: str | None = None
    user_ids: Sequence[str] = ()
    contact_flow_id: str | None = None
    queue_id: str | None = None
    create: bool = False
    read_only: bool = False
    cloudformation: bool = False


def look(  # noqa: PLR0913 - what a lab needs to work with
    named: Named,
    *,
    region: str,
    callers: Callers,
    journal: Journal,
    sleep: Callable[[float], None],
    now: Callable[[], float],
) -> Lab:
    """Return the lab of what was named; only reads.

    :param region: one of the instance's Regions.
    :raises CommandError: something that was named is not there, or does not fit.
    :raises CannotTellError: Connect does not answer.
    """
    if named.user_ids and len(set(map(last_segment, named.user_ids))) != _TWO:
        raise CommandError("name two different users who may be moved, or nobody")
    instance_id = last_segment(named.instance_id)
    reply = callers(region).ask("DescribeInstance", InstanceId=instance_id)
    if not reply.succeeded:
        raise CommandError(
            f"instance {instance_id} was not found in {region} ({reply.code}); check the ID, "
            "--region and --profile"
        )
    replication = reply.answer.get("ReplicationConfiguration", {})
    home = replication.get("SourceRegion", region)
    others = {each["Region"] for each in replication.get("ReplicationStatusSummaryList", [])} - {
        home
    }
    lab = Lab(
        callers=callers,
        journal=journal,
        sleep=sleep,
        now=now,
        instance_id=instance_id,
        identity=reply.answer["Instance"].get("IdentityManagementType", ""),
        home=home,
        replica=next(iter(sorted(others)), None),
        group=None,
        second=None,
        users=[_user(callers(home), instance_id, user_id) for user_id in named.user_ids],
        contact_flow_id=named.contact_flow_id and last_segment(named.contact_flow_id),
        queue_id=named.queue_id and last_segment(named.queue_id),
        create=named.create,
        read_only=named.read_only,
        cloudformation=named.cloudformation,
    )
    # Without a replica there can be no groups, and asking for them may be refused.
    if lab.replica is not None:
        lab.take_census()
    lab.group = _group(lab, named.group_id)
    lab.second = _group(lab, named.second_group_id)
    if lab.group is not None and lab.group == lab.second:
        raise CommandError("the second traffic distribution group is the first one")
    return lab


def _group(lab: Lab, group_id: str | None) -> Group | None:
    if group_id is None:
        return None
    for arn in lab.census:
        if last_segment(arn) == last_segment(group_id):
            return Group(arn)
    raise CommandError(
        f"traffic distribution group {group_id} is not one of instance {lab.instance_id}; it has "
        f"{', '.join(sorted(lab.census)) or 'none'}"
    )


def _user(caller: Caller, instance_id: str, user_id: str) -> str:
    plain = last_segment(user_id)
    reply = caller.ask("DescribeUser", InstanceId=instance_id, UserId=plain)
    if not reply.succeeded:
        raise CommandError(f"user {user_id} of instance {instance_id}: {reply.code}")
    return plain


def policy(
    lab: Lab, *, account: str, partition: str, actions: Collection[str]
) -> dict[str, object]:
    """Return a policy that allows actions, those of Connect on the instance and its groups."""
    regions = [lab.home, *([lab.replica] if lab.replica else [])]
    bases = [f"arn:{partition}:connect:{region}:{account}" for region in regions]
    resources = [
        f"{base}:{path}"
        for base in bases
        for path in (
            f"instance/{lab.instance_id}",
            f"instance/{lab.instance_id}/*",
            "traffic-distribution-group/*",
        )
    ]
    of_connect = sorted(action for action in actions if action.startswith("connect:"))
    others = sorted(set(actions) - set(of_connect))
    statements = [(of_connect, resources), (others, ["*"])]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": allowed, "Resource": where}
            for allowed, where in statements
            if allowed
        ],
    }
