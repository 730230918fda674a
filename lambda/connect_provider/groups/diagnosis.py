"""What a failed call means for a user in a group: found by looking, never by guessing.

Connect answers ResourceNotFoundException for a missing group, a group that is not ACTIVE, a missing
user and the wrong Region alike, and whether associating a member again is an error is documented
nowhere. Everything here only reads.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from connect_provider.errors import (
    AssociationFailedError,
    StillWaiting,
    UnsupportedRuntimeError,
)
from connect_provider.failures import CallError, Failure
from connect_provider.lifecycle import RECENT_SECONDS

if TYPE_CHECKING:
    from connect_provider.connect.client import Connect, Group
    from connect_provider.ledger.claim import GroupClaim

_REPLICATION_SECONDS = 45 * 60
"""Failed user replications are retried within 30 minutes; with some room."""

_CHANGING = frozenset(("CREATION_IN_PROGRESS", "UPDATE_IN_PROGRESS"))
_DEAD = frozenset(("CREATION_FAILED", "PENDING_DELETION", "DELETION_FAILED"))


class UserFailedError(AssociationFailedError):
    """One user cannot be brought where the user should be; others may."""


class ElsewhereError(UserFailedError):
    """The user may be in another group, and Connect allows a user in only one group."""


class Diagnosis(NamedTuple):
    """Looks around a group after a failure.

    :ivar connect: Connect in the group's home Region.
    :ivar group: the group.
    """

    connect: Connect
    group: Group

    def of_listing(self, claim: GroupClaim) -> None:
        """Explain that Connect does not list the group's users.

        :raises StillWaiting: they may be listed later.
        :raises AssociationFailedError: they will not.
        """
        said = f"ListTrafficDistributionGroupUsers does not find {self.group}"
        self._require_active(claim, said)
        raise StillWaiting(f"{said} yet")

    def is_gone(self, claim: GroupClaim) -> bool:
        """Whether there is nobody to take out of the group any more.

        :raises StillWaiting: the group changes, or is only said to be missing for a moment.
        :raises AssociationFailedError: the group is in another Region.
        """
        group = self.connect.describe_group(self.group)
        if group is None:
            if _is_recent(claim):
                raise StillWaiting(f"DescribeTrafficDistributionGroup does not find {self.group}")
            return True
        if group.status in _DEAD:
            return True
        self._require_home(group.home_region, f"Connect does not list the users of {self.group}")
        if group.status in _CHANGING:
            raise StillWaiting(f"{self.group} is {group.status}")
        return False

    def of_association(self, user_id: str, claim: GroupClaim, error: CallError) -> None:
        """Return if the user is in the group although the call failed; explain it if not.

        :raises StillWaiting: the user may be associated later.
        :raises UserFailedError: the user cannot be associated.
        :raises AssociationFailedError: no user can be.
        :raises CallError: nobody can: the permission is missing.
        """
        if error.failure is Failure.ACCESS_DENIED:
            raise error
        if error.failure in (Failure.CONFLICT, Failure.INVALID) and self._is_member(user_id):
            return
        if error.failure in (Failure.CONFLICT, Failure.INVALID, Failure.NOT_FOUND):
            self._require_active(claim, str(error))
        if error.failure is Failure.CONFLICT:
            raise ElsewhereError(
                f"{error}. The user may be in another traffic distribution group: take the user "
                "out of that one first."
            ) from error
        if error.failure in (Failure.INVALID, Failure.NOT_FOUND):
            last_modified = self._require_user(user_id, claim, error)
            if error.failure is Failure.NOT_FOUND:
                raise StillWaiting(str(error)) from error
            finding = self._replication_finding(user_id, claim)
            if finding:
                raise UserFailedError(
                    f"{error}. ListReplicationFindings says of user {user_id}: {finding}"
                ) from error
            if _changed_lately(last_modified):
                raise StillWaiting(
                    f"{error}. User {user_id} was changed lately and may not have been replicated "
                    "to the other Region yet.",
                    shared=False,
                ) from error
        raise UserFailedError(str(error)) from error

    def of_return(self, user_id: str, claim: GroupClaim, error: CallError) -> None:
        """Explain as :meth:`of_association` does why a user cannot come back to the group yet."""
        try:
            self.of_association(user_id, claim, error)
        except ElsewhereError:
            raise StillWaiting(
                f"{error}. The rollback may not have taken the user out of that group yet.",
                shared=False,
            ) from error

    def of_disassociation(self, user_id: str, claim: GroupClaim, error: CallError) -> None:
        """Return if the user is out of the group all the same.

        :raises StillWaiting: the user may be taken out later.
        :raises UserFailedError: the user cannot be taken out.
        :raises AssociationFailedError: no user can be.
        :raises CallError: nobody can: the permission is missing.
        """
        if error.failure is Failure.ACCESS_DENIED:
            raise error
        if self.is_gone(claim) or not self._is_member(user_id):
            return
        user = self.connect.describe_user(instance_id=claim.instance_id, user_id=user_id)
        if user is None:
            return
        if error.failure is Failure.NOT_FOUND or (
            error.failure is Failure.INVALID and _changed_lately(user.last_modified)
        ):
            raise StillWaiting(str(error), shared=False) from error
        raise UserFailedError(str(error)) from error

    def _replication_finding(self, user_id: str, claim: GroupClaim) -> str | None:
        """Return why the user is not replicated, if Connect says so; nothing else depends on it."""
        try:
            findings = self.connect.replication_findings(instance_id=claim.instance_id)
        except (CallError, StillWaiting, UnsupportedRuntimeError):
            return None
        return findings.get(user_id)

    def _is_member(self, user_id: str) -> bool:
        return user_id in (self.connect.list_group_users(self.group) or ())

    def _require_active(self, claim: GroupClaim, said: str) -> None:
        group = self.connect.describe_group(self.group)
        if group is None:
            if _is_recent(claim):
                raise StillWaiting(f"{said}. It may have been created just now.")
            raise AssociationFailedError(
                f"{said}. There is no {self.group}: check the ID, and that the Region is the "
                "group's home Region (give the group's ARN, or the prop region)."
            )
        self._require_home(group.home_region, said)
        if group.status in _CHANGING:
            raise StillWaiting(f"{said}. The group is {group.status}.")
        if group.status in _DEAD:
            raise AssociationFailedError(
                f"{said}. The group is {group.status} and takes no users: repair or replace it."
            )

    def _require_home(self, home_region: str, said: str) -> None:
        if home_region != self.group.region:
            raise AssociationFailedError(
                f"{said}. The group's home Region is {home_region}, and only there users can be "
                "associated: give the group's ARN, or the prop region."
            )

    def _require_user(self, user_id: str, claim: GroupClaim, error: CallError) -> float | None:
        """Return when the user was last modified, in seconds since the epoch."""
        user = self.connect.describe_user(instance_id=claim.instance_id, user_id=user_id)
        if user is not None:
            return user.last_modified
        if _is_recent(claim):
            raise StillWaiting(
                f"{error}. User {user_id} may have been created just now.", shared=False
            )
        raise UserFailedError(
            f"{error}. Instance {claim.instance_id} in {self.group.region} has no user "
            f"{user_id}, or there is no such instance: check both IDs."
        ) from error


def _is_recent(claim: GroupClaim) -> bool:
    """Whether what is not found may be found a little later."""
    return time.time() - claim.since < RECENT_SECONDS


def _changed_lately(last_modified: float | None) -> bool:
    return last_modified is not None and time.time() - last_modified < _REPLICATION_SECONDS
