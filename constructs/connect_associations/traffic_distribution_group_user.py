"""One user in one traffic distribution group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from connect_associations import _association
from connect_associations._declarations import Declaration
from connect_associations._grammar import Kind
from connect_associations._identifiers import Reader
from connect_associations.invalid_association_error import raise_problems

if TYPE_CHECKING:
    from aws_cdk.interfaces import aws_connect as references
    from constructs import Construct

    from connect_associations._identifiers import Identifier
    from connect_associations.connect_association_provider import ConnectAssociationProvider


class TrafficDistributionGroupUser(cdk.Resource):
    """Puts one user into a traffic distribution group, and takes the user out again.

    A user who is in the group already is adopted. For more than a few users of a group, use
    :class:`~connect_associations.TrafficDistributionGroupMembership`.

    :param scope: where the association stands in the construct tree.
    :param construct_id: its ID there.
    :param instance_id: the Connect instance: an ID, an ARN, a token that resolves to either, or a
        reference such as a CfnInstance.
    :param traffic_distribution_group_id: the group: an ID, an ARN, a token that resolves to
        either, or a reference such as a CfnTrafficDistributionGroup.
    :param user_id: the user, who belongs to that instance: an ID, an ARN, a token that resolves to
        either, or a reference such as a CfnUser.
    :param removal_policy: ``RETAIN`` leaves the user in the group when the association is
        removed from the stack or replaced. Default: - RemovalPolicy.DESTROY
    :param region: the group's home Region: the Region in which it was created.
        Default: - the Region in the group's ARN, else the stack's Region
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
        traffic_distribution_group_id: str | references.ITrafficDistributionGroupRef,
        user_id: str | references.IUserRef,
        removal_policy: cdk.RemovalPolicy | None = None,
        region: str | None = None,
        provider: ConnectAssociationProvider | None = None,
    ) -> None:
        stack = cdk.Stack.of(scope)

        def read(reader: Reader) -> tuple[Identifier, Identifier, Identifier, str | None]:
            instance = reader.identifier(instance_id, kind=Kind.INSTANCE, name="instance_id")
            group = reader.identifier(
                traffic_distribution_group_id,
                kind=Kind.TRAFFIC_DISTRIBUTION_GROUP,
                name="traffic_distribution_group_id",
            )
            user = reader.identifier(
                user_id, kind=Kind.USER, name="user_id", instance=instance, in_policy=False
            )
            home = _association.home_region(reader, group, region)
            _association.check_common(
                reader, scope, provider=provider, removal_policy=removal_policy
            )
            return instance, group, user, home

        reader = Reader(stack)
        instance, group, user, home = read(reader)
        raise_problems(scope, construct_id, reader.problems)

        super().__init__(scope, construct_id)
        reader.read_again(self, read)
        associations = _association.associations_of(stack)
        self._resource = _association.add_resource(
            self,
            "Custom::ConnectTrafficDistributionGroupUser",
            associations=associations,
            properties={
                "InstanceId": instance.value,
                "TrafficDistributionGroupId": group.value,
                "UserId": user.value,
                "Region": home,
            },
            removal_policy=removal_policy,
        )
        associations.permissions.for_group(
            self._resource, instance=instance, group=group, region=home
        )
        associations.declarations.add_single(
            Declaration(construct=self, resource=self._resource, target=group, users=(user,))
        )

    @property
    def instance_id(self) -> str:
        """The canonical ID of the instance."""
        return self._resource.get_att("InstanceId").to_string()

    @property
    def traffic_distribution_group_id(self) -> str:
        """The canonical ID of the group."""
        return self._resource.get_att("TrafficDistributionGroupId").to_string()

    @property
    def user_id(self) -> str:
        """The canonical ID of the user."""
        return self._resource.get_att("UserId").to_string()

    @property
    def region(self) -> str:
        """The group's home Region."""
        return self._resource.get_att("Region").to_string()
