"""A group at rest follows its LIVE claims again: the convergence of a deployment, without one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from connect_provider.audit import findings
from connect_provider.audit.findings import BusyError
from connect_provider.connect.client import ASSOCIATE_USER
from connect_provider.groups import claims as rules
from connect_provider.groups.convergence import Convergence

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from connect_provider.aws import Aws
    from connect_provider.connect.client import Group
    from connect_provider.ledger.claim import GroupClaim
    from connect_provider.ledger.table import Lease


class Repair(Convergence):
    """One auditor's work on a group, which stops as soon as a deployment works on it.

    :param seen: the claims of the group that the auditor has decided on.
    :param members: the members that it has decided on.
    :raises BusyError: the claims have changed by now.
    """

    def __init__(  # noqa: PLR0913 - the collaborators, all by keyword
        self,
        group: Group,
        *,
        aws: Aws,
        lease: Lease,
        stack_id: str,
        seen: Iterable[GroupClaim],
        members: AbstractSet[str],
    ) -> None:
        super().__init__(group, aws=aws, lease=lease, stack_id=stack_id)
        self._members.know(members)
        self._look()
        if self._claims != {claim.key: claim for claim in seen}:
            raise BusyError(f"a deployment has changed who is declared in {group}")

    @property
    def members(self) -> frozenset[str]:
        """Who is in the group as far as the auditor knows."""
        return frozenset(self._members.read() or ())

    @property
    def claims(self) -> list[GroupClaim]:
        """The claims of the group as they are now."""
        return list(self._claims.values())

    def put_in(self, claim: GroupClaim, users: frozenset[str], *, joined: frozenset[str]) -> None:
        """Associate users of a claim.

        :param joined: whom the claim does not name yet.
        :raises StillWaiting: some may be associated later.
        :raises AssociationFailedError: some cannot be; all were tried.
        """
        now, members = time.time(), self.members
        claim = self._change(claim, lambda it: findings.renewed(it, joined, members, now=now))
        missing = (users & claim.users) - members
        self._members.move(ASSOCIATE_USER, claim, missing, self._diagnosis.of_association)

    def take_out(self, claim: GroupClaim, users: AbstractSet[str]) -> None:
        """Take out users whom no other claim wants, no matter what this one says.

        :raises StillWaiting: some may be taken out later.
        :raises AssociationFailedError: some cannot be; all were tried.
        """
        before = self.members
        try:
            self._look()
            self._disassociate(claim, (users & before) - self._wanted_beside(claim))
        finally:
            # A claim that came in between lists the group after this, and may still find them.
            super()._look()
            for user_id in sorted((before - self.members) & self._wanted_beside(claim)):
                self._connect.move_user(
                    ASSOCIATE_USER,
                    instance_id=claim.instance_id,
                    group=self._group,
                    user_id=user_id,
                )

    def relieve(self, claim: GroupClaim, left: frozenset[str]) -> None:
        """Remove from a claim the users who are out, or whom another claim keeps in."""
        done = left - (self.members - self._wanted_beside(claim))
        self._change(claim, lambda it: findings.relieved(it, done))

    def _wanted_beside(self, claim: GroupClaim) -> frozenset[str]:
        return rules.wanted(it for key, it in self._claims.items() if key != claim.key)

    def _look(self) -> None:
        super()._look()
        if findings.is_moving(self._claims.values()):
            raise BusyError(f"a deployment changes {self._group}")
