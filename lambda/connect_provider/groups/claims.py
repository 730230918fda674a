"""From an event to a claim, and from a group's claims to what must happen: pure functions.

- Every Create, and every Update that changes the declaration, makes a new version with a physical
  ID of its own. Additions belong to it, removals to the Delete of the version before, which comes
  when nothing can fail any more.
- Everybody whom a PENDING or LIVE claim of the group names is *wanted* there, and stays.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from connect_provider.connect.client import Group
from connect_provider.ledger.claim import OPEN, GroupClaim, Phase
from connect_provider.lifecycle import UNANSWERED_SECONDS, outlived
from connect_provider.request import RequestType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from connect_provider.deployment import Deployment
    from connect_provider.groups.declaration import GroupUsers
    from connect_provider.ledger.claim import Owner
    from connect_provider.request import Request

_PHYSICAL_ID = re.compile(r"([a-z0-9-]+):([0-9a-f-]{36})/([0-9a-f]{12})")


# -- versions --------------------------------------------------------------------------------------


def parse(physical_id: str) -> tuple[Group, str] | None:
    """Return group and version of a physical ID; None if this provider did not make it."""
    match = _PHYSICAL_ID.fullmatch(physical_id)
    return (Group(region=match[1], id=match[2]), match[3]) if match else None


def tombstone(request: Request, group: Group, version: str) -> GroupClaim:
    """Return the claim of a version of the request's resource, over."""
    return GroupClaim(
        owner=request.owner,
        version=version,
        instance_id="",
        group=group,
        users=frozenset(),
        began="",
        since=time.time(),
        phase=Phase.ENDED,
    )


# -- on_event --------------------------------------------------------------------------------------


def plan(  # noqa: PLR0913 - all that the decision rests on, by keyword
    request: Request,
    declared: GroupUsers,
    *,
    now: float,
    deployment: Deployment,
    mine: Sequence[GroupClaim],
    previous: GroupClaim | None,
    awaited: Callable[[], bool],
) -> GroupClaim:
    """Decide about a Create, or an Update to another declaration.

    :param now: when the request began, in seconds since the epoch.
    :param deployment: the one that the stack is in.
    :param mine: the resource's claims on the declared group.
    :param previous: the claim of the version that an Update comes with.
    :param awaited: whether CloudFormation waits for such a request; asked where the same request
        was seen in another deployment.
    :returns: a new claim, or the LIVE one that a rollback goes back to.
    :raises RequestOutlivedError: the event belongs to a deployment that is over.
    """
    version = request.version(deployment.began)
    if deployment.rolls_back and not deployment.is_over and request.type is RequestType.UPDATE:
        back = _version_before(request, declared, mine)
        if back:
            return back
        if previous and previous.phase is Phase.LIVE and previous.began != deployment.began:
            # What is there is what the stack goes back to: the event belongs to the way forward.
            raise outlived(deployment)
    elif not deployment.goes_forward_since(deployment.began):
        raise outlived(deployment)
    repeated = any(
        claim.version != version and claim.version.startswith(request.request_key) for claim in mine
    )
    if repeated and not awaited():
        raise outlived(deployment)
    return GroupClaim(
        owner=request.owner,
        version=version,
        **declared._asdict(),
        began=deployment.began,
        since=now,
        replaces=request.physical_id if request.type is RequestType.UPDATE else "",
        rollback=deployment.rolls_back,
        repeated=repeated,
    )


def _version_before(
    request: Request, declared: GroupUsers, mine: Iterable[GroupClaim]
) -> GroupClaim | None:
    """Return the version that a rollback goes back to: LIVE, with this very declaration."""
    fitting = [claim for claim in mine if claim.phase is Phase.LIVE and is_same(claim, declared)]
    return max(
        fitting,
        key=lambda claim: (claim.physical_id == request.physical_id, claim.since),
        default=None,
    )


def is_same(claim: GroupClaim, declared: GroupUsers) -> bool:
    """Whether a claim declares the same, however it is worded.

    The claim holds whom a rule or names stood for when they were looked up.
    """
    if not claim.rule and claim.users == declared.users:
        declared = declared._replace(names=claim.names)
    elif claim.rule or claim.names:
        declared = declared._replace(users=claim.users)
    return all(getattr(claim, name) == value for name, value in declared._asdict().items())


# -- converging ------------------------------------------------------------------------------------


def wanted(claims: Iterable[GroupClaim]) -> frozenset[str]:
    """Return everybody whom an open claim names."""
    return frozenset().union(*(claim.users for claim in claims if claim.phase in OPEN))


def kept(claim: GroupClaim) -> frozenset[str]:
    """Return the users who stay when the claim ends because they were there before it."""
    if claim.adopted is None:
        return claim.users
    return claim.adopted if claim.undo else frozenset()


def expelled(claims: Iterable[GroupClaim], *, now: float) -> frozenset[str]:
    """Return whom exclusive claims have taken out, or are about to, that may yet be undone.

    Where two exclusive claims come about together, neither end brings back whom the other one
    takes out; the last one does.
    """
    return frozenset().union(
        *(
            claim.expelled
            for claim in claims
            if claim.phase is Phase.PENDING
            or (claim.phase is Phase.LIVE and now - claim.since < UNANSWERED_SECONDS)
        )
    )


def noted(
    claim: GroupClaim, members: AbstractSet[str], claims: Iterable[GroupClaim], *, now: float
) -> GroupClaim | None:
    """Return a claim with what its end must know, before anything is written.

    :param now: the time, in seconds since the epoch.
    :returns: None if it was noted before, or the claim has ended.
    """
    if claim.adopted is not None or claim.phase is not Phase.PENDING:
        return None
    claims = list(claims)
    in_place = [it for it in claims if it.owner == claim.owner and it.phase is Phase.LIVE]
    others = [it for it in claims if it not in in_place]
    strangers = frozenset[str]()
    if claim.exclusive:
        coming_back = (it.expelled for it in others if it.phase is Phase.ENDING and it.undo)
        away = expelled(others, now=now).union(*coming_back)
        # Who leaves with a claim that ends is not this one's to remove, nor to bring back.
        leaving_anyway = (it.users - kept(it) for it in others if it.phase is Phase.ENDING)
        strangers = ((away | members) - wanted(claims)).difference(*leaving_anyway)
    leaving = frozenset().union(*(it.users for it in in_place)) - wanted(others)
    before = parse(claim.replaces)
    return claim._replace(
        adopted=claim.users & members,
        # In place, the clean-up removes the members among them, and nothing brings them back.
        expelled=strangers - members if before and before[0] == claim.group else strangers,
        removed=len((strangers | leaving) & members),
    )


def heirs(
    ending: GroupClaim, claims: Iterable[GroupClaim], listed: Callable[[], frozenset[str]]
) -> list[GroupClaim]:
    """Return the open claims that keep users of a claim that ends, or get them from it.

    RETAIN leaves claims behind that no Delete ever ends. So a LIVE claim of the same stack counts
    only while CloudFormation lists its version, except in a rollback, when it may list the wrong
    one.

    :param listed: the physical IDs that the stack has; asked only when it matters.
    """
    found = []
    for claim in claims:
        back = ending.expelled if ending.undo else frozenset[str]()
        if claim.phase not in OPEN or not claim.users & (ending.users | back):
            continue
        doubtful = (
            claim.phase is Phase.LIVE
            and claim.owner.stack_id == ending.owner.stack_id
            and claim.replaces != ending.physical_id
            and not ending.undo
        )
        if not doubtful or claim.physical_id in listed():
            found.append(claim)
    return found


def removes_strangers(ending: GroupClaim, claims: Iterable[GroupClaim]) -> bool:
    """Whether the clean-up of a version also takes out whom nobody wants.

    That is the case where the version that replaced it is exclusive.
    """
    return not ending.undo and any(
        claim.exclusive and claim.phase is Phase.LIVE and claim.replaces == ending.physical_id
        for claim in claims
    )


def keeps_away(claim: GroupClaim, ending: GroupClaim) -> bool:
    """Whether whom an undone claim has expelled stays away because of another one.

    An exclusive claim of a later deployment would have expelled the same users.
    """
    return (
        claim.exclusive
        and claim.adopted is not None
        and claim.phase in OPEN
        and claim.began > ending.began
    )


def coming_back(
    ending: GroupClaim, claims: Collection[GroupClaim], *, now: float
) -> frozenset[str]:
    """Return whom an undone claim brings back of those that it has expelled."""
    if any(keeps_away(claim, ending) for claim in claims):
        return frozenset()
    return ending.expelled - expelled(claims, now=now)


def informed(ending: GroupClaim, claims: Iterable[GroupClaim]) -> list[GroupClaim]:
    """Return the claims that have to know whom an undone claim had expelled.

    Those are undone as well and had added such users, or keep them away.
    """
    return [
        claim
        for claim in claims
        if ending.undo
        and claim.physical_id != ending.physical_id
        and (
            keeps_away(claim, ending)
            or (claim.phase is Phase.ENDING and claim.undo and claim.users & ending.expelled)
        )
    ]


def handed_over(heir: GroupClaim, ending: GroupClaim) -> GroupClaim | None:
    """Return a claim with what it has to know about another one that ends.

    Whom the ending claim would have taken out was no member before the heir, from now on; whom it
    brings back was one. Whom the heir keeps away, it brings back when it is undone.

    :returns: None if nothing changes.
    """
    if heir.adopted is None or heir.phase is Phase.ENDED:
        return None
    adopted, away = heir.adopted, heir.expelled
    if heir.phase in OPEN:
        adopted -= ending.users - kept(ending)
    if ending.undo:
        adopted |= ending.expelled & heir.users
        if keeps_away(heir, ending):
            away |= ending.expelled
    changed = heir._replace(adopted=adopted, expelled=away)
    return changed if changed != heir else None


def origin_of(claim: GroupClaim) -> Group | None:
    """Return the group of the version that a claim replaces, if it is another group."""
    before = parse(claim.replaces)
    return before[0] if before and before[0] != claim.group else None


def owned_users(claims: Iterable[GroupClaim], owner: Owner) -> frozenset[str]:
    """Return whom a resource wants, and nobody else does."""
    everything = list(claims)
    return wanted(claim for claim in everything if claim.owner == owner) - wanted(
        claim for claim in everything if claim.owner != owner
    )
