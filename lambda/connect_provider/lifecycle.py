"""What every association goes through, whatever it associates: claimed, settled, ended."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from connect_provider import deployment as deployments
from connect_provider.errors import InvalidEventError, RequestOutlivedError, StillWaiting
from connect_provider.ledger.claim import OPEN, ContactClaim, GroupClaim, Phase, from_item
from connect_provider.ledger.table import LedgerMissingError
from connect_provider.request import RequestType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connect_provider.aws import Aws
    from connect_provider.deployment import Deployment
    from connect_provider.ledger.claim import Claim
    from connect_provider.request import Request

_LOGGER = logging.getLogger(__name__)
_C = TypeVar("_C", GroupClaim, ContactClaim)
_D = TypeVar("_D")

RECENT_SECONDS = 60.0
"""Connect is eventually consistent: what is not found is believed to be missing after this time."""
_NO_CLAIM = "the event carries no claim: is_complete takes what on_event answered ({})."
UNANSWERED_SECONDS = 75 * 60.0
"""No request is under way for longer: CloudFormation waits for one hour at most."""


class Resource(Protocol):
    """One request for a custom resource."""

    def plan(self) -> dict[str, Any]:
        """Return what ``on_event`` answers; nothing is changed.

        :raises StillWaiting: it may be known later.
        :raises ProviderError: the request cannot be fulfilled.
        """
        ...

    def converge(self) -> Mapping[str, Any]:
        """Take Connect nearer to what is declared; return the attributes once that is done.

        :raises StillWaiting: there is more to do.
        :raises ProviderError: it cannot be done.
        """
        ...


class Association(ABC, Generic[_C, _D]):
    """One request for an association.

    :param request: what CloudFormation asks for.
    :param aws: what this invocation calls.
    """

    def __init__(self, request: Request, aws: Aws) -> None:
        self.request = request
        self.aws = aws
        self._deployment: Deployment | None = None

    @abstractmethod
    def read(self, properties: Mapping[str, Any]) -> _D:
        """Return what properties declare.

        :raises InvalidEventError: they are wrong.
        """

    @cached_property
    def declared(self) -> _D:
        """What the request declares.

        :raises InvalidEventError: the properties are wrong.
        """
        return self.read(self.request.properties)

    @cached_property
    def declared_before(self) -> _D | None:
        """What the version before declares; None for a Create, or if it was never valid."""
        if self.request.type is not RequestType.UPDATE:
            return None
        try:
            return self.read(self.request.old_properties)
        except InvalidEventError:
            return None

    @abstractmethod
    def plan(self) -> dict[str, Any]:
        """Return what ``on_event`` answers; nothing is changed.

        :raises ProviderError: the request cannot be fulfilled.
        """

    @abstractmethod
    def named(self) -> tuple[_C, bool]:
        """Return a tombstone of the version that the request names.

        :returns: the tombstone, and whether the physical ID is of this provider's making.
        :raises InvalidEventError: the properties do not say what the version was for.
        """

    @abstractmethod
    def mine(self, like: _C) -> list[_C]:
        """Return the resource's claims on what *like* is for."""

    @abstractmethod
    def settle(self, claim: _C) -> _C:
        """Bring a claim about, or to its end, and return it.

        :raises StillWaiting: there is more to do.
        :raises ProviderError: it cannot be done.
        """

    def adjusted(self, claim: _C, planned: _C) -> _C | None:
        """Return the existing claim as *planned* wants it; None if it is like that already."""
        del claim, planned
        return None

    def ended(self, claim: _C, *, now: float, undo: bool) -> _C | None:
        """Return a claim as it is once its end is decided; None if that was decided before."""
        return ended(claim, now=now, undo=undo)

    def withdraw(self, claim: _C) -> None:
        """End what a late event has claimed.

        :raises StillWaiting: Connect does not follow yet.
        """
        self.end([claim], undo=True)

    def attributes(self, claim: _C) -> Mapping[str, Any]:
        """Return the attributes of the resource whose claim is LIVE."""
        del claim
        return self.request.data

    @property
    def deployment(self) -> Deployment:
        """The deployment that the stack is in, read once."""
        # Python 3.11's cached_property would hold a lock for all instances during the call.
        if self._deployment is None:
            self._deployment = self.aws.deployment(self.request.stack_id)
        return self._deployment

    def awaited(self) -> bool:
        """Whether CloudFormation waits for the answer to a request like this one.

        :raises CallError: CloudFormation did not say.
        """
        return deployments.awaits(self.aws.cloudformation, self.request)

    # -- is_complete -----------------------------------------------------------------------------

    def converge(self) -> Mapping[str, Any]:
        """Take Connect nearer to the claims; return the attributes once the request is done.

        :raises StillWaiting: there is more to do.
        :raises ProviderError: it cannot be done.
        """
        if self.request.type is RequestType.DELETE:
            try:
                self._delete()
            except LedgerMissingError as error:
                _LOGGER.warning("%s is kept as it is: %s", self.request.logical_id, error)
        elif self.request.claim:
            planned = cast("_C", planned_claim(self.request))
            claim = self._claimed(planned)
            if claim.phase is Phase.LIVE and self._is_unanswered():
                self.end([claim], undo=True)
                raise outlived(self.deployment)
            if claim.phase in (Phase.PENDING, Phase.ENDING):
                claim = self.settle(claim)
            if claim.phase is not Phase.LIVE or claim.made_by != planned.made_by:
                raise outlived(self.deployment)
            return self.attributes(claim)
        return self.request.data

    def _claimed(self, planned: _C) -> _C:
        """Return the request's claim; make it if its deployment still goes on."""
        claim = self.aws.ledger.get(planned)
        if claim is not None and claim.made_by == planned.made_by:
            return claim
        if is_given_up(planned, self.deployment):
            if claim is None:
                # Remembered, so that the same event is recognized in a later deployment.
                self.aws.ledger.put(planned._replace(phase=Phase.ENDED))
            raise outlived(self.deployment)
        while (rival := self.aws.ledger.note_version(planned)) is not None:
            if planned.repeated:
                raise outlived(self.deployment)
            self.withdraw(rival)
        if claim is None:
            return self.aws.ledger.put(planned)
        return self.aws.ledger.change(claim, lambda it: self.adjusted(it, planned))

    def _is_unanswered(self) -> bool:
        """Whether CloudFormation gave up a Create that is done by now.

        Where rollback is disabled, the Delete may come so late that the claim looks like one whose
        resource was retained.
        """
        return (
            self.request.type is RequestType.CREATE
            and self.deployment.status.endswith("_FAILED")
            and deployments.has_failed(self.aws.cloudformation, self.request)
        )

    def _clears_the_way(self) -> bool:
        """Whether a deployment begins by deleting what the failed one before it has made.

        CloudFormation deletes what had succeeded only in the clean-up. Emulators may do so before,
        but then they show no resource as DELETE_IN_PROGRESS.
        """
        return self.deployment.status == "UPDATE_IN_PROGRESS" and self.awaited()

    def _delete(self) -> None:
        """End the version that the request names.

        A version that the ledger does not know is remembered, so that a Create that is still under
        way finds out, and so that the same Delete a week later finds nothing to do.
        """
        try:
            named, known = self.named()
        except InvalidEventError as error:
            _LOGGER.warning("nothing to delete, the properties were never valid: %s", error)
            return
        claim = self.aws.ledger.get(named)
        if claim is not None:
            self.end([claim])
            return
        if known:
            _LOGGER.warning(
                "%s is kept as it is: the ledger does not know %s",
                self.request.logical_id,
                self.request.physical_id,
            )
        else:
            # CloudFormation gave up a Create, and deletes it under an ID of its own making.
            self.end(unanswered(self.mine(named), self.deployment, now=time.time()))
        self.aws.ledger.put(named)

    def end(self, claims: Iterable[_C], *, undo: bool = False) -> None:
        """End claims that have not ended yet, and let Connect follow.

        :param undo: undo what they changed although the deployment may not roll back.
        :raises StillWaiting: Connect does not follow yet.
        """
        for claim in claims:
            if claim.phase is Phase.ENDED:
                continue
            if not undo and comes_late(claim, self.request, self.deployment):
                _LOGGER.warning("%s is kept: the request comes too late", self.request.logical_id)
                continue
            undone = undo or self.deployment.undoes or self._clears_the_way()
            ending = self.aws.ledger.change(
                claim, partial(self.ended, now=time.time(), undo=undone)
            )
            self.settle(ending)


def planned_claim(request: Request) -> Claim:
    """Return the claim that ``on_event`` wants made.

    :raises InvalidEventError: the event carries no claim of this version.
    """
    try:
        claim = from_item(request.claim)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidEventError(_NO_CLAIM.format(repr(error))) from error
    if (claim.owner, claim.physical_id) != (request.owner, request.physical_id):
        raise InvalidEventError(_NO_CLAIM.format("it is of another resource"))
    return claim


def outlived(deployment: Deployment) -> RequestOutlivedError:
    """Return the error of a request that nobody waits for any more."""
    return RequestOutlivedError(
        f"this request has outlived its deployment (the stack is "
        f"{deployment.status or 'deleted'}). What it may have changed is undone."
    )


def is_given_up(claim: Claim, deployment: Deployment) -> bool:
    """Whether a claim of the stack has outlived the deployment that it was made in."""
    if claim.rollback:
        return deployment.is_over or not deployment.rolls_back
    return not deployment.goes_forward_since(claim.began)


def comes_late(claim: Claim, request: Request, deployment: Deployment) -> bool:
    """Whether a request would end a claim although nothing is under way in its stack.

    :raises StillWaiting: it seems so, but CloudFormation may just have to catch up.
    """
    if claim.phase not in OPEN or not deployment.is_over:
        return False
    if time.time() - request.started_at < RECENT_SECONDS:
        raise StillWaiting("nothing seems to be under way in the stack")
    return True


def unanswered(mine: Iterable[_C], deployment: Deployment, *, now: float) -> list[_C]:
    """Return what a Create claims that CloudFormation gave up before it had an answer.

    :param mine: the claims of a resource that CloudFormation deletes under an ID of its own making.
    """
    return [
        claim
        for claim in mine
        # What the current deployment has claimed is not a Create that another one gave up.
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
    """Return a claim as it is once its end is decided; None if it was decided earlier.

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
