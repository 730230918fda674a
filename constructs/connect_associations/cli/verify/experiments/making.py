"""Experiments that make groups and users, which other experiments may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_associations.cli.verify import listing
from connect_associations.cli.verify.calls import CannotTellError
from connect_associations.cli.verify.experiment import Experiment, Finding, Need
from connect_associations.testing import assumptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connect_associations.cli.verify.lab import Group, Lab

_LOOKS = 450
_PAUSE = 2.0
_PEOPLE = 2
_GONE_AFTER = 10
_IN_PROGRESS = "CREATION_IN_PROGRESS"


class NewGroup(Experiment):
    """How soon a new group is found and ACTIVE, and whether it can be listed before."""

    plan = "make a traffic distribution group (two if none is named), and delete it at the end"
    settles = (
        assumptions.GROUP_ACTIVE_AFTER_CALLS,
        assumptions.LIST_INACTIVE_GROUP,
    )
    operations = (
        "CreateTrafficDistributionGroup",
        "DeleteTrafficDistributionGroup",
        "DescribeTrafficDistributionGroup",
        "ListTrafficDistributionGroups",
        "ListTrafficDistributionGroupUsers",
    )
    needs = (Need.CREATE, Need.REPLICA)
    keeps = True

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Make what is missing; the first one is watched."""
        group, _ = lab.make_group()
        yield from self._watch(lab, group)
        lab.scratch = group
        if lab.group is None:
            lab.group = group
        elif lab.second is None:
            lab.second = group
        if lab.second is None:
            second, _ = lab.make_group()
            _until_active(lab, second)
            lab.second = second

    def _watch(self, lab: Lab, group: Group) -> Iterator[Finding]:
        began, calls, answered, listed_between, status = lab.now(), 0, "", False, ""
        for _ in range(_LOOKS):
            status = _status(lab, group)
            if status == _IN_PROGRESS:
                listed_between = bool(answered)
                answered = answered or _list(lab, group)
                calls += 1 if listed_between else 2
            elif status != listing.NOT_FOUND:
                break
            lab.sleep(_PAUSE)
        if status != "ACTIVE":
            raise CannotTellError(f"a new group is {status}")
        took = f"ACTIVE {lab.now() - began:.0f} s after it was made"
        yield Finding(assumptions.GROUP_ACTIVE_AFTER_CALLS, calls, took)
        if listed_between or answered == listing.NOT_FOUND:
            yield Finding(assumptions.LIST_INACTIVE_GROUP, answered)
        else:
            yield Finding.unsettled(
                assumptions.LIST_INACTIVE_GROUP, "the new group was ACTIVE too soon"
            )


class NewUser(Experiment):
    """How soon a new user is found and replicated, and what is answered before."""

    plan = "make a user (two if none are named), associate it, and delete it at the end"
    settles = (
        assumptions.VISIBLE_AFTER_CALLS,
        assumptions.USER_REPLICATED_AFTER_CALLS,
        assumptions.ASSOCIATE_UNREPLICATED_USER,
    )
    operations = (
        "CreateUser",
        "DeleteUser",
        "DescribeUser",
        "ListUsers",
        "SearchUsers",
        "AssociateTrafficDistributionGroupUser",
    )
    needs = (Need.CREATE,)
    keeps = True

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Make what is missing; the first one is watched."""
        named = bool(lab.users)
        user_id, _ = lab.make_user()
        began = lab.now()
        yield self._watch_visibility(lab, user_id, began)
        if not named:
            lab.users = [user_id]
            while len(lab.users) < _PEOPLE:
                lab.users.append(lab.make_user()[0])
            lab.note_members()
        if lab.scratch is None:
            raise CannotTellError("there is no new group to associate a new user with")
        yield from self._watch_replication(lab, lab.scratch, user_id, began)

    def _watch_visibility(self, lab: Lab, user_id: str, began: float) -> Finding:
        code = ""
        for calls in range(_LOOKS):
            reply = lab.connect.ask("DescribeUser", InstanceId=lab.instance_id, UserId=user_id)
            if reply.succeeded:
                return Finding(
                    assumptions.VISIBLE_AFTER_CALLS,
                    calls,
                    f"found {lab.now() - began:.0f} s after it was made",
                )
            code = reply.code
            lab.sleep(_PAUSE)
        raise CannotTellError(f"a new user is not found: {code}")

    def _watch_replication(
        self, lab: Lab, group: Group, user_id: str, began: float
    ) -> Iterator[Finding]:
        refusals: list[str] = []
        for _ in range(_LOOKS):
            reply = lab.associate(group, user_id)
            if reply.succeeded:
                break
            refusals.append(reply.code)
            lab.sleep(_PAUSE)
        else:
            raise CannotTellError(f"a new user could not be associated: {refusals[-1]}")
        yield Finding(
            assumptions.USER_REPLICATED_AFTER_CALLS,
            len(refusals),
            f"associated {lab.now() - began:.0f} s after it was made",
        )
        if refusals:
            yield Finding(assumptions.ASSOCIATE_UNREPLICATED_USER, refusals[0])
        else:
            yield Finding.unsettled(
                assumptions.ASSOCIATE_UNREPLICATED_USER,
                "the new user had been replicated before the first attempt",
            )


class DeletedUser(Experiment):
    """Whether a deleted user stays in the list of its group."""

    plan = "make a user and a group, associate them, delete the user, and list the group"
    settles = (assumptions.DELETED_USER_STAYS_MEMBER,)
    operations = (*NewGroup.operations, *NewUser.operations)
    needs = (Need.CREATE, Need.REPLICA)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Delete a member of a group that is deleted afterwards, so that no trace is left."""
        group, _ = lab.make_group()
        _until_active(lab, group)
        user_id, note = lab.make_user()
        for _ in range(_LOOKS):
            if lab.associate(group, user_id).succeeded:
                break
            lab.sleep(_PAUSE)
        lab.bring(user_id, group, inside=True)
        lab.connect.must("DeleteUser", InstanceId=lab.instance_id, UserId=user_id)
        lab.journal.done(note)
        stays = True
        for _ in range(_GONE_AFTER):  # it may be gone a little later
            stays = lab.is_member(group, user_id)
            if not stays:
                break
            lab.sleep(_PAUSE)
        yield Finding(assumptions.DELETED_USER_STAYS_MEMBER, stays)


def _status(lab: Lab, group: Group) -> str:
    """Return a group's status, or the code of the error if it is not found yet."""
    reply = lab.callers(group.region).ask(
        "DescribeTrafficDistributionGroup", TrafficDistributionGroupId=group.arn
    )
    status: str = reply.answer.get("TrafficDistributionGroup", {}).get("Status", reply.code)
    return status


def _list(lab: Lab, group: Group) -> str:
    """List a group's users, and return how that ended."""
    return (
        lab.callers(group.region)
        .ask("ListTrafficDistributionGroupUsers", TrafficDistributionGroupId=group.arn)
        .code
    )


def _until_active(lab: Lab, group: Group) -> None:
    status = ""
    for _ in range(_LOOKS):
        status = _status(lab, group)
        if status == "ACTIVE":
            return
        lab.sleep(_PAUSE)
    raise CannotTellError(f"a new group is not ACTIVE: {status}")
