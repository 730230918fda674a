"""From an event to the claim on a contact: nothing is changed."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from connect_provider import deployment as deployments
from connect_provider import lifecycle
from connect_provider.contacts import declaration
from connect_provider.contacts.release import require_releasable
from connect_provider.errors import AssociationFailedError, InvalidEventError, StillWaiting
from connect_provider.ledger.claim import OPEN, ContactClaim, Offer, Phase, to_event
from connect_provider.request import RequestType

if TYPE_CHECKING:
    from connect_provider.aws import Aws
    from connect_provider.connect.client import Connect, Contact
    from connect_provider.contacts.declaration import ContactUser
    from connect_provider.deployment import Deployment
    from connect_provider.request import Request

PHYSICAL_ID = re.compile(r"contact:([0-9a-f-]{36}):([0-9a-f-]{36})/([0-9a-f]{12})")


def plan(request: Request, aws: Aws) -> dict[str, Any]:
    """Return what ``on_event`` answers; nothing is changed.

    :raises ProviderError: the request cannot be fulfilled.
    """
    if request.type is RequestType.DELETE:
        return {"PhysicalResourceId": request.physical_id}
    declared = declaration.read(request.properties, owner=request.account)
    before = _declared_before(request)
    mine = [
        claim
        for claim in aws.ledger.of_contact(declared.instance_id, declared.contact_id)
        if claim.owner == request.owner
    ]
    in_place = before is not None and before.contact_id == declared.contact_id
    stays = before is not None and _stays(request, declared, before, mine)
    deployment = aws.deployment(request.stack_id)
    forward = deployment.goes_forward_since(deployment.began)
    changes = before != declared or not stays
    backward = request.type is RequestType.UPDATE and deployment.rolls_back
    if changes and not forward and (deployment.is_over or not backward):
        raise lifecycle.outlived(deployment)
    connect = aws.connect(request.account.region)
    contact = describe(connect, declared)
    if forward and not stays:
        contact = require_assignable(declared, contact, request)
    if forward and changes and contact is not None:
        require_releasable(connect, declared, contact)
    data = {
        "ContactId": declared.contact_id,
        "UserId": declared.user_id,
        "Channel": contact.channel if contact else "",
        "QueueId": (contact.queue_id if contact else None) or "",
    }
    if stays:
        return {"PhysicalResourceId": request.physical_id, "Data": data}
    if not forward and not in_place:
        # What the rollback goes back to is claimed still.
        live = [claim for claim in mine if claim.phase is Phase.LIVE]
        if not live:
            raise lifecycle.outlived(deployment)
        back = max(live, key=lambda claim: claim.since)
        return {"PhysicalResourceId": _physical_id(declared, back.version), "Data": data}
    assignment = request.version(deployment.began)
    if not _is_timely(request, declared, before, mine, deployment) or (
        any(
            claim.assignment != assignment
            and request.request_key in (claim.version[:8], claim.assignment[:8])
            for claim in mine
        )
        and not deployments.awaits(aws.cloudformation, request)
    ):
        raise lifecycle.outlived(deployment)
    physical_id = request.physical_id if in_place else _physical_id(declared, assignment)
    claim = ContactClaim(
        owner=request.owner,
        version=physical_id.rpartition("/")[2],
        instance_id=declared.instance_id,
        contact_id=declared.contact_id,
        user_id=declared.user_id,
        assignment=assignment,
        began=deployment.began,
        since=request.started_at,
        queue_id=data["QueueId"],
        rollback=deployment.rolls_back,
        offer=Offer.ADOPTED if contact and contact.agent_id == declared.user_id else Offer.NONE,
    )
    return {"PhysicalResourceId": physical_id, "Claim": to_event(claim), "Data": data}


def _stays(
    request: Request, declared: ContactUser, before: ContactUser, mine: list[ContactClaim]
) -> bool:
    """Whether an Update leaves the contact with its user.

    After ``--no-rollback`` the user whom CloudFormation knows may never have been offered it.
    """
    current = [claim for claim in mine if request.physical_id.endswith(f"/{claim.version}")]
    return (before.contact_id, before.user_id) == (declared.contact_id, declared.user_id) and all(
        claim.phase is Phase.LIVE and claim.user_id == declared.user_id for claim in current
    )


def _is_timely(
    request: Request,
    declared: ContactUser,
    before: ContactUser | None,
    mine: list[ContactClaim],
    deployment: Deployment,
) -> bool:
    """Whether an Update fits what the ledger knows, or has outlived what it was made for."""
    current = [claim for claim in mine if request.physical_id.endswith(f"/{claim.version}")]
    if not current or before is None:
        return True
    claim = current[0]
    if claim.phase not in OPEN or declared.user_id == claim.user_id:
        return claim.phase in OPEN
    if deployment.rolls_back:
        return declared.user_id == claim.previous_user_id
    return before.user_id in (claim.user_id, claim.previous_user_id)


def _physical_id(declared: ContactUser, version: str) -> str:
    return f"contact:{declared.instance_id}:{declared.contact_id}/{version}"


def describe(connect: Connect, declared: ContactUser) -> Contact | None:
    """Return the declared contact; None if Connect does not know it."""
    return connect.describe_contact(
        instance_id=declared.instance_id, contact_id=declared.contact_id
    )


def _declared_before(request: Request) -> ContactUser | None:
    if request.type is not RequestType.UPDATE:
        return None
    try:
        return declaration.read(request.old_properties, owner=request.account)
    except InvalidEventError:
        return None


def is_recent(request: Request) -> bool:
    """Whether what is not found may only not be found yet."""
    return time.time() - request.started_at < lifecycle.RECENT_SECONDS


def require_assignable(declared: ContactUser, contact: Contact | None, request: Request) -> Contact:
    """Refuse what AssociateContactWithUser is not for.

    :raises StillWaiting: the contact may have been made only just now.
    :raises AssociationFailedError: the contact is missing or has ended, or is a voice contact.
    """
    if contact is None:
        missing = (
            f"DescribeContact: instance {declared.instance_id} has no contact {declared.contact_id}"
        )
        if is_recent(request):
            raise StillWaiting(missing)
        raise AssociationFailedError(
            f"{missing}: check both IDs. Contacts are kept for a limited time."
        )
    if contact.ended:
        raise AssociationFailedError(
            f"contact {declared.contact_id} has ended and cannot be assigned: remove its "
            "ContactUserAssignment."
        )
    if contact.channel == "VOICE" and not declared.allow_voice:
        raise AssociationFailedError(
            f"contact {declared.contact_id} is a voice contact, and AssociateContactWithUser is "
            "documented for chat, email and task: set allow_voice=True if your instance "
            "assigns voice contacts."
        )
    return contact
