"""The same associations, declared in the three ways that are compared."""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import custom_resources

from connect_associations import TrafficDistributionGroupMembership, TrafficDistributionGroupUser
from connect_associations.testing.seed import GROUP_ID, HOME_REGION, INSTANCE_ID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ACCOUNT = "123456789012"
NAME = "Benchmark"

_SINGLETON = "AWS679f53fac002430cb0da5b7982bd2287"
"""The ID of the function behind every AwsCustomResource of a stack."""


def agents(count: int) -> list[str]:
    """Return the IDs of *count* users."""
    return [f"99999999-cccc-4ccc-8ccc-{number:012d}" for number in range(count)]


def nothing(stack: cdk.Stack, _users: Sequence[str]) -> None:
    """Declare none of them: only a resource without properties, as a stack must have one."""
    cdk.CfnWaitConditionHandle(stack, "Nothing")


def singles(stack: cdk.Stack, users: Sequence[str]) -> None:
    """Declare a resource for each user."""
    for user_id in users:
        TrafficDistributionGroupUser(
            stack,
            f"Agent{user_id[-4:]}",
            instance_id=INSTANCE_ID,
            traffic_distribution_group_id=GROUP_ID,
            user_id=user_id,
        )


def membership(stack: cdk.Stack, users: Sequence[str]) -> None:
    """Declare one resource for all users."""
    TrafficDistributionGroupMembership(
        stack,
        "Agents",
        instance_id=INSTANCE_ID,
        traffic_distribution_group_id=GROUP_ID,
        user_ids=list(users),
    )


def aws_custom_resources(stack: cdk.Stack, users: Sequence[str]) -> None:
    """Declare an ``AwsCustomResource`` for each user, as the CDK's documentation shows it."""
    instance = f"arn:aws:connect:{HOME_REGION}:{ACCOUNT}:instance/{INSTANCE_ID}"
    group = f"arn:aws:connect:{HOME_REGION}:{ACCOUNT}:traffic-distribution-group/{GROUP_ID}"
    for user_id in users:
        parameters = {
            "InstanceId": INSTANCE_ID,
            "TrafficDistributionGroupId": GROUP_ID,
            "UserId": user_id,
        }
        custom_resources.AwsCustomResource(
            stack,
            f"Agent{user_id[-4:]}",
            install_latest_aws_sdk=False,
            on_create=custom_resources.AwsSdkCall(
                service="Connect",
                action="associateTrafficDistributionGroupUser",
                parameters=parameters,
                physical_resource_id=custom_resources.PhysicalResourceId.of(user_id),
            ),
            on_delete=custom_resources.AwsSdkCall(
                service="Connect",
                action="disassociateTrafficDistributionGroupUser",
                parameters=parameters,
            ),
            policy=custom_resources.AwsCustomResourcePolicy.from_sdk_calls(
                resources=[instance, group, f"{instance}/agent/{user_id}"]
            ),
        )


def find_sdk(stack: cdk.Stack, node_modules: Path) -> None:
    """Let the function behind AwsCustomResource find the AWS SDK, which Lambda has built in."""
    function = stack.node.try_find_child(_SINGLETON)
    if function is not None:
        resource = function.node.default_child
        assert isinstance(resource, cdk.CfnResource)  # noqa: S101 - for the type checker
        resource.add_property_override("Environment.Variables.NODE_PATH", str(node_modules))


def new_stack(outdir: Path, *, name: str = NAME) -> cdk.Stack:
    """Return an empty stack of a new app."""
    app = cdk.App(outdir=str(outdir), analytics_reporting=False)
    return cdk.Stack(app, name, env=cdk.Environment(account=ACCOUNT, region=HOME_REGION))
