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
from typing import TYPE_CHECKING

from connect_provider import lifecycle
from connect_provider.connect.client import ASSOCIATE_USER, DISASSOCIATE_USER
from connect_provider.errors import AssociationFailedError, StillWaiting, shorten
from connect_provider.failures import CallError
from connect_provider.groups import claims as rules
from connect_provider.groups.diagnosis import Diagnosis, Finding, UserFailedError
from connect_provider.groups.movement import Movement
from connect_provider.groups.origin import Origin
from connect_provider.ledger.claim import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet

    from connect_provider.connect.calls import Limits
    from connect_provider.connect.client import Connect, Group
    from connect_provider.deployment import Deployment
    from connect_provider.ledger.claim import GroupClaim
    from connect_provider.ledger.table import Lease, Ledger

_LOGGER = logging.getLogger(__name__)

_LOOK_EVERY = 5.0
"""Seconds after which the claims are read again while calls are made."""
_DEPLOYMENT_EVERY = 20.0
"""Seconds after which CloudFormation is asked again whether the deployment still goes on."""
_FEW = 10
"""So many calls cost less than to wait until a listing can be trusted."""


class Convergence:
    """One converger's work on a group.

    What one claim waits for or cannot have stands in ``waits`` and ``failures``.

    :param group: the group.
    :param ledger: who wants what.
    :param lease: the right to change the group.
    :param connect: returns Connect in a Region, which holds the lease before it writes.
    :param limits: the invocation's time.
    :param stack_id: the stack that the converger works for.
    :param deployment: reads the deployment that this stack is in.
    :param listed: reads the physical IDs that this stack lists.
    """

    def __init__(  # noqa: PLR0913 - the collaborators, all by keyword
        self,
        group: Group,
        *,
        ledger: Ledger,
        lease: Lease,
        connect: Callable[[str], Connect],
        limits: Limits,
        stack_id: str,
        deployment: Callable[[], Deployment],
        listed: Callable[[], frozenset[str]],
    ) -> None:
        self._group = group
        self._ledger = ledger
        self._lease = lease
        self._connect_in = connect
        self._connect = connect(group.region)
        self._diagnosis = Diagnosis(self._connect, group)
        self._movement = Movement(connect, limits, self._look_now_and_then, self._may_leave)
        self._stack_id = stack_id
        self._deployment = deployment
        self._listed = listed
        self._claims: dict[str, GroupClaim] = {}
        self._looked_at = self._asked_at = float("-inf")
        self._members: set[str] | None = None
        self.waits: dict[str, StillWaiting] = {}
        self.failures: dict[str, AssociationFailedError] = {}

    def run(self) -> None:
        """Converge the group with all its claims, for as long as there is time.

        :raises StillWaiting: all of them wait for the same, or there is no time left.
        :raises CallError: a call failed that says nothing about a claim.
        """
        while (claim := self._next()) is not None:
            key = rules.key_of(claim)
            try:
                if claim.phase is Phase.PENDING:
                    self._arrive(claim)
                else:
                    self._depart(claim)
            except StillWaiting as wait:
                if wait.shared:
                    raise
                self.waits[key] = wait
            except AssociationFailedError as failure:
                self.failures[key] = failure
                if claim.phase is Phase.PENDING:
                    self._change(claim, _failed(str(failure)))

    def outcome_of(self, claim: GroupClaim) -> GroupClaim:
        """Return a claim once it is LIVE or ENDED.

        :raises StillWaiting: it is not.
        :raises AssociationFailedError: it cannot become so.
        """
        key = rules.key_of(claim)
        now = self._claims.get(key, claim)
        if now.problem and now.phase is Phase.PENDING:
            raise AssociationFailedError(now.problem)
        if now.phase in (Phase.PENDING, Phase.ENDING):
            reason = StillWaiting(f"{self._group} is not converged yet")
            raise self.failures.get(key) or self.waits.get(key) or reason
        return now

    def _next(self) -> GroupClaim | None:
        """Return a claim that is to be converged: first those that may hold users."""
        self._look_now_and_then()
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
            if key not in self.waits and key not in self.failures
        ]
        return sorted(left, key=lambda claim: (claim.phase is Phase.ENDING, claim.since))

    def _look(self, *, max_age: float = 0.0) -> bool:
        """Read the claims again, and end those of the stack that were given up.

        :param max_age: how old the last reading may be, in seconds.
        :returns: whether they were read.
        """
        now = time.time()
        if self._looked_at > now - max_age:
            return False
        self._claims = {rules.key_of(claim): claim for claim in self._ledger.of_group(self._group)}
        self._looked_at = now
        mine = [it for it in self._claims.values() if it.owner.stack_id == self._stack_id]
        given_up = [it for it in mine if rules.is_superseded(it, mine)]
        pending = [it for it in mine if it.phase is Phase.PENDING]
        if pending and self._asked_at <= now - _DEPLOYMENT_EVERY:
            deployment = self._deployment()
            self._asked_at = now
            given_up += [it for it in pending if lifecycle.is_given_up(it, deployment)]
        for claim in given_up:
            self._change(claim, lambda it: lifecycle.ended(it, now=now, undo=True))
        return True

    def _look_now_and_then(self) -> bool:
        return self._look(max_age=_LOOK_EVERY)

    def _may_leave(self, user_id: str) -> bool:
        return not any(
            user_id in claim.users
            for claim in self._claims.values()
            if claim.phase is Phase.PENDING
        )

    # -- a claim that wants users ----------------------------------------------------------------

    def _arrive(self, claim: GroupClaim) -> None:
        members = self._list(claim)
        everybody = self._claims.values()
        now = time.time()
        claim = self._change(claim, lambda it: rules.noted(it, members, everybody, now=now))
        if claim.phase is not Phase.PENDING:
            return
        left: set[str] = set()

        def explain(user_id: str, error: CallError) -> None:
            finding = self._diagnosis.of_association(user_id, claim, error)
            if finding is Finding.ELSEWHERE:
                self._swap(claim, user_id, left, error)

        try:
            self._move(claim, ASSOCIATE_USER, claim.users - members, explain)
        except Exception:
            self._return(claim, left - self._list(claim))
            raise
        strangers = claim.expelled & members
        if strangers:
            self._look()
            self._disassociate(claim, strangers - rules.wanted(self._claims.values()))
        self._change(claim, _alive)

    def _swap(self, claim: GroupClaim, user_id: str, left: set[str], error: CallError) -> None:
        """Leave the old group and join the new one, where Connect allows one group a user."""
        self._require_own(claim)
        group = rules.origin_of(claim)
        origin = Origin(group, self._ledger, self._connect_in) if group else None
        moved = self._claims[rules.key_of(claim)].moved
        if origin and not moved:
            moved = origin.movable(claim)
            self._change(claim, lambda it: it._replace(moved=moved) if moved - it.moved else None)
        if origin is None or user_id not in moved:
            raise UserFailedError(
                f"{error}. The user may be in another traffic distribution group: take the user "
                "out of that one first."
            ) from error
        left.add(user_id)
        origin.let_go(claim, user_id)
        try:
            self._connect.move_user(
                ASSOCIATE_USER,
                instance_id=claim.instance_id,
                group=self._group,
                user_id=user_id,
            )
        except CallError as failure:
            if self._diagnosis.of_association(user_id, claim, failure) is not Finding.DONE:
                raise UserFailedError(
                    f"{failure}. The user had left {group} for it and goes back."
                ) from failure

    def _return(self, claim: GroupClaim, stranded: AbstractSet[str]) -> None:
        """Bring users back who left the old group in vain; the end of the claim tries again."""
        group = rules.origin_of(claim)
        if group is None or not stranded:
            return
        try:
            Origin(group, self._ledger, self._connect_in).take_back(claim, stranded)
        except (CallError, StillWaiting, AssociationFailedError) as error:
            _LOGGER.warning("could not bring everybody back to %s yet: %s", group, error)

    # -- a claim that ends -----------------------------------------------------------------------

    def _depart(self, claim: GroupClaim) -> None:
        if claim.adopted is None:
            # It never wrote.
            self._change(claim, lifecycle.over)
            return
        heirs = self._heirs(claim)
        staying = rules.wanted(heirs)
        for user_id in sorted(staying & claim.users):
            _LOGGER.info("user %s stays in %s: somebody else declares it", user_id, self._group)
        away = claim.users - rules.kept(claim) - staying
        strangers = rules.removes_strangers(claim, self._claims.values())
        if len(away) <= _FEW and not strangers:
            # So few calls cost less than a listing, and need not trust one.
            self._disassociate(claim, away)
        elif not self._depart_by_listing(claim, away, strangers=strangers):
            _LOGGER.info("nobody to take out: %s is gone", self._group)
            self._change(claim, lifecycle.over)
            return
        if claim.undo:
            self._bring_back(claim)
        if any(
            it.adopted is None and it.phase is Phase.PENDING and it.users & claim.users
            for it in self._left()
        ):
            # It came meanwhile, and would take for a member of before whom it only inherits.
            return
        for heir in [*self._heirs(claim), *rules.undone_together(claim, self._claims.values())]:
            self._change(heir, lambda it: rules.handed_over(it, claim))
        self._change(claim, lifecycle.over)

    def _depart_by_listing(
        self, claim: GroupClaim, away: frozenset[str], *, strangers: bool
    ) -> bool:
        """Take out who is listed; return whether the group is still there."""
        listing = self._members or self._connect.list_group_users(self._group)
        if listing is None and self._diagnosis.is_gone(claim):
            return False
        self._members = set(listing or ())
        unlisted = away - self._members
        more = self._members - rules.wanted(self._claims.values()) if strangers else frozenset()
        self._disassociate(claim, away & self._members | more)
        if unlisted and claim.doubt and time.time() - claim.since < lifecycle.RECENT_SECONDS:
            raise StillWaiting(
                f"{len(unlisted):,} users may be in {self._group} without being listed yet",
                shared=False,
            )
        return True

    def _heirs(self, claim: GroupClaim) -> list[GroupClaim]:
        def listed() -> frozenset[str]:
            self._require_own(claim)
            return self._listed()

        return rules.heirs(claim, self._claims.values(), listed)

    def _require_own(self, claim: GroupClaim) -> None:
        """Leave what only the stack of a claim can know or do to a request of that stack.

        :raises StillWaiting: the claim is of another stack.
        """
        if claim.owner.stack_id != self._stack_id:
            raise StillWaiting("a request of its own stack goes on with it", shared=False)

    def _bring_back(self, claim: GroupClaim) -> None:
        """Put back whom the claim took out of the group, or brought from the old one."""

        def explain(user_id: str, error: CallError) -> None:
            if self._diagnosis.of_association(user_id, claim, error) is Finding.ELSEWHERE:
                raise StillWaiting(
                    f"{error}. The rollback may have yet to take the user out of there.",
                    shared=False,
                ) from error

        expelled = claim.expelled - rules.expelled(self._claims.values(), now=time.time())
        if expelled:
            self._move(claim, ASSOCIATE_USER, expelled - self._list(claim), explain)
        origin = rules.origin_of(claim)
        if origin and claim.moved:
            self._require_own(claim)
            theirs = rules.wanted(it for it in self._claims.values() if it.owner != claim.owner)
            Origin(origin, self._ledger, self._connect_in).take_back(claim, claim.moved - theirs)

    def _disassociate(self, claim: GroupClaim, users: AbstractSet[str]) -> None:
        def explain(user_id: str, error: CallError) -> None:
            self._diagnosis.of_disassociation(user_id, claim, error)

        self._move(claim, DISASSOCIATE_USER, users, explain)

    # -- both ------------------------------------------------------------------------------------

    def _move(
        self,
        claim: GroupClaim,
        operation: str,
        users: Iterable[str],
        explain: Callable[[str, CallError], None],
    ) -> None:
        def moved(user_id: str) -> None:
            if self._members is not None:
                joins = operation == ASSOCIATE_USER
                (self._members.add if joins else self._members.discard)(user_id)

        self._movement.run(claim, self._group, operation, users, explain, moved)

    def _list(self, claim: GroupClaim) -> set[str]:
        if self._members is None:
            listing = self._connect.list_group_users(self._group)
            if listing is None:
                self._diagnosis.of_listing(claim)
            self._members = set(listing or ())
        return self._members

    def _change(
        self, claim: GroupClaim, decide: Callable[[GroupClaim], GroupClaim | None]
    ) -> GroupClaim:
        self._lease.hold()
        changed = self._ledger.change(claim, decide)
        self._claims[rules.key_of(claim)] = changed
        return changed


def _alive(claim: GroupClaim) -> GroupClaim | None:
    if claim.phase is not Phase.PENDING:
        return None
    return claim._replace(phase=Phase.LIVE, since=time.time())


def _failed(problem: str) -> Callable[[GroupClaim], GroupClaim | None]:
    def decide(claim: GroupClaim) -> GroupClaim | None:
        if claim.phase is not Phase.PENDING:
            return None
        return claim._replace(problem=shorten(problem), since=time.time())

    return decide
