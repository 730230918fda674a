"""What happens to a contact when its assignment is deleted.

Connect has no operation that undoes AssociateContactWithUser. An offer cannot be withdrawn; what a
Delete can do is to end the contact or to send it to a queue, unless another user has it by then.
"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING

from connect_provider.contacts.declaration import ReleaseMode
from connect_provider.errors import AssociationFailedError
from connect_provider.failures import CallError, Failure
from connect_provider.ledger.claim import Offer

if TYPE_CHECKING:
    from connect_provider.connect.client import Connect, Contact
    from connect_provider.contacts.declaration import Release
    from connect_provider.ledger.claim import ContactClaim

_LOGGER = logging.getLogger(__name__)


def may_release(claim: ContactClaim, contact: Contact) -> bool:
    """Whether the end of a claim may release the contact.

    A contact that was offered for certain is released, unless somebody else has accepted it. Where
    the offer is not certain, or is undone, only who has accepted it surely has it.
    """
    if contact.ended or claim.offer is Offer.NONE:
        return False
    accepted = contact.agent_id == claim.user_id
    if claim.offer is Offer.ADOPTED:
        return accepted and not claim.undo
    if claim.offer is Offer.MAYBE or claim.undo:
        return accepted
    return accepted or contact.agent_id is None


def release(connect: Connect, claim: ContactClaim, contact: Contact, declared: Release) -> None:
    """Stop or transfer a contact.

    :param connect: Connect in the Region where the contact is active.
    :raises AssociationFailedError: Connect refuses, and the contact is still active.
    """
    ids = {"InstanceId": claim.instance_id, "ContactId": claim.contact_id}
    try:
        if declared.mode is ReleaseMode.STOP:
            connect.send("StopContact", **ids)
        elif declared.contact_flow_id:
            queue_id = declared.queue_id or claim.queue_id or contact.queue_id
            connect.send(
                "TransferContact",
                **ids,
                ContactFlowId=declared.contact_flow_id,
                **({"QueueId": queue_id} if queue_id else {}),
                # The same for every try, so that an answer that was lost transfers once.
                ClientToken=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{claim.owner} {claim.version}")),
            )
    except CallError as error:
        if error.failure is Failure.ACCESS_DENIED:
            raise
        after = connect.describe_contact(instance_id=claim.instance_id, contact_id=claim.contact_id)
        if after is None or after.ended:
            return
        raise AssociationFailedError(
            f"{error}. The contact is still active: release it by hand, or set "
            "release=ContactRelease.retain(), and delete again."
        ) from error
    _LOGGER.info("contact %s is released: %s", claim.contact_id, declared.mode.value)
