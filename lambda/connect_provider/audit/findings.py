"""From the claims and the members of a group to what is different: pure functions."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from connect_provider.errors import StillWaiting
from connect_provider.groups.claims import wanted
from connect_provider.ledger.claim import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from connect_provider.ledger.claim import GroupClaim


class BusyError(StillWaiting):
    """Somebody else is changing the group, which is left to the next audit."""


class Kind(Enum):
    """What is different."""

    MISSING = "Missing"
    """A declared user is not in the group."""
    EXTRA = "Extra"
    """Somebody whom nobody declares is in an exclusive group."""
    USER_GONE = "UserGone"
    """A declared user no longer exists."""
    GROUP_GONE = "GroupGone"
    """The group no longer exists."""
    JOINED = "Joined"
    """A user who did not meet a rule before does now."""
    LEFT = "Left"
    """A user no longer meets a rule."""
    RULE_STOPPED = "RuleStopped"
    """A rule's answer would change too much to be believed."""


class Difference(NamedTuple):
    """One difference between a claim and Connect.

    :ivar claim: whose declaration it is; for somebody extra, the exclusive one.
    :ivar user_id: whom it is about; empty for the whole group.
    :ivar healed: whether the audit corrected it.
    :ivar reason: more about it, for people; may be empty.
    """

    kind: Kind
    claim: GroupClaim
    user_id: str = ""
    healed: bool = False
    reason: str = ""


class Limit(NamedTuple):
    """How much one evaluation of a rule may change: the larger limit applies.

    :ivar share: the share of the users whom the rule stands for, 0 to 1.
    :ivar number: the number of users.
    """

    share: float
    number: int

    def allows(self, change: int, *, of: int) -> bool:
        """Whether *change* users may come or go where there are *of*."""
        return change <= max(self.number, self.share * of)


class Change(NamedTuple):
    """What the evaluation of a rule asks for.

    :ivar stopped: why nothing may be changed; empty if it may.
    """

    joined: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    stopped: str = ""


def is_moving(claims: Iterable[GroupClaim]) -> bool:
    """Whether a deployment is bringing a claim about, or ending one."""
    return any(
        claim.phase is Phase.ENDING or (claim.phase is Phase.PENDING and not claim.problem)
        for claim in claims
    )


def oldest_unsettled(claims: Iterable[GroupClaim], stack_id: str, *, now: float) -> float:
    """Return for how many seconds a claim of the stack has been neither LIVE nor ENDED."""
    return max(
        (
            now - claim.since
            for claim in claims
            if claim.owner.stack_id == stack_id and claim.phase in (Phase.PENDING, Phase.ENDING)
        ),
        default=0.0,
    )


def own(claims: Iterable[GroupClaim], stack_id: str, listed: AbstractSet[str]) -> list[GroupClaim]:
    """Return the claims that come from the stack's current template.

    A resource that was removed with RETAIN leaves its claim behind: nobody declares it any more.

    :param listed: the physical IDs that the stack has.
    """
    return sorted(
        (
            claim
            for claim in claims
            if claim.owner.stack_id == stack_id
            and claim.phase is Phase.LIVE
            and claim.physical_id in listed
        ),
        key=lambda claim: claim.key,
    )


def missing(claims: Iterable[GroupClaim], members: AbstractSet[str]) -> dict[str, GroupClaim]:
    """Return declared users who are not members, each with a claim that names the user."""
    return {user_id: claim for claim in claims for user_id in claim.users - members}


def strangers(
    mine: Iterable[GroupClaim], claims: Iterable[GroupClaim], members: AbstractSet[str]
) -> dict[str, GroupClaim]:
    """Return the members whom nobody declares, each with the exclusive claim that forbids them.

    :param mine: the claims that may be exclusive.
    :param claims: all claims of the group, no matter who made them.
    """
    exclusive = next((claim for claim in mine if claim.exclusive), None)
    return dict.fromkeys(members - wanted(claims), exclusive) if exclusive else {}


def change(claim: GroupClaim, matching: frozenset[str], limit: Limit) -> Change:
    """Decide what to change for a claim, given who meets its rule now."""
    if not matching:
        return Change(stopped="nobody matches the rule any more")
    joined, left = matching - claim.users, claim.users - matching
    if not limit.allows(len(joined) + len(left), of=len(claim.users)):
        return Change(
            stopped=f"{len(joined):,} users would join and {len(left):,} leave, where "
            f"{len(claim.users):,} are declared and max_change allows {limit.share:.0%} or "
            f"{limit.number:,}"
        )
    return Change(joined, left)


def renewed(
    claim: GroupClaim, joined: frozenset[str], members: AbstractSet[str], *, now: float
) -> GroupClaim | None:
    """Return a claim that also names who joined, before a write; None if it is no longer LIVE.

    An end that follows soon must not trust a listing, so the claim's time starts again. A rollback
    no longer brings back users whom the claim expelled.
    """
    if claim.phase is not Phase.LIVE:
        return None
    return claim._replace(
        users=claim.users | joined,
        adopted=(claim.adopted or frozenset()) | (joined & members),
        expelled=frozenset(),
        since=now,
    )


def relieved(claim: GroupClaim, left: frozenset[str]) -> GroupClaim | None:
    """Return a claim without those who left; None if it is no longer LIVE, or nobody left."""
    if claim.phase is not Phase.LIVE or not claim.users & left:
        return None
    adopted = (claim.adopted or frozenset()) - left
    return claim._replace(users=claim.users - left, adopted=adopted)


def told(kind: Kind, users: Mapping[str, GroupClaim]) -> list[Difference]:
    """Return a difference for each of the users."""
    return [Difference(kind, users[user_id], user_id) for user_id in sorted(users)]
