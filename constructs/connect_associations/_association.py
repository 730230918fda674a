"""What all association constructs have in common: from checked properties to a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from connect_associations import _identifiers
from connect_associations._identifiers import Environment
from connect_associations.connect_association_provider import ConnectAssociationProvider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_iam as iam
    from constructs import Construct

    from connect_associations._identifiers import Identifier

_DEFAULT_SERVICE_TIMEOUT = 3600
_REMOVAL_POLICIES = (
    cdk.RemovalPolicy.DESTROY,
    cdk.RemovalPolicy.RETAIN,
    cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
)


def check_common(
    scope: Construct,
    *,
    provider: object,
    removal_policy: object,
    problems: list[str],
) -> None:
    """Check the properties that every association has; problems are added to *problems*."""
    if provider is not None:
        if not isinstance(provider, ConnectAssociationProvider):
            problems.append(
                f"provider: expected a ConnectAssociationProvider, got "
                f"{_identifiers.shown(provider)}"
            )
        elif cdk.Stack.of(provider) is not cdk.Stack.of(scope):
            problems.append(
                f"provider: {provider.node.path} belongs to another stack; every stack has a "
                f"provider of its own"
            )
    if removal_policy is not None and removal_policy not in _REMOVAL_POLICIES:
        allowed = ", ".join(f"RemovalPolicy.{policy.name}" for policy in _REMOVAL_POLICIES)
        problems.append(
            f"removal_policy: expected one of {allowed}, got {_identifiers.shown(removal_policy)}"
        )


def check_flag(value: object, *, name: str, problems: list[str]) -> None:
    """Add a problem when *value* is no bool: a string such as 'false' would count as true."""
    if not isinstance(value, bool):
        problems.append(f"{name}: expected True or False, got {_identifiers.shown(value)}")


def read_home_region(
    group: Identifier, region: str | None, *, stack: cdk.Stack, problems: list[str]
) -> str | None:
    """Return the Region for the template, None where the handler finds it by itself.

    It comes from the group's ARN, else from *region*, else it is the stack's.
    """
    if region is not None:
        _identifiers.check_region(region, name="region", problems=problems)
        if (
            group.region
            and isinstance(region, str)
            and region != group.region
            and not _identifiers.is_token(region)
        ):
            problems.append(
                f"region: {region!r} contradicts the ARN in traffic_distribution_group_id, "
                f"whose Region is {group.region!r}; leave region out"
            )
    home = group.region or region
    # A stack without an environment has a token as its Region, which no literal equals.
    return None if home == Environment.of(stack).region else home


def group_policy(
    provider: ConnectAssociationProvider,
    *,
    instance: Identifier,
    group: Identifier,
    region: str | None,
) -> iam.CfnPolicy:
    """Return the policy that an association with *group* needs.

    :param region: the Region in the template, None for the stack's or the one in the token.
    """
    default = region or provider.environment.region
    return provider.permissions.for_group(
        instance=instance, group=group, region=group.home_region(default)
    )


def add_resource(  # noqa: PLR0913 - what a custom resource is made of, all by keyword
    scope: Construct,
    resource_type: str,
    *,
    provider: ConnectAssociationProvider,
    properties: Mapping[str, object],
    policy: iam.CfnPolicy,
    removal_policy: cdk.RemovalPolicy | None,
    can_resync: bool = True,
) -> cdk.CfnResource:
    """Create the custom resource of the association *scope*, in as few bytes as possible.

    :param scope: the association; nothing may have been created in it yet.
    :param resource_type: the resource's type.
    :param provider: who serves it.
    :param properties: its properties; those that are None are left out.
    :param policy: what it must outlive.
    :param removal_policy: what becomes of the association when the resource is removed.
    :param can_resync: whether the resource is something to bring about, and to bring about again.
    """
    if provider.environment.path_metadata:
        # The construct's ID stands in the logical ID already; another copy is a sixth of the size.
        scope.node.set_context(_identifiers.PATH_METADATA, False)  # noqa: FBT003 - the CDK's signature
    timeout = provider.service_timeout
    resource = cdk.CfnResource(
        scope,
        # The CDK leaves this name out of logical IDs.
        "Default",
        type=resource_type,
        properties={
            "ServiceToken": provider.short_service_token,
            "ServiceTimeout": timeout if timeout != _DEFAULT_SERVICE_TIMEOUT else None,
            **properties,
            # Another value makes CloudFormation send an Update.
            "Resync": provider.resync if can_resync else None,
        },
    )
    resource.add_resource_dependency(policy)
    if removal_policy is not None and removal_policy is not cdk.RemovalPolicy.DESTROY:
        # Without a policy in the template CloudFormation deletes custom resources.
        resource.apply_removal_policy(removal_policy)
    return resource
