"""Users by their names: looked up once, when the resource is created or its names change.

The physical ID stands for the users, so that one who gets another name stays the same. Nothing in
Connect or in the ledger is ever changed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider import identifiers
from connect_provider.errors import AssociationFailedError, InvalidEventError, StillWaiting
from connect_provider.identifiers import Kind
from connect_provider.lifecycle import RECENT_SECONDS
from connect_provider.properties import read_identifier
from connect_provider.request import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connect_provider.aws import Aws
    from connect_provider.identifiers import Owner
    from connect_provider.request import Request

USER_LOOKUP = "Custom::ConnectUserLookup"

MAX_USERNAMES = 40
"""Names in one lookup: CloudFormation takes 4,096 bytes of attributes."""

_LONGEST_USERNAME = 100


class Lookup(NamedTuple):
    """Users of an instance who are known by their names."""

    instance_id: str
    region: str
    usernames: tuple[str, ...]


def read(properties: Mapping[str, Any], *, owner: Owner) -> Lookup:
    """Read a lookup's properties.

    :raises InvalidEventError: naming the property and what is wrong with it.
    """
    instance = read_identifier(properties, "InstanceId", kind=Kind.INSTANCE, owner=owner)
    region = owner.region
    if properties.get("Region"):
        region = identifiers.parse_region(properties["Region"], name="Region")
    names = properties.get("Usernames")
    if not isinstance(names, list) or not 1 <= len(names) <= MAX_USERNAMES:
        raise InvalidEventError(
            f"Usernames is not a list of 1 to {MAX_USERNAMES} names: got {names!r:.100}."
        )
    for index, name in enumerate(names):
        if not isinstance(name, str) or not 1 <= len(name) <= _LONGEST_USERNAME:
            raise InvalidEventError(
                f"Usernames[{index}] is not a name of 1 to {_LONGEST_USERNAME} characters: "
                f"got {name!r:.100}."
            )
    return Lookup(instance_id=instance.id, region=region, usernames=tuple(names))


class UserLookup(NamedTuple):
    """One request for a lookup."""

    request: Request
    aws: Aws

    def plan(self) -> dict[str, Any]:
        """Return what ``on_event`` answers.

        :raises StillWaiting: somebody may be found later.
        :raises AssociationFailedError: a name belongs to nobody, or to several users.
        :raises ProviderError: the request cannot be fulfilled.
        """
        request = self.request
        declared = read(request.properties, owner=request.account)
        found = self.aws.connect(declared.region).search_users(
            instance_id=declared.instance_id, usernames=declared.usernames
        )
        if not all(found.values()) and time.time() - request.started_at < RECENT_SECONDS:
            raise StillWaiting("SearchUsers does not find all of them")
        users = _one_each(declared, found)
        return {
            "PhysicalResourceId": f"users:{declared.instance_id}/{fingerprint(*users)[:12]}",
            "Data": {"UserIds": ",".join(users)},
        }

    def converge(self) -> Mapping[str, Any]:
        """Return the attributes; there is nothing to converge."""
        return self.request.data


def _one_each(declared: Lookup, found: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
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
