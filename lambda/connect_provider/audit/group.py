"""One group, compared with the claims on it, and corrected if the settings ask for it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from connect_provider.audit import findings
from connect_provider.audit.findings import BusyError, Change, Difference, Kind, Limit
from connect_provider.audit.repair import Repair
from connect_provider.errors import AssociationFailedError, StillWaiting
from connect_provider.failures import CallError
from connect_provider.groups.diagnosis import Diagnosis
from connect_provider.users import filter as user_filter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connect_provider.aws import Aws
    from connect_provider.connect.client import Group
    from connect_provider.ledger.claim import GroupClaim, Owner

Changes = dict["tuple[Owner, str]", Change]
"""What the rules of claims ask for, by the claims' keys."""

_FEW = 10
"""Up to this many, DescribeUser costs less than reading all users of the instance."""


class Settings(NamedTuple):
    """What an audit may do.

    :ivar stack_id: whose claims it compares.
    :ivar repair: whether it puts missing members back, and takes extra ones out.
    :ivar limit: how much one evaluation of a rule may change.
    """

    stack_id: str
    repair: bool
    limit: Limit


@dataclass(kw_only=True)
class Report:
    """What an audit found in a group.

    :ivar oldest: for how many seconds a claim has been neither LIVE nor ENDED.
    :ivar matching: how many users rules stand for, as SearchUsers says.
    :ivar failures: what could not be read or changed, one text each.
    :ivar put_off: who else is changing the group; empty if nobody is.
    :ivar unfinished: what there was no time for; empty if there was.
    """

    differences: list[Difference] = field(default_factory=list)
    oldest: float = 0.0
    matching: int = 0
    failures: list[str] = field(default_factory=list)
    put_off: str = ""
    unfinished: str = ""


class GroupAudit:
    """One audit of one group.

    :param group: the group.
    :param aws: what this invocation calls.
    :param settings: what it may do.
    :param listed: reads the physical IDs that the stack has.
    """

    def __init__(
        self,
        group: Group,
        *,
        aws: Aws,
        settings: Settings,
        listed: Callable[[], frozenset[str]],
    ) -> None:
        self._group = group
        self._aws = aws
        self._settings = settings
        self._listed = listed
        self._connect = aws.connect(group.region)
        self._report = Report()

    def run(self) -> Report:
        """Compare the group, and correct it as far as the settings ask for it.

        :raises CallError: the group cannot be read.
        :raises ProviderError: the ledger cannot be used, or the group is in another Region.
        """
        try:
            self._run()
        except BusyError as busy:
            self._report.put_off = str(busy)
        except StillWaiting as wait:
            self._report.unfinished = str(wait)
        if self._report.put_off or self._report.unfinished:
            # What is not corrected yet is found again.
            self._report.differences = [it for it in self._report.differences if it.healed]
        return self._report

    def _run(self) -> None:
        report, stack_id = self._report, self._settings.stack_id
        claims = self._aws.ledger.of_group(self._group)
        report.oldest = findings.oldest_unsettled(claims, stack_id, now=time.time())
        if findings.is_moving(claims):
            raise BusyError(f"a deployment changes {self._group}")
        mine = findings.own(claims, stack_id, self._listed())
        if not mine:
            return
        members = self._connect.list_group_users(self._group)
        if members is None:
            if not self._is_gone(mine[0]):
                raise BusyError(f"Connect does not list the users of {self._group} yet")
            report.differences.append(Difference(Kind.GROUP_GONE, mine[0]))
            return
        changes = self._changes(mine)
        staying = [findings.relieved(it, changes[it.key].left) or it for it in mine]
        missing = findings.missing(staying, members)
        gone = self._gone(missing)
        missing = {user: claim for user, claim in missing.items() if user not in gone}
        changing = any(change.joined or change.left for change in changes.values())
        extra = findings.strangers(mine, claims, members)
        if changing or (self._settings.repair and (missing or extra)):
            self._put_right(claims, mine, members, changes, missing)
        else:
            # What a deployment changed meanwhile would look like a difference.
            if self._aws.ledger.of_group(self._group) != claims:
                raise BusyError(f"a deployment has changed who is declared in {self._group}")
            report.differences += findings.told(Kind.MISSING, missing)
            report.differences += findings.told(Kind.EXTRA, extra)
        report.differences += findings.told(Kind.USER_GONE, gone)
        report.differences += [
            Difference(Kind.RULE_STOPPED, claim, reason=changes[claim.key].stopped)
            for claim in mine
            if changes[claim.key].stopped
        ]

    def _is_gone(self, claim: GroupClaim) -> bool:
        try:
            return Diagnosis(self._connect, self._group).is_gone(claim)
        except StillWaiting as changing:
            if self._aws.limits.over:
                raise
            raise BusyError(str(changing)) from changing

    def _changes(self, mine: list[GroupClaim]) -> Changes:
        """Return what the rules of claims ask for; one that cannot be evaluated changes nothing."""
        changes: Changes = dict.fromkeys((claim.key for claim in mine), Change())
        for claim in mine:
            if not claim.rule:
                continue
            try:
                matching = user_filter.matching(
                    self._connect, instance_id=claim.instance_id, rule=claim.rule
                )
            except CallError as error:
                self._report.failures.append(f"the rule of {claim.owner.logical_id}: {error}")
            else:
                self._report.matching += len(matching)
                changes[claim.key] = findings.change(claim, matching, self._settings.limit)
        return changes

    def _gone(self, missing: Mapping[str, GroupClaim]) -> dict[str, GroupClaim]:
        """Return those of the missing users who no longer exist."""
        candidates = set(missing)
        if len(candidates) > _FEW:
            for instance_id in {claim.instance_id for claim in missing.values()}:
                for page in self._connect.search(instance_id=instance_id):
                    candidates -= page.usernames.keys()
        return {
            user_id: missing[user_id]
            for user_id in sorted(candidates)
            if not self._connect.describe_user(
                instance_id=missing[user_id].instance_id, user_id=user_id
            )
        }

    def _put_right(
        self,
        claims: list[GroupClaim],
        mine: list[GroupClaim],
        members: frozenset[str],
        changes: Changes,
        missing: Mapping[str, GroupClaim],
    ) -> None:
        """Let the group follow its rules, and its declarations if that is asked for."""
        if not self._aws.deployment(self._settings.stack_id).is_settled:
            raise BusyError("a deployment of the stack is under way, or may still be rolled back")
        with ExitStack() as leases:
            try:
                lease = leases.enter_context(self._aws.ledger.lease(mine[0]))
            except StillWaiting as held:
                raise BusyError(str(held)) from held
            repair = Repair(
                self._group,
                aws=self._aws,
                lease=lease,
                stack_id=self._settings.stack_id,
                seen=claims,
                members=members,
            )
            try:
                for claim in mine:
                    self._follow(repair, claim, changes[claim.key], missing)
                if self._settings.repair:
                    extra = findings.strangers(mine, repair.claims, repair.members)
                    for claim in set(extra.values()):
                        self._try(repair.take_out, claim, extra.keys())
            finally:
                self._tell(mine, members, changes, missing, repair)

    def _follow(
        self,
        repair: Repair,
        claim: GroupClaim,
        change: Change,
        missing: Mapping[str, GroupClaim],
    ) -> None:
        back = claim.users & missing.keys() if self._settings.repair else frozenset[str]()
        if back or change.joined:
            self._try(repair.put_in, claim, back | change.joined, joined=change.joined)
        if change.left:
            self._try(repair.take_out, claim, change.left)
            repair.relieve(claim, change.left)

    def _try(self, act: Callable[..., None], *arguments: object, **named: object) -> None:
        """Act; users for whom it is impossible do not hold up the others."""
        try:
            act(*arguments, **named)
        except AssociationFailedError as failure:
            self._report.failures.append(str(failure))

    def _tell(
        self,
        mine: list[GroupClaim],
        before: frozenset[str],
        changes: Changes,
        missing: Mapping[str, GroupClaim],
        repair: Repair,
    ) -> None:
        """Report what was different before, and whether it is now."""
        after, found = repair.members, self._report.differences
        named = {claim.key: claim.users for claim in repair.claims}
        for claim in mine:
            joined, left, _ = changes[claim.key]
            found += [
                Difference(Kind.JOINED, claim, user_id, healed=user_id in after)
                for user_id in sorted(joined)
            ]
            found += [
                Difference(Kind.LEFT, claim, user_id, healed=user_id not in named[claim.key])
                for user_id in sorted(left)
            ]
        leaving = frozenset().union(*(change.left for change in changes.values()))
        extra = findings.strangers(mine, repair.claims, before - leaving)
        found += [
            it._replace(healed=it.user_id in after) for it in findings.told(Kind.MISSING, missing)
        ]
        found += [
            it._replace(healed=it.user_id not in after) for it in findings.told(Kind.EXTRA, extra)
        ]
