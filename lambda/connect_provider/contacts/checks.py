"""What Connect would refuse to do with a contact, found out before asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_provider.contacts.declaration import ReleaseMode
from connect_provider.errors import AssociationFailedError, StillWaiting

if TYPE_CHECKING:
    from connect_provider.connect.client import Connect, Contact
    from connect_provider.contacts.declaration import ContactUser

_TRANSFERABLE = ("TASK", "EMAIL")
_MAX_TRANSFERS = 11


def require_assignable(declared: ContactUser, contact: Contact | None, *, recent: bool) -> Contact:
    """Refuse what AssociateContactWithUser is not for.

    :param recent: whether what is not found may be found a little later.
    :raises StillWaiting: the contact may have been created just now.
    :raises AssociationFailedError: the contact is missing or has ended, or is a voice contact.
    """
    if contact is None:
        missing = (
            f"DescribeContact: instance {declared.instance_id} has no contact {declared.contact_id}"
        )
        if recent:
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


def require_releasable(connect: Connect, declared: ContactUser, contact: Contact) -> None:
    """Refuse a release that could not be carried out later.

    :raises AssociationFailedError: the channel cannot be transferred, or no transfer is left.
    """
    if declared.release.mode is not ReleaseMode.TRANSFER_TO_QUEUE or contact.ended:
        return
    if contact.channel not in _TRANSFERABLE:
        raise AssociationFailedError(
            f"release: contact {declared.contact_id} is on channel {contact.channel}, and "
            f"TransferContact takes {' and '.join(_TRANSFERABLE)} only. Use "
            "ContactRelease.stop() or ContactRelease.retain()."
        )
    transfers = 0
    previous = contact.previous_contact_id
    while previous and transfers < _MAX_TRANSFERS:
        transfers += 1
        before = connect.describe_contact(instance_id=declared.instance_id, contact_id=previous)
        previous = before.previous_contact_id if before else None
    if transfers >= _MAX_TRANSFERS:
        raise AssociationFailedError(
            f"release: contact {declared.contact_id} was transferred {transfers} times already, "
            "the most that Connect allows. Use ContactRelease.stop() or ContactRelease.retain()."
        )
