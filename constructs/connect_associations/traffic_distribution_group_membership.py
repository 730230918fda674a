"""Many users in one traffic distribution group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from connect_associations import _association, _identifiers
from connect_associations._declarations import Declaration
from connect_associations._grammar import Kind
from connect_associations.connect_association_provider import ConnectAssociationProvider
from connect_associations.invalid_association_error import raise_problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connect_associations._identifiers import Identifier

MAX_USERS = 2_500
"""What one membership holds: Step Functions carries 256 KB from poll to poll, and the event of
an update holds the old and the new list."""


class TrafficDistributionGroupMembership(Construct):
    """Keeps a list of users in a traffic distribution group, in one resource.

    Users who already are in the group are adopted. An update writes only the difference. Users
    who are not declared are left alone, unless the membership is exclusive.

    :param scope: where the membership stands in the construct tree.
    :param construct_id: its ID there.
    :param instance_id: the Connect instance: an ID, an ARN, or a token that resolves to either.
    :param traffic_distribution_group_id: the group: an ID, an ARN, or a token that resolves to
        either.
    :param user_ids: the users, who belong to that instance, at most 2,500; each an ID, an ARN,
        or a token that resolves to either. The whole list may be one token. The order does not
        matter.
    :param exclusive: also removes members that are not declared here, at every create and
        update. Default: - False
    :param removal_policy: ``RETAIN`` leaves the users in the group when the membership is
        removed from the stack or replaced, and so it does with those whom an update drops, or
        would remove because of *exclusive*. Default: - RemovalPolicy.DESTROY
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
        user_ids: Sequence[str],
        exclusive: bool = False,
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
        users = _read_users(user_ids, instance=instance, stack=stack, problems=problems)
        home = _association.read_home_region(group, region, stack=stack, problems=problems)
        _association.check_flag(exclusive, name="exclusive", problems=problems)
        _association.check_common(
            scope, provider=provider, removal_policy=removal_policy, problems=problems
        )
        raise_problems(scope, construct_id, problems)

        super().__init__(scope, construct_id)
        provider = provider or ConnectAssociationProvider.get_or_create(stack)
        self._resource = _association.add_resource(
            self,
            "Custom::ConnectTrafficDistributionGroupMembership",
            provider=provider,
            properties={
                "InstanceId": instance.value,
                "TrafficDistributionGroupId": group.value,
                "UserIds": user_ids if users is None else [user.value for user in users],
                "Exclusive": exclusive or None,
                "Region": home,
            },
            policy=_association.group_policy(provider, instance=instance, group=group, region=home),
            removal_policy=removal_policy,
        )
        provider.declarations.add_membership(
            Declaration(
                construct=self,
                resource=self._resource,
                target=group.key,
                users=frozenset(user.key for user in users or ()),
                exclusive=exclusive,
            )
        )

    @property
    def attr_traffic_distribution_group_id(self) -> str:
        """The canonical ID of the group."""
        return self._resource.get_att("TrafficDistributionGroupId").to_string()

    @property
    def attr_user_count(self) -> str:
        """How many users are declared."""
        return self._resource.get_att("UserCount").to_string()

    @property
    def attr_added(self) -> str:
        """How many users the last operation added."""
        return self._resource.get_att("Added").to_string()

    @property
    def attr_removed(self) -> str:
        """How many users the last operation removed."""
        return self._resource.get_att("Removed").to_string()


def _read_users(
    user_ids: object, *, instance: Identifier, stack: cdk.Stack, problems: list[str]
) -> list[Identifier] | None:
    """Return the users in the template's order, or None when the list is one token."""
    if not isinstance(user_ids, (list, tuple)):
        problems.append(f"user_ids: expected a list of users, got {_identifiers.shown(user_ids)}")
        return []
    if len(user_ids) == 1 and _is_list_token(user_ids[0]):
        return None
    if not 1 <= len(user_ids) <= MAX_USERS:
        problems.append(
            f"user_ids: {len(user_ids):,} users; expected 1 to {MAX_USERS:,}"
            + (", so split them over several memberships" if user_ids else "")
        )
        return []
    users: dict[str, tuple[int, Identifier]] = {}
    for index, value in enumerate(user_ids):
        name = f"user_ids[{index}]"
        if _is_list_token(value):
            problems.append(
                f"{name}: a list that is only known at deploy time cannot be part of another; "
                f"give it a membership of its own"
            )
            continue
        user = _identifiers.read(value, kind=Kind.USER, name=name, stack=stack, problems=problems)
        _identifiers.check_instance(user, instance, name=name, problems=problems)
        first = users.setdefault(user.key, (index, user))[0]
        if first != index and user.key:
            problems.append(
                f"{name}: {_identifiers.shown(value)} is the same user as user_ids[{first}], "
                f"{_identifiers.shown(user_ids[first])}"
            )
    return [user for _, user in sorted(users.values(), key=_template_order)]


def _is_list_token(value: object) -> bool:
    return isinstance(value, str) and _identifiers.is_list_token(value)


def _template_order(entry: tuple[int, Identifier]) -> tuple[bool, str]:
    """Sort by ID, tokens last, so that the order in which users are given does not matter."""
    user = entry[1]
    return (not user.literal, user.key)
