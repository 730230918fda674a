"""The group that users leave for another one, where Connect allows a user in only one group."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from connect_provider.connect.client import ASSOCIATE_USER, DISASSOCIATE_USER
from connect_provider.errors import AssociationFailedError, StillWaiting
from connect_provider.failures import CallError
from connect_provider.groups import claims as rules
from connect_provider.groups.diagnosis import Diagnosis, ElsewhereError, UserFailedError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from connect_provider.connect.client import Connect, Group
    from connect_provider.ledger.claim import GroupClaim
    from connect_provider.ledger.table import Ledger

_LOGGER = logging.getLogger(__name__)


class Origin(NamedTuple):
    """The group of the version that a claim replaces.

    :ivar group: the group.
    :ivar ledger: who wants what there.
    :ivar connect: Connect in the group's home Region.
    """

    group: Group
    ledger: Ledger
    connect: Connect

    def movable(self, claim: GroupClaim) -> frozenset[str]:
        """Return the users who are in this group for the claim's resource alone."""
        theirs = rules.owned_users(self.ledger.of_group(self.group), claim.owner)
        return claim.users & theirs & self._members()

    def swap(self, claim: GroupClaim, user_id: str, new: Diagnosis) -> None:
        """Take a user out of this group, and into the claim's.

        :param new: looks around the claim's group.
        :raises StillWaiting: the user may join later.
        :raises UserFailedError: the user is still in this group, or in none.
        """
        _LOGGER.info("user %s leaves %s for %s", user_id, self.group, claim.group)
        try:
            self._move(DISASSOCIATE_USER, claim, user_id)
        except CallError as error:
            if user_id in self._members():
                raise UserFailedError(str(error)) from error
        try:
            new.connect.move_user(
                ASSOCIATE_USER, instance_id=claim.instance_id, group=new.group, user_id=user_id
            )
        except CallError as error:
            try:
                new.of_association(user_id, claim, error)
            except ElsewhereError:
                raise UserFailedError(
                    f"{error}. The user had left {self.group} for it and goes back."
                ) from error

    def take_back(self, claim: GroupClaim, users: AbstractSet[str]) -> None:
        """Bring back users whom the resource still wants here.

        :raises StillWaiting: somebody cannot come back yet.
        """
        if not users:
            return
        home = rules.wanted(self.ledger.of_group(self.group, claim.owner))
        for user_id in sorted((users & home) - self._members()):
            _LOGGER.info("user %s goes back to %s", user_id, self.group)
            try:
                self._move(ASSOCIATE_USER, claim, user_id)
            except CallError as error:
                Diagnosis(self.connect, self.group).of_return(user_id, claim, error)

    def take_back_for_now(self, claim: GroupClaim, users: AbstractSet[str]) -> None:
        """Bring back the users who can come back at once."""
        try:
            self.take_back(claim, users)
        except (CallError, StillWaiting, AssociationFailedError) as error:
            _LOGGER.warning("could not bring everybody back to %s yet: %s", self.group, error)

    def _members(self) -> frozenset[str]:
        return self.connect.list_group_users(self.group) or frozenset()

    def _move(self, operation: str, claim: GroupClaim, user_id: str) -> None:
        self.connect.move_user(
            operation, instance_id=claim.instance_id, group=self.group, user_id=user_id
        )
