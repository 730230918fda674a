"""Which associations the stack still declares, beside the request at hand.

A membership that another live resource of the stack declares must survive the Delete of this one:
the construct was renamed or moved, or a membership took a single user over. *Live* is what stands
in the stack's current template and is not being deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider import declaration, identifiers, physical_id
from connect_provider.errors import InvalidEventError
from connect_provider.group_plan import is_same
from connect_provider.identifiers import Kind
from connect_provider.physical_id import ContactUserId, GroupUserId, GroupUsersId
from connect_provider.stack import StackUnknownError
from connect_provider.template import UnresolvableError
from connect_provider.user_set import unpack_members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from connect_provider.declaration import GroupUsers
    from connect_provider.request import Request
    from connect_provider.stack import Stack, StackResource

_GROUP_TYPES = (declaration.GROUP_USER, declaration.GROUP_USERS)
_RETAINED = ("Retain",)
_RETAINED_ON_DELETE = ("Retain", "RetainExceptOnCreate")


class GroupClaims(NamedTuple):
    """What live resources declare for one group.

    :ivar users: users that must stay.
    :ivar exclusive: the resource of the request lives on and wants no members but declared ones.
    """

    users: frozenset[str] = frozenset()
    exclusive: bool = False


def group_claims(
    request: Request, stack: Stack, *, group_id: str, users: Sequence[str]
) -> GroupClaims:
    """Return who must stay in the group although *request* would let go of *users*.

    :param users: the declared users of the request's resource, sorted.
    :raises StackUnknownError: CloudFormation would not say, or a declaration cannot be read.
    """
    claimed: set[str] = set()
    exclusive = False
    unknown: list[str] = []
    for live in _live(request, stack):
        if live.type == declaration.CONTACT_USER:
            continue
        declared, problem = _declared(live.logical_id, request, stack)
        claim: tuple[str, Iterable[str]] | None
        if declared is not None and _is_shown_as_it_is(live, declared, stack):
            claim = declared.group.id, declared.users
        else:
            claim = _from_physical_id(live, request, users)
        if claim is not None and claim[0] == group_id:
            claimed.update(claim[1])
            if declared is not None and live.logical_id == request.logical_id:
                exclusive = declared.exclusive
        if (
            claim is None
            and problem
            and not _is_elsewhere(live.logical_id, group_id, request, stack)
        ):
            unknown.append(f"{live.logical_id}: {problem}")
    if unknown:
        raise StackUnknownError("; ".join(unknown))
    return GroupClaims(users=frozenset(claimed), exclusive=exclusive)


def declared_elsewhere(request: Request, stack: Stack, *, group_id: str) -> frozenset[str]:
    """Return whom the other resources of the template declare for the group.

    Those that CloudFormation has yet to create count as well, so that none of their users is taken
    out for a moment.

    :raises StackUnknownError: CloudFormation would not say, or what a resource that exists already
        declares for the group cannot be read.
    """
    claimed: set[str] = set()
    unknown: list[str] = []
    for logical_id, body in stack.template.resources.items():
        if body.get("Type") not in _GROUP_TYPES or logical_id == request.logical_id:
            continue
        resource = stack.resources.get(logical_id)
        exists = resource is not None and not resource.is_deleted
        if not exists and "Condition" in body:
            # It may never be created.
            continue
        declared, problem = _declared(logical_id, request, stack)
        if declared is None:
            if exists and not _is_elsewhere(logical_id, group_id, request, stack):
                unknown.append(f"{logical_id}: {problem}")
        elif declared.group.id == group_id:
            claimed.update(declared.users)
    if unknown:
        raise StackUnknownError("; ".join(unknown))
    return frozenset(claimed)


def _declared(logical_id: str, request: Request, stack: Stack) -> tuple[GroupUsers | None, str]:
    """Return what the template declares, or why that cannot be read."""
    template = stack.template
    resource_type = template.resources[logical_id]["Type"]
    try:
        properties = template.properties(logical_id)
        return declaration.group_users(properties, resource_type, owner=request.owner), ""
    except (UnresolvableError, InvalidEventError) as error:
        return None, str(error)


def _is_elsewhere(logical_id: str, group_id: str, request: Request, stack: Stack) -> bool:
    """Whether a resource whose users cannot be read surely is of another group."""
    if not stack.status.shows_template:
        return False
    properties = stack.template.resources[logical_id].get("Properties", {})
    name = "TrafficDistributionGroupId"
    try:
        group = identifiers.parse(
            stack.template.resolve(properties.get(name)),
            kind=Kind.TRAFFIC_DISTRIBUTION_GROUP,
            name=name,
            owner=request.owner,
        )
    except (UnresolvableError, InvalidEventError):
        return False
    return group.id != group_id


def _is_shown_as_it_is(live: _Live, declared: GroupUsers, stack: Stack) -> bool:
    """Whether the template shows what the resource is, and not what it failed to become.

    Before a rollback is complete, only the physical ID can tell.
    """
    if stack.status.shows_template:
        return True
    known = physical_id.parse(live.resource.physical_id)
    if isinstance(known, GroupUserId | GroupUsersId):
        return is_same(known, declared)
    return True


def contact_is_claimed(request: Request, stack: Stack, *, contact_id: str) -> bool:
    """Whether another live resource declares the contact, or may declare it.

    :raises StackUnknownError: CloudFormation would not say.
    """
    if not stack.status.shows_template and _stays_assigned(request, stack, contact_id):
        return True
    for live in _live(request, stack):
        if live.type != declaration.CONTACT_USER:
            continue
        try:
            declared = declaration.contact_user(
                stack.template.properties(live.logical_id), owner=request.owner
            )
        except (UnresolvableError, InvalidEventError):
            known = physical_id.parse(live.resource.physical_id)
            if not isinstance(known, ContactUserId) or known.contact_id == contact_id:
                return True
        else:
            if declared.contact_id == contact_id:
                return True
    return False


def _stays_assigned(request: Request, stack: Stack, contact_id: str) -> bool:
    """Whether a rollback leaves a resource of the contact as it is, whatever the template shows."""
    for logical_id, resource in stack.resources.items():
        known = physical_id.parse(resource.physical_id)
        if (
            isinstance(known, ContactUserId)
            and known.contact_id == contact_id
            and not resource.is_deleted
            and not _goes_back(logical_id, resource, request, stack)
        ):
            return True
    return False


def is_declared(request: Request, stack: Stack) -> bool | None:
    """Whether the stack's current template declares what *request* asks for.

    None where a declaration cannot be read. While a deployment or a rollback is under way the
    answer means little: the template may be the one before, or the one that failed.

    :raises StackUnknownError: CloudFormation would not say.
    """
    resource = stack.resources.get(request.logical_id)
    body = stack.template.resources.get(request.logical_id)
    if body is None or body.get("Type") != request.resource_type:
        return False
    if resource is None or resource.is_deleted:
        return False
    try:
        properties = stack.template.properties(request.logical_id)
        return _identity(properties, request) == _identity(request.properties, request)
    except (UnresolvableError, InvalidEventError):
        return None


def _identity(properties: Mapping[str, Any], request: Request) -> tuple[object, ...]:
    if request.resource_type == declaration.CONTACT_USER:
        contact = declaration.contact_user(properties, owner=request.owner)
        return contact.instance_id, contact.contact_id, contact.user_id
    group = declaration.group_users(properties, request.resource_type, owner=request.owner)
    return group.instance_id, group.group.id, group.users


class _Live(NamedTuple):
    logical_id: str
    type: str
    resource: StackResource


def _live(request: Request, stack: Stack) -> Iterator[_Live]:
    """Go through the live association resources of the stack."""
    status = stack.status
    if not status.name:
        return
    retained = _RETAINED_ON_DELETE if status.is_deleted else _RETAINED
    for logical_id, body in stack.template.resources.items():
        resource_type = body.get("Type", "")
        if resource_type not in declaration.ASSOCIATION_TYPES:
            continue
        if status.goes_away and (
            logical_id == request.logical_id or body.get("DeletionPolicy") not in retained
        ):
            continue
        resource = stack.resources.get(logical_id)
        if resource is None or resource.is_deleted:
            continue
        if not status.goes_away and _goes_back(logical_id, resource, request, stack):
            continue
        yield _Live(
            logical_id=logical_id,
            type=resource_type,
            resource=resource,
        )


def _goes_back(logical_id: str, resource: StackResource, request: Request, stack: Stack) -> bool:
    """Whether a rollback will undo what the resource is now.

    So it does with the very version that the request is about, with what the failed deployment has
    created, and, until everything is reverted, with what it has updated.
    """
    if stack.status.shows_template:
        return False
    if logical_id == request.logical_id and resource.physical_id == request.physical_id:
        return True
    began = stack.updated_at
    if began is None or resource.changed_at < began:
        return False
    return stack.status.reverts or resource.status.startswith("CREATE")


def _from_physical_id(
    live: _Live, request: Request, users: Sequence[str]
) -> tuple[str, frozenset[str]] | None:
    """Return the group and the users that the live resource's physical ID speaks of."""
    known = physical_id.parse(live.resource.physical_id)
    if isinstance(known, GroupUserId):
        return known.group_id, frozenset((known.user_id,))
    if isinstance(known, GroupUsersId) and live.logical_id == request.logical_id:
        previous = physical_id.parse(request.physical_id)
        if isinstance(previous, GroupUsersId) and known.kept_of == previous.version:
            return known.group_id, unpack_members(known.kept, users)
    return None
