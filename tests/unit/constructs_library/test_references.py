"""Resources by reference: what the CDK knows of them, instead of their identifiers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsii
import pytest
from aws_cdk import aws_connect as connect

from connect_associations import (
    ContactRelease,
    ContactUserAssignment,
    InvalidAssociationError,
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
    UserFilter,
    UserLookup,
)
from synthesis import (
    ASSIGNMENT,
    CONTACT,
    FLOW,
    GROUP,
    INSTANCE,
    MEMBERSHIP,
    SINGLE,
    arn,
    group_arn,
    of_type,
    only,
    properties,
    synthesize,
    user,
    user_arn,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import aws_cdk as cdk
    from aws_cdk.interfaces import aws_connect as references

INSTANCE_ARN = arn(f"instance/{INSTANCE}")
ANN = user(1)


def new_instance(stack: cdk.Stack) -> connect.CfnInstance:
    return connect.CfnInstance(
        stack,
        "Instance",
        identity_management_type="CONNECT_MANAGED",
        attributes=connect.CfnInstance.AttributesProperty(inbound_calls=True, outbound_calls=True),
    )


def new_group(stack: cdk.Stack) -> connect.CfnTrafficDistributionGroup:
    return connect.CfnTrafficDistributionGroup(
        stack, "Group", instance_arn=INSTANCE_ARN, name="group"
    )


def new_user(stack: cdk.Stack, name: str = "User") -> connect.CfnUser:
    return connect.CfnUser(
        stack,
        name,
        instance_arn=INSTANCE_ARN,
        phone_config=connect.CfnUser.UserPhoneConfigProperty(phone_type="SOFT_PHONE"),
        routing_profile_arn=f"{INSTANCE_ARN}/routing-profile/{user(9)}",
        security_profile_arns=[f"{INSTANCE_ARN}/security-profile/{user(9)}"],
        username=name,
    )


def declare(
    stack: cdk.Stack,
    construct_id: str = "Agent",
    *,
    instance_id: str | references.IInstanceRef = INSTANCE,
    traffic_distribution_group_id: str | references.ITrafficDistributionGroupRef = GROUP,
    user_id: str | references.IUserRef = ANN,
) -> None:
    TrafficDistributionGroupUser(
        stack,
        construct_id,
        instance_id=instance_id,
        traffic_distribution_group_id=traffic_distribution_group_id,
        user_id=user_id,
    )


def declare_many(stack: cdk.Stack, user_ids: Iterable[str | references.IUserRef]) -> None:
    TrafficDistributionGroupMembership(
        stack,
        "Agents",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_ids=user_ids,
    )


def test_resources_of_the_app(stack: cdk.Stack) -> None:
    declare(
        stack,
        instance_id=new_instance(stack),
        traffic_distribution_group_id=new_group(stack),
        user_id=new_user(stack),
    )
    template = synthesize(stack)
    assert properties(template, SINGLE) == {
        "InstanceId": {"Fn::GetAtt": ["Instance", "Arn"]},
        "TrafficDistributionGroupId": {"Fn::GetAtt": ["Group", "TrafficDistributionGroupArn"]},
        "UserId": {"Fn::GetAtt": ["User", "UserArn"]},
    }
    (logical_id,) = only(template, SINGLE)["DependsOn"]
    (statement,) = template["Resources"][logical_id]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Fn::GetAtt": ["Group", "TrafficDistributionGroupArn"]}


def imported(noun: str, arn_: str) -> Any:
    """Return what an L2 of somebody's is, if the CDK has the interfaces for it."""
    interfaces = pytest.importorskip("aws_cdk.interfaces.aws_connect")
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", noun).lower()

    @jsii.implements(getattr(interfaces, f"I{noun}Ref"))
    class Imported:
        pass

    reference = getattr(interfaces, f"{noun}Reference")(**{f"{snake}_arn": arn_})
    setattr(Imported, f"{snake}_ref", reference)
    return Imported()


def test_whatever_implements_the_cdks_interfaces(stack: cdk.Stack) -> None:
    declare(
        stack,
        instance_id=imported("Instance", INSTANCE_ARN),
        traffic_distribution_group_id=imported(
            "TrafficDistributionGroup", group_arn(region="us-west-2")
        ),
        user_id=imported("User", user_arn(user(7))),
    )
    assert properties(synthesize(stack), SINGLE) == {
        "InstanceId": INSTANCE,
        "TrafficDistributionGroupId": GROUP,
        "UserId": user(7),
        "Region": "us-west-2",
    }


def test_contacts_flows_and_queues(stack: cdk.Stack) -> None:
    flow = connect.CfnContactFlow(
        stack, "Flow", instance_arn=INSTANCE_ARN, content="{}", name="flow", type="TRANSFER"
    )
    queue = connect.CfnQueue(
        stack, "Queue", instance_arn=INSTANCE_ARN, hours_of_operation_arn=FLOW, name="queue"
    )
    ContactUserAssignment(
        stack,
        "Assignment",
        instance_id=new_instance(stack),
        contact_id=CONTACT,
        user_id=new_user(stack),
        release=ContactRelease.transfer_to_queue(contact_flow_id=flow, queue_id=queue),
    )
    assert properties(synthesize(stack), ASSIGNMENT)["Release"] == {
        "Mode": "TRANSFER_TO_QUEUE",
        "ContactFlowId": {"Fn::GetAtt": ["Flow", "ContactFlowArn"]},
        "QueueId": {"Fn::GetAtt": ["Queue", "QueueArn"]},
    }


def test_a_rule(stack: cdk.Stack) -> None:
    group = connect.CfnUserHierarchyGroup(stack, "Level", instance_arn=INSTANCE_ARN, name="level")
    profile = connect.CfnSecurityProfile(
        stack, "Profile", instance_arn=INSTANCE_ARN, security_profile_name="profile"
    )
    TrafficDistributionGroupMembership(
        stack,
        "Agents",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        users_matching=UserFilter(hierarchy_group_id=group, security_profile_id=profile),
    )
    declared = json.dumps(properties(synthesize(stack), MEMBERSHIP))
    assert '{"Fn::GetAtt": ["Level", "UserHierarchyGroupArn"]}' in declared
    assert '{"Fn::GetAtt": ["Profile", "SecurityProfileArn"]}' in declared


def test_a_lookup(stack: cdk.Stack) -> None:
    UserLookup(
        stack, "Lookup", instance_id=new_instance(stack), usernames=(n for n in ("bob", "ann"))
    )
    declared = properties(synthesize(stack), "Custom::ConnectUserLookup")
    assert declared["InstanceId"] == {"Fn::GetAtt": ["Instance", "Arn"]}
    assert declared["Usernames"] == ["ann", "bob"]


@pytest.mark.parametrize("collect", [list, tuple, set, frozenset, iter, dict.fromkeys])
def test_users_in_any_collection(stack: cdk.Stack, collect: Any) -> None:
    users = collect([user(2), new_user(stack), user(1)])
    declare_many(stack, users.keys() if isinstance(users, dict) else users)
    assert properties(synthesize(stack), MEMBERSHIP)["UserIds"] == [
        user(1),
        user(2),
        {"Fn::GetAtt": ["User", "UserArn"]},
    ]


def test_the_same_user_by_reference_and_by_attribute(stack: cdk.Stack) -> None:
    agent = new_user(stack)
    declare(stack, "First", user_id=agent)
    declare(stack, "Second", user_id=agent.attr_user_arn)
    with pytest.raises(RuntimeError, match="declare the same user"):
        synthesize(stack)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (new_group, "user_id: expected the ID or the ARN of a user, got <aws_cdk.aws_connect.CfnT"),
        (lambda _: imported("User", group_arn()), "is not the ARN of a user"),
        (lambda _: 7, "user_id: expected the ID or the ARN of a user, got 7"),
    ],
)
def test_a_reference_to_something_else(stack: cdk.Stack, wrong: Any, message: str) -> None:
    with pytest.raises(InvalidAssociationError) as error:
        declare(stack, user_id=wrong(stack))
    assert message in str(error.value)


def test_a_mapping_is_no_list_of_users(stack: cdk.Stack) -> None:
    with pytest.raises(
        InvalidAssociationError, match=r"user_ids: expected a list of users, got \{"
    ):
        declare_many(stack, {user(1): "Ann"})


def test_policies_do_not_name_users(stack: cdk.Stack) -> None:
    declare(stack, user_id=new_user(stack))
    policies = of_type(synthesize(stack), "AWS::IAM::Policy")
    assert '"UserArn"' not in json.dumps(policies)
