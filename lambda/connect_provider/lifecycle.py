"""What every claim goes through, whatever it claims."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from connect_provider.errors import InvalidEventError, RequestOutlivedError, StillWaiting
from connect_provider.ledger.claim import OPEN, ContactClaim, GroupClaim, Phase, from_item

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connect_provider.deployment import Deployment
    from connect_provider.ledger.claim import Claim
    from connect_provider.request import Request

_C = TypeVar("_C", GroupClaim, ContactClaim)

RECENT_SECONDS = 60.0
"""Connect is eventually consistent: what is not found is believed to be missing after this time."""
_NO_CLAIM = "the event carries no claim: is_complete takes what on_event answered ({})."
UNANSWERED_SECONDS = 75 * 60.0
"""For longer no request is under way: CloudFormation waits for an hour at the most."""


def outlived(deployment: Deployment) -> RequestOutlivedError:
    """Return the error of a request that nobody waits for any more."""
    return RequestOutlivedError(
        f"this request has outlived its deployment (the stack is "
        f"{deployment.status or 'deleted'}). What it may have changed is undone."
    )


def planned_claim(request: Request) -> Claim:
    """Return the claim that ``on_event`` wants made.

    :raises InvalidEventError: the event carries no claim of this resource.
    """
    try:
        claim = from_item(request.claim)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidEventError(_NO_CLAIM.format(repr(error))) from error
    if claim.owner != request.owner or not request.physical_id.endswith(f"/{claim.version}"):
        raise InvalidEventError(_NO_CLAIM.format("it is of another resource"))
    return claim


def is_given_up(claim: Claim, deployment: Deployment) -> bool:
    """Whether a claim of the stack has outlived the deployment that it was made in."""
    if claim.rollback:
        return deployment.is_over or not deployment.rolls_back
    return not deployment.goes_forward_since(claim.began)


def comes_late(claim: Claim, request: Request, deployment: Deployment) -> bool:
    """Whether a request would end a claim although nothing is under way in its stack.

    :raises StillWaiting: so it seems, but CloudFormation may only have to catch up.
    """
    if claim.phase not in OPEN or not deployment.is_over:
        return False
    if time.time() - request.started_at < RECENT_SECONDS:
        raise StillWaiting("nothing is under way in the stack, as it seems")
    return True


def unanswered(mine: Iterable[_C], deployment: Deployment, *, now: float) -> list[_C]:
    """Return what a Create claims that CloudFormation gave up before it had an answer.

    :param mine: the claims of a resource that CloudFormation deletes under an ID of its own making.
    """
    return [
        claim
        for claim in mine
        # What the deployment of now has claimed is no Create that another one gave up.
        if not deployment.goes_forward_since(claim.began)
        and (
            claim.phase in (Phase.PENDING, Phase.ENDING)
            or (
                claim.phase is Phase.LIVE
                and (claim.began == deployment.began or now - claim.since < UNANSWERED_SECONDS)
            )
        )
    ]


def ended(claim: _C, *, now: float, undo: bool) -> _C | None:
    """Return a claim as it is once its end is decided; None if that was decided before.

    A version that never went live is undone, whatever ends it.

    :param now: the time, in seconds since the epoch.
    :param undo: the deployment rolls back.
    """
    if claim.phase not in OPEN:
        return None
    pending = claim.phase is Phase.PENDING
    return claim._replace(
        phase=Phase.ENDING,
        undo=undo or pending,
        doubt=pending or now - claim.since < RECENT_SECONDS,
        since=now,
    )


def over(claim: _C) -> _C | None:
    """Return a claim as its tombstone; None if it does not end."""
    return claim._replace(phase=Phase.ENDED) if claim.phase is Phase.ENDING else None
