"""Users by their names: looked up once, when the resource is created or its names change.

The IDs stand in the physical ID, so that whoever refers to the resource is told apart by IDs, and a
user who gets another name stays the same. Nothing in Connect is ever changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connect_provider import declaration
from connect_provider.errors import AssociationFailedError
from connect_provider.physical_id import UserLookupId
from connect_provider.plan import Plan
from connect_provider.request import RequestType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connect_provider.invocation import Invocation
    from connect_provider.request import Request


class UserLookup:
    """Finds users by name; there is nothing to converge."""

    def plan(self, request: Request, invocation: Invocation) -> dict[str, Any]:
        """Return what ``on_event`` answers; nothing is changed.

        :raises AssociationFailedError: a name belongs to nobody, or to several users.
        :raises ProviderError: the request cannot be fulfilled.
        """
        physical_id, data = request.physical_id, {}
        if request.type is not RequestType.DELETE:
            declared = declaration.user_lookup(request.properties, owner=request.owner)
            found = invocation.connect(declared.region).search_users(
                instance_id=declared.instance_id, usernames=declared.usernames
            )
            users = _one_each(declared, found)
            physical_id = str(UserLookupId(instance_id=declared.instance_id, users=users))
            data = {"UserIds": ",".join(users)}
        plan = Plan(started_at=invocation.started_at, planned_at=invocation.clock.time(), data=data)
        return {"PhysicalResourceId": physical_id, "Plan": plan.to_event()}

    def converge(self, request: Request, _invocation: Invocation) -> dict[str, Any]:
        """Return the attributes."""
        return dict(Plan.from_event(request.plan).data)


def _one_each(
    declared: declaration.UserLookup, found: Mapping[str, frozenset[str]]
) -> tuple[str, ...]:
    problems = []
    for name in declared.usernames:
        users = found[name]
        if not users:
            problems.append(f"nobody is named {name!r}")
        elif len(users) > 1:
            problems.append(f"{name!r} names users {' and '.join(sorted(users))}")
    if problems:
        raise AssociationFailedError(
            f"SearchUsers: in instance {declared.instance_id} in {declared.region} "
            f"{'; '.join(problems)}. Check the names, or give the users' IDs. Nothing was changed."
        )
    return tuple(next(iter(found[name])) for name in declared.usernames)
