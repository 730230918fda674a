"""Many users in one traffic distribution group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii

from connect_associations import _association, _identifiers
from connect_associations._declarations import Declaration
from connect_associations._grammar import Kind
from connect_associations._identifiers import Reader
from connect_associations.invalid_association_error import raise_problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk.interfaces import aws_connect as references
    from constructs import Construct

    from connect_associations._identifiers import Identifier
    from connect_associations.connect_association_provider import ConnectAssociationProvider

MAX_USERS = 2_500
"""What one membership holds: Step Functions carries 256 KB from poll to poll, and the event of
an update holds the old and the new list."""


class TrafficDistributionGroupMembership(cdk.Resource):
    """Keeps a list of users in a traffic distribution group, in one resource.

    Users who already are in the group are adopted. An update writes only the difference. Users
    who are not declared are left alone, unless the membership is exclusive.

    :param scope: where the membership stands in the construct tree.
    :param construct_id: its ID there.
    :param instance_id: the Connect instance: an ID, an ARN, a token that resolves to either, or a
        reference such as a CfnInstance.
    :param traffic_distribution_group_id: the group: an ID, an ARN, a token that resolves to
        either, or a reference such as a CfnTrafficDistributionGroup.
    :param user_ids: the users, who belong to that instance, at most 2,500: a list, a set or any
        other collection; each an ID, an ARN, a token that resolves to either, or a reference such
        as a CfnUser. The whole list may be one token. The order does not matter.
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
        instance_id: str | references.IInstanceRef,
        traffic_distribution_group_id: str | references.ITrafficDistributionGroupRef,
        user_ids: Iterable[str | references.IUserRef],
        exclusive: bool = False,
        removal_policy: cdk.RemovalPolicy | None = None,
        region: str | None = None,
        provider: ConnectAssociationProvider | None = None,
    ) -> None:
        stack = cdk.Stack.of(scope)
        # A generator can be asked only once.
        given = Reader(stack).listed(user_ids)

        def read(
            reader: Reader,
        ) -> tuple[Identifier, Identifier, list[Identifier] | None, str | None]:
            instance = reader.identifier(instance_id, kind=Kind.INSTANCE, name="instance_id")
            group = reader.identifier(
                traffic_distribution_group_id,
                kind=Kind.TRAFFIC_DISTRIBUTION_GROUP,
                name="traffic_distribution_group_id",
            )
            users = _read_users(reader, user_ids if given is None else given, instance=instance)
            home = _association.home_region(reader, group, region)
            _association.check_flag(reader, exclusive, name="exclusive")
            _association.check_common(
                reader, scope, provider=provider, removal_policy=removal_policy
            )
            return instance, group, users, home

        reader = Reader(stack)
        instance, group, users, home = read(reader)
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
                "UserIds": given if users is None else _in_order(users, stack=stack),
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
                users=tuple(users or ()),
                exclusive=exclusive,
            )
        )

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


def _read_users(
    reader: Reader, user_ids: object, *, instance: Identifier
) -> list[Identifier] | None:
    """Return the users, or None when the list is one token whose value is not known."""
    given = reader.listed(user_ids)
    if given is None:
        reader.problems.append(
            f"user_ids: expected a list of users, got {_identifiers.shown(user_ids)}"
        )
        return []
    if len(given) == 1 and _is_list_token(given[0]):
        return None
    if not 1 <= len(given) <= MAX_USERS:
        reader.problems.append(
            f"user_ids: {len(given):,} users; expected 1 to {MAX_USERS:,}"
            + (", so split them over several memberships" if given else "")
        )
        return []
    users = Reader(reader.stack, asks=reader.asks)
    found: dict[str, tuple[int, Identifier]] = {}
    for index, value in enumerate(given):
        name = f"user_ids[{index}]"
        if _is_list_token(value):
            users.problems.append(
                f"{name}: a list that is only known at deploy time cannot be part of another; "
                f"give it a membership of its own"
            )
            continue
        user = users.identifier(
            value, kind=Kind.USER, name=name, instance=instance, in_policy=False
        )
        first, _ = found.setdefault(users.key(user), (index, user))
        if first != index and user.value:
            users.problems.append(
                f"{name}: {_identifiers.shown(value)} is the same user as user_ids[{first}], "
                f"{_identifiers.shown(given[first])}"
            )
    reader.met_token = reader.met_token or users.met_token
    reader.problems += _identifiers.first_of(users.problems, name="user_ids")
    return [user for _, user in found.values()]


def _is_list_token(value: object) -> bool:
    return isinstance(value, str) and _identifiers.is_list_token(value)


def _in_order(users: list[Identifier], *, stack: cdk.Stack) -> object:
    """Return the property, sorted, so that the order in which users are given does not matter.

    Tokens come last. What they are is not known before synth.
    """
    literals = sorted(user.value for user in users if user.literal)
    tokens = [user for user in users if not user.literal]
    return cdk.Lazy.any(_InOrder(literals, tokens, stack)) if tokens else literals


@jsii.implements(cdk.IStableAnyProducer)
class _InOrder:
    """Sorts the tokens among the users at synth."""

    def __init__(self, literals: list[str], tokens: list[Identifier], stack: cdk.Stack) -> None:
        self._literals = literals
        self._tokens = tokens
        self._stack = stack

    def produce(self) -> list[str]:
        found = [_identifiers.at_synth(user, stack=self._stack) for user in self._tokens]
        return [*self._literals, *(user.value for user in sorted(found, key=lambda each: each.key))]
