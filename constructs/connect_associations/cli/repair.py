"""Put back what the ledger says and Connect does not hold."""

from __future__ import annotations

import itertools
import time
from contextlib import closing
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from connect_associations.cli.errors import CommandError, explain
from connect_associations.cli.inventory import GROUP, State
from connect_provider.connect.client import ASSOCIATE_USER, DISASSOCIATE_USER, Group
from connect_provider.errors import ProviderError, StillWaiting
from connect_provider.failures import CallError, Failure
from connect_provider.groups import claims as rules
from connect_provider.ledger.claim import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from connect_associations.cli.inventory import Inventory, Row
    from connect_associations.cli.ledgers import Ledgers
    from connect_associations.cli.session import Session
    from connect_provider.connect.client import Connect
    from connect_provider.ledger.claim import GroupClaim

_PAUSE = 5.0
"""Seconds between two looks at problems that may go away."""
_LOOK_EVERY = 5.0
"""Seconds after which the claims are read again before a user is associated."""
_REPLICATION_SECONDS = 45 * 60
"""Failed user replications are retried within 30 minutes; with some room."""


class Action(Enum):
    """What is done with a user, as Connect's operations call it."""

    ASSOCIATE = "associate"
    DISASSOCIATE = "disassociate"

    @property
    def operation(self) -> str:
        """Connect's operation."""
        return ASSOCIATE_USER if self is Action.ASSOCIATE else DISASSOCIATE_USER

    @property
    def done_as(self) -> str:
        """The action in the passive voice."""
        return "associated with" if self is Action.ASSOCIATE else "taken out of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Users of one group who are to join or to leave it."""

    action: Action
    instance_id: str
    group: Group
    users: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a change.

    :ivar done: users who are now where they should be.
    :ivar failed: why the others are not, by user ID.
    """

    change: Change
    done: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def left(self) -> tuple[str, ...]:
        """Users who are neither done nor given up."""
        return tuple(
            user for user in self.change.users if user not in self.done and user not in self.failed
        )


def plan(inventory: Inventory, *, exclusive: bool) -> list[Change]:
    """Return what is to be done; users who join come first.

    What is PENDING belongs to a deployment, which brings it about or takes it back. So does
    everything that a stack declares which is being deployed.

    :param exclusive: whether undeclared members of exclusive groups are removed.
    """
    changing = {row.target for row in inventory.rows if row.stack_id in inventory.busy}

    def place(row: Row) -> tuple[str, str, str]:
        return row.instance_id, row.region, row.target

    changes = []
    for action, state in ((Action.ASSOCIATE, State.MISSING), (Action.DISASSOCIATE, State.EXTRA)):
        if action is Action.DISASSOCIATE and not exclusive:
            continue
        rows = [
            row
            for row in inventory.drift
            if row.kind == GROUP and row.state is state and row.phase is not Phase.PENDING
            if row.stack_id not in inventory.busy
            and not (action is Action.DISASSOCIATE and row.target in changing)
        ]
        for (instance_id, region, group_id), some in itertools.groupby(
            sorted(rows, key=place), key=place
        ):
            changes.append(
                Change(
                    action=action,
                    instance_id=instance_id,
                    group=Group(id=group_id, region=region),
                    users=tuple(sorted({row.user_id for row in some})),
                )
            )
    return changes


class Repair:
    """Makes changes at the quota's pace, under the group's lease.

    Whatever fails, the rest is tried, and everybody who is not where they should be is in the
    outcome with the reason.

    :param ledgers: who wants what, read again while changes are made.
    :param wait: for how many seconds to look again at problems that may go away (a group that is
        being updated, a new user who is not replicated yet, somebody else who changes the group)
        while nothing else gets done.
    :param reached: receives how many users have been dealt with.
    :param waits_for: receives the reason why nothing happens at the moment.
    """

    def __init__(
        self,
        session: Session,
        ledgers: Ledgers,
        *,
        wait: float,
        reached: Callable[[int], None],
        waits_for: Callable[[str], None],
    ) -> None:
        self._session = session
        self._ledgers = ledgers
        self._wait = wait
        self._reached = reached
        self._waits_for = waits_for
        self._dealt_with = 0

    def carry_out(self, changes: list[Change]) -> list[Outcome]:
        """Make the changes, one group after the other."""
        outcomes = []
        for change in changes:
            outcome = Outcome(change=change)
            self._converge(outcome)
            outcomes.append(outcome)
            self._dealt_with += len(change.users)
        return outcomes

    def _converge(self, outcome: Outcome) -> None:
        give_up_at = time.time() + self._wait
        while outcome.left:
            before = len(outcome.left)
            try:
                with self._ledgers.lease(outcome.change.group) as hold:
                    reason = _Pass(self._session, self._ledgers, outcome, hold, self._tell).run()
            except StillWaiting as waiting:
                reason = _Reason(str(waiting), heals=True)
            except (CallError, ProviderError, CommandError) as error:
                reason = _Reason(_said(error))
            if len(outcome.left) < before:
                give_up_at = time.time() + self._wait
            elif not reason.heals or time.time() >= give_up_at:
                outcome.failed.update(dict.fromkeys(outcome.left, reason.text))
            self._tell(outcome)
            if outcome.left and reason.heals:
                self._waits_for(reason.text)
                time.sleep(_PAUSE)

    def _tell(self, outcome: Outcome) -> None:
        self._reached(self._dealt_with + len(outcome.done) + len(outcome.failed))


@dataclass(frozen=True, slots=True)
class _Reason:
    """Why a pass ended before everybody was where they should be."""

    text: str = ""
    heals: bool = False


class _Pass:
    """Goes once through the users who are left, under the group's lease.

    :param hold: makes sure of the lease.
    :param tell: receives every user who has been dealt with.
    """

    def __init__(
        self,
        session: Session,
        ledgers: Ledgers,
        outcome: Outcome,
        hold: Callable[[], None],
        tell: Callable[[Outcome], None],
    ) -> None:
        self._ledgers = ledgers
        self._outcome = outcome
        self._change = outcome.change
        self._hold = hold
        self._tell = tell
        self._connect: Connect = session.connect(
            self._change.group.region, before_call=self._before_call
        )
        self._claims: list[GroupClaim] = []
        self._looked_at = float("-inf")
        self._is_moving = False

    def run(self) -> _Reason:
        """Move the users whom the current claims want moved.

        :raises StillWaiting: somebody else goes on with the group, or its claims have changed.
        :raises CallError: a call failed that says nothing about a user.
        """
        change, outcome = self._change, self._outcome
        self._claims = self._ledgers.of_group(change.group)
        self._looked_at = time.time()
        members = self._connect.list_group_users(change.group)
        if members is None:
            said = f"Connect does not list the users of {change.group}"
            return self._of_group(said) or _Reason(said, heals=True)
        moving = sorted(self._to_move(members))
        outcome.done |= set(outcome.left) - set(moving)
        self._tell(outcome)
        failed: dict[str, CallError] = {}
        moves = self._connect.move_users(
            change.action.operation,
            instance_id=change.instance_id,
            group=change.group,
            user_ids=iter(moving),
        )
        # Closed, so that nothing is under way any more when this fails.
        with closing(moves):
            self._is_moving = True
            for user_id, error in moves:
                if error is None:
                    outcome.done.add(user_id)
                    self._tell(outcome)
                    continue
                if isinstance(error, StillWaiting) or error.heals or _is_denied(error):
                    raise error
                if not failed and (reason := self._of_group(str(error))):
                    return reason
                failed[user_id] = error
        self._is_moving = False
        return self._explain(failed) if failed else _Reason()

    def _to_move(self, members: frozenset[str]) -> frozenset[str]:
        left = frozenset(self._outcome.left)
        live = [claim for claim in self._claims if claim.phase is Phase.LIVE]
        if self._change.action is Action.ASSOCIATE:
            return (left & rules.wanted(live)) - members
        if not any(claim.exclusive for claim in live):
            return frozenset()
        return (left & members) - rules.wanted(self._claims)

    def _before_call(self) -> None:
        """Make sure that the group is ours and, while users move, that the claims are as we know.

        :raises StillWaiting: they are not.
        """
        self._hold()
        removes = self._change.action is Action.DISASSOCIATE
        if self._is_moving and (removes or time.time() - self._looked_at > _LOOK_EVERY):
            if self._ledgers.of_group(self._change.group) != self._claims:
                raise StillWaiting(f"what is declared for {self._change.group} has just changed")
            self._looked_at = time.time()

    def _of_group(self, said: str) -> _Reason | None:
        """Return the reason of a failure if it is the group's status."""
        group = self._connect.describe_group(self._change.group)
        if group is None:
            return _Reason(f"{said}; there is no {self._change.group}")
        if group.status != "ACTIVE":
            heals = group.status.endswith("_IN_PROGRESS")
            return _Reason(f"{said}; the group is {group.status}", heals=heals)
        return None

    def _explain(self, failed: dict[str, CallError]) -> _Reason:
        """Find out who is in the right place anyway, and who may get there later."""
        joins = self._change.action is Action.ASSOCIATE
        members = self._connect.list_group_users(self._change.group) or frozenset()
        arrived = {user_id for user_id in failed if (user_id in members) == joins}
        self._outcome.done |= arrived
        waits = _Reason()
        for user_id in failed.keys() - arrived:
            error = failed[user_id]
            user = self._connect.describe_user(
                instance_id=self._change.instance_id, user_id=user_id
            )
            if user is None:
                self._outcome.failed[user_id] = f"{error}; the instance has no such user"
            elif error.failure in (Failure.INVALID, Failure.NOT_FOUND) and _changed_lately(
                user.last_modified
            ):
                waits = _Reason(
                    f"{error}; the user was changed lately and may not be replicated yet",
                    heals=True,
                )
            else:
                self._outcome.failed[user_id] = str(error)
        self._tell(self._outcome)
        return waits


def _changed_lately(last_modified: float | None) -> bool:
    return last_modified is not None and time.time() - last_modified < _REPLICATION_SECONDS


def _is_denied(error: CallError) -> bool:
    return error.failure is Failure.ACCESS_DENIED


def _said(error: Exception) -> str:
    """Return the reason in words for the person who runs the command."""
    return str(explain(error)) if isinstance(error, CallError) else str(error)
