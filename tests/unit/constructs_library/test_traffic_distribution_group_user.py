from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from aws_cdk import aws_connect as connect

from connect_associations import InvalidAssociationError, TrafficDistributionGroupUser
from synthesis import (
    ACCOUNT,
    GROUP,
    INSTANCE,
    OTHER_INSTANCE,
    REGION,
    SINGLE,
    arn,
    group_arn,
    new_stack,
    only,
    properties,
    synthesize,
    user,
    user_arn,
)

if TYPE_CHECKING:
    from pathlib import Path

LONDON = "eu-west-2"
FRANKFURT = cdk.Environment(account=ACCOUNT, region=REGION)


def problems_of(error: pytest.ExceptionInfo[InvalidAssociationError]) -> str:
    return "\n".join(error.value.problems)


def test_the_resource_is_what_was_declared_and_nothing_else(stack: cdk.Stack) -> None:
    TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_id=user(1),
    )
    template = synthesize(stack)
    (policy,) = [name for name in template["Resources"] if name.startswith("ConnectGroup")]
    assert template["Resources"]["Agent"] == {
        "Type": SINGLE,
        "Properties": {
            "ServiceToken": {"Fn::GetAtt": ["ConnectAssociations", "Arn"]},
            "InstanceId": INSTANCE,
            "TrafficDistributionGroupId": GROUP,
            "UserId": user(1),
        },
        "DependsOn": [policy],
    }


@pytest.mark.parametrize(
    ("instance", "group", "user_id"),
    [
        (INSTANCE.upper(), GROUP.upper(), user(1).upper()),
        (f" {INSTANCE}", f"{GROUP}\n", f" {user(1).upper()} "),
        (arn(f"instance/{INSTANCE}"), group_arn(), user_arn(user(1))),
        (
            arn(f"instance/{INSTANCE.upper()}"),
            group_arn(GROUP.upper()),
            user_arn(user(1).upper(), instance=INSTANCE.upper(), region=LONDON),
        ),
    ],
)
def test_spellings_do_not_change_the_template(
    tmp_path: Path, instance: str, group: str, user_id: str
) -> None:
    stack = new_stack(tmp_path, env=FRANKFURT)
    TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=instance,
        traffic_distribution_group_id=group,
        user_id=user_id,
    )
    assert properties(synthesize(stack), SINGLE) == {
        "InstanceId": INSTANCE,
        "TrafficDistributionGroupId": GROUP,
        "UserId": user(1),
    }


@pytest.mark.parametrize(
    ("known", "group", "region", "expected"),
    [
        (True, GROUP, None, None),
        (True, GROUP, REGION, None),
        (True, GROUP, LONDON, LONDON),
        (True, group_arn(), None, None),
        (True, group_arn(region=LONDON), None, LONDON),
        (True, group_arn(region=LONDON), LONDON, LONDON),
        (False, GROUP, None, None),
        (False, GROUP, REGION, REGION),
        (False, group_arn(), None, REGION),
    ],
)
def test_home_region_is_written_where_it_is_not_the_stacks(
    tmp_path: Path, *, known: bool, group: str, region: str | None, expected: str | None
) -> None:
    stack = new_stack(tmp_path, env=FRANKFURT if known else None)
    TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=INSTANCE,
        traffic_distribution_group_id=group,
        user_id=user(1),
        region=region,
    )
    assert properties(synthesize(stack), SINGLE).get("Region") == expected


def test_attributes_of_the_stacks_own_resources_pass_through(stack: cdk.Stack) -> None:
    instance = connect.CfnInstance(
        stack,
        "Instance",
        identity_management_type="CONNECT_MANAGED",
        attributes=connect.CfnInstance.AttributesProperty(inbound_calls=True, outbound_calls=True),
    )
    group = connect.CfnTrafficDistributionGroup(
        stack, "Group", instance_arn=instance.attr_arn, name="group"
    )
    agent = connect.CfnUser(
        stack,
        "User",
        instance_arn=instance.attr_arn,
        phone_config=connect.CfnUser.UserPhoneConfigProperty(phone_type="SOFT_PHONE"),
        routing_profile_arn=arn(f"instance/{INSTANCE}/routing-profile/{user(9)}"),
        security_profile_arns=[arn(f"instance/{INSTANCE}/security-profile/{user(9)}")],
        username="agent",
    )
    TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=instance.attr_arn,
        traffic_distribution_group_id=group.attr_traffic_distribution_group_arn,
        user_id=agent.attr_user_arn,
    )
    # A GetAtt is a dependency: CloudFormation creates what it names first.
    assert properties(synthesize(stack), SINGLE) == {
        "InstanceId": {"Fn::GetAtt": ["Instance", "Arn"]},
        "TrafficDistributionGroupId": {"Fn::GetAtt": ["Group", "TrafficDistributionGroupArn"]},
        "UserId": {"Fn::GetAtt": ["User", "UserArn"]},
    }


def test_any_other_token_passes_through(stack: cdk.Stack) -> None:
    parameter = cdk.CfnParameter(stack, "Parameter")
    TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=cdk.Fn.import_value("instance"),
        traffic_distribution_group_id=stack.format_arn(
            service="connect", resource="traffic-distribution-group", resource_name=GROUP
        ),
        user_id=parameter.value_as_string,
        region=cdk.Aws.REGION,
    )
    declared = properties(synthesize(stack), SINGLE)
    assert declared["InstanceId"] == {"Fn::ImportValue": "instance"}
    assert declared["UserId"] == {"Ref": "Parameter"}
    assert "Region" not in declared


def test_attributes_are_read_from_the_resource(stack: cdk.Stack) -> None:
    agent = TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_id=user(1),
    )
    attributes = {
        "InstanceId": agent.instance_id,
        "TrafficDistributionGroupId": agent.traffic_distribution_group_id,
        "UserId": agent.user_id,
        "Region": agent.region,
    }
    for name, attribute in attributes.items():
        assert stack.resolve(attribute) == {"Fn::GetAtt": ["Agent", name]}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (cdk.RemovalPolicy.DESTROY, (None, None)),
        (cdk.RemovalPolicy.RETAIN, ("Retain", "Retain")),
        (cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, ("RetainExceptOnCreate", "Retain")),
    ],
)
def test_removal_policies(
    stack: cdk.Stack, policy: cdk.RemovalPolicy, expected: tuple[str | None, str | None]
) -> None:
    TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_id=user(1),
        removal_policy=policy,
    )
    resource = only(synthesize(stack), SINGLE)
    assert (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) == expected


@pytest.mark.parametrize("region", ["cn-north-1", "us-iso-east-1"])
@pytest.mark.parametrize("spelling", ["id", "arn", "token"])
def test_groups_are_refused_where_there_are_none(
    tmp_path: Path, region: str, spelling: str
) -> None:
    stack = new_stack(tmp_path, env=cdk.Environment(account=ACCOUNT, region=region))
    group = {
        "id": GROUP,
        "arn": group_arn().replace("arn:aws:", "arn:aws-cn:"),
        "token": cdk.Fn.import_value("group"),
    }[spelling]
    with pytest.raises(InvalidAssociationError, match="do not exist in partition 'aws-"):
        TrafficDistributionGroupUser(
            stack,
            "Agent",
            instance_id=INSTANCE,
            traffic_distribution_group_id=group,
            user_id=user(1),
        )


def test_all_problems_are_told_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidAssociationError) as error:
        TrafficDistributionGroupUser(
            stack,
            "Agent",
            instance_id="",
            traffic_distribution_group_id="my-group",
            user_id=group_arn(),
            region="Frankfurt",
            removal_policy=cdk.RemovalPolicy.SNAPSHOT,
        )
    assert str(error.value).startswith("Stack/Agent cannot be deployed:\n  - instance_id: ")
    assert [problem.split(":")[0] for problem in error.value.problems] == [
        "instance_id",
        "traffic_distribution_group_id",
        "user_id",
        "region",
        "removal_policy",
    ]
    assert "'my-group' is not the ID of a traffic distribution group" in problems_of(error)
    assert "instance/INSTANCE/agent/ID" in problems_of(error)
    # Nothing of the failed construct is left behind.
    assert stack.node.try_find_child("Agent") is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("instance_id", None, "expected the ID or the ARN of an instance"),
        ("instance_id", INSTANCE[:-1], "is not the ID of an instance"),
        ("instance_id", f"{INSTANCE} {INSTANCE}", "is not the ID of an instance"),
        ("instance_id", "\N{FULLWIDTH DIGIT ONE}" + INSTANCE[1:], "is not the ID of an instance"),
        ("instance_id", user_arn(user(1)), "is not the ARN of an instance"),
        ("user_id", user_arn(user(1)) + "/x", "is not the ARN of a user"),
        ("user_id", user_arn(user(1)).replace("connect", "lex"), "is not the ARN of a user"),
        ("user_id", user_arn(user(1), instance=OTHER_INSTANCE), "belongs to instance"),
        (
            "user_id",
            arn(f"instance/{INSTANCE}/agent/{user(1)}", account="210987654321"),
            "cannot cross an account",
        ),
        (
            "user_id",
            user_arn(user(1)).replace("arn:aws:", "arn:aws-us-gov:"),
            "cannot cross a partition",
        ),
        (
            "traffic_distribution_group_id",
            group_arn().replace("arn:aws:", "arn:aws-cn:"),
            "expected one of 'aws', 'aws-us-gov'",
        ),
        ("region", LONDON, "contradicts the ARN in traffic_distribution_group_id"),
        ("provider", "mine", "expected a ConnectAssociationProvider, got 'mine'"),
    ],
)
def test_problems_name_the_property_and_what_is_allowed(
    tmp_path: Path, name: str, value: object, message: str
) -> None:
    stack = new_stack(tmp_path, env=FRANKFURT)
    props: dict[str, object] = {
        "instance_id": INSTANCE,
        "traffic_distribution_group_id": group_arn(),
        "user_id": user(1),
        name: value,
    }
    with pytest.raises(InvalidAssociationError) as error:
        TrafficDistributionGroupUser(stack, "Agent", **props)  # type: ignore[arg-type]  # wrong on purpose
    (problem,) = error.value.problems
    assert problem.startswith(name)
    assert message in problem
