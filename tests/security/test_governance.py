"""What an enterprise can govern: every property is documented, and reaches everything it is for."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from connect_associations import (
    ConnectAssociationProvider,
    ContactRelease,
    ContactUserAssignment,
    TrafficDistributionGroupUser,
    UserLookup,
)
from iam import grants, policies
from synthesis import (
    ACCOUNT,
    CONTACT,
    FLOW,
    GROUP,
    INSTANCE,
    QUEUE,
    REGION,
    SINGLE,
    new_stack,
    of_type,
    synthesize,
    user,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs" / "security.md"
PROPS = {
    parameter.name
    for parameter in inspect.signature(ConnectAssociationProvider.__init__).parameters.values()
    if parameter.kind is parameter.KEYWORD_ONLY
}

BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/Boundary"
LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:mine:1"
LEDGER = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Shared"
TAG = {"Key": "team", "Value": "telephony"}


@pytest.fixture(scope="module")
def governed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A stack whose provider has every property."""
    stack = new_stack(tmp_path_factory.mktemp("governed"))
    ConnectAssociationProvider(
        stack,
        "Provider",
        ledger=dynamodb.Table.from_table_arn(stack, "Ledger", LEDGER),
        resync="2026-11-25",
        convergence_timeout=cdk.Duration.minutes(10),
        log_retention=logs.RetentionDays.ONE_YEAR,
        log_removal_policy=cdk.RemovalPolicy.RETAIN,
        permissions_boundary=iam.ManagedPolicy.from_managed_policy_arn(stack, "Boundary", BOUNDARY),
        vpc=ec2.Vpc.from_vpc_attributes(
            stack,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["a", "b"],
            private_subnet_ids=["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"],
            isolated_subnet_ids=["subnet-0123456789abcdef3", "subnet-0123456789abcdef4"],
        ),
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        security_groups=[
            ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")
        ],
        encryption_key=kms.Key.from_key_arn(
            stack, "Key", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/mine"
        ),
        reserved_concurrent_executions=7,
        runtime=lambda_.Runtime.PYTHON_3_13,
        layers=[lambda_.LayerVersion.from_layer_version_arn(stack, "Layer", LAYER)],
        bundle_sdk=True,
    )
    TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_id=user(1),
    )
    return synthesize(stack)


def functions(template: dict[str, Any], *, ours: bool) -> Iterator[dict[str, Any]]:
    for function in of_type(template, "AWS::Lambda::Function").values():
        if function["Properties"]["Handler"].startswith("connect_provider.") == ours:
            yield function["Properties"]


def test_every_property_is_documented_with_its_default() -> None:
    docstring = inspect.getdoc(ConnectAssociationProvider) or ""
    described = dict(re.findall(r"^:param (\w+): (.*?)(?=^:)", docstring, re.MULTILINE | re.DOTALL))
    assert PROPS
    for prop in PROPS:
        assert "Default: - " in described[prop], prop


def test_every_property_stands_in_the_docs() -> None:
    section = DOCS.read_text(encoding="utf-8").partition("## What you can set")[2]
    rows = re.findall(r"^\| (`[^|]+`) \|", section.partition("\n## ")[0], re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == PROPS


def test_the_permissions_stand_in_the_docs(tmp_path: Path) -> None:
    stack = new_stack(tmp_path)
    key = kms.Key.from_key_arn(stack, "Key", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/mine")
    ConnectAssociationProvider(stack, "Provider", encryption_key=key)
    TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_id=user(1),
    )
    transfer = ContactRelease.transfer_to_queue(contact_flow_id=FLOW, queue_id=QUEUE)
    for contact, release in ((CONTACT, ContactRelease.stop()), (FLOW, transfer)):
        ContactUserAssignment(
            stack,
            f"Contact{contact}",
            instance_id=INSTANCE,
            contact_id=contact,
            user_id=user(1),
            release=release,
        )
    UserLookup(stack, "Lookup", instance_id=INSTANCE, usernames=["ann"])
    table = DOCS.read_text(encoding="utf-8").partition("| permission |")[2].partition("\n\n")[0]
    permissions = " ".join(re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE))
    documented = set(re.findall(r"`(\w+:\w+)`", permissions))
    granted = grants(policies(synthesize(stack)).values(), {})
    assert documented == {grant.action for grant in granted}


def test_the_boundary_is_on_every_role(governed: dict[str, Any]) -> None:
    roles = of_type(governed, "AWS::IAM::Role")
    assert len(roles) == 5
    for role in roles.values():
        assert role["Properties"]["PermissionsBoundary"] == BOUNDARY


def test_every_function_is_where_it_should_be(governed: dict[str, Any]) -> None:
    every = [*functions(governed, ours=True), *functions(governed, ours=False)]
    assert len(every) == 5
    for function in every:
        assert function["VpcConfig"] == {
            "SecurityGroupIds": ["sg-0123456789abcdef0"],
            "SubnetIds": ["subnet-0123456789abcdef3", "subnet-0123456789abcdef4"],
        }
        assert function["KmsKeyArn"].endswith("key/mine")
        assert function["LoggingConfig"]["LogFormat"] == "JSON"


def test_the_handlers_run_as_they_should(governed: dict[str, Any]) -> None:
    ours = list(functions(governed, ours=True))
    assert len(ours) == 2
    for function in ours:
        assert function["Runtime"] == "python3.13"
        assert function["Layers"] == [LAYER]
        assert function["ReservedConcurrentExecutions"] == 7
        assert function["Environment"]["Variables"]["CONVERGENCE_TIMEOUT_SECONDS"] == "600"
    for function in functions(governed, ours=False):
        assert "ReservedConcurrentExecutions" not in function


def test_the_ledger_is_the_one_that_was_given(governed: dict[str, Any]) -> None:
    assert not of_type(governed, "AWS::DynamoDB::Table")
    for function in functions(governed, ours=True):
        assert function["Environment"]["Variables"]["LEDGER_TABLE_NAME"] == "Shared"
    on_tables = {
        grant.resource
        for grant in grants(policies(governed).values(), {})
        if grant.action.startswith("dynamodb:")
    }
    assert on_tables == {LEDGER}


def test_every_association_is_brought_about_again(governed: dict[str, Any]) -> None:
    (association,) = of_type(governed, SINGLE).values()
    assert association["Properties"]["Resync"] == "2026-11-25"


def test_the_own_ledger_is_encrypted_and_recoverable(tmp_path: Path) -> None:
    stack = new_stack(tmp_path)
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/mine"
    ConnectAssociationProvider(
        stack, "Provider", encryption_key=kms.Key.from_key_arn(stack, "Key", arn)
    )
    template = synthesize(stack)
    (table,) = of_type(template, "AWS::DynamoDB::Table").values()
    assert table["Properties"]["SSESpecification"]["KMSMasterKeyId"] == arn
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": True
    }
    used = {
        grant.action.partition(":")[2]
        for grant in grants(policies(template).values(), {})
        if grant.resource == arn
    }
    assert {"Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey"} < used
    assert not [action for action in used if "*" in action or "Grant" in action]


def test_the_framework_does_not_log_its_events(governed: dict[str, Any]) -> None:
    """On a time-out it would log the URL with which anybody could answer CloudFormation."""
    for function in functions(governed, ours=False):
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["LoggingConfig"]["ApplicationLogLevel"] == "FATAL"
    (waiter,) = of_type(governed, "AWS::StepFunctions::StateMachine").values()
    assert "LoggingConfiguration" not in waiter["Properties"]


def test_every_log_group_is_kept_and_encrypted(governed: dict[str, Any]) -> None:
    groups = of_type(governed, "AWS::Logs::LogGroup")
    assert len(groups) == 3
    for group in groups.values():
        assert group["Properties"]["RetentionInDays"] == 365
        assert group["Properties"]["KmsKeyId"].endswith("key/mine")
        assert group["DeletionPolicy"] == group["UpdateReplacePolicy"] == "Retain"


def test_every_role_that_needs_the_key_may_use_it(governed: dict[str, Any]) -> None:
    decrypting = [
        statement["Resource"]
        for policy in of_type(governed, "AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "kms:Decrypt"
    ]
    # The role of both handlers, and one for each function of the framework.
    assert len(decrypting) == 4
    assert all(resource.endswith("key/mine") for resource in decrypting)


def test_tags_reach_everything_that_can_have_them(tmp_path: Path) -> None:
    stack = new_stack(tmp_path)
    provider = ConnectAssociationProvider(
        stack,
        "Provider",
        vpc=ec2.Vpc.from_vpc_attributes(
            stack,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["a"],
            private_subnet_ids=["subnet-0123456789abcdef1"],
        ),
    )
    cdk.Tags.of(provider).add(TAG["Key"], TAG["Value"])
    taggable = {
        stack.resolve(construct.logical_id)
        for construct in provider.node.find_all()
        if isinstance(construct, cdk.CfnResource) and cdk.TagManager.is_taggable(construct)
    }
    resources = synthesize(stack)["Resources"]
    assert {resources[logical_id]["Type"] for logical_id in taggable} == {
        "AWS::DynamoDB::Table",
        "AWS::EC2::SecurityGroup",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::StepFunctions::StateMachine",
    }
    for logical_id in taggable:
        assert TAG in resources[logical_id]["Properties"]["Tags"], logical_id
    assert {resource["Type"] for name, resource in resources.items() if name not in taggable} == {
        "AWS::IAM::Policy",
        "AWS::Lambda::EventInvokeConfig",
    }
