"""Users by their names, looked up when the stack is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from connect_associations import _association, _roster
from connect_associations._grammar import Kind
from connect_associations._identifiers import Reader
from connect_associations.invalid_association_error import raise_problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk.interfaces import aws_connect as references

    from connect_associations._identifiers import Identifier
    from connect_associations.connect_association_provider import ConnectAssociationProvider

_NAMES_A_RESOURCE = 40
"""What one physical ID can carry of the users' IDs."""


class UserLookup(cdk.Resource):
    """Finds the users of an instance by their names, with SearchUsers.

    The provider looks up the names when the lookup is created and when its names change. After
    that, it knows each user by ID. Renaming the user in Connect changes nothing. If names belong to
    nobody, the deployment fails and lists them. Case does not matter.

    :param scope: where the lookup stands in the construct tree.
    :param construct_id: its ID there.
    :param instance_id: the Connect instance: an ID, an ARN, a token that resolves to either, or a
        reference such as a CfnInstance.
    :param usernames: the names that the users log in with, 1 to 100 characters each: a list, a set
        or any other collection.
    :param region: the Region to ask: the instance's own, or the one that it is replicated to.
        Default: - the stack's Region
    :param provider: the stack's provider. Default: - the one of the stack, created if needed
    :raises InvalidAssociationError: one or more properties are invalid; the message lists all
        problems.
    """

    def __init__(  # noqa: PLR0913 - flat props are the CDK's convention
        self,
        scope: Construct,
        construct_id: str,
        *,
        instance_id: str | references.IInstanceRef,
        usernames: Iterable[str],
        region: str | None = None,
        provider: ConnectAssociationProvider | None = None,
    ) -> None:
        stack = cdk.Stack.of(scope)
        # A generator can be asked only once.
        given = Reader(stack).listed(usernames)

        def read(reader: Reader) -> tuple[Identifier, list[str]]:
            instance = reader.identifier(instance_id, kind=Kind.INSTANCE, name="instance_id")
            names = _roster.read_names(reader, usernames if given is None else given)
            if region is not None:
                reader.region(region, name="region")
            _association.check_common(reader, scope, provider=provider, removal_policy=None)
            return instance, names

        reader = Reader(stack)
        instance, names = read(reader)
        raise_problems(scope, construct_id, reader.problems)

        super().__init__(scope, construct_id)
        reader.read_again(self, read)
        associations = _association.associations_of(stack)
        elsewhere = None if region == associations.environment.region else region
        self._places: dict[str, tuple[cdk.CfnResource, int]] = {}
        self._resources: list[cdk.CfnResource] = []
        for start in range(0, len(names), _NAMES_A_RESOURCE):
            some = names[start : start + _NAMES_A_RESOURCE]
            resource = _association.add_resource(
                self if start == 0 else Construct(self, f"From{start}"),
                "Custom::ConnectUserLookup",
                associations=associations,
                properties={"InstanceId": instance.value, "Usernames": some, "Region": elsewhere},
                removal_policy=None,
                can_resync=False,
            )
            associations.permissions.for_user_names(resource, instance=instance, region=elsewhere)
            self._resources.append(resource)
            self._places |= {name.lower(): (resource, at) for at, name in enumerate(some)}

    @classmethod
    def from_username(  # noqa: PLR0913 - flat props are the CDK's convention
        cls,
        scope: Construct,
        construct_id: str,
        *,
        instance_id: str | references.IInstanceRef,
        username: str,
        region: str | None = None,
        provider: ConnectAssociationProvider | None = None,
    ) -> UserLookup:
        """Look up one user; see the class for the parameters.

        :param username: the name that the user logs in with.
        :raises InvalidAssociationError: one or more properties are invalid; the message lists all
            problems.
        """
        return cls(
            scope,
            construct_id,
            instance_id=instance_id,
            usernames=[username],
            region=region,
            provider=provider,
        )

    @property
    def user_id(self) -> str:
        """The ID of the only user, for ``user_id`` of an association.

        :raises ValueError: the lookup has several names; use :meth:`user_id_of`.
        """
        if len(self._places) != 1:
            raise ValueError(
                f"{self.node.path} looks up {len(self._places)} names: use user_id_of(username) "
                "or user_ids"
            )
        return self._resources[0].get_att("UserIds").to_string()

    @property
    def user_ids(self) -> list[str]:
        """The IDs of all users, for ``user_ids`` of a TrafficDistributionGroupMembership.

        It is one token for the whole list, and cannot be part of another list.
        """
        some = [resource.get_att("UserIds").to_string() for resource in self._resources]
        return cdk.Fn.split(",", some[0] if len(some) == 1 else cdk.Fn.join(",", some))

    def user_id_of(self, username: str) -> str:
        """Return the ID of one of the users.

        :param username: one of the lookup's names.
        :raises ValueError: it is none of them.
        """
        if username.lower() not in self._places:
            raise ValueError(f"{self.node.path} does not look up {username!r}")
        resource, at = self._places[username.lower()]
        return cdk.Fn.select(at, cdk.Fn.split(",", resource.get_att("UserIds").to_string()))
