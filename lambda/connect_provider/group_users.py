"""Users in traffic distribution groups: planned by ``on_event``, converged by ``is_complete``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from connect_provider import declaration, group_plan
from connect_provider.claims import declared_elsewhere, group_claims
from connect_provider.errors import (
    AssociationFailedError,
    InvalidEventError,
    RequestCancelledError,
    StillWaiting,
)
from connect_provider.group_convergence import GroupConvergence, Progress
from connect_provider.pace import when_planned
from connect_provider.physical_id import GroupUserId, GroupUsersId
from connect_provider.plan import Plan
from connect_provider.request import RequestType
from connect_provider.stack import StackUnknownError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from connect_provider.declaration import GroupUsers
    from connect_provider.group_plan import GroupId
    from connect_provider.invocation import Invocation
    from connect_provider.plan import Step
    from connect_provider.request import Request

_LOGGER = logging.getLogger(__name__)

_GROUP_POLL_SECONDS = 5.0
_FRESH_SECONDS = 15.0
_DOUBT_SECONDS = 20.0
"""How long the Update back of a resource may take that has nothing to do; see is_cancelled."""
_REMEMBERED_REQUESTS = 100


class GroupUsersAssociation:
    """Single users and memberships.

    What it remembers between invocations only saves calls: it may be lost at any time.
    """

    def __init__(self) -> None:
        self._progress: dict[tuple[str, str], Progress] = {}

    # -- on_event ------------------------------------------------------------------------------

    def plan(self, request: Request, invocation: Invocation) -> dict[str, Any]:
        """Return what ``on_event`` answers; nothing is changed.

        :raises ProviderError: the request cannot be fulfilled.
        """
        if request.type is RequestType.DELETE:
            return self._plan_delete(request, invocation)
        declared = _declared(request)
        known = request.parsed_physical_id
        if (
            request.type is RequestType.UPDATE
            and group_plan.is_same(known, declared)
            and not declared.exclusive
        ):
            return _answer(request.physical_id, invocation, declared, data=_data(request, declared))
        members, kept = self._members_and_kept(request, invocation, declared)
        previous = self._previous(request, invocation, declared)
        missing = set(declared.users) - members
        surplus = self._surplus(request, invocation, declared, members, previous)
        if group_plan.is_same(known, declared) and not (
            request.type is RequestType.CREATE or missing or surplus
        ):
            return _answer(request.physical_id, invocation, declared, data=_data(request, declared))
        in_place = previous is not None and previous.declared.group.id == declared.group.id
        version: GroupId
        if request.resource_type == declaration.GROUP_USER:
            version = group_plan.user_version(declared, members=kept, previous=previous)
        else:
            version = group_plan.membership_version(
                request,
                declared,
                members=members,
                previous=previous,
                # In place, the old version's Delete removes them, when nothing can fail any more.
                expelled=() if in_place else surplus,
            )
        dropped = set(previous.declared.users) - set(declared.users) if previous else set()
        return _answer(
            str(version),
            invocation,
            declared,
            steps=group_plan.arrive(version, declared, members=members),
            makes_room=request.resource_type == declaration.GROUP_USER,
            rolls_back=invocation.rolls_back(),
            data=_data(
                request,
                declared,
                added=len(missing),
                removed=len((dropped & members) | surplus) if in_place else len(surplus),
            ),
        )

    def _plan_delete(self, request: Request, invocation: Invocation) -> dict[str, Any]:
        known = request.parsed_physical_id
        try:
            declared = _declared(request)
        except InvalidEventError as error:
            _LOGGER.warning("nothing to delete, the properties were never valid: %s", error)
            return _answer(request.physical_id, invocation, None)
        if not isinstance(known, GroupUserId | GroupUsersId):
            _LOGGER.info("nothing to delete, %r is not an ID of this provider", request.physical_id)
            return _answer(request.physical_id, invocation, None)
        try:
            steps = self._departure(request, invocation, known, declared)
        except (StackUnknownError, ValueError) as error:
            _LOGGER.warning(
                "%s is kept with all its users: whether they are declared elsewhere or were there "
                "before cannot be known: %s",
                request.logical_id,
                error,
            )
            steps = ()
        return _answer(request.physical_id, invocation, declared, steps=steps)

    def _departure(
        self, request: Request, invocation: Invocation, known: GroupId, declared: GroupUsers
    ) -> tuple[Step, ...]:
        """Return the steps of a Delete, or of a request that was cancelled.

        :raises StackUnknownError: CloudFormation would not say who must stay.
        :raises ValueError: the physical ID does not belong to what is declared.
        """
        stack = invocation.stack
        is_delete = request.type is RequestType.DELETE
        if stack.status.name == "DELETE_COMPLETE" or (is_delete and stack.status.is_at_rest):
            # An event delivered again: CloudFormation had its answer before it came to rest.
            return ()
        claims = group_claims(request, stack, group_id=declared.group.id, users=declared.users)
        if stack.status.rolls_back or not is_delete:
            steps = group_plan.undo(known, declared, keep=claims.users)
        elif not stack.status.name:
            # Without its stack, a Delete may belong to a rollback: what was there before stays.
            steps = group_plan.leave(declared, keep=group_plan.adopted(known, declared))
        else:
            members: AbstractSet[str] = frozenset()
            if claims.exclusive:
                connect = invocation.connect(declared.group.region)
                members = connect.list_group_users(declared.group) or frozenset()
            steps = group_plan.leave(declared, keep=claims.users, surplus=members)
        for user in sorted(claims.users & set(declared.users)):
            _LOGGER.info("user %s stays in %s: the stack still declares it", user, declared.group)
        return steps

    def _members_and_kept(
        self, request: Request, invocation: Invocation, declared: GroupUsers
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Return who is in the group, and whom a rollback must keep: the same, if that is known.

        The quota may not let one of a crowd of single users list the group. That user joins all
        the same; and because a rollback must not take out who was there before, it is kept.
        """
        try:
            members = self._members(invocation, declared)
        except StillWaiting as wait:
            if request.resource_type != declaration.GROUP_USER:
                raise
            _LOGGER.warning(
                "whether user %s is in %s already cannot be found out; should this deployment be "
                "rolled back, the user stays there: %s",
                declared.users[0],
                declared.group,
                wait,
            )
            return frozenset(), frozenset(declared.users)
        return members, members

    def _members(self, invocation: Invocation, declared: GroupUsers) -> frozenset[str]:
        """Return who is in the group, waiting for it if it is about to become ACTIVE.

        :raises AssociationFailedError: there is no such group, or it cannot take users.
        """
        connect = invocation.connect(declared.group.region)
        while True:
            members = connect.list_group_users(declared.group)
            if members is not None:
                return members
            group = connect.describe_group(declared.group)
            if group is None:
                raise AssociationFailedError(
                    f"ListTrafficDistributionGroupUsers: there is no {declared.group}. Check the "
                    "ID, and that the Region is the group's home Region (give the group's ARN, "
                    "or the prop region)."
                )
            if group.status == "CREATION_IN_PROGRESS":
                return frozenset()
            if group.status not in ("ACTIVE", "UPDATE_IN_PROGRESS"):
                raise AssociationFailedError(
                    f"{declared.group} is {group.status} and takes no users: repair or replace it."
                )
            invocation.caller.pause(
                _GROUP_POLL_SECONDS,
                f"ListTrafficDistributionGroupUsers does not find {declared.group}, which is "
                f"{group.status}",
            )

    def _previous(
        self, request: Request, invocation: Invocation, declared: GroupUsers
    ) -> group_plan.Previous | None:
        if request.type is not RequestType.UPDATE:
            return None
        try:
            previous = declaration.group_users(
                request.old_properties, request.resource_type, owner=request.owner
            )
        except InvalidEventError:
            return None
        members: AbstractSet[str] = frozenset()
        if previous.group.id != declared.group.id and set(previous.users) & set(declared.users):
            members = (
                invocation.connect(previous.group.region).list_group_users(previous.group)
                or frozenset()
            )
        return group_plan.Previous(
            declared=previous, id=request.parsed_physical_id, members=members
        )

    def _surplus(
        self,
        request: Request,
        invocation: Invocation,
        declared: GroupUsers,
        members: AbstractSet[str],
        previous: group_plan.Previous | None,
    ) -> frozenset[str]:
        """Return the members whom an exclusive membership does not want."""
        surplus = frozenset(members) - frozenset(declared.users)
        if not declared.exclusive or not surplus:
            return frozenset()
        if previous is not None and previous.declared.group.id == declared.group.id:
            return surplus
        try:
            if invocation.stack.status.rolls_back:
                # The template may be the one that failed, without those who are about to be back.
                return frozenset()
            elsewhere = declared_elsewhere(request, invocation.stack, group_id=declared.group.id)
        except StackUnknownError as error:
            _LOGGER.warning(
                "%s keeps members who are not declared, because CloudFormation would not say what "
                "else the stack declares: %s",
                declared.group,
                error,
            )
            return frozenset()
        return surplus - elsewhere

    # -- is_complete ---------------------------------------------------------------------------

    def converge(self, request: Request, invocation: Invocation) -> dict[str, Any]:
        """Take Connect nearer to the plan and return the attributes once it is there.

        :raises StillWaiting: there is more to do.
        :raises ProviderError: it cannot be done.
        """
        try:
            declared = _declared(request)
        except InvalidEventError:
            if request.type is RequestType.DELETE:
                return {}
            raise
        plan = Plan.from_event(request.plan, declared.users)
        if not plan.steps:
            return dict(plan.data)
        if invocation.clock.time() < plan.not_before:
            raise StillWaiting("other users of the stack are being planned")
        cancelled = invocation.is_cancelled()
        waited = invocation.clock.time() - plan.planned_at
        if plan.rolls_back and not cancelled and waited < _DOUBT_SECONDS:
            raise StillWaiting("the rollback may have another request for this resource")
        steps = self._retreat(request, invocation, declared) if cancelled else plan.steps
        for index, step in enumerate(steps):
            self._run(
                invocation,
                plan,
                declared.instance_id,
                step,
                undoes=cancelled or request.type is RequestType.DELETE,
                name=f"{cancelled}{index}",
            )
        if cancelled:
            raise RequestCancelledError(
                f"this request has outlived its deployment (the stack is "
                f"{invocation.stack.status.name}); what it had changed in {declared.group} is "
                "undone."
            )
        return dict(plan.data)

    def _retreat(
        self, request: Request, invocation: Invocation, declared: GroupUsers
    ) -> tuple[Step, ...]:
        """Return the steps that undo a request that was given up while it was under way."""
        known = request.parsed_physical_id
        if not invocation.stack.status.undoes:
            # An event delivered again after its deployment had succeeded: nothing was given up.
            return ()
        if not isinstance(known, GroupUserId | GroupUsersId):
            return ()
        try:
            if invocation.is_answered():
                return ()
            return self._departure(request, invocation, known, declared)
        except (StackUnknownError, ValueError) as error:
            _LOGGER.warning("what the cancelled request added is kept: %s", error)
            return ()

    def _run(  # noqa: PLR0913 - a step and where it belongs
        self,
        invocation: Invocation,
        plan: Plan,
        instance_id: str,
        step: Step,
        *,
        undoes: bool,
        name: str,
    ) -> None:
        now = invocation.clock.time()
        request = invocation.request
        key = (f"{request.stack_id} {request.request_id} {request.type.value}", name)
        remembered = key in self._progress
        progress = self._progress.setdefault(key, Progress())
        while len(self._progress) > _REMEMBERED_REQUESTS:
            del self._progress[next(iter(self._progress))]
        convergence = GroupConvergence(
            connect=invocation.connect,
            caller=invocation.caller,
            instance_id=instance_id,
            step=step,
            undoes=undoes,
            progress=progress,
        )
        if not remembered and len(step.users) > 1 and now - plan.planned_at > _FRESH_SECONDS:
            convergence.find_done()
        convergence.run(still_wanted=lambda: not invocation.refreshed().is_cancelled())


def _declared(request: Request) -> GroupUsers:
    return declaration.group_users(request.properties, request.resource_type, owner=request.owner)


def _data(
    request: Request, declared: GroupUsers, *, added: int = 0, removed: int = 0
) -> dict[str, Any]:
    if request.resource_type == declaration.GROUP_USER:
        return {
            "InstanceId": declared.instance_id,
            "TrafficDistributionGroupId": declared.group.id,
            "UserId": declared.users[0],
            "Region": declared.group.region,
        }
    return {
        "TrafficDistributionGroupId": declared.group.id,
        "UserCount": len(declared.users),
        "Added": added,
        "Removed": removed,
    }


def _answer(  # noqa: PLR0913 - the answer of on_event, spelled out
    physical_resource_id: str,
    invocation: Invocation,
    declared: GroupUsers | None,
    *,
    steps: tuple[Step, ...] = (),
    makes_room: bool = False,
    rolls_back: bool | None = False,
    data: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    now = invocation.clock.time()
    crowd = invocation.caller.paces.crowd if makes_room else 1
    plan = Plan(
        started_at=invocation.started_at,
        planned_at=now,
        not_before=when_planned(crowd=crowd, started_at=invocation.started_at, now=now),
        rolls_back=rolls_back,
        steps=steps,
        data=data or {},
    )
    return {
        "PhysicalResourceId": physical_resource_id,
        "Plan": plan.to_event(declared.users if declared else ()),
    }
