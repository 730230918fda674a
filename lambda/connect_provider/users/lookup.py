"""Users by their names: looked up once, when the resource is created or its names change.

The physical ID identifies the users, so a user who is renamed stays the same. Nothing in Connect or
in the ledger is ever changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider.identifiers import Kind, parse, parse_region
from connect_provider.request import fingerprint
from connect_provider.users import roster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connect_provider.aws import Aws
    from connect_provider.identifiers import Account
    from connect_provider.request import Request

USER_LOOKUP = "Custom::ConnectUserLookup"

MAX_USERNAMES = 40
"""Names in one lookup: CloudFormation takes 4,096 bytes of attributes."""


class Lookup(NamedTuple):
    """Users of an instance who are known by their names."""

    instance_id: str
    region: str
    usernames: tuple[str, ...]


def read(properties: Mapping[str, Any], *, owner: Account) -> Lookup:
    """Read a lookup's properties.

    :raises InvalidEventError: naming the property and what is wrong with it.
    """
    instance = parse(
        properties.get("InstanceId"), kind=Kind.INSTANCE, name="InstanceId", owner=owner
    )
    region = owner.region
    if properties.get("Region"):
        region = parse_region(properties["Region"], name="Region")
    names = roster.read(properties.get("Usernames"), name="Usernames", limit=MAX_USERNAMES)
    return Lookup(instance_id=instance.id, region=region, usernames=names)


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
        users = roster.claimed(
            self.aws.connect(declared.region),
            instance_id=declared.instance_id,
            usernames=declared.usernames,
            since=request.started_at,
        )
        return {
            "PhysicalResourceId": f"users:{declared.instance_id}/{fingerprint(*users)[:12]}",
            "Data": {"UserIds": ",".join(users)},
        }

    def converge(self) -> Mapping[str, Any]:
        """Return the attributes; there is nothing to converge."""
        return self.request.data
