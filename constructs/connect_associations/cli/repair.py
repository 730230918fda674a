"""Put back what a stack declares and Connect does not hold."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connect_associations.cli.errors import CommandError, explain
from connect_associations.cli.inventory import GROUP, State
from connect_provider.calls import CallError, Failure
from connect_provider.connect import Group
from connect_provider.errors import ProviderError, StillWaiting
from connect_provider.group_convergence import GroupConvergence, Progress
from connect_provider.plan import Action, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from connect_associations.cli.inventory import Inventory, Row
    from connect_associations.cli.session import Session

_PAUSE = 5.0
"""Seconds between two looks at what may heal by itself."""


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
    """Return what is to be done, those who join first.

    :param exclusive: whether undeclared members of exclusive groups are removed.
    """

    def place(row: Row) -> tuple[str, str, str]:
        return row.instance_id, row.region, row.target

    changes = []
    for action, state in ((Action.ASSOCIATE, State.MISSING), (Action.DISASSOCIATE, State.EXTRA)):
        if action is Action.DISASSOCIATE and not exclusive:
            continue
        rows = [row for row in inventory.drift if row.kind == GROUP and row.state is state]
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
    """Makes changes at the quota's pace, with the provider's own convergence.

    Whatever fails, the rest is tried, and everybody who is not where they should be is in the
    outcome with the reason.

    :param wait: for how many seconds to look again at what may heal by itself (a group that is
        being updated, a new user who is not replicated yet) while nothing else gets done.
    :param reached: is told how many users have been dealt with.
    :param waits_for: is told why nothing happens at the moment.
    """

    def __init__(
        self,
        session: Session,
        *,
        wait: float,
        reached: Callable[[int], None],
        waits_for: Callable[[str], None],
    ) -> None:
        self._session = session
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
        return outcomes

    def _converge(self, outcome: Outcome) -> None:
        clock = self._session.clock
        give_up_at = clock.time() + self._wait
        while outcome.left:
            before = len(outcome.left)
            reason = self._pass(outcome)
            if len(outcome.left) < before:
                give_up_at = clock.time() + self._wait
            elif not reason.heals or clock.time() >= give_up_at:
                self._dealt_with += len(outcome.left)
                outcome.failed.update(dict.fromkeys(outcome.left, reason.text))
                self._reached(self._dealt_with)
                return
            if reason.heals:
                self._waits_for(reason.text)
                clock.sleep(_PAUSE)

    def _pass(self, outcome: Outcome) -> _Reason:
        """Go once through the users who are left."""
        change = outcome.change
        progress = Progress()
        # Each pass has its own, because it remembers the group's status and members.
        convergence = GroupConvergence(
            connect=self._session.connect,
            caller=self._session.caller,
            instance_id=change.instance_id,
            step=Step(action=change.action, group=change.group, users=outcome.left),
            progress=progress,
        )
        self._session.caller.after_each = lambda: self._reached(
            self._dealt_with + len(progress.done) + len(progress.failed)
        )
        try:
            convergence.run(still_wanted=lambda: True)
        except StillWaiting as waiting:
            return _Reason(text=str(waiting), heals=True)
        except (CallError, ProviderError, CommandError) as error:
            return _Reason(text=_said(error))
        finally:
            self._session.caller.after_each = None
            outcome.done |= progress.done
            outcome.failed |= progress.failed
            self._dealt_with += len(progress.done) + len(progress.failed)
            self._reached(self._dealt_with)
        return _Reason()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reason:
    """Why a pass ended before everybody was where they should be."""

    text: str = ""
    heals: bool = False


def _said(error: Exception) -> str:
    """Return the reason in words for whoever runs the command."""
    cause = error if isinstance(error, CallError) else error.__cause__
    if isinstance(cause, CallError) and cause.failure is Failure.ACCESS_DENIED:
        # The provider's words are about its Lambda's role.
        return str(explain(cause))
    return str(error)
