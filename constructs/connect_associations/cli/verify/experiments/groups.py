"""Experiments on the users of traffic distribution groups."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from connect_associations.cli.verify.calls import SUCCEEDS, CannotTellError
from connect_associations.cli.verify.experiment import Experiment, Finding, Need
from connect_associations.cli.verify.lab import Group
from connect_associations.cli.verify.listing import spelled_users
from connect_associations.testing import assumptions
from connect_associations.testing.assumptions import IdentifierForm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connect_associations.cli.verify.lab import Lab

_LIST = "ListTrafficDistributionGroupUsers"
_ASSOCIATE = "AssociateTrafficDistributionGroupUser"
_DISASSOCIATE = "DisassociateTrafficDistributionGroupUser"
# To associate a user, IAM wants both of the last ones allowed.
_MOVE = (_LIST, _ASSOCIATE, _DISASSOCIATE, "DescribeUser", "SearchUsers")
_CHANGES = (Need.WRITE, Need.GROUP, Need.USERS)

MOVED = "Moved"
"""Neither of the ways that are expected: the user left the one group for the other."""


class AssociateTwice(Experiment):
    """A user who is in the group already."""

    plan = "associate the first user with the group, twice"
    settles = (assumptions.ASSOCIATE_MEMBER,)
    operations = _MOVE
    needs = _CHANGES

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Associate twice."""
        group, user_id = lab.chosen(), lab.users[0]
        lab.bring(user_id, group, inside=True)
        yield Finding(assumptions.ASSOCIATE_MEMBER, lab.associate(group, user_id).code)


class DisassociateNonMember(Experiment):
    """A user who is not in the group."""

    plan = "disassociate the second user from the group, who is not in it by then"
    settles = (assumptions.DISASSOCIATE_NON_MEMBER,)
    operations = _MOVE
    needs = _CHANGES

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Disassociate twice."""
        group, user_id = lab.chosen(), lab.users[1]
        lab.bring(user_id, group, inside=False)
        reply = lab.disassociate(group, user_id)
        yield Finding(assumptions.DISASSOCIATE_NON_MEMBER, reply.code)


class SeveralGroups(Experiment):
    """A user in two groups."""

    plan = "associate the first user with the group, and with the second group as well"
    settles = (assumptions.USER_IN_SEVERAL_GROUPS,)
    operations = _MOVE
    needs = (*_CHANGES, Need.SECOND_GROUP)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Associate with both."""
        group, second, user_id = lab.chosen(), lab.second, lab.users[0]
        if second is None:
            raise CannotTellError(Need.SECOND_GROUP.value)
        lab.bring(user_id, second, inside=False)
        lab.bring(user_id, group, inside=True)
        code = lab.associate(second, user_id).code
        moved = code == SUCCEEDS and not lab.is_member(group, user_id)
        yield Finding(assumptions.USER_IN_SEVERAL_GROUPS, MOVED if moved else code)


class UnknownUser(Experiment):
    """A user whom the instance does not have."""

    plan = "associate a user ID that nobody has with the group"
    settles = (assumptions.ASSOCIATE_UNKNOWN_USER,)
    operations = (_ASSOCIATE,)
    needs = (Need.WRITE, Need.GROUP)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Associate nobody."""
        reply = lab.associate(lab.chosen(), str(uuid.uuid4()))
        yield Finding(assumptions.ASSOCIATE_UNKNOWN_USER, reply.code)


class SpellingOfUsers(Experiment):
    """How the list of a group's users spells them."""

    plan = "list the users of the largest group; if none has users, after associating the first"
    settles = (assumptions.GROUP_USER_ID,)
    operations = _MOVE

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Look at how they are spelled."""
        spelled = [each for users in lab.census.values() for each in users]
        if not spelled and all(need.met(lab) for need in _CHANGES):
            group = lab.chosen()
            lab.bring(lab.users[0], group, inside=True)
            spelled = spelled_users(lab.callers(group.region), group.arn) or []
        if not spelled:
            raise CannotTellError("no group of the instance has users")
        form = IdentifierForm.ARN if spelled[0].startswith("arn:") else IdentifierForm.ID
        yield Finding(assumptions.GROUP_USER_ID, form.value)


class PageSize(Experiment):
    """How many users a page holds, and how many may be asked for."""

    plan = "list the users of the largest group with MaxResults 1,000, 100 and 10"
    settles = (assumptions.GROUP_USERS_MAX_RESULTS, assumptions.GROUP_USERS_PAGE_SIZE)
    operations = (_LIST,)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Ask for pages of each size."""
        sizes = sorted(assumptions.GROUP_USERS_MAX_RESULTS.choices, reverse=True)
        largest = max(lab.census, key=lambda arn: len(lab.census[arn]), default=None)
        if largest is None:
            raise CannotTellError("the instance has no traffic distribution group")
        group = Group(largest)
        request: dict[str, Any] = {"TrafficDistributionGroupId": group.arn}
        ask = lab.callers(group.region).ask
        replies = ((size, ask(_LIST, **request, MaxResults=size)) for size in sizes)
        size, reply = next((each for each in replies if each[1].succeeded), (0, None))
        if reply is None:
            raise CannotTellError("no page size was taken")
        yield Finding(assumptions.GROUP_USERS_MAX_RESULTS, size)
        seen = len(reply.answer["TrafficDistributionGroupUserSummaryList"])
        if seen == size < sizes[0]:
            raise CannotTellError(f"no more than {size} users may be asked for")
        if reply.answer.get("NextToken"):
            yield Finding(assumptions.GROUP_USERS_PAGE_SIZE, seen)
            return
        possible = [each for each in assumptions.GROUP_USERS_PAGE_SIZE.choices if each >= seen]
        if len(possible) != 1:
            raise CannotTellError(f"the largest group has only {seen} users, all on one page")
        yield Finding(
            assumptions.GROUP_USERS_PAGE_SIZE, possible[0], f"{seen} users were on one page"
        )
