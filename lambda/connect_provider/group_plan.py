"""What to do about users in traffic distribution groups: pure functions of what is known.

A single user and a membership of thousands are planned alike; they differ in the physical ID.

- Additions belong to Create and Update, removals to the Delete that follows in the clean-up
  phase: until then the new version can be undone by deleting its ID, and nobody is missing.
- A Delete that is part of a rollback puts back what its version changed; any other takes the
  declared users out. Neither touches who is claimed by another live resource of the stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connect_provider.errors import AssociationFailedError
from connect_provider.physical_id import MAX_LENGTH, GroupUserId, GroupUsersId
from connect_provider.plan import Action, Step
from connect_provider.user_set import (
    fingerprint,
    pack_ids,
    pack_members,
    unpack_ids,
    unpack_members,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from connect_provider.connect import Group
    from connect_provider.declaration import GroupUsers
    from connect_provider.physical_id import PhysicalId
    from connect_provider.request import Request

GroupId = GroupUserId | GroupUsersId


class Previous(NamedTuple):
    """The version of the resource that an Update replaces.

    :ivar declared: what it declared.
    :ivar id: its physical ID; None if this provider did not make it.
    :ivar members: who is in its group now, where that is another group; else nobody.
    """

    declared: GroupUsers
    id: PhysicalId | None
    members: AbstractSet[str] = frozenset()


def is_same(known: PhysicalId | None, declared: GroupUsers) -> bool:
    """Whether the physical ID *known* already stands for what is declared."""
    if isinstance(known, GroupUserId):
        return known.identity == (declared.instance_id, declared.group.id, declared.users[0])
    return (
        isinstance(known, GroupUsersId)
        and (known.instance_id, known.group_id) == (declared.instance_id, declared.group.id)
        and known.users_key == fingerprint(*declared.users)
    )


def user_version(
    declared: GroupUsers, *, members: AbstractSet[str], previous: Previous | None
) -> GroupUserId:
    """Return the physical ID of a single user's new version.

    :param members: who is in the group now.
    """
    (user,) = declared.users
    leaves = (
        previous is not None
        and previous.declared.group.id != declared.group.id
        and previous.declared.users == declared.users
        and user in previous.members
    )
    return GroupUserId(
        instance_id=declared.instance_id,
        group_id=declared.group.id,
        user_id=user,
        adopted=user in members,
        origin=previous.declared.group if previous is not None and leaves else None,
    )


def membership_version(
    request: Request,
    declared: GroupUsers,
    *,
    members: AbstractSet[str],
    previous: Previous | None,
    expelled: Iterable[str] = (),
) -> GroupUsersId:
    """Return the physical ID of a membership's new version.

    :param members: who is in the group now.
    :param expelled: undeclared members whom the new version removes at once.
    :raises AssociationFailedError: the physical ID cannot remember everybody who would be
        removed, so a rollback could not put them back.
    """
    kept_of = kept = origin_users = ""
    origin = None
    if previous is not None and previous.declared.group.id == declared.group.id:
        if isinstance(previous.id, GroupUsersId) and is_same(previous.id, previous.declared):
            kept_of = previous.id.version
            kept = pack_members(declared.users, previous.declared.users)
    elif previous is not None:
        leaving = previous.members & set(previous.declared.users)
        if leaving & set(declared.users):
            origin = previous.declared.group
            origin_users = pack_members(leaving, declared.users)
    expelled = tuple(sorted(expelled))
    version = GroupUsersId(
        instance_id=declared.instance_id,
        group_id=declared.group.id,
        key=fingerprint(request.stack_id, request.logical_id),
        users_key=fingerprint(*declared.users),
        version=fingerprint(request.request_id),
        adopted=pack_members(members, declared.users),
        kept_of=kept_of,
        kept=kept,
        origin=origin,
        origin_users=origin_users,
        expelled=pack_ids(expelled) if expelled else "",
    )
    if expelled and len(str(version)) > MAX_LENGTH:
        raise AssociationFailedError(
            f"exclusive would remove {len(expelled):,} members of {declared.group} who are not "
            "declared, too many to be put back should this deployment fail. Nothing was changed. "
            "Deploy once without exclusive, then set it: an update removes any number of "
            "members, after everything else has succeeded."
        )
    return version


def arrive(
    version: GroupId, declared: GroupUsers, *, members: AbstractSet[str]
) -> tuple[Step, ...]:
    """Return the steps of a Create or an Update to *version*.

    :param members: who is in the group now.
    """
    steps = []
    joining = tuple(user for user in declared.users if user not in members)
    if joining:
        steps.append(
            Step(
                action=Action.ASSOCIATE,
                group=declared.group,
                users=joining,
                origin=version.origin,
                origin_users=_origin_users(version, declared) & set(joining),
            )
        )
    if isinstance(version, GroupUsersId) and version.expelled:
        steps.append(
            Step(
                action=Action.DISASSOCIATE,
                group=declared.group,
                users=unpack_ids(version.expelled),
            )
        )
    return tuple(steps)


def leave(
    declared: GroupUsers, *, keep: AbstractSet[str], surplus: AbstractSet[str] = frozenset()
) -> tuple[Step, ...]:
    """Return the steps of a Delete that belongs to a removal, a replacement or a destroy.

    :param keep: who must stay.
    :param surplus: who leaves beside the declared users.
    """
    return _steps(Action.DISASSOCIATE, declared.group, (set(declared.users) | surplus) - keep)


def undo(version: GroupId, declared: GroupUsers, *, keep: AbstractSet[str]) -> tuple[Step, ...]:
    """Return the steps that put back what *version* changed: those of a rollback's Delete.

    :param keep: who must stay although *version* brought them.
    :raises ValueError: *version* does not belong to what is declared.
    """
    added = set(declared.users) - adopted(version, declared)
    steps = _steps(Action.DISASSOCIATE, declared.group, added - keep)
    if version.origin:
        steps += _steps(Action.ASSOCIATE, version.origin, _origin_users(version, declared))
    if isinstance(version, GroupUsersId) and version.expelled:
        steps += _steps(Action.ASSOCIATE, declared.group, unpack_ids(version.expelled))
    return steps


def adopted(version: GroupId, declared: GroupUsers) -> frozenset[str]:
    """Return the declared users who were members before *version*.

    :raises ValueError: *version* does not belong to what is declared.
    """
    if isinstance(version, GroupUsersId):
        return unpack_members(version.adopted, declared.users)
    return frozenset((version.user_id,)) if version.adopted else frozenset()


def _steps(action: Action, group: Group, users: Iterable[str]) -> tuple[Step, ...]:
    ordered = tuple(sorted(users))
    return (Step(action=action, group=group, users=ordered),) if ordered else ()


def _origin_users(version: GroupId, declared: GroupUsers) -> frozenset[str]:
    if version.origin is None:
        return frozenset()
    if isinstance(version, GroupUsersId):
        return unpack_members(version.origin_users, declared.users)
    return frozenset((version.user_id,))
