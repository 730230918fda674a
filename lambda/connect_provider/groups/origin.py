"""The group that users leave for another one, where Connect allows one group a user."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from connect_provider.connect.client import ASSOCIATE_USER, DISASSOCIATE_USER
from connect_provider.errors import StillWaiting
from connect_provider.failures import CallError
from connect_provider.groups import claims as rules
from connect_provider.groups.diagnosis import Diagnosis, Finding, UserFailedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from connect_provider.connect.client import Connect, Group
    from connect_provider.ledger.claim import GroupClaim
    from connect_provider.ledger.table import Ledger

_LOGGER = logging.getLogger(__name__)


class Origin(NamedTuple):
    """The group of the version that a claim replaces.

    :ivar group: the group.
    :ivar ledger: who wants what there.
    :ivar connect: returns Connect in a Region.
    """

    group: Group
    ledger: Ledger
    connect: Callable[[str], Connect]

    def movable(self, claim: GroupClaim) -> frozenset[str]:
        """Return the users who are in this group for the claim's resource alone."""
        theirs = rules.owned_users(self.ledger.of_group(self.group), claim.owner)
        return claim.users & theirs & self._members()

    def let_go(self, claim: GroupClaim, user_id: str) -> None:
        """Take a user out of this group.

        :raises UserFailedError: the user is still in it.
        """
        _LOGGER.info("user %s leaves %s for %s", user_id, self.group, claim.group)
        try:
            self._move(DISASSOCIATE_USER, claim, user_id)
        except CallError as error:
            if user_id in self._members():
                raise UserFailedError(str(error)) from error

    def take_back(self, claim: GroupClaim, users: AbstractSet[str]) -> None:
        """Bring users back whom the resource still wants here.

        :raises StillWaiting: somebody cannot come back yet.
        """
        home = rules.wanted(self.ledger.of_group(self.group, claim.owner))
        for user_id in sorted((users & home) - self._members()):
            _LOGGER.info("user %s goes back to %s", user_id, self.group)
            try:
                self._move(ASSOCIATE_USER, claim, user_id)
            except CallError as error:
                diagnosis = Diagnosis(self.connect(self.group.region), self.group)
                if diagnosis.of_association(user_id, claim, error) is Finding.ELSEWHERE:
                    raise StillWaiting(
                        f"{error}. The rollback may have yet to take the user out of there.",
                        shared=False,
                    ) from error

    def _members(self) -> frozenset[str]:
        return self.connect(self.group.region).list_group_users(self.group) or frozenset()

    def _move(self, operation: str, claim: GroupClaim, user_id: str) -> None:
        self.connect(self.group.region).move_user(
            operation, instance_id=claim.instance_id, group=self.group, user_id=user_id
        )
