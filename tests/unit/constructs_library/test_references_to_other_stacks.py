"""Resources of two other stacks, which have the same logical ID there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_connect as connect

from connect_associations import (
    InvalidAssociationError,
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
)
from synthesis import GROUP, INSTANCE, MEMBERSHIP, SINGLE, arn, of_type, synthesize, user

if TYPE_CHECKING:
    from collections.abc import Mapping

INSTANCE_ARN = arn(f"instance/{INSTANCE}")


def imported(value: Mapping[str, str]) -> str:
    """Return the stack whose export *value* imports."""
    return value["Fn::ImportValue"].partition(":")[0]


def new_group(stack: cdk.Stack, name: str) -> str:
    other = cdk.Stack(cast("cdk.App", stack.node.root), name)
    group = connect.CfnTrafficDistributionGroup(
        other, "Group", instance_arn=INSTANCE_ARN, name=name
    )
    return group.attr_traffic_distribution_group_arn


def new_user(stack: cdk.Stack, name: str) -> str:
    other = cdk.Stack(cast("cdk.App", stack.node.root), name)
    agent = connect.CfnUser(
        other,
        "User",
        instance_arn=INSTANCE_ARN,
        phone_config={"phoneType": "SOFT_PHONE"},
        routing_profile_arn=f"{INSTANCE_ARN}/routing-profile/{GROUP}",
        security_profile_arns=[f"{INSTANCE_ARN}/security-profile/{GROUP}"],
        username=name,
    )
    return agent.attr_user_arn


def put(stack: cdk.Stack, construct_id: str, *, group: str, user_id: str) -> None:
    TrafficDistributionGroupUser(
        stack,
        construct_id,
        instance_id=INSTANCE,
        traffic_distribution_group_id=group,
        user_id=user_id,
    )


def policy_resource(template: Mapping[str, Any], association: Mapping[str, Any]) -> dict[str, str]:
    (logical_id,) = association["DependsOn"]
    (statement,) = template["Resources"][logical_id]["Properties"]["PolicyDocument"]["Statement"]
    return cast("dict[str, str]", statement["Resource"])


def test_each_group_has_permissions_of_its_own(stack: cdk.Stack) -> None:
    put(stack, "First", group=new_group(stack, "One"), user_id=user(1))
    put(stack, "Second", group=new_group(stack, "Two"), user_id=user(1))
    template = synthesize(stack)
    associations = of_type(template, SINGLE).values()
    wanted = [each["Properties"]["TrafficDistributionGroupId"] for each in associations]
    assert [policy_resource(template, each) for each in associations] == wanted
    assert sorted(map(imported, wanted)) == ["One", "Two"]


def test_they_are_different_users(stack: cdk.Stack) -> None:
    put(stack, "First", group=GROUP, user_id=new_user(stack, "One"))
    put(stack, "Second", group=GROUP, user_id=new_user(stack, "Two"))
    associations = of_type(synthesize(stack), SINGLE).values()
    users = {imported(each["Properties"]["UserId"]) for each in associations}
    assert users == {"One", "Two"}


def test_they_are_different_members(stack: cdk.Stack) -> None:
    TrafficDistributionGroupMembership(
        stack,
        "Agents",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_ids=[new_user(stack, "Two"), new_user(stack, "One")],
    )
    (membership,) = of_type(synthesize(stack), MEMBERSHIP).values()
    assert [imported(each) for each in membership["Properties"]["UserIds"]] == ["One", "Two"]


def test_the_same_user_is_still_the_same(stack: cdk.Stack) -> None:
    agent = new_user(stack, "One")
    put(stack, "First", group=GROUP, user_id=agent)
    put(stack, "Second", group=GROUP, user_id=agent)
    with pytest.raises(RuntimeError, match=r"First and Stack/Second .*of stack One"):
        synthesize(stack)


def test_the_same_member_is_still_the_same(stack: cdk.Stack) -> None:
    agent = new_user(stack, "One")
    with pytest.raises(InvalidAssociationError, match=r"user_ids\[1\]: .* same user"):
        TrafficDistributionGroupMembership(
            stack,
            "Agents",
            instance_id=INSTANCE,
            traffic_distribution_group_id=GROUP,
            user_ids=[agent, agent],
        )


def test_one_group_has_one_policy(stack: cdk.Stack) -> None:
    group = new_group(stack, "One")
    put(stack, "First", group=group, user_id=user(1))
    put(stack, "Second", group=group, user_id=user(2))
    template = synthesize(stack)
    first, second = of_type(template, SINGLE).values()
    assert first["DependsOn"] == second["DependsOn"]
    assert json.dumps(template).count(":DescribeTrafficDistributionGroup") == 1
