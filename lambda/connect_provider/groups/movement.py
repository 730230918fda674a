"""Users of one claim, moved into a group or out of it, one call after the other."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from connect_provider.connect.client import ASSOCIATE_USER
from connect_provider.errors import AssociationFailedError, StillWaiting
from connect_provider.failures import CallError
from connect_provider.groups.diagnosis import UserFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from connect_provider.connect.calls import Limits
    from connect_provider.connect.client import Connect, Group
    from connect_provider.ledger.claim import GroupClaim

_LOGGER = logging.getLogger(__name__)


class Movement(NamedTuple):
    """How users are moved in one invocation.

    :ivar connect: returns Connect in a Region.
    :ivar limits: the invocation's time.
    :ivar look: looks around between the calls; returns whether it did.
    :ivar may_leave: whether a user may still be taken out.
    """

    connect: Callable[[str], Connect]
    limits: Limits
    look: Callable[[], bool]
    may_leave: Callable[[str], bool]

    def run(  # noqa: PLR0913, PLR0917 - who, where to, and what to do on failure
        self,
        claim: GroupClaim,
        group: Group,
        operation: str,
        users: Iterable[str],
        explain: Callable[[str, CallError], None],
        moved: Callable[[str], None],
    ) -> None:
        """Move users; whom that is impossible for does not keep the others.

        :param explain: returns if a user whose call failed is in place all the same.
        :param moved: told of everybody who is in place.
        :raises StillWaiting: some may be moved later.
        :raises AssociationFailedError: some cannot be moved; all were tried.
        """
        ordered = sorted(users)
        progress = _Progress(operation, group, len(ordered), of=len(claim.users))
        outcomes = self.connect(group.region).move_users(
            operation,
            instance_id=claim.instance_id,
            group=group,
            user_ids=self._left(ordered, progress),
        )
        # Closed, so that nothing is under way any more when this fails.
        with closing(outcomes):
            for user_id, error in outcomes:
                try:
                    if isinstance(error, CallError):
                        explain(user_id, error)
                    elif error:
                        raise error
                except StillWaiting as wait:
                    progress.waits.append(wait)
                except UserFailedError as failure:
                    progress.failed[user_id] = str(failure)
                else:
                    progress.done += 1
                    moved(user_id)
        progress.close()

    def _left(self, users: list[str], progress: _Progress) -> Iterator[str]:
        """Yield the users who are left, until everybody has to wait."""
        for user_id in users:
            if any(wait.shared for wait in progress.waits):
                return
            if self.limits.over:
                progress.waits.append(StillWaiting(str(progress)))
                return
            if self.look():
                _LOGGER.info("%s", progress)
            if progress.operation == ASSOCIATE_USER or self.may_leave(user_id):
                yield user_id


class _Progress:
    """How far the users of one claim have been moved."""

    def __init__(self, operation: str, group: Group, total: int, *, of: int) -> None:
        self.operation = operation
        self.done = 0
        self.waits: list[StillWaiting] = []
        self.failed: dict[str, str] = {}
        self._group = group
        self._total = total
        self._of = max(total, of)
        self._began = time.time()

    def __str__(self) -> str:
        text = f"{self.operation}: {self.done:,} of {self._total:,} users ({self._group})"
        if 0 < self.done < self._total:
            each = (time.time() - self._began) / self.done
            text += f", {(self._total - self.done) * each:,.0f} s left at the current rate"
        return text

    def close(self) -> None:
        """Say what became of the users."""
        if self._total > 1:
            _LOGGER.info("%s", self)
        shared = [wait for wait in self.waits if wait.shared]
        if shared or (self.waits and not self.failed):
            raise (shared or self.waits)[0]
        if self._of == 1 and self.failed:
            raise AssociationFailedError(next(iter(self.failed.values())))
        if self.failed:
            done_as = "associated with" if self.operation == ASSOCIATE_USER else "taken out of"
            raise AssociationFailedError(
                f"{len(self.failed):,} of {self._of:,} users could not be {done_as} "
                f"{self._group}: " + "; ".join(text for _, text in sorted(self.failed.items()))
            )
