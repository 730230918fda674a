"""The members of a group: listed once, and moved at the quota's pace."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from typing import TYPE_CHECKING

from connect_provider.connect.client import ASSOCIATE_USER
from connect_provider.errors import AssociationFailedError, StillWaiting
from connect_provider.failures import CallError
from connect_provider.groups.diagnosis import UserFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from connect_provider.connect.calls import Limits
    from connect_provider.connect.client import Connect, Group
    from connect_provider.ledger.claim import GroupClaim

_LOGGER = logging.getLogger(__name__)


class Members:
    """Who is in a group, as far as this converger has seen and changed it.

    :param connect: Connect in the group's home Region.
    :param group: the group.
    :param limits: the invocation's time.
    :param look: looks around between the calls; returns whether it did.
    :param may_leave: whether a user may still be taken out.
    """

    def __init__(
        self,
        connect: Connect,
        group: Group,
        *,
        limits: Limits,
        look: Callable[[], bool],
        may_leave: Callable[[str], bool],
    ) -> None:
        self._connect = connect
        self._group = group
        self._limits = limits
        self._look = look
        self._may_leave = may_leave
        self._users: set[str] | None = None

    def know(self, users: AbstractSet[str]) -> None:
        """Take *users* for the members, who were listed just now."""
        self._users = set(users)

    def read(self) -> AbstractSet[str] | None:
        """Return the members; None if Connect does not find the group."""
        if self._users is None:
            listing = self._connect.list_group_users(self._group)
            self._users = None if listing is None else set(listing)
        return self._users

    def move(
        self,
        operation: str,
        claim: GroupClaim,
        users: AbstractSet[str],
        explain: Callable[[str, GroupClaim, CallError], None],
    ) -> None:
        """Move users; one who cannot be moved does not hold up the others.

        :param operation: the API's name of the operation that moves one user.
        :param explain: returns if a user whose call failed is in the right place anyway.
        :raises StillWaiting: some may be moved later.
        :raises AssociationFailedError: some cannot be moved; all were tried.
        """
        progress = _Progress(operation, self._group, len(users), of=len(claim.users))
        outcomes = self._connect.move_users(
            operation,
            instance_id=claim.instance_id,
            group=self._group,
            user_ids=self._turns(operation, users, progress),
        )
        # Closed, so that nothing is under way any more when this fails.
        with closing(outcomes):
            for user_id, error in outcomes:
                try:
                    if isinstance(error, CallError):
                        explain(user_id, claim, error)
                    elif error:
                        raise error
                except StillWaiting as wait:
                    progress.waits.append(wait)
                except UserFailedError as failure:
                    progress.failed[user_id] = str(failure)
                else:
                    progress.done += 1
                    if self._users is not None:
                        if operation == ASSOCIATE_USER:
                            self._users.add(user_id)
                        else:
                            self._users.discard(user_id)
        progress.close()

    def _turns(self, operation: str, users: AbstractSet[str], progress: _Progress) -> Iterator[str]:
        """Yield the users one by one, until everybody has to wait."""
        for user_id in sorted(users):
            if any(wait.shared for wait in progress.waits):
                return
            if self._limits.over:
                progress.waits.append(StillWaiting(str(progress)))
                return
            if self._look():
                _LOGGER.info("%s", progress)
            if operation == ASSOCIATE_USER or self._may_leave(user_id):
                yield user_id


class _Progress:
    """How far the users of one claim have been moved, and what happened to those who were not."""

    def __init__(self, operation: str, group: Group, total: int, *, of: int) -> None:
        self.done = 0
        self.waits: list[StillWaiting] = []
        self.failed: dict[str, str] = {}
        self._operation = operation
        self._group = group
        self._total = total
        self._of = max(total, of)
        self._began = time.time()

    def __str__(self) -> str:
        text = f"{self._operation}: {self.done:,} of {self._total:,} users ({self._group})"
        if 0 < self.done < self._total:
            each = (time.time() - self._began) / self.done
            text += f", {(self._total - self.done) * each:,.0f} s left at the current rate"
        return text

    def close(self) -> None:
        """Report what happened to the users."""
        if self._total > 1:
            _LOGGER.info("%s", self)
        shared = [wait for wait in self.waits if wait.shared]
        if shared or (self.waits and not self.failed):
            raise (shared or self.waits)[0]
        if not self.failed:
            return
        texts = [text for _, text in sorted(self.failed.items())]
        if self._of == 1:
            raise AssociationFailedError(texts[0])
        done_as = "associated with" if self._operation == ASSOCIATE_USER else "taken out of"
        raise AssociationFailedError(
            f"{len(texts):,} of {self._of:,} users could not be {done_as} {self._group}: "
            + "; ".join(texts)
        )
