"""What all association constructs have in common: from checked properties to a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from connect_associations import _identifiers
from connect_associations._identifiers import Environment
from connect_associations._stack_associations import StackAssociations
from connect_associations.connect_association_provider import ConnectAssociationProvider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from connect_associations._identifiers import Identifier, Reader

_REMOVAL_POLICIES = (
    cdk.RemovalPolicy.DESTROY,
    cdk.RemovalPolicy.RETAIN,
    cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
)


def check_common(
    reader: Reader, scope: Construct, *, provider: object, removal_policy: object
) -> None:
    """Check the properties that every association has."""
    if provider is not None:
        if not isinstance(provider, ConnectAssociationProvider):
            reader.problems.append(
                f"provider: expected a ConnectAssociationProvider, got "
                f"{_identifiers.shown(provider)}"
            )
        elif cdk.Stack.of(provider) is not cdk.Stack.of(scope):
            reader.problems.append(
                f"provider: {provider.node.path} belongs to another stack; every stack has a "
                f"provider of its own"
            )
    if removal_policy is not None and removal_policy not in _REMOVAL_POLICIES:
        allowed = ", ".join(f"RemovalPolicy.{policy.name}" for policy in _REMOVAL_POLICIES)
        reader.problems.append(
            f"removal_policy: expected one of {allowed}, got {_identifiers.shown(removal_policy)}"
        )


def check_flag(reader: Reader, value: object, *, name: str) -> None:
    """Add a problem when *value* is no bool: a string such as 'false' would count as true."""
    if not isinstance(value, bool):
        reader.problems.append(f"{name}: expected True or False, got {_identifiers.shown(value)}")


def home_region(reader: Reader, group: Identifier, region: str | None) -> str | None:
    """Return the Region for the template, None where the handler can tell it.

    It comes from the group's ARN, else from *region*, else it is the stack's.
    """
    if region is not None:
        named = reader.region(region, name="region")
        if group.region and named not in (None, group.region):
            reader.problems.append(
                f"region: {named!r} contradicts the ARN in traffic_distribution_group_id, "
                f"whose Region is {group.region!r}; leave region out"
            )
    home = group.region or region
    # A stack without an environment has a token as its Region, which no literal equals.
    return None if home == Environment.of(reader.stack).region else home


def associations_of(stack: cdk.Stack) -> StackAssociations:
    """Return what the stack's associations share; a provider comes at synth if there is none."""
    associations = StackAssociations.of(stack)
    associations.serve_at_synth(ConnectAssociationProvider.get_or_create)
    return associations


def add_resource(  # noqa: PLR0913 - what a custom resource is made of, all by keyword
    scope: Construct,
    resource_type: str,
    *,
    associations: StackAssociations,
    properties: Mapping[str, object],
    removal_policy: cdk.RemovalPolicy | None,
    can_resync: bool = True,
) -> cdk.CfnResource:
    """Create the custom resource of the association *scope*.

    :param scope: the association; nothing may have been created in it yet.
    :param resource_type: the resource's type.
    :param associations: who serves it.
    :param properties: its properties; those that are None are left out.
    :param removal_policy: what happens to the association when the resource is removed.
    :param can_resync: whether the resource is something to bring about, and to bring about again.
    """
    resource = cdk.CfnResource(
        scope,
        # The CDK leaves this name out of logical IDs.
        "Default",
        type=resource_type,
        properties={
            "ServiceToken": associations.service_token,
            **properties,
        },
    )
    associations.add(resource, can_resync=can_resync)
    if removal_policy is not None and removal_policy is not cdk.RemovalPolicy.DESTROY:
        # Without a policy in the template CloudFormation deletes custom resources.
        resource.apply_removal_policy(removal_policy)
    return resource
