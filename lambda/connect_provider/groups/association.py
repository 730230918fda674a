"""Single users and memberships: from a request to its claim, and from there to the group."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from connect_provider.errors import AssociationFailedError
from connect_provider.groups import claims as rules
from connect_provider.groups import declaration
from connect_provider.groups.convergence import Convergence
from connect_provider.ledger.claim import GroupClaim, Phase, to_event
from connect_provider.lifecycle import Association
from connect_provider.users import filter as user_filter
from connect_provider.users import roster

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from connect_provider.groups.declaration import GroupUsers

_BACK = {"Back": True}
"""Stands for a claim where an Update goes back to the version before."""


class GroupAssociation(Association[GroupClaim, "GroupUsers"]):
    """One request for a single user or a membership."""

    def read(self, properties: Mapping[str, Any]) -> GroupUsers:
        """Return what properties declare."""
        request = self.request
        return declaration.read(properties, request.resource_type, owner=request.account)

    def plan(self) -> dict[str, Any]:
        """Return what ``on_event`` answers; nothing is changed."""
        request, declared = self.request, self.declared
        named, known = self.named()
        previous = self.aws.ledger.get(named) if known else None
        if previous is None and self.declared_before == declared:
            return self._answer(request.physical_id, declared.users)
        # After --no-rollback the version that CloudFormation knows may never have gone live.
        live = previous if previous and previous.phase is Phase.LIVE else None
        if live and rules.is_same(live, declared):
            return self._answer(live.physical_id, live.users)
        planned = rules.plan(
            request,
            declared,
            now=time.time(),
            deployment=self.deployment,
            mine=self.aws.ledger.of_group(declared.group, request.owner),
            previous=previous,
            awaited=self.awaited,
        )
        if not planned.users:
            planned = planned._replace(users=self._found())
            if live and rules.is_same(live, declared._replace(users=planned.users)):
                return self._answer(live.physical_id, live.users)
        claim = to_event(planned) if planned.phase is Phase.PENDING else _BACK
        return {**self._answer(planned.physical_id, planned.users), "Claim": claim}

    def _found(self) -> frozenset[str]:
        """Return whom the names or the rule stand for now."""
        declared, since = self.declared, self.request.started_at
        connect = self.aws.connect(declared.group.region)
        if declared.rule:
            return user_filter.claimed(
                connect, instance_id=declared.instance_id, rule=declared.rule, since=since
            )
        names = declaration.usernames(self.request.properties)
        return frozenset(
            roster.claimed(connect, instance_id=declared.instance_id, usernames=names, since=since)
        )

    def _answer(self, physical_id: str, users: AbstractSet[str]) -> dict[str, Any]:
        return {"PhysicalResourceId": physical_id, "Data": self._data(users)}

    def _data(self, users: AbstractSet[str]) -> dict[str, Any]:
        declared = self.declared
        if self.request.resource_type == declaration.GROUP_USER:
            return {
                "InstanceId": declared.instance_id,
                "TrafficDistributionGroupId": declared.group.id,
                "UserId": next(iter(users)),
                "Region": declared.group.region,
            }
        return {
            "TrafficDistributionGroupId": declared.group.id,
            "UserCount": len(users),
            "Added": 0,
            "Removed": 0,
        }

    def attributes(self, claim: GroupClaim) -> Mapping[str, Any]:
        """Return the attributes, with the counts that only the claim knows."""
        data = dict(self.request.data)
        if "Added" in data:
            added = len(claim.users - (claim.adopted or frozenset()))
            data.update(Added=added, Removed=claim.removed)
        return data

    def named(self) -> tuple[GroupClaim, bool]:
        """Return a tombstone of the version that the request names."""
        known = rules.parse(self.request.physical_id)
        if known:
            return rules.tombstone(self.request, *known), True
        version = self.request.made_up_version
        return rules.tombstone(self.request, self.declared.group, version), False

    def mine(self, like: GroupClaim) -> list[GroupClaim]:
        """Return the resource's claims of Creates in the group."""
        claims = self.aws.ledger.of_group(like.group, self.request.owner)
        return [claim for claim in claims if not claim.replaces]

    def converge(self) -> Mapping[str, Any]:
        """Take the group nearer to its claims."""
        if self.request.claim != _BACK:
            return super().converge()
        # The version before is what the stack goes back to: the failed Update's claim ends.
        known = rules.parse(self.request.physical_id)
        before = self.declared_before
        for group in {each for each in (before and before.group, known and known[0]) if each}:
            mine = self.aws.ledger.of_group(group, self.request.owner)
            self.end(it for it in mine if it.replaces == self.request.physical_id)
        return self.request.data

    def settle(self, claim: GroupClaim) -> GroupClaim:
        """Converge the group unless somebody else does."""
        if claim.problem and claim.phase is Phase.PENDING:
            raise AssociationFailedError(claim.problem)
        with self.aws.ledger.lease(claim) as lease:
            convergence = Convergence(
                claim.group, aws=self.aws, lease=lease, stack_id=self.request.stack_id
            )
            convergence.run()
            return convergence.outcome_of(claim)
