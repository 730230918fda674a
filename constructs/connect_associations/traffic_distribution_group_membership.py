"""Many users in one traffic distribution group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from connect_associations import _association, _roster
from connect_associations._declarations import Declaration
from connect_associations._grammar import Kind
from connect_associations._identifiers import Reader
from connect_associations.invalid_association_error import raise_problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk.interfaces import aws_connect as references
    from constructs import Construct

    from connect_associations._identifiers import Identifier
    from connect_associations._roster import Roster
    from connect_associations.connect_association_provider import ConnectAssociationProvider
    from connect_associations.user_filter import UserFilter


class TrafficDistributionGroupMembership(cdk.Resource):
    """Keeps a list of users in a traffic distribution group, in one resource.

    Users who are in the group already are adopted. An update writes only the difference. Users who
    are not declared are left alone, unless the membership is exclusive.

    :param scope: where the membership stands in the construct tree.
    :param construct_id: its ID there.
    :param instance_id: the Connect instance: an ID, an ARN, a token that resolves to either, or a
        reference such as a CfnInstance.
    :param traffic_distribution_group_id: the group: an ID, an ARN, a token that resolves to
        either, or a reference such as a CfnTrafficDistributionGroup.
    :param user_ids: the users, who belong to that instance, at most 2,500: a list, a set or any
        other collection; each an ID, an ARN, a token that resolves to either, or a reference such
        as a CfnUser. The whole list may be one token. The order does not matter.
        Default: - *usernames* or *users_matching* is given instead
    :param usernames: the names that the users log in with, at most 2,500: a list, a set or any
        other collection. The provider looks them up when you deploy a changed list. After that, it
        knows each user by ID. Neither the order nor the case matters.
        Default: - *user_ids* or *users_matching* is given instead
    :param users_matching: a rule. When you deploy it, the provider associates everybody who meets
        it. With ``ConnectAssociationProvider(audit=…)`` it also adds users who meet the rule later,
        and takes out those who no longer do. Default: - *user_ids* or *usernames* is given instead
    :param exclusive: also removes members who are not declared here, at every create and update.
        Default: - False
    :param removal_policy: with ``RETAIN``, users stay in the group when the membership is removed
        from the stack or replaced, when an update drops them, and when *exclusive* would remove
        them. Default: - RemovalPolicy.DESTROY
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
        user_ids: Iterable[str | references.IUserRef] | None = None,
        usernames: Iterable[str] | None = None,
        users_matching: UserFilter | None = None,
        exclusive: bool = False,
        removal_policy: cdk.RemovalPolicy | None = None,
        region: str | None = None,
        provider: ConnectAssociationProvider | None = None,
    ) -> None:
        stack = cdk.Stack.of(scope)
        # A generator can be asked only once.
        given_ids, given_names = (
            listed if (listed := Reader(stack).listed(given)) is not None else given
            for given in (user_ids, usernames)
        )

        def read(reader: Reader) -> tuple[Identifier, Identifier, Roster, str | None]:
            instance = reader.identifier(instance_id, kind=Kind.INSTANCE, name="instance_id")
            group = reader.identifier(
                traffic_distribution_group_id,
                kind=Kind.TRAFFIC_DISTRIBUTION_GROUP,
                name="traffic_distribution_group_id",
            )
            roster = _roster.read(
                reader,
                user_ids=given_ids,
                usernames=given_names,
                users_matching=users_matching,
                instance=instance,
            )
            home = _association.home_region(reader, group, region)
            _association.check_flag(reader, exclusive, name="exclusive")
            _association.check_common(
                reader, scope, provider=provider, removal_policy=removal_policy
            )
            return instance, group, roster, home

        reader = Reader(stack)
        instance, group, roster, home = read(reader)
        raise_problems(scope, construct_id, reader.problems)

        super().__init__(scope, construct_id)
        reader.read_again(self, read)
        associations = _association.associations_of(stack)
        self._resource = _association.add_resource(
            self,
            "Custom::ConnectTrafficDistributionGroupMembership",
            associations=associations,
            properties={
                "InstanceId": instance.value,
                "TrafficDistributionGroupId": group.value,
                roster.name: roster.value,
                "Exclusive": exclusive or None,
                "Region": home,
            },
            removal_policy=removal_policy,
        )
        associations.permissions.for_group(
            self._resource, instance=instance, group=group, region=home
        )
        associations.declarations.add_membership(
            Declaration(
                construct=self,
                resource=self._resource,
                target=group,
                users=roster.users,
                exclusive=exclusive,
            )
        )
        associations.has_rules = associations.has_rules or roster.is_rule

    @property
    def traffic_distribution_group_id(self) -> str:
        """The canonical ID of the group."""
        return self._resource.get_att("TrafficDistributionGroupId").to_string()

    @property
    def user_count(self) -> str:
        """How many users are declared."""
        return self._resource.get_att("UserCount").to_string()

    @property
    def added(self) -> str:
        """How many users the last operation added."""
        return self._resource.get_att("Added").to_string()

    @property
    def removed(self) -> str:
        """How many users the last operation removed."""
        return self._resource.get_att("Removed").to_string()
