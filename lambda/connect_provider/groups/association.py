"""Single users and memberships: from a request to its claim, and from there to the group."""

from __future__ import annotations

import logging
import time
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from connect_provider import deployment as deployments
from connect_provider import lifecycle
from connect_provider.errors import AssociationFailedError, InvalidEventError
from connect_provider.groups import claims as rules
from connect_provider.groups import declaration
from connect_provider.groups.convergence import Convergence
from connect_provider.ledger.claim import GroupClaim, Phase, to_event
from connect_provider.ledger.table import LedgerMissingError
from connect_provider.request import RequestType, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connect_provider.aws import Aws
    from connect_provider.connect.client import Group
    from connect_provider.deployment import Deployment
    from connect_provider.groups.declaration import GroupUsers
    from connect_provider.request import Request

_LOGGER = logging.getLogger(__name__)

_BACK = "Back"


def plan(request: Request, aws: Aws) -> dict[str, Any]:
    """Return what ``on_event`` answers; nothing is changed.

    :raises ProviderError: the request cannot be fulfilled.
    """
    if request.type is RequestType.DELETE:
        return {"PhysicalResourceId": request.physical_id}
    declared = _declared(request, request.properties)
    data = _data(request, declared)
    previous = _claim_of(request, aws)
    # After --no-rollback the version that CloudFormation knows may never have gone live.
    if _declared_before(request) == declared and (previous is None or previous.phase is Phase.LIVE):
        return {"PhysicalResourceId": request.physical_id, "Data": data}
    mine = aws.ledger.of_group(declared.group, request.owner)
    planned = rules.plan(
        request,
        declared,
        now=time.time(),
        deployment=aws.deployment(request.stack_id),
        mine=mine,
        previous=previous,
        awaited=lambda: deployments.awaits(aws.cloudformation, request),
    )
    claim = to_event(planned.claim) if planned.claim else {_BACK: True}
    return {"PhysicalResourceId": planned.physical_id, "Claim": claim, "Data": data}


def converge(request: Request, aws: Aws) -> Mapping[str, Any]:
    """Take the group nearer to its claims, and return the attributes once the request is done.

    :raises StillWaiting: there is more to do.
    :raises ProviderError: it cannot be done.
    """
    if request.type is RequestType.DELETE:
        try:
            _delete(request, aws)
        except LedgerMissingError as error:
            _LOGGER.warning("%s is kept with all its users: %s", request.logical_id, error)
    elif request.claim.get(_BACK):
        _go_back(request, aws)
    elif request.claim:
        claim = _claimed(request, aws)
        if claim.phase in (Phase.PENDING, Phase.ENDING):
            claim = _settle(request, aws, claim)
        if claim.phase is not Phase.LIVE:
            raise lifecycle.outlived(aws.deployment(request.stack_id))
        added = len(claim.users - (claim.adopted or frozenset()))
        counts = {"Added": added, "Removed": claim.removed}
        return {**request.data, **{name: counts[name] for name in counts if name in request.data}}
    return request.data


def _claimed(request: Request, aws: Aws) -> GroupClaim:
    """Return the request's claim; make it if its deployment still goes on."""
    planned = lifecycle.planned_claim(request)
    if not isinstance(planned, GroupClaim):
        raise InvalidEventError("the event carries the claim of a contact.")
    claim = aws.ledger.get(planned)
    if claim is None:
        deployment = aws.deployment(request.stack_id)
        if lifecycle.is_given_up(planned, deployment):
            # Remembered, so that the same event is recognized in a later deployment.
            aws.ledger.put(planned._replace(phase=Phase.ENDED))
            raise lifecycle.outlived(deployment)
        claim = aws.ledger.put(planned)
    if claim.problem and claim.phase is Phase.PENDING:
        raise AssociationFailedError(claim.problem)
    return claim


def _settle(request: Request, aws: Aws, claim: GroupClaim) -> GroupClaim:
    """Converge the group unless somebody else does, and return the claim once it is settled.

    :raises StillWaiting: it is not settled yet.
    :raises AssociationFailedError: it cannot be converged.
    """
    with aws.ledger.lease(claim) as lease:
        convergence = Convergence(
            claim.group,
            ledger=aws.ledger,
            lease=lease,
            connect=partial(aws.connect, before_call=lease.hold),
            limits=aws.limits,
            stack_id=request.stack_id,
            deployment=partial(aws.deployment, request.stack_id),
            listed=cache(partial(deployments.listed_ids, aws.cloudformation, request.stack_id)),
        )
        convergence.run()
        return convergence.outcome_of(claim)


def _delete(request: Request, aws: Aws) -> None:
    """End the version that the request names.

    A version that the ledger does not know is remembered, so that a Create that is still under way
    finds out, and so that the same Delete a week later finds nothing to do.
    """
    known = rules.parse(request.physical_id)
    try:
        group = known[0] if known else _declared(request, request.properties).group
    except InvalidEventError as error:
        _LOGGER.warning("nothing to delete, the properties were never valid: %s", error)
        return
    version = known[1] if known else fingerprint(request.physical_id)[:12]
    marker = _marker(request, group, version)
    claim = aws.ledger.get(marker)
    if claim is None and known:
        _LOGGER.warning(
            "%s is kept with all its users: the ledger does not know %s",
            request.logical_id,
            request.physical_id,
        )
    elif claim is None:
        # CloudFormation gave up a Create, and deletes it under an ID of its own making.
        deployment = aws.deployment(request.stack_id)
        mine = aws.ledger.of_group(group, request.owner)
        created = [one for one in mine if not one.replaces]
        given_up = lifecycle.unanswered(created, deployment, now=time.time())
        _end(request, aws, given_up, deployment)
    elif claim.phase is not Phase.ENDED:
        _end(request, aws, [claim], aws.deployment(request.stack_id))
    if claim is None:
        aws.ledger.put(marker)


def _go_back(request: Request, aws: Aws) -> None:
    """End what the failed Update claimed: the version before is what the stack goes back to."""
    before = _declared_before(request)
    known = rules.parse(request.physical_id)
    groups = {each for each in (before and before.group, known and known[0]) if each}
    deployment = aws.deployment(request.stack_id)
    for group in groups:
        mine = aws.ledger.of_group(group, request.owner)
        replacing = [it for it in mine if it.replaces == request.physical_id]
        _end(request, aws, [it for it in replacing if it.phase is not Phase.ENDED], deployment)


def _end(request: Request, aws: Aws, claims: Iterable[GroupClaim], deployment: Deployment) -> None:
    """End claims, and let the group follow.

    :raises StillWaiting: the group does not follow yet.
    """
    for claim in claims:
        if lifecycle.comes_late(claim, request, deployment):
            _LOGGER.warning("%s is kept: the request comes too late", request.logical_id)
            continue
        ending = aws.ledger.change(
            claim, lambda it: lifecycle.ended(it, now=time.time(), undo=deployment.undoes)
        )
        _settle(request, aws, ending)


def _declared(request: Request, properties: Mapping[str, Any]) -> GroupUsers:
    return declaration.read(properties, request.resource_type, owner=request.account)


def _declared_before(request: Request) -> GroupUsers | None:
    """Return what the version before declares; None for a Create, or if it was never valid."""
    if request.type is not RequestType.UPDATE:
        return None
    try:
        return _declared(request, request.old_properties)
    except InvalidEventError:
        return None


def _claim_of(request: Request, aws: Aws) -> GroupClaim | None:
    """Return the claim of the version that the request comes with."""
    known = rules.parse(request.physical_id)
    return aws.ledger.get(_marker(request, *known)) if known else None


def _marker(request: Request, group: Group, version: str) -> GroupClaim:
    """Return a tombstone of a version."""
    return GroupClaim(
        owner=request.owner,
        version=version,
        instance_id="",
        group=group,
        users=frozenset(),
        began="",
        since=time.time(),
        phase=Phase.ENDED,
    )


def _data(request: Request, declared: GroupUsers) -> dict[str, Any]:
    if request.resource_type == declaration.GROUP_USER:
        return {
            "InstanceId": declared.instance_id,
            "TrafficDistributionGroupId": declared.group.id,
            "UserId": next(iter(declared.users)),
            "Region": declared.group.region,
        }
    return {
        "TrafficDistributionGroupId": declared.group.id,
        "UserCount": len(declared.users),
        "Added": 0,
        "Removed": 0,
    }
