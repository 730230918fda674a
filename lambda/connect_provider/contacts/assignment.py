"""A contact's assignment to a user: claimed, offered once, released as declared."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from connect_provider import lifecycle
from connect_provider.contacts import claims as rules
from connect_provider.contacts import declaration
from connect_provider.contacts.checks import require_assignable, require_releasable
from connect_provider.contacts.declaration import ReleaseMode
from connect_provider.contacts.release import may_release, release
from connect_provider.errors import AssociationFailedError, StillWaiting
from connect_provider.failures import CallError, Failure
from connect_provider.ledger.claim import OPEN, ContactClaim, Offer, Phase, to_event
from connect_provider.request import RequestType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connect_provider.aws import Aws
    from connect_provider.connect.client import Connect, Contact
    from connect_provider.contacts.declaration import ContactUser
    from connect_provider.request import Request

_LOGGER = logging.getLogger(__name__)


class ContactAssignment(lifecycle.Association[ContactClaim, "ContactUser"]):
    """One request for a contact's assignment."""

    def __init__(self, request: Request, aws: Aws) -> None:
        super().__init__(request, aws)
        self._connect_in: Callable[[str], Connect] = aws.connect

    def read(self, properties: Mapping[str, Any]) -> ContactUser:
        """Return what properties declare."""
        return declaration.read(properties, owner=self.request.account)

    def plan(self) -> dict[str, Any]:
        """Return what ``on_event`` answers; nothing is changed."""
        request, declared, before = self.request, self.declared, self.declared_before
        deployment = self.deployment
        mine = self._claims(declared.instance_id, declared.contact_id, mine=True)
        current = [claim for claim in mine if claim.physical_id == request.physical_id]
        in_place = before is not None and before.contact_id == declared.contact_id
        stays = before is not None and rules.stays(current, declared, before)
        forward = deployment.goes_forward_since(deployment.began)
        changes = before != declared or not stays
        backward = request.type is RequestType.UPDATE and deployment.rolls_back
        if changes and not forward and (deployment.is_over or not backward):
            raise lifecycle.outlived(deployment)
        contact = self._describe()
        if forward and not stays:
            contact = require_assignable(declared, contact, recent=self._is_recent)
        if forward and changes and contact is not None:
            require_releasable(self._home, declared, contact)
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
            return {"PhysicalResourceId": back.physical_id, "Data": data}
        assignment = request.version(deployment.began)
        repeated = any(
            claim.assignment != assignment
            and request.request_key in (claim.version[:8], claim.assignment[:8])
            for claim in mine
        )
        if not rules.is_timely(current, declared, before, deployment, self.awaited) or (
            repeated and not self.awaited()
        ):
            raise lifecycle.outlived(deployment)
        known = rules.parse(request.physical_id) if in_place else None
        claim = ContactClaim(
            owner=request.owner,
            version=known[2] if known else assignment,
            instance_id=declared.instance_id,
            contact_id=declared.contact_id,
            user_id=declared.user_id,
            assignment=assignment,
            began=deployment.began,
            since=request.started_at,
            queue_id=data["QueueId"],
            rollback=deployment.rolls_back,
            repeated=repeated,
            offer=Offer.ADOPTED if contact and contact.agent_id == declared.user_id else Offer.NONE,
        )
        return {"PhysicalResourceId": claim.physical_id, "Claim": to_event(claim), "Data": data}

    def named(self) -> tuple[ContactClaim, bool]:
        """Return a tombstone of the version that the request names."""
        declared, known = self.declared, rules.parse(self.request.physical_id)
        made_up = (declared.instance_id, declared.contact_id, self.request.made_up_version)
        return rules.tombstone(self.request, *(known or made_up)), known is not None

    def mine(self, like: ContactClaim) -> list[ContactClaim]:
        """Return the resource's claims on the contact."""
        return self._claims(like.instance_id, like.contact_id, mine=True)

    def adjusted(self, claim: ContactClaim, planned: ContactClaim) -> ContactClaim | None:
        """Return the claim for the planned user."""
        return rules.reassigned(claim, planned)

    def ended(self, claim: ContactClaim, *, now: float, undo: bool) -> ContactClaim | None:
        """Return the claim as it is once its end is decided."""
        return rules.ended(claim, now=now, undo=undo)

    def withdraw(self, claim: ContactClaim) -> None:
        """End what a late event has claimed; the contact stays where it is.

        How to release it is declared in that event alone.
        """
        self.aws.ledger.change(claim, rules.withdrawn)

    def settle(self, claim: ContactClaim) -> ContactClaim:
        """Offer the contact to the user, unless the user has it; or release it."""
        with self.aws.ledger.lease(claim) as lease:
            self._connect_in = partial(self.aws.connect, before_call=lease.hold)
            claim = self.aws.ledger.get(claim) or claim
            if claim.phase is Phase.PENDING and lifecycle.is_given_up(claim, self.deployment):
                claim = self.aws.ledger.change(claim, rules.given_up)
            if claim.phase is Phase.PENDING:
                return self._assign(claim)
            return self._release(claim) if claim.phase is Phase.ENDING else claim

    def _assign(self, claim: ContactClaim) -> ContactClaim:
        contact = self._describe()
        has_it = contact is not None and contact.agent_id == claim.user_id
        offer = claim.offer
        # Another claim's offer no longer counts once somebody else has accepted the contact.
        if contact is None or contact.agent_id in (None, claim.user_id):
            offer = rules.offered_before(claim, self._claims(claim.instance_id, claim.contact_id))
        if has_it and offer is Offer.NONE:
            offer = Offer.ADOPTED
        if not has_it and offer in (Offer.NONE, Offer.MAYBE):
            if claim.rollback and (contact is None or contact.ended):
                _LOGGER.info("contact %s stays where it is: it has ended", claim.contact_id)
            else:
                contact = require_assignable(self.declared, contact, recent=self._is_recent)
                claim = self.aws.ledger.change(claim, rules.offering(Offer.MAYBE))
                offer = self._offer(claim, contact, before=offer)
        return self.aws.ledger.change(claim, rules.offering(offer, Phase.LIVE))

    def _offer(self, claim: ContactClaim, contact: Contact, *, before: Offer) -> Offer:
        """Offer the contact to the user.

        :param before: what was known about the offer until now.
        :returns: what is known about it from now on.
        """
        try:
            self._active_in(contact).send(
                "AssociateContactWithUser",
                InstanceId=claim.instance_id,
                ContactId=claim.contact_id,
                UserId=claim.user_id,
            )
        except CallError as error:
            if not error.repeated:
                # Connect has refused: nothing was offered that a Delete might release.
                self.aws.ledger.change(claim, rules.offering(Offer.NONE))
            if claim.rollback:
                # A rollback that never ends helps nobody.
                _LOGGER.warning("the contact stays where it is: %s", error)
                return Offer.NONE
            self._explain(error)
            # The user has accepted it all the same: by an offer that was there before, unless an
            # earlier attempt of this one may have got through.
            may_be_ours = error.repeated or before is Offer.MAYBE
            return Offer.MADE if may_be_ours else Offer.ADOPTED
        return Offer.MADE

    def _explain(self, error: CallError) -> None:
        """Return if the user has the contact all the same, else say whether waiting helps."""
        if error.failure is Failure.ACCESS_DENIED:
            raise error
        declared = self.declared
        contact = self._describe()
        if contact is not None and contact.agent_id == declared.user_id:
            return
        contact = require_assignable(declared, contact, recent=self._is_recent)
        user = self._home.describe_user(instance_id=declared.instance_id, user_id=declared.user_id)
        if user is None:
            if self._is_recent:
                raise StillWaiting(f"{error}. The user may have been created just now.") from error
            raise AssociationFailedError(
                f"{error}. Instance {declared.instance_id} has no user {declared.user_id}: check "
                "the IDs."
            ) from error
        if contact.queue_id is None and contact.agent_id is None:
            raise StillWaiting(f"{error}. The contact is not in a queue yet.") from error
        has_it = f" User {contact.agent_id} has it." if contact.agent_id else ""
        raise AssociationFailedError(
            f"{error}. Only a queued contact can be assigned.{has_it}"
        ) from error

    def _release(self, claim: ContactClaim) -> ContactClaim:
        """Release the contact of a claim that ends, if that is declared and may be done."""
        others = self._claims(claim.instance_id, claim.contact_id)
        if any(other.phase in OPEN for other in others):
            _LOGGER.info("contact %s is kept: somebody else declares it", claim.contact_id)
        elif self.declared.release.mode is not ReleaseMode.RETAIN:
            contact = self._describe()
            if contact is not None and may_release(claim, contact):
                release(self._active_in(contact), claim, contact, self.declared.release)
        return self.aws.ledger.change(claim, lifecycle.over)

    def _claims(
        self, instance_id: str, contact_id: str, *, mine: bool = False
    ) -> list[ContactClaim]:
        claims = self.aws.ledger.of_contact(instance_id, contact_id)
        return [it for it in claims if it.owner == self.request.owner or not mine]

    @property
    def _home(self) -> Connect:
        return self._connect_in(self.request.account.region)

    def _active_in(self, contact: Contact) -> Connect:
        return self._connect_in(contact.active_region or self.request.account.region)

    def _describe(self) -> Contact | None:
        return self._home.describe_contact(
            instance_id=self.declared.instance_id, contact_id=self.declared.contact_id
        )

    @property
    def _is_recent(self) -> bool:
        """Whether what is not found may be found a little later."""
        return time.time() - self.request.started_at < lifecycle.RECENT_SECONDS
