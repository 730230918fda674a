"""What happens to contacts that stacks assign to users."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from connect_provider.contacts.checks import require_assignable, require_releasable
from connect_provider.contacts.declaration import ReleaseMode
from connect_provider.contacts.release import may_release

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from connect_provider.connect.client import Connect
    from connect_provider.contacts.declaration import ContactUser
    from connect_provider.ledger.claim import ContactClaim


class ContactChange(Enum):
    """What happens to a contact."""

    ADOPT = "adopt"
    OFFER = "offer"
    RELEASE = "release"


class ContactForecast(NamedTuple):
    """A contact that a deployment is about.

    :ivar user_id: to whom it is offered, or who loses it.
    :ivar resource: because of which resource, as ``STACK/LOGICAL_ID``.
    """

    change: ContactChange
    contact_id: str
    user_id: str
    resource: str
    note: str = ""


def of_declaration(
    connect: Connect, declared: ContactUser, current: ContactClaim | None, *, resource: str
) -> ContactForecast | None:
    """Return what happens to a declared contact; None: it stays as it is.

    :param current: the claim of the version that the stack has.
    :raises AssociationFailedError: the provider would refuse it.
    """
    wanted = declared.instance_id, declared.contact_id, declared.user_id
    if current and wanted == (current.instance_id, current.contact_id, current.user_id):
        return None
    contact = require_assignable(
        declared,
        connect.describe_contact(instance_id=declared.instance_id, contact_id=declared.contact_id),
        recent=False,
    )
    require_releasable(connect, declared, contact)
    has_it = contact.agent_id == declared.user_id
    change = ContactChange.ADOPT if has_it else ContactChange.OFFER
    return ContactForecast(change, declared.contact_id, declared.user_id, resource)


def of_lost(
    connect: Connect, claim: ContactClaim, properties: Mapping[str, Any], *, resource: str
) -> ContactForecast | None:
    """Return what happens to a contact whose version the stack loses; None: it stays as it is.

    :param properties: the version's properties.
    """
    mode = properties.get("Release", {}).get("Mode", ReleaseMode.RETAIN.value)
    if mode == ReleaseMode.RETAIN.value:
        return None
    contact = connect.describe_contact(instance_id=claim.instance_id, contact_id=claim.contact_id)
    if contact is None or not may_release(claim, contact):
        return None
    return ContactForecast(
        ContactChange.RELEASE, claim.contact_id, claim.user_id, resource, f"its release is {mode}"
    )
