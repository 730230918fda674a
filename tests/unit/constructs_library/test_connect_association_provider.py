from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Match, Template

from connect_associations import (
    ConnectAssociationProvider,
    ContactRelease,
    ContactUserAssignment,
    InvalidAssociationError,
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
    UserLookup,
)
from synthesis import (
    ASSIGNMENT,
    CONTACT,
    GROUP,
    INSTANCE,
    MEMBERSHIP,
    SINGLE,
    new_stack,
    of_type,
    only,
    synthesize,
    user,
)

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = "AWS::Lambda::Function"
LOG_GROUP = "AWS::Logs::LogGroup"


def declare(scope: cdk.Stack, number: int = 1, **props: Any) -> TrafficDistributionGroupUser:
    return TrafficDistributionGroupUser(
        scope,
        f"Agent{number}",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_id=user(number),
        **props,
    )


def handlers(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the properties of our own functions by the handler's name."""
    return {
        function["Properties"]["Handler"].rpartition(".")[2]: function["Properties"]
        for function in of_type(template, FUNCTION).values()
        if function["Properties"]["Handler"].startswith("connect_provider.")
    }


def needed_by(template: dict[str, Any], logical_id: str) -> set[str]:
    """Return what CloudFormation makes before a resource, and deletes after it."""
    resources = template["Resources"]
    needed: set[str] = set()
    pending = [logical_id]
    while pending:
        resource = resources[pending.pop()]
        text = json.dumps([resource.get("Properties"), resource.get("DependsOn")])
        found = {name for name in resources if f'"{name}"' in text} - needed
        needed |= found
        pending += found
    return needed


def test_one_provider_serves_all_associations_of_a_stack(stack: cdk.Stack) -> None:
    for number in range(3):
        declare(stack, number)
    TrafficDistributionGroupMembership(
        stack,
        "Others",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_ids=[user(8), user(9)],
    )
    template = synthesize(stack)
    assert len(of_type(template, FUNCTION)) == 5
    assert len(of_type(template, SINGLE)) == 3


def test_get_or_create_answers_the_same_provider(stack: cdk.Stack) -> None:
    provider = ConnectAssociationProvider(stack, "Mine")
    assert ConnectAssociationProvider.get_or_create(stack) is provider
    assert ConnectAssociationProvider.get_or_create(declare(stack)) is provider


def test_stacks_do_not_share_a_provider(tmp_path: Path) -> None:
    first = new_stack(tmp_path)
    second = cdk.Stack(cast("cdk.App", first.node.root), "Second")
    provider = ConnectAssociationProvider.get_or_create(first)
    assert ConnectAssociationProvider.get_or_create(second) is not provider
    with pytest.raises(InvalidAssociationError, match="belongs to another stack"):
        declare(second, provider=provider)


@pytest.mark.parametrize("first", ["one that is created", "the default that is asked for"])
def test_a_second_provider_is_an_error(stack: cdk.Stack, first: str) -> None:
    if first == "one that is created":
        ConnectAssociationProvider(stack, "Yours")
    else:
        ConnectAssociationProvider.get_or_create(stack)
    with pytest.raises(InvalidAssociationError, match="the stack already has a provider") as error:
        ConnectAssociationProvider(stack, "Mine")
    assert ("Stack/Yours" in str(error.value)) == (first == "one that is created")
    assert stack.node.try_find_child("Mine") is None


def test_a_provider_may_come_after_the_associations(stack: cdk.Stack) -> None:
    declare(stack)
    UserLookup(stack, "Lookup", instance_id=INSTANCE, usernames=["ann"])
    provider = ConnectAssociationProvider(
        stack, "Provider", convergence_timeout=cdk.Duration.minutes(10), resync="now"
    )
    declare(stack, 2)
    assert ConnectAssociationProvider.get_or_create(stack) is provider
    template = synthesize(stack)
    assert len(of_type(template, FUNCTION)) == 5
    for association in of_type(template, SINGLE).values():
        assert association["Properties"]["ServiceTimeout"] == 2100
        assert association["Properties"]["Resync"] == "now"
    (role,) = (
        name
        for name, role in of_type(template, "AWS::IAM::Role").items()
        if "Description" in role["Properties"]
    )
    policies = [
        policy["Properties"]["Roles"]
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if "connect:" in str(policy)
    ]
    assert policies == [[{"Ref": role}]] * 3


def test_a_stack_without_associations_gets_no_provider(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidAssociationError):
        ConnectAssociationProvider(stack, "Provider", resync="")
    assert synthesize(stack).get("Resources", {}) == {}


@pytest.mark.parametrize("stabilize", [False, True])
def test_aspects_reach_the_default_provider(tmp_path: Path, *, stabilize: bool) -> None:
    stack = new_stack(tmp_path, context={"@aws-cdk/core:aspectStabilization": stabilize})
    declare(stack)
    boundary = "arn:aws:iam::123456789012:policy/Boundary"
    iam.PermissionsBoundary.of(stack).apply(
        iam.ManagedPolicy.from_managed_policy_arn(stack, "Boundary", boundary)
    )
    roles = of_type(synthesize(stack), "AWS::IAM::Role")
    assert len(roles) == 5
    for role in roles.values():
        assert role["Properties"]["PermissionsBoundary"] == boundary


def test_the_functions_are_what_they_should_be(stack: cdk.Stack) -> None:
    declare(stack)
    template = synthesize(stack)
    ours = handlers(template)
    assert ours.keys() == {"on_event", "is_complete"}
    assert [ours[name]["Timeout"] for name in ("on_event", "is_complete")] == [840, 600]
    assert ours["on_event"]["Code"] == ours["is_complete"]["Code"]
    assert ours["on_event"]["Role"] == ours["is_complete"]["Role"]
    for handler in ours.values():
        assert handler["Runtime"] == "python3.14"
        assert handler["Architectures"] == ["arm64"]
        assert handler["MemorySize"] == 256
        assert handler["LoggingConfig"] == {"LogFormat": "JSON"}
        assert handler["Environment"]["Variables"].keys() == {
            "CONVERGENCE_TIMEOUT_SECONDS",
            "LEDGER_TABLE_NAME",
        }
        assert handler["Environment"]["Variables"]["CONVERGENCE_TIMEOUT_SECONDS"] == "2400"
    for group in of_type(template, "AWS::Logs::LogGroup").values():
        assert group["Properties"]["RetentionInDays"] == 30
        assert group["DeletionPolicy"] == "Delete"


def test_the_log_group_that_a_failure_names_is_there(stack: cdk.Stack) -> None:
    """The framework ends a failure's reason in ``Logs: /aws/lambda/FUNCTION``."""
    declare(stack)
    template = synthesize(stack)
    named = {
        logical_id: group["Properties"]["LogGroupName"]
        for logical_id, group in of_type(template, LOG_GROUP).items()
        if "LogGroupName" in group["Properties"]
    }
    ours = {
        logical_id
        for logical_id, function in of_type(template, FUNCTION).items()
        if function["Properties"]["Handler"].startswith("connect_provider.")
    }
    assert sorted(map(str, named.values())) == sorted(
        str({"Fn::Join": ["", ["/aws/lambda/", {"Ref": logical_id}]]}) for logical_id in ours
    )
    (writing,) = (
        policy
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if "logs:PutLogEvents" in str(policy)
    )
    (statement,) = writing["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == [{"Fn::GetAtt": [name, "Arn"]} for name in named]


def test_the_logs_outlive_what_is_logged(stack: cdk.Stack) -> None:
    declare(stack)
    template = synthesize(stack)
    groups = {
        logical_id
        for logical_id, group in of_type(template, LOG_GROUP).items()
        if "LogGroupName" in group["Properties"]
    }
    assert groups < needed_by(template, "Agent1")


def test_the_waiter_logs_nothing_that_it_carries(stack: cdk.Stack) -> None:
    declare(stack)
    machine = only(synthesize(stack), "AWS::StepFunctions::StateMachine")["Properties"]
    assert "LoggingConfiguration" not in machine


@pytest.mark.parametrize(
    ("timeout", "variable", "attempts", "service_timeout"),
    [
        (None, "2400", 480, None),  # 3,600 s, CloudFormation's default
        (cdk.Duration.minutes(10), "600", 120, 2100),
        (cdk.Duration.seconds(7), "7", 2, 1507),
        (cdk.Duration.hours(1), "3600", 720, None),
    ],
)
def test_time_outs(
    stack: cdk.Stack,
    timeout: cdk.Duration | None,
    variable: str,
    attempts: int,
    service_timeout: int | None,
) -> None:
    ConnectAssociationProvider(stack, "Provider", convergence_timeout=timeout)
    declare(stack)
    template = synthesize(stack)
    for handler in handlers(template).values():
        assert handler["Environment"]["Variables"]["CONVERGENCE_TIMEOUT_SECONDS"] == variable
    machine = only(template, "AWS::StepFunctions::StateMachine")["Properties"]
    assert f'"IntervalSeconds":5,"MaxAttempts":{attempts},' in str(machine["DefinitionString"])
    assert only(template, SINGLE)["Properties"].get("ServiceTimeout") == service_timeout


@pytest.mark.parametrize(
    ("props", "message"),
    [
        (
            {"convergence_timeout": cdk.Duration.minutes(61)},
            "convergence_timeout: 1 hour 1 minute is out of range",
        ),
        ({"convergence_timeout": cdk.Duration.seconds(0)}, "convergence_timeout: 0 seconds"),
        ({"convergence_timeout": cdk.Duration.millis(1500)}, "convergence_timeout: 1 second 500"),
        ({"runtime": lambda_.Runtime.NODEJS_22_X}, "runtime: 'nodejs22.x' cannot run"),
        ({"runtime": lambda_.Runtime.PYTHON_3_9}, "runtime: 'python3.9' cannot run"),
        (
            {"reserved_concurrent_executions": 0},
            "reserved_concurrent_executions: expected .* got 0",
        ),
        ({"vpc_subnets": ec2.SubnetSelection()}, "vpc: is missing"),
        ({"resync": ""}, "resync: expected a string of 1 to 100 characters, .*got ''"),
        ({"resync": "x" * 101}, "resync: expected a string of 1 to 100 characters"),
        ({"resync": 20261125}, "resync: expected .*got 20261125"),
        ({"resync": True}, "resync: expected .*got True"),
        ({"memory_size": 127}, "memory_size: expected whole MiB from 128 to 10,240, got 127"),
        ({"memory_size": 10_241}, "memory_size: expected .* got 10241"),
        ({"memory_size": "512"}, "memory_size: expected .* got '512'"),
        ({"tracing": "false"}, "tracing: expected True or False, got 'false'"),
        ({"waiter_logging": 1}, "waiter_logging: expected True or False, got 1"),
    ],
)
def test_wrong_props(stack: cdk.Stack, props: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidAssociationError, match=message):
        ConnectAssociationProvider(stack, "Provider", **props)


@pytest.mark.parametrize("resync", [None, "2026-11-25", "x" * 100])
def test_every_association_is_brought_about_again(stack: cdk.Stack, resync: str | None) -> None:
    provider = ConnectAssociationProvider(stack, "Provider", resync=resync)
    assert provider.resync == resync
    declare(stack)
    TrafficDistributionGroupMembership(
        stack,
        "Others",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_ids=[user(8), user(9)],
    )
    ContactUserAssignment(
        stack,
        "Assignment",
        instance_id=INSTANCE,
        contact_id=CONTACT,
        user_id=user(1),
        release=ContactRelease.retain(),
    )
    # What is looked up is nothing to bring about.
    UserLookup(stack, "Lookup", instance_id=INSTANCE, usernames=["ann"])
    template = synthesize(stack)
    for resource_type in (SINGLE, MEMBERSHIP, ASSIGNMENT):
        assert only(template, resource_type)["Properties"].get("Resync") == resync
    assert "Resync" not in only(template, "Custom::ConnectUserLookup")["Properties"]


def test_another_resync_changes_nothing_else(tmp_path: Path) -> None:
    templates = []
    for resync in ("one", "two"):
        stack = new_stack(tmp_path / resync)
        ConnectAssociationProvider(stack, "Provider", resync=resync)
        declare(stack)
        templates.append(synthesize(stack)["Resources"])
    changed = {name for name in templates[0] if templates[0][name] != templates[1][name]}
    assert changed == {"Agent1"}


def test_a_time_out_must_be_known_at_synth(stack: cdk.Stack) -> None:
    timeout = cdk.Duration.seconds(cdk.CfnParameter(stack, "P", type="Number").value_as_number)
    with pytest.raises(InvalidAssociationError, match="must be known at synth"):
        ConnectAssociationProvider(stack, "Provider", convergence_timeout=timeout)


def test_logs_runtime_layers_and_concurrency(stack: cdk.Stack) -> None:
    layer = "arn:aws:lambda:eu-central-1:123456789012:layer:mine:1"
    ConnectAssociationProvider(
        stack,
        "Provider",
        log_retention=logs.RetentionDays.ONE_YEAR,
        log_removal_policy=cdk.RemovalPolicy.RETAIN,
        runtime=lambda_.Runtime.PYTHON_3_13,
        layers=[lambda_.LayerVersion.from_layer_version_arn(stack, "Layer", layer)],
        reserved_concurrent_executions=7,
    )
    template = synthesize(stack)
    for handler in handlers(template).values():
        assert handler["Runtime"] == "python3.13"
        assert handler["Layers"] == [layer]
        assert handler["ReservedConcurrentExecutions"] == 7
    groups = of_type(template, "AWS::Logs::LogGroup")
    assert len(groups) == 3
    for group in groups.values():
        assert group["Properties"]["RetentionInDays"] == 365
        assert group["DeletionPolicy"] == "Retain"


def test_the_permissions_boundary_reaches_every_role(stack: cdk.Stack) -> None:
    boundary = "arn:aws:iam::123456789012:policy/Boundary"
    ConnectAssociationProvider(
        stack,
        "Provider",
        permissions_boundary=iam.ManagedPolicy.from_managed_policy_arn(stack, "Boundary", boundary),
    )
    roles = of_type(synthesize(stack), "AWS::IAM::Role")
    assert len(roles) == 5
    for role in roles.values():
        assert role["Properties"]["PermissionsBoundary"] == boundary


@pytest.mark.parametrize("own_group", [False, True])
def test_every_function_runs_in_the_vpc(stack: cdk.Stack, *, own_group: bool) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=1, restrict_default_security_group=False)
    group = ec2.SecurityGroup(stack, "Mine", vpc=vpc)
    ConnectAssociationProvider(
        stack,
        "Provider",
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        security_groups=[group] if own_group else None,
    )
    template = synthesize(stack)
    groups = of_type(template, "AWS::EC2::SecurityGroup")
    assert len(groups) == (1 if own_group else 2)
    (expected,) = [name for name in groups if name.startswith("Mine") == own_group]
    functions = of_type(template, FUNCTION)
    assert len(functions) == 5
    for function in functions.values():
        config = function["Properties"]["VpcConfig"]
        assert config["SecurityGroupIds"] == [{"Fn::GetAtt": [expected, "GroupId"]}]
        assert all("Private" in subnet["Ref"] for subnet in config["SubnetIds"])
    Template.from_stack(stack).has_resource_properties(
        "AWS::IAM::Role",
        {
            "Description": Match.string_like_regexp("Associates"),
            "ManagedPolicyArns": [
                {
                    "Fn::Join": [
                        "",
                        Match.array_with(
                            [
                                ":iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole",
                            ]
                        ),
                    ]
                }
            ],
        },
    )


def test_the_key_encrypts_logs_and_environments(stack: cdk.Stack) -> None:
    key = cast("kms.IKey", kms.Key(stack, "Key"))
    ConnectAssociationProvider(stack, "Provider", encryption_key=key)
    template = synthesize(stack)
    (key_id,) = of_type(template, "AWS::KMS::Key")
    arn = {"Fn::GetAtt": [key_id, "Arn"]}
    for group in of_type(template, "AWS::Logs::LogGroup").values():
        assert group["Properties"]["KmsKeyId"] == arn
    for function in of_type(template, FUNCTION).values():
        assert function["Properties"]["KmsKeyArn"] == arn
    decrypting = [
        policy
        for policy in of_type(template, "AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "kms:Decrypt" and statement["Resource"] == arn
    ]
    assert len(decrypting) == 4  # our role and the three of the framework
    (for_logs,) = (
        statement
        for statement in only(template, "AWS::KMS::Key")["Properties"]["KeyPolicy"]["Statement"]
        if "Service" in statement["Principal"]
    )
    assert "ArnLike" in for_logs["Condition"]


def test_an_imported_key_is_used_as_it_is(stack: cdk.Stack) -> None:
    arn = "arn:aws:kms:eu-central-1:123456789012:key/mine"
    ConnectAssociationProvider(
        stack, "Provider", encryption_key=kms.Key.from_key_arn(stack, "Key", arn)
    )
    for function in of_type(synthesize(stack), FUNCTION).values():
        assert function["Properties"]["KmsKeyArn"] == arn


def test_tags_reach_everything_that_can_have_them(stack: cdk.Stack) -> None:
    declare(stack)
    cdk.Tags.of(stack).add("team", "telephony")
    template = synthesize(stack)
    for resource_type in (
        FUNCTION,
        "AWS::DynamoDB::Table",
        "AWS::IAM::Role",
        "AWS::Logs::LogGroup",
        "AWS::StepFunctions::StateMachine",
    ):
        for resource in of_type(template, resource_type).values():
            assert {"Key": "team", "Value": "telephony"} in resource["Properties"]["Tags"]


def test_handlers_and_role_are_open_to_more_settings(stack: cdk.Stack) -> None:
    provider = ConnectAssociationProvider(stack, "Provider")
    provider.on_event_handler.add_environment("A", "1")
    provider.is_complete_handler.add_environment("A", "1")
    provider.role.add_managed_policy(
        iam.ManagedPolicy.from_managed_policy_arn(stack, "Policy", "arn:aws:iam::1:policy/p")
    )
    template = synthesize(stack)
    for handler in handlers(template).values():
        assert handler["Environment"]["Variables"]["A"] == "1"
    assert stack.resolve(provider.service_token) == {"Fn::GetAtt": ["ConnectAssociations", "Arn"]}


def test_memory_and_processor_of_the_handlers(stack: cdk.Stack) -> None:
    ConnectAssociationProvider(
        stack, "Provider", memory_size=512, architecture=lambda_.Architecture.X86_64
    )
    for handler in handlers(synthesize(stack)).values():
        assert handler["MemorySize"] == 512
        assert handler["Architectures"] == ["x86_64"]


def test_one_log_group_for_everything(stack: cdk.Stack) -> None:
    group = logs.LogGroup(stack, "Mine")
    ConnectAssociationProvider(stack, "Provider", log_group=cast("logs.ILogGroup", group))
    template = synthesize(stack)
    (mine,) = of_type(template, LOG_GROUP)
    for function in of_type(template, FUNCTION).values():
        assert function["Properties"]["LoggingConfig"]["LogGroup"] == {"Ref": mine}
    writing = [
        statement["Resource"]
        for policy in of_type(template, "AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "logs:PutLogEvents" in statement["Action"]
    ]
    assert writing == [{"Fn::GetAtt": [mine, "Arn"]}]


def test_a_log_group_keeps_its_own_settings(stack: cdk.Stack) -> None:
    group = cast("logs.ILogGroup", logs.LogGroup(stack, "Mine"))
    with pytest.raises(InvalidAssociationError, match="log_group: is given, so set its retention"):
        ConnectAssociationProvider(
            stack, "Provider", log_group=group, log_retention=logs.RetentionDays.ONE_YEAR
        )


def test_numbers_may_be_known_later(stack: cdk.Stack) -> None:
    memory = cdk.CfnParameter(stack, "Memory", type="Number")
    ConnectAssociationProvider(stack, "Provider", memory_size=cast("int", memory.value_as_number))
    for handler in handlers(synthesize(stack)).values():
        assert handler["MemorySize"] == {"Ref": "Memory"}


def test_tracing(stack: cdk.Stack) -> None:
    ConnectAssociationProvider(stack, "Provider", tracing=True)
    template = synthesize(stack)
    functions = of_type(template, FUNCTION).values()
    assert len(functions) == 5
    for function in functions:
        assert function["Properties"]["TracingConfig"] == {"Mode": "Active"}
    machine = only(template, "AWS::StepFunctions::StateMachine")["Properties"]
    assert machine["TracingConfiguration"] == {"Enabled": True}
    writing = [
        policy["Properties"]["Roles"][0]["Ref"]
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if "xray:PutTraceSegments" in str(policy)
    ]
    # Our role, the three of the framework and the waiter's.
    assert len(set(writing)) == 5


def test_the_waiter_logs_what_it_does_without_the_callback_url(stack: cdk.Stack) -> None:
    ConnectAssociationProvider(stack, "Provider", waiter_logging=True)
    template = synthesize(stack)
    machine = only(template, "AWS::StepFunctions::StateMachine")["Properties"]
    logging = machine["LoggingConfiguration"]
    assert logging["Level"] == "ALL"
    assert logging["IncludeExecutionData"] is False
    (destination,) = logging["Destinations"]
    group = template["Resources"][
        destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"][0]
    ]["Properties"]
    assert "/aws/vendedlogs/states/" in str(group["LogGroupName"])
    policy = group["DataProtectionPolicy"]
    (identifier,) = policy["Configuration"]["CustomDataIdentifier"]
    masking = [statement["Operation"] for statement in policy["Statement"]]
    assert {"Deidentify": {"MaskConfig": {}}} in masking
    url = "https://cloudformation-custom-resource-response-x.s3.amazonaws.com/arn?X-Amz-Signature="
    assert re.sub(identifier["Regex"], "", f"{url}0123abcdef&X-Amz-Expires=7199").endswith(
        "?&X-Amz-Expires=7199"
    )


@pytest.mark.parametrize("own_group", [False, True])
def test_connections_are_those_of_all_functions(stack: cdk.Stack, *, own_group: bool) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=1, restrict_default_security_group=False)
    group = ec2.SecurityGroup(stack, "Mine", vpc=vpc, allow_all_outbound=False)
    other = ec2.SecurityGroup(stack, "Endpoint", vpc=vpc)
    provider = ConnectAssociationProvider(
        stack, "Provider", vpc=vpc, security_groups=[group] if own_group else None
    )
    other.connections.allow_from(provider, ec2.Port.tcp(443))
    (ingress,) = of_type(synthesize(stack), "AWS::EC2::SecurityGroupIngress").values()
    source = ingress["Properties"]["SourceSecurityGroupId"]["Fn::GetAtt"][0]
    assert source.startswith("Mine") == own_group


def test_without_a_vpc_there_are_no_connections(stack: cdk.Stack) -> None:
    provider = ConnectAssociationProvider(stack, "Provider")
    with pytest.raises(ValueError, match="create ConnectAssociationProvider with vpc"):
        _ = provider.connections


def test_what_is_internal_is_not_public(stack: cdk.Stack) -> None:
    provider = ConnectAssociationProvider(stack, "Provider")
    public = {name for name in vars(type(provider)) if not name.startswith("_")}
    assert public == {
        "add_alarms",
        "connections",
        "get_or_create",
        "is_complete_handler",
        "ledger",
        "metric_errors",
        "metric_ledger_failures",
        "metric_waiter_failures",
        "metric_warnings",
        "on_event_handler",
        "resync",
        "role",
        "service_timeout",
        "service_token",
    }


def test_associations_are_resources_of_the_cdk(stack: cdk.Stack) -> None:
    association = declare(stack)
    assert isinstance(association, cdk.Resource)
    assert association.stack is stack
    association.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    assert only(synthesize(stack), SINGLE)["DeletionPolicy"] == "Retain"


def test_a_provider_may_have_the_name_of_the_library(stack: cdk.Stack) -> None:
    provider = ConnectAssociationProvider(stack, "ConnectAssociations")
    declare(stack)
    assert ConnectAssociationProvider.get_or_create(stack) is provider
    synthesize(stack)
