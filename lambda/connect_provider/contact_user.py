"""A contact's assignment to a user: offered, never taken back, released as declared.

Connect has no operation that undoes AssociateContactWithUser. An offer cannot be withdrawn; what a
Delete can do is to end the contact or to send it to a queue, unless another user has it by then.
"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any

from connect_provider import declaration
from connect_provider.calls import CallError, Failure
from connect_provider.claims import contact_is_claimed
from connect_provider.declaration import ReleaseMode
from connect_provider.errors import (
    AssociationFailedError,
    InvalidEventError,
    RequestCancelledError,
    StillWaiting,
)
from connect_provider.physical_id import ContactUserId
from connect_provider.plan import ContactAction, Plan
from connect_provider.request import RequestType
from connect_provider.stack import StackUnknownError

if TYPE_CHECKING:
    from connect_provider.connect import Contact
    from connect_provider.declaration import ContactUser
    from connect_provider.invocation import Invocation
    from connect_provider.request import Request

_LOGGER = logging.getLogger(__name__)

_TRANSFERABLE = ("TASK", "EMAIL")
_MAX_TRANSFERS = 11


class ContactUserAssociation:
    """Contacts assigned to users."""

    # -- on_event ------------------------------------------------------------------------------

    def plan(self, request: Request, invocation: Invocation) -> dict[str, Any]:
        """Return what ``on_event`` answers; nothing is changed.

        :raises ProviderError: the request cannot be fulfilled.
        """
        if request.type is RequestType.DELETE:
            return self._plan_delete(request, invocation)
        declared = declaration.contact_user(request.properties, owner=request.owner)
        known = request.parsed_physical_id
        same = isinstance(known, ContactUserId) and known.identity == (
            declared.instance_id,
            declared.contact_id,
        )
        assigns = not same or _changes_user(request, declared)
        if invocation.comes_too_late():
            # Whoever has the contact by now has it for another reason.
            raise RequestCancelledError(
                f"this request has outlived its deployment (the stack is "
                f"{invocation.stack.status.name}). Nothing was changed."
            )
        rolls_back = invocation.rolls_back()
        contact = _describe(invocation, declared)
        if not rolls_back:
            if assigns:
                _require_assignable(declared, contact)
            if contact is not None and not contact.ended:
                _require_releasable(invocation, declared, contact)
        version = ContactUserId(
            instance_id=declared.instance_id,
            contact_id=declared.contact_id,
            adopted=contact is not None and contact.agent_id == declared.user_id,
            queue_id=contact.queue_id if contact else None,
        )
        return _answer(
            request.physical_id if same else str(version),
            invocation,
            rolls_back=rolls_back,
            late=invocation.begins_at_rest(),
            contact=ContactAction.ASSIGN if assigns else None,
            data={
                "ContactId": declared.contact_id,
                "UserId": declared.user_id,
                "Channel": contact.channel if contact else "",
                "QueueId": (contact.queue_id if contact else None) or "",
            },
        )

    def _plan_delete(self, request: Request, invocation: Invocation) -> dict[str, Any]:
        known = request.parsed_physical_id
        try:
            declared = declaration.contact_user(request.properties, owner=request.owner)
        except InvalidEventError as error:
            _LOGGER.warning("nothing to release, the properties were never valid: %s", error)
            return _answer(request.physical_id, invocation)
        if not isinstance(known, ContactUserId) or known.identity != (
            declared.instance_id,
            declared.contact_id,
        ):
            _LOGGER.info(
                "nothing to release, %r is not an ID of this provider", request.physical_id
            )
            return _answer(request.physical_id, invocation)
        action = None
        if declared.release.mode is not ReleaseMode.RETAIN:
            action = _release_action(request, invocation, known)
        return _answer(request.physical_id, invocation, contact=action)

    # -- is_complete ---------------------------------------------------------------------------

    def converge(self, request: Request, invocation: Invocation) -> dict[str, Any]:
        """Assign or release the contact and return the attributes.

        :raises StillWaiting: the contact cannot be assigned yet.
        :raises ProviderError: it cannot be assigned or released.
        """
        plan = Plan.from_event(request.plan)
        if plan.contact is None:
            return dict(plan.data)
        declared = declaration.contact_user(request.properties, owner=request.owner)
        known = request.parsed_physical_id
        if not isinstance(known, ContactUserId):
            return dict(plan.data)
        if plan.contact is not ContactAction.ASSIGN:
            self._release(
                request,
                invocation,
                declared,
                known,
                only_if_accepted=plan.contact is ContactAction.RELEASE_IF_ACCEPTED,
            )
        elif invocation.is_cancelled():
            # An event that was delivered again has assigned nothing.
            if (
                request.type is RequestType.CREATE
                and not (known.adopted or plan.late)
                and _is_given_up(request, invocation, known)
            ):
                self._release(request, invocation, declared, known, only_if_accepted=True)
            raise RequestCancelledError(
                f"CloudFormation cancelled this request ({invocation.stack.status.name}) before "
                f"contact {declared.contact_id} was assigned."
            )
        else:
            self._assign(invocation, declared, tolerant=bool(plan.rolls_back))
        return dict(plan.data)

    def _assign(self, invocation: Invocation, declared: ContactUser, *, tolerant: bool) -> None:
        """Offer the contact to the user, unless the user has it.

        :param tolerant: in a rollback a contact that cannot be put back is left where it is,
            because a rollback that cannot end helps nobody.
        """
        contact = _describe(invocation, declared)
        if contact is not None and contact.agent_id == declared.user_id:
            return
        if contact is None or contact.ended:
            if tolerant:
                return
            _require_assignable(declared, contact)
            return
        region = contact.active_region or invocation.request.owner.region
        try:
            invocation.connect(region).associate_contact(
                instance_id=declared.instance_id,
                contact_id=declared.contact_id,
                user_id=declared.user_id,
            )
        except CallError as error:
            if tolerant:
                _LOGGER.warning("the contact stays where it is: %s", error)
                return
            self._explain(invocation, declared, error)

    def _explain(self, invocation: Invocation, declared: ContactUser, error: CallError) -> None:
        """Return if the user has the contact all the same, else say whether waiting helps."""
        if error.failure is Failure.ACCESS_DENIED:
            raise AssociationFailedError(
                f"{error}. The provider's role lacks the permission, or a condition such as "
                "connect:PreferredUserArn takes it away."
            ) from error
        contact = _describe(invocation, declared)
        if contact is not None and contact.agent_id == declared.user_id:
            return
        _require_assignable(declared, contact)
        connect = invocation.connect(invocation.request.owner.region)
        if (
            connect.describe_user(instance_id=declared.instance_id, user_id=declared.user_id)
            is None
        ):
            raise AssociationFailedError(
                f"{error}. Instance {declared.instance_id} has no user {declared.user_id}: check "
                "the IDs."
            ) from error
        if contact is not None and contact.queue_id is None and contact.agent_id is None:
            raise StillWaiting(f"{error}. The contact is not in a queue yet.") from error
        has_it = f" User {contact.agent_id} has it." if contact and contact.agent_id else ""
        raise AssociationFailedError(
            f"{error}. Only a queued contact can be assigned.{has_it}"
        ) from error

    def _release(
        self,
        request: Request,
        invocation: Invocation,
        declared: ContactUser,
        known: ContactUserId,
        *,
        only_if_accepted: bool,
    ) -> None:
        contact = _describe(invocation, declared)
        if contact is None or contact.ended:
            return
        if contact.agent_id != declared.user_id and (only_if_accepted or contact.agent_id):
            _LOGGER.info(
                "contact %s is left alone: user %s does not have it",
                declared.contact_id,
                declared.user_id,
            )
            return
        connect = invocation.connect(contact.active_region or request.owner.region)
        release = declared.release
        try:
            if release.mode is ReleaseMode.STOP:
                connect.stop_contact(
                    instance_id=declared.instance_id, contact_id=declared.contact_id
                )
            elif release.contact_flow_id:
                connect.transfer_contact(
                    instance_id=declared.instance_id,
                    contact_id=declared.contact_id,
                    contact_flow_id=release.contact_flow_id,
                    queue_id=release.queue_id or known.queue_id or contact.queue_id,
                    client_token=str(
                        uuid.uuid5(uuid.NAMESPACE_URL, f"{request.stack_id} {request.request_id}")
                    ),
                )
        except CallError as error:
            after = _describe(invocation, declared)
            if after is None or after.ended:
                return
            raise AssociationFailedError(
                f"{error}. The contact is still active: release it by hand, or set "
                "release=ContactRelease.retain(), and delete again."
            ) from error


def _release_action(
    request: Request, invocation: Invocation, known: ContactUserId
) -> ContactAction | None:
    """Decide whether a Delete may release the contact."""
    try:
        status = invocation.stack.status
        if status.is_at_rest:
            # An event delivered again: CloudFormation had its answer before it came to rest.
            return None
        if contact_is_claimed(request, invocation.stack, contact_id=known.contact_id):
            _LOGGER.info("contact %s is kept: the stack still declares it", known.contact_id)
            return None
    except StackUnknownError as error:
        _LOGGER.warning(
            "contact %s is kept: whether it is declared elsewhere cannot be known: %s",
            known.contact_id,
            error,
        )
        return None
    if status.rolls_back or not status.name:
        # A Create may have failed before the offer: only who accepted it surely has it.
        return None if known.adopted else ContactAction.RELEASE_IF_ACCEPTED
    return ContactAction.RELEASE


def _is_given_up(request: Request, invocation: Invocation, known: ContactUserId) -> bool:
    """Whether a Create that was cancelled is to be undone."""
    try:
        return (
            invocation.stack.status.undoes
            and not invocation.is_answered()
            and not contact_is_claimed(request, invocation.stack, contact_id=known.contact_id)
        )
    except StackUnknownError as error:
        _LOGGER.warning("what the cancelled request may have assigned is kept: %s", error)
        return False


def _describe(invocation: Invocation, declared: ContactUser) -> Contact | None:
    return invocation.connect(invocation.request.owner.region).describe_contact(
        instance_id=declared.instance_id, contact_id=declared.contact_id
    )


def _changes_user(request: Request, declared: ContactUser) -> bool:
    try:
        old = declaration.contact_user(request.old_properties, owner=request.owner)
    except InvalidEventError:
        return True
    return old.user_id != declared.user_id


def _require_assignable(declared: ContactUser, contact: Contact | None) -> None:
    """Refuse what AssociateContactWithUser is not for.

    :raises AssociationFailedError: the contact is missing or has ended, or is a voice contact.
    """
    if contact is None:
        raise AssociationFailedError(
            f"DescribeContact: instance {declared.instance_id} has no contact "
            f"{declared.contact_id}: check both IDs. Contacts are kept for a limited time."
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


def _require_releasable(invocation: Invocation, declared: ContactUser, contact: Contact) -> None:
    """Refuse a release that could not be carried out later.

    :raises AssociationFailedError: the channel cannot be transferred, or no transfer is left.
    """
    if declared.release.mode is not ReleaseMode.TRANSFER_TO_QUEUE:
        return
    if contact.channel not in _TRANSFERABLE:
        raise AssociationFailedError(
            f"release: contact {declared.contact_id} is on channel {contact.channel}, and "
            f"TransferContact takes {' and '.join(_TRANSFERABLE)} only. Use "
            "ContactRelease.stop() or ContactRelease.retain()."
        )
    connect = invocation.connect(invocation.request.owner.region)
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


def _answer(  # noqa: PLR0913 - the answer of on_event, spelled out
    physical_resource_id: str,
    invocation: Invocation,
    *,
    rolls_back: bool | None = False,
    late: bool = False,
    contact: ContactAction | None = None,
    data: dict[str, Any] | None = None,
) -> dict[str, Any]:
    plan = Plan(
        started_at=invocation.started_at,
        planned_at=invocation.clock.time(),
        rolls_back=rolls_back,
        late=late,
        contact=contact,
        data=data or {},
    )
    return {"PhysicalResourceId": physical_resource_id, "Plan": plan.to_event()}
