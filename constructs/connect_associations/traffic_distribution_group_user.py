"""One user in one traffic distribution group."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from connect_associations import _association, _identifiers
from connect_associations._declarations import Declaration
from connect_associations._grammar import Kind
from connect_associations.connect_association_provider import ConnectAssociationProvider
from connect_associations.invalid_association_error import raise_problems


class TrafficDistributionGroupUser(Construct):
    """Puts one user into a traffic distribution group, and takes the user out again.

    A user who already is in the group is adopted. For more than a few users of a group use
    :class:`~connect_associations.TrafficDistributionGroupMembership`.

    :param scope: where the association stands in the construct tree.
    :param construct_id: its ID there.
    :param instance_id: the Connect instance: an ID, an ARN, or a token that resolves to either.
    :param traffic_distribution_group_id: the group: an ID, an ARN, or a token that resolves to
        either.
    :param user_id: the user, who belongs to that instance: an ID, an ARN, or a token that
        resolves to either.
    :param removal_policy: ``RETAIN`` leaves the user in the group when the association is
        removed from the stack or replaced. Default: - RemovalPolicy.DESTROY
    :param region: the Region that the group was created in, where its membership is changed.
        Default: - the Region in the group's ARN, else the stack's Region
    :param provider: the stack's provider. Default: - the one of the stack, created if needed
    :raises InvalidAssociationError: what is wrong with all properties.
    """

    def __init__(  # noqa: PLR0913 - flat props are the CDK's convention
        self,
        scope: Construct,
        construct_id: str,
        *,
        instance_id: str,
        traffic_distribution_group_id: str,
        user_id: str,
        removal_policy: cdk.RemovalPolicy | None = None,
        region: str | None = None,
        provider: ConnectAssociationProvider | None = None,
    ) -> None:
        stack = cdk.Stack.of(scope)
        problems: list[str] = []
        instance = _identifiers.read(
            instance_id, kind=Kind.INSTANCE, name="instance_id", stack=stack, problems=problems
        )
        group = _identifiers.read(
            traffic_distribution_group_id,
            kind=Kind.TRAFFIC_DISTRIBUTION_GROUP,
            name="traffic_distribution_group_id",
            stack=stack,
            problems=problems,
        )
        user = _identifiers.read(
            user_id, kind=Kind.USER, name="user_id", stack=stack, problems=problems
        )
        _identifiers.check_instance(user, instance, name="user_id", problems=problems)
        home = _association.read_home_region(group, region, stack=stack, problems=problems)
        _association.check_common(
            scope, provider=provider, removal_policy=removal_policy, problems=problems
        )
        raise_problems(scope, construct_id, problems)

        super().__init__(scope, construct_id)
        provider = provider or ConnectAssociationProvider.get_or_create(stack)
        self._resource = _association.add_resource(
            self,
            "Custom::ConnectTrafficDistributionGroupUser",
            provider=provider,
            properties={
                "InstanceId": instance.value,
                "TrafficDistributionGroupId": group.value,
                "UserId": user.value,
                "Region": home,
            },
            policy=_association.group_policy(provider, instance=instance, group=group, region=home),
            removal_policy=removal_policy,
        )
        provider.declarations.add_single(
            Declaration(
                construct=self,
                resource=self._resource,
                target=group.key,
                users=frozenset({user.key}),
            )
        )

    @property
    def attr_instance_id(self) -> str:
        """The canonical ID of the instance."""
        return self._resource.get_att("InstanceId").to_string()

    @property
    def attr_traffic_distribution_group_id(self) -> str:
        """The canonical ID of the group."""
        return self._resource.get_att("TrafficDistributionGroupId").to_string()

    @property
    def attr_user_id(self) -> str:
        """The canonical ID of the user."""
        return self._resource.get_att("UserId").to_string()

    @property
    def attr_region(self) -> str:
        """The group's home Region."""
        return self._resource.get_att("Region").to_string()
