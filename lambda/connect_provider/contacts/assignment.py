"""A contact's assignment to a user: claimed, offered once, released as declared.

The claim says that an offer is about to be made before AssociateContactWithUser, and that it was
made after it. So a Delete knows whether there is anything to release.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from connect_provider import lifecycle
from connect_provider.contacts import declaration
from connect_provider.contacts.claims import PHYSICAL_ID, describe, is_recent, require_assignable
from connect_provider.contacts.declaration import ReleaseMode
from connect_provider.contacts.release import may_release, release
from connect_provider.errors import AssociationFailedError, InvalidEventError, StillWaiting
from connect_provider.failures import CallError, Failure
from connect_provider.ledger.claim import OPEN, ContactClaim, Offer, Phase
from connect_provider.ledger.table import LedgerMissingError
from connect_provider.request import RequestType, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connect_provider.aws import Aws
    from connect_provider.connect.client import Connect, Contact
    from connect_provider.contacts.declaration import ContactUser
    from connect_provider.deployment import Deployment
    from connect_provider.request import Request

_LOGGER = logging.getLogger(__name__)


# -- is_complete -----------------------------------------------------------------------------------


def converge(request: Request, aws: Aws) -> Mapping[str, Any]:
    """Assign or release the contact, and return the attributes.

    :raises StillWaiting: the contact cannot be assigned yet.
    :raises ProviderError: it cannot be assigned or released.
    """
    if request.type is RequestType.DELETE:
        try:
            _delete(request, aws)
        except LedgerMissingError as error:
            _LOGGER.warning("the contact of %s is left alone: %s", request.logical_id, error)
    elif request.claim:
        declared = declaration.read(request.properties, owner=request.account)
        claim = _claimed(request, aws)
        if claim.phase in (Phase.PENDING, Phase.ENDING):
            with aws.ledger.lease(claim) as lease:
                connect = partial(aws.connect, before_call=lease.hold)
                claim = _assign(request, aws, declared, aws.ledger.get(claim) or claim, connect)
        if claim.phase is not Phase.LIVE or claim.assignment != request.claim["assignment"]:
            raise lifecycle.outlived(aws.deployment(request.stack_id))
    return request.data


def _claimed(request: Request, aws: Aws) -> ContactClaim:
    """Return the claim for the request's user; make it if the deployment still goes on."""
    planned = lifecycle.planned_claim(request)
    if not isinstance(planned, ContactClaim):
        raise InvalidEventError("the event carries the claim of a group.")
    claim = aws.ledger.get(planned)
    if claim is not None and claim.assignment == planned.assignment:
        return claim
    deployment = aws.deployment(request.stack_id)
    if lifecycle.is_given_up(planned, deployment):
        if claim is None:
            # Remembered, so that the same event is recognized in a later deployment.
            aws.ledger.put(planned._replace(phase=Phase.ENDED))
        raise lifecycle.outlived(deployment)
    if claim is None:
        return aws.ledger.put(planned)

    def reassigned(current: ContactClaim) -> ContactClaim | None:
        if current.phase not in OPEN or current.assignment == planned.assignment:
            return None
        if current.user_id == planned.user_id:
            return current._replace(assignment=planned.assignment)
        queue_id = current.queue_id or planned.queue_id
        if current.user_id != current.previous_user_id == planned.user_id:
            return planned._replace(offer=_offer_of_before(current), queue_id=queue_id)
        went_live = current.phase is Phase.LIVE
        return planned._replace(
            # A user whom the contact never went to is nobody to go back to.
            previous_user_id=current.user_id if went_live else current.previous_user_id,
            previous_offer=current.offer if went_live else _offer_of_before(current),
            queue_id=queue_id,
        )

    return aws.ledger.change(claim, reassigned)


def _assign(
    request: Request,
    aws: Aws,
    declared: ContactUser,
    claim: ContactClaim,
    connect_in: Callable[[str], Connect],
) -> ContactClaim:
    """Offer the contact to the user, unless the user has it; return the claim."""
    if claim.phase is Phase.PENDING and lifecycle.is_given_up(
        claim, aws.deployment(request.stack_id)
    ):
        claim = aws.ledger.change(claim, _given_up)
    if claim.phase is not Phase.PENDING:
        return _release(request, aws, declared, claim, connect_in)
    home = connect_in(request.account.region)
    contact = describe(home, declared)
    has_it = contact is not None and contact.agent_id == claim.user_id
    # An offer that another claim made is void once somebody else has accepted the contact.
    is_free = contact is None or contact.agent_id in (None, claim.user_id)
    offer = _offered_before(aws, claim) if is_free else claim.offer
    if has_it and offer is Offer.NONE:
        offer = Offer.MADE
    if not has_it and offer in (Offer.NONE, Offer.MAYBE):
        if claim.rollback and (contact is None or contact.ended):
            _LOGGER.info("contact %s stays where it is: it has ended", claim.contact_id)
        else:
            contact = require_assignable(declared, contact, request)
            claim = aws.ledger.change(claim, _offering(Offer.MAYBE))
            offer = _offer(request, aws, declared, claim, connect_in, contact)
    return aws.ledger.change(claim, _offering(offer, Phase.LIVE))


def _offer(  # noqa: PLR0913, PLR0917 - an offer and all that may go wrong with it
    request: Request,
    aws: Aws,
    declared: ContactUser,
    claim: ContactClaim,
    connect_in: Callable[[str], Connect],
    contact: Contact,
) -> Offer:
    home = request.account.region
    try:
        connect_in(contact.active_region or home).associate_contact(
            instance_id=claim.instance_id, contact_id=claim.contact_id, user_id=claim.user_id
        )
    except CallError as error:
        if not error.repeated:
            # Connect has refused: nothing was offered that a Delete might release.
            aws.ledger.change(claim, _offering(Offer.NONE))
        if claim.rollback:
            # A rollback that cannot end helps nobody.
            _LOGGER.warning("the contact stays where it is: %s", error)
            return Offer.NONE
        _explain(connect_in(home), request, declared, error)
    return Offer.MADE


def _explain(connect: Connect, request: Request, declared: ContactUser, error: CallError) -> None:
    """Return if the user has the contact all the same, else say whether waiting helps."""
    if error.failure is Failure.ACCESS_DENIED:
        raise error
    contact = describe(connect, declared)
    if contact is not None and contact.agent_id == declared.user_id:
        return
    contact = require_assignable(declared, contact, request)
    if connect.describe_user(instance_id=declared.instance_id, user_id=declared.user_id) is None:
        if is_recent(request):
            raise StillWaiting(f"{error}. The user may have been made only just now.") from error
        raise AssociationFailedError(
            f"{error}. Instance {declared.instance_id} has no user {declared.user_id}: check the "
            "IDs."
        ) from error
    if contact.queue_id is None and contact.agent_id is None:
        raise StillWaiting(f"{error}. The contact is not in a queue yet.") from error
    has_it = f" User {contact.agent_id} has it." if contact.agent_id else ""
    raise AssociationFailedError(
        f"{error}. Only a queued contact can be assigned.{has_it}"
    ) from error


def _offered_before(aws: Aws, claim: ContactClaim) -> Offer:
    """Return the offer that this claim, or another one, has made: it is not repeated."""
    if claim.offer in (Offer.MADE, Offer.ADOPTED):
        return claim.offer
    others = [
        other.offer
        for other in aws.ledger.of_contact(claim.instance_id, claim.contact_id)
        if other.phase in OPEN and other.user_id == claim.user_id and other.offer is not Offer.MAYBE
    ]
    return next((offer for offer in others if offer is not Offer.NONE), claim.offer)


# -- Delete ----------------------------------------------------------------------------------------


def _delete(request: Request, aws: Aws) -> None:
    try:
        declared = declaration.read(request.properties, owner=request.account)
    except InvalidEventError as error:
        _LOGGER.warning("nothing to release, the properties were never valid: %s", error)
        return
    known = PHYSICAL_ID.fullmatch(request.physical_id)
    marker = ContactClaim(
        owner=request.owner,
        version=known[3] if known else fingerprint(request.physical_id)[:12],
        instance_id=known[1] if known else declared.instance_id,
        contact_id=known[2] if known else declared.contact_id,
        user_id="",
        assignment="",
        began="",
        since=time.time(),
        phase=Phase.ENDED,
    )
    claim = aws.ledger.get(marker)
    deployment = aws.deployment(request.stack_id)
    if claim is None and known:
        _LOGGER.warning("the contact is left alone: the ledger has no %s", request.physical_id)
    elif claim is None:
        # CloudFormation gave up a Create, and deletes it under an ID of its own making.
        mine = [
            one
            for one in aws.ledger.of_contact(marker.instance_id, marker.contact_id)
            if one.owner == request.owner
        ]
        for one in lifecycle.unanswered(mine, deployment, now=time.time()):
            _end(request, aws, declared, one, deployment)
    elif claim.phase is not Phase.ENDED:
        _end(request, aws, declared, claim, deployment)
    if claim is None:
        # So that a Create that is still under way finds out.
        aws.ledger.put(marker)


def _end(
    request: Request, aws: Aws, declared: ContactUser, claim: ContactClaim, deployment: Deployment
) -> None:
    if lifecycle.comes_late(claim, request, deployment):
        _LOGGER.warning("contact %s is left alone: too late", claim.contact_id)
        return
    ending = aws.ledger.change(
        claim, lambda it: lifecycle.ended(it, now=time.time(), undo=deployment.undoes)
    )
    with aws.ledger.lease(ending) as lease:
        connect = partial(aws.connect, before_call=lease.hold)
        _release(request, aws, declared, aws.ledger.get(ending) or ending, connect)


def _release(
    request: Request,
    aws: Aws,
    declared: ContactUser,
    claim: ContactClaim,
    connect_in: Callable[[str], Connect],
) -> ContactClaim:
    """Release the contact of a claim that ends, if that is declared and may be done."""
    if claim.phase is not Phase.ENDING:
        return claim
    others = aws.ledger.of_contact(claim.instance_id, claim.contact_id)
    if any(other.phase in OPEN for other in others):
        _LOGGER.info("contact %s is kept: somebody else declares it", claim.contact_id)
    elif declared.release.mode is not ReleaseMode.RETAIN:
        home = request.account.region
        contact = describe(connect_in(home), declared)
        if contact is not None and may_release(claim, contact):
            release(connect_in(contact.active_region or home), claim, contact, declared.release)
    return aws.ledger.change(claim, lifecycle.over)


def _given_up(claim: ContactClaim) -> ContactClaim | None:
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


def _offer_of_before(claim: ContactClaim) -> Offer:
    """Return what is known about the offer to the previous user: another one may displace it."""
    return claim.previous_offer if claim.offer is Offer.NONE else Offer.MAYBE


def _offering(
    offer: Offer, phase: Phase = Phase.PENDING
) -> Callable[[ContactClaim], ContactClaim | None]:
    """Return the change that notes what is known about the offer."""

    def decide(claim: ContactClaim) -> ContactClaim | None:
        if claim.phase is not Phase.PENDING or (claim.offer, claim.phase) == (offer, phase):
            return None
        return claim._replace(offer=offer, phase=phase, since=time.time())

    return decide
