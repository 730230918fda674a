"""A group follows its claims: one converger at a time, one listing, one pace.

1. The claims are read, and the members listed once.
2. A PENDING claim notes who was a member before its first write; then its users join.
3. An ENDING claim's users leave, but those whom another claim wants, or who were there before.
4. Claims that come meanwhile are picked up; those whose deployment is over are ended.
5. What one claim cannot have does not keep the others.
6. Whom Connect allows in one group only leaves the old one first, and goes back if need be.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from connect_provider import deployment as deployments
from connect_provider import lifecycle
from connect_provider.connect.client import ASSOCIATE_USER, DISASSOCIATE_USER
from connect_provider.errors import AssociationFailedError, StillWaiting, shorten
from connect_provider.groups import claims as rules
from connect_provider.groups.diagnosis import Diagnosis, ElsewhereError
from connect_provider.groups.members import Members
from connect_provider.groups.origin import Origin
from connect_provider.ledger.claim import Phase

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from connect_provider.aws import Aws
    from connect_provider.connect.client import Connect, Group
    from connect_provider.failures import CallError
    from connect_provider.ledger.claim import GroupClaim, Owner
    from connect_provider.ledger.table import Lease

_LOGGER = logging.getLogger(__name__)

_LOOK_EVERY = 5.0
"""Seconds after which the claims are read again while calls are made."""
_DEPLOYMENT_EVERY = 20.0
"""Seconds after which CloudFormation is asked again whether the deployment still goes on."""
_FEW = 10
"""This many calls cost less than waiting until a listing can be trusted."""


class Convergence:
    """One converger's work on a group.

    :param group: the group.
    :param aws: what this invocation calls.
    :param lease: the right to change the group, which is held before every call to Connect.
    :param stack_id: the stack that the converger works for.
    """

    def __init__(self, group: Group, *, aws: Aws, lease: Lease, stack_id: str) -> None:
        self._group = group
        self._aws = aws
        self._lease = lease
        self._stack_id = stack_id
        self._connect = self._connect_in(group.region)
        self._diagnosis = Diagnosis(self._connect, group)
        self._claims: dict[tuple[Owner, str], GroupClaim] = {}
        self._listed: frozenset[str] | None = None
        self._looked_at = self._asked_at = float("-inf")
        self._members = Members(
            self._connect,
            group,
            limits=aws.limits,
            look=self._look_again,
            may_leave=self._may_leave,
        )
        self._put_off: dict[tuple[Owner, str], StillWaiting | AssociationFailedError] = {}

    def run(self) -> None:
        """Converge the group with all its claims, for as long as there is time.

        :raises StillWaiting: all of them wait for the same, or there is no time left.
        :raises CallError: a call failed that says nothing about a claim.
        """
        while (claim := self._next()) is not None:
            try:
                if claim.phase is Phase.PENDING:
                    self._arrive(claim)
                else:
                    self._depart(claim)
            except StillWaiting as wait:
                if wait.shared:
                    raise
                self._put_off[claim.key] = wait
            except AssociationFailedError as failure:
                self._put_off[claim.key] = failure
                if claim.phase is Phase.PENDING:
                    problem = shorten(str(failure))
                    self._change_pending(claim, problem=problem, since=time.time())

    def outcome_of(self, claim: GroupClaim) -> GroupClaim:
        """Return a claim once it is LIVE or ENDED.

        :raises StillWaiting: it is not.
        :raises AssociationFailedError: it cannot become so.
        """
        now = self._claims.get(claim.key, claim)
        if now.phase in (Phase.LIVE, Phase.ENDED):
            return now
        if now.problem and now.phase is Phase.PENDING:
            raise AssociationFailedError(now.problem)
        raise self._put_off.get(claim.key) or StillWaiting(f"{self._group} is not converged yet")

    def _next(self) -> GroupClaim | None:
        """Return a claim that is to be converged: first those that may hold users."""
        self._look_again()
        left = self._left()
        if left and left[0].phase is Phase.ENDING:
            self._look()
            left = self._left()
        return left[0] if left else None

    def _left(self) -> list[GroupClaim]:
        left = [
            claim
            for key, claim in self._claims.items()
            if claim.phase is Phase.ENDING or (claim.phase is Phase.PENDING and not claim.problem)
            if key not in self._put_off
        ]
        return sorted(left, key=lambda claim: (claim.phase is Phase.ENDING, claim.since))

    def _look_again(self) -> bool:
        """Read the claims again if the last reading is old; return whether it was."""
        is_old = time.time() - self._looked_at >= _LOOK_EVERY
        if is_old:
            self._look()
        return is_old

    def _look(self) -> None:
        """Read the claims, and end those of the stack that were given up."""
        self._looked_at = now = time.time()
        claims = self._aws.ledger.of_group(self._group)
        self._claims = {claim.key: claim for claim in claims}
        mine = [claim for claim in claims if claim.owner.stack_id == self._stack_id]
        pending = [claim for claim in mine if claim.phase is Phase.PENDING]
        if pending and self._asked_at <= now - _DEPLOYMENT_EVERY:
            deployment = self._aws.deployment(self._stack_id)
            self._asked_at = now
            for claim in pending:
                if lifecycle.is_given_up(claim, deployment):
                    self._change(claim, lambda it: lifecycle.ended(it, now=now, undo=True))

    def _may_leave(self, user_id: str) -> bool:
        pending = (it for it in self._claims.values() if it.phase is Phase.PENDING)
        return not any(user_id in claim.users for claim in pending)

    # -- a claim that wants users ----------------------------------------------------------------

    def _arrive(self, claim: GroupClaim) -> None:
        members = self._list(claim)
        everybody, now = self._claims.values(), time.time()
        claim = self._change(claim, lambda it: rules.noted(it, members, everybody, now=now))
        if claim.phase is not Phase.PENDING:
            return
        left: set[str] = set()

        def explain(user_id: str, claim: GroupClaim, error: CallError) -> None:
            try:
                self._diagnosis.of_association(user_id, claim, error)
            except ElsewhereError as elsewhere:
                self._swap(claim, user_id, left, elsewhere)

        try:
            self._members.move(ASSOCIATE_USER, claim, claim.users - members, explain)
        except Exception:
            origin = self._origin(claim)
            if origin:
                # A user who left in vain goes back at once; the end of the claim tries again.
                origin.take_back_for_now(claim, left - self._list(claim))
            raise
        strangers = claim.expelled & members
        if strangers:
            self._look()
            self._disassociate(claim, strangers - rules.wanted(self._claims.values()))
        self._change_pending(claim, phase=Phase.LIVE, since=time.time())

    def _swap(
        self, claim: GroupClaim, user_id: str, left: set[str], elsewhere: ElsewhereError
    ) -> None:
        """Leave the old group and join the new one: a user may be allowed in only one."""
        self._require_own(claim)
        origin = self._origin(claim)
        moved = self._claims[claim.key].moved
        if origin and not moved:
            moved = origin.movable(claim)
            self._change(claim, lambda it: it._replace(moved=moved) if moved - it.moved else None)
        if origin is None or user_id not in moved:
            raise elsewhere
        left.add(user_id)
        origin.swap(claim, user_id, self._diagnosis)

    # -- a claim that ends -----------------------------------------------------------------------

    def _depart(self, claim: GroupClaim) -> None:
        # One that has noted nothing never wrote.
        if claim.adopted is not None and self._takes_out(claim):
            if claim.undo:
                self._bring_back(claim)
            if any(
                it.adopted is None and it.phase is Phase.PENDING and it.users & claim.users
                for it in self._left()
            ):
                # It came meanwhile, and would take for a member of before whom it only inherits.
                return
            for heir in [*self._heirs(claim), *rules.informed(claim, self._claims.values())]:
                self._change(heir, lambda it: rules.handed_over(it, claim))
        self._change(claim, lifecycle.over)

    def _takes_out(self, claim: GroupClaim) -> bool:
        """Take out whom the claim's end takes out; return whether the group still exists."""
        staying = rules.wanted(self._heirs(claim))
        for user_id in sorted(staying & claim.users):
            _LOGGER.info("user %s stays in %s: somebody else declares it", user_id, self._group)
        away = claim.users - rules.kept(claim) - staying
        with_strangers = rules.removes_strangers(claim, self._claims.values())
        if len(away) <= _FEW and not with_strangers:
            # This few calls cost less than a listing, and need not trust one.
            self._disassociate(claim, away)
            return True
        members = self._members.read()
        if members is None and self._diagnosis.is_gone(claim):
            _LOGGER.info("nobody to take out: %s is gone", self._group)
            return False
        members = frozenset(members or ())
        unlisted = away - members
        leaving = away & members
        if with_strangers:
            leaving |= members - rules.wanted(self._claims.values())
        self._disassociate(claim, leaving)
        if unlisted and claim.doubt and time.time() - claim.since < lifecycle.RECENT_SECONDS:
            raise StillWaiting(
                f"{len(unlisted):,} users may be in {self._group} without being listed yet",
                shared=False,
            )
        return True

    def _heirs(self, claim: GroupClaim) -> list[GroupClaim]:
        def listed() -> frozenset[str]:
            self._require_own(claim)
            if self._listed is None:
                self._listed = deployments.listed_ids(self._aws.cloudformation, self._stack_id)
            return self._listed

        return rules.heirs(claim, self._claims.values(), listed)

    def _require_own(self, claim: GroupClaim) -> None:
        """Leave to a request of the claim's own stack what only that can know or do.

        :raises StillWaiting: the claim is of another stack.
        """
        if claim.owner.stack_id != self._stack_id:
            raise StillWaiting("a request of its own stack goes on with it", shared=False)

    def _bring_back(self, claim: GroupClaim) -> None:
        """Put back users whom the claim took out of the group, or brought from the old one."""
        expelled = rules.coming_back(claim, self._claims.values(), now=time.time())
        if expelled:
            missing = expelled - self._list(claim)
            self._members.move(ASSOCIATE_USER, claim, missing, self._diagnosis.of_return)
        origin = self._origin(claim)
        if origin and claim.moved:
            self._require_own(claim)
            theirs = rules.wanted(it for it in self._claims.values() if it.owner != claim.owner)
            origin.take_back(claim, claim.moved - theirs)

    def _disassociate(self, claim: GroupClaim, users: AbstractSet[str]) -> None:
        explain = self._diagnosis.of_disassociation
        self._members.move(DISASSOCIATE_USER, claim, users, explain)

    # -- both ------------------------------------------------------------------------------------

    def _origin(self, claim: GroupClaim) -> Origin | None:
        group = rules.origin_of(claim)
        return Origin(group, self._aws.ledger, self._connect_in(group.region)) if group else None

    def _connect_in(self, region: str) -> Connect:
        return self._aws.connect(region, before_call=self._lease.hold)

    def _list(self, claim: GroupClaim) -> AbstractSet[str]:
        members = self._members.read()
        if members is None:
            self._diagnosis.of_listing(claim)
        return members or frozenset()

    def _change_pending(self, claim: GroupClaim, **changes: Any) -> None:  # noqa: ANN401 - values of a claim's fields
        pending = Phase.PENDING
        self._change(claim, lambda it: it._replace(**changes) if it.phase is pending else None)

    def _change(
        self, claim: GroupClaim, decide: Callable[[GroupClaim], GroupClaim | None]
    ) -> GroupClaim:
        self._lease.hold()
        changed = self._aws.ledger.change(self._claims.get(claim.key, claim), decide)
        self._claims[claim.key] = changed
        return changed
