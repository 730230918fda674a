"""Put back what a stack declares and Connect does not hold."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connect_associations.cli.inventory import GROUP, State
from connect_provider.connect import Group
from connect_provider.errors import AssociationFailedError
from connect_provider.group_convergence import GroupConvergence, Progress
from connect_provider.plan import Action, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from connect_associations.cli.inventory import Inventory, Row
    from connect_associations.cli.session import Session

_AT_ONCE = 20
"""Users a step: small, so that a progress bar moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Users of one group who are to join or to leave it."""

    action: Action
    instance_id: str
    group: Group
    users: tuple[str, ...]


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


def carry_out(session: Session, changes: list[Change], *, done: Callable[[int], None]) -> list[str]:
    """Make the changes at the quota's pace and return what failed, in words.

    :param done: is told how many more users have been dealt with.
    """
    failures = []
    for change in changes:
        for start in range(0, len(change.users), _AT_ONCE):
            users = change.users[start : start + _AT_ONCE]
            failures += _carry_out(session, change, users)
            done(len(users))
    return failures


def _carry_out(session: Session, change: Change, users: tuple[str, ...]) -> list[str]:
    convergence = GroupConvergence(
        connect=session.connect,
        caller=session.caller,
        instance_id=change.instance_id,
        step=Step(action=change.action, group=change.group, users=users),
        progress=Progress(),
    )
    try:
        session.until_done(lambda: convergence.run(still_wanted=lambda: True))
    except AssociationFailedError as error:
        return [str(error)]
    return []
