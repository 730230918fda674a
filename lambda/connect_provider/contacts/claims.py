"""What the claims on a contact mean, and how they change: pure functions.

The claim says that an offer is about to be made before AssociateContactWithUser, and that it was
made after it. So a Delete knows whether there is anything to release. Another user takes the place
of the one before in the same claim, which remembers to whom a rollback goes back.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from connect_provider import lifecycle
from connect_provider.ledger.claim import OPEN, ContactClaim, Offer, Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from connect_provider.contacts.declaration import ContactUser
    from connect_provider.deployment import Deployment
    from connect_provider.request import Request

_PHYSICAL_ID = re.compile(r"contact:([0-9a-f-]{36}):([0-9a-f-]{36})/([0-9a-f]{12})")


def parse(physical_id: str) -> tuple[str, str, str] | None:
    """Return instance, contact and version of a physical ID; None if it is somebody else's."""
    match = _PHYSICAL_ID.fullmatch(physical_id)
    return (match[1], match[2], match[3]) if match else None


def tombstone(request: Request, instance_id: str, contact_id: str, version: str) -> ContactClaim:
    """Return the claim of a version of the request's resource, over."""
    return ContactClaim(
        owner=request.owner,
        version=version,
        instance_id=instance_id,
        contact_id=contact_id,
        since=time.time(),
        phase=Phase.ENDED,
    )


def stays(current: Iterable[ContactClaim], declared: ContactUser, before: ContactUser) -> bool:
    """Whether an Update leaves the contact with its user.

    After ``--no-rollback`` the user whom CloudFormation knows may never have been offered it.

    :param current: the claim of the version that the Update comes with, if there is one.
    """
    same = (before.contact_id, before.user_id) == (declared.contact_id, declared.user_id)
    return same and all(
        claim.phase is Phase.LIVE and claim.user_id == declared.user_id for claim in current
    )


def is_timely(
    current: Iterable[ContactClaim],
    declared: ContactUser,
    before: ContactUser | None,
    deployment: Deployment,
    awaited: Callable[[], bool],
) -> bool:
    """Whether an Update fits what the ledger knows, or has outlived what it was made for.

    :param awaited: whether CloudFormation waits for an Update of the resource. Without rollback,
        several deployments may fail one after the other; the ledger knows only the last change.
    """
    claim = next(iter(current), None)
    if claim is None or before is None:
        return True
    if claim.phase not in OPEN or declared.user_id == claim.user_id:
        return claim.phase in OPEN
    if deployment.rolls_back:
        return declared.user_id == claim.previous_user_id or (
            before.user_id == claim.user_id and awaited()
        )
    return before.user_id in (claim.user_id, claim.previous_user_id)


def reassigned(claim: ContactClaim, planned: ContactClaim) -> ContactClaim | None:
    """Return a claim for the user of another one; None if it is so already, or ends."""
    if claim.phase not in OPEN or claim.assignment == planned.assignment:
        return None
    if claim.user_id == planned.user_id:
        return claim._replace(assignment=planned.assignment)
    queue_id = claim.queue_id or planned.queue_id
    went_live = claim.phase is Phase.LIVE
    goes_back = planned.rollback or not went_live
    if goes_back and claim.user_id != claim.previous_user_id == planned.user_id:
        return planned._replace(offer=_offer_of_before(claim), queue_id=queue_id)
    return planned._replace(
        # A user whom the contact never went to is nobody to go back to.
        previous_user_id=claim.user_id if went_live else claim.previous_user_id,
        previous_offer=claim.offer if went_live else _offer_of_before(claim),
        queue_id=queue_id,
    )


def given_up(claim: ContactClaim) -> ContactClaim | None:
    """Return a claim whose request nobody waits for; one that was made before goes back."""
    if not claim.previous_user_id:
        return lifecycle.ended(claim, now=time.time(), undo=True)
    if claim.phase is not Phase.PENDING:
        return None
    return claim._replace(
        user_id=claim.previous_user_id,
        previous_user_id="",
        assignment="",
        previous_offer=Offer.NONE,
        offer=_offer_of_before(claim),
        phase=Phase.LIVE,
    )


def ended(claim: ContactClaim, *, now: float, undo: bool) -> ContactClaim | None:
    """Return a claim as it is once its end is decided; None if that was decided before.

    If its contact was never offered to a new user, it ends as that of the previous one.
    """
    if claim.previous_user_id and claim.phase is Phase.PENDING and claim.offer is Offer.NONE:
        claim = given_up(claim) or claim
    return lifecycle.ended(claim, now=now, undo=undo)


def withdrawn(claim: ContactClaim) -> ContactClaim | None:
    """Return a claim as its tombstone; None if it has ended."""
    return None if claim.phase is Phase.ENDED else claim._replace(phase=Phase.ENDED)


def offering(
    offer: Offer, phase: Phase = Phase.PENDING
) -> Callable[[ContactClaim], ContactClaim | None]:
    """Return the change that notes what is known about the offer."""

    def decide(claim: ContactClaim) -> ContactClaim | None:
        if claim.phase is not Phase.PENDING or (claim.offer, claim.phase) == (offer, phase):
            return None
        return claim._replace(offer=offer, phase=phase, since=time.time())

    return decide


def offered_before(claim: ContactClaim, claims: Iterable[ContactClaim]) -> Offer:
    """Return the offer that this claim, or another one, has made: it is not repeated."""
    if claim.offer in (Offer.MADE, Offer.ADOPTED):
        return claim.offer
    others = (
        other.offer
        for other in claims
        if other.phase in OPEN and other.user_id == claim.user_id and other.offer is not Offer.MAYBE
    )
    return next((offer for offer in others if offer is not Offer.NONE), claim.offer)


def _offer_of_before(claim: ContactClaim) -> Offer:
    """Return what is known about the offer to the previous user: another one may displace it."""
    return claim.previous_offer if claim.offer is Offer.NONE else Offer.MAYBE
