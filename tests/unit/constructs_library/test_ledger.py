"""The table in which the provider notes who declares what: the stack's own, or a shared one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms

from connect_associations import (
    ConnectAssociationProvider,
    InvalidAssociationError,
    TrafficDistributionGroupUser,
)
from synthesis import ACCOUNT, GROUP, INSTANCE, REGION, new_stack, of_type, only, synthesize, user

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TABLE = "AWS::DynamoDB::Table"
FRANKFURT = cdk.Environment(account=ACCOUNT, region=REGION)
ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Ledger"
STRING, NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER

ON_TABLE = {
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
}
ON_KEY = {
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
}


def attribute(name: str, attribute_type: dynamodb.AttributeType = STRING) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=attribute_type)


PROPER: dict[str, Any] = {
    "partition_key": attribute("pk"),
    "sort_key": attribute("sk"),
    "time_to_live_attribute": "expires_at",
}


def proper_table(scope: cdk.Stack, **props: Any) -> dynamodb.ITable:
    return cast("dynamodb.ITable", dynamodb.Table(scope, "Shared", **{**PROPER, **props}))


def proper_table_v2(scope: cdk.Stack, **props: Any) -> dynamodb.ITable:
    return cast("dynamodb.ITable", dynamodb.TableV2(scope, "Shared", **{**PROPER, **props}))


MAKERS = pytest.mark.parametrize("make", [proper_table, proper_table_v2], ids=["v1", "v2"])


def other_stack(stack: cdk.Stack, name: str, **props: Any) -> cdk.Stack:
    return cdk.Stack(cast("cdk.App", stack.node.root), name, **props)


def table_names(template: dict[str, Any]) -> list[Any]:
    """Return what the handlers hear of the table's name."""
    return [
        function["Properties"]["Environment"]["Variables"]["LEDGER_TABLE_NAME"]
        for function in of_type(template, "AWS::Lambda::Function").values()
        if function["Properties"]["Handler"].startswith("connect_provider.")
    ]


def granted(template: dict[str, Any], service: str) -> list[tuple[set[str], Any]]:
    """Return what the handlers' role may do with a service, and with what."""
    return [
        (actions, statement["Resource"])
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if "framework" not in str(policy["Properties"]["Roles"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for actions in [{*_listed(statement["Action"])}]
        if all(action.startswith(f"{service}:") for action in actions)
    ]


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_a_stack_has_a_ledger_of_its_own(stack: cdk.Stack) -> None:
    ConnectAssociationProvider(stack, "Provider")
    template = synthesize(stack)
    (logical_id,) = of_type(template, TABLE)
    table = only(template, TABLE)
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Delete"
    assert table["Properties"] == {
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
    }
    assert table_names(template) == [{"Ref": logical_id}] * 2
    assert granted(template, "dynamodb") == [(ON_TABLE, {"Fn::GetAtt": [logical_id, "Arn"]})]


def test_another_place_of_the_provider_keeps_the_ledger(tmp_path: Path) -> None:
    """Another logical ID would be another table, which knows of nobody."""
    default, named = (new_stack(tmp_path / name) for name in ("default", "named"))
    ConnectAssociationProvider.get_or_create(default)
    ConnectAssociationProvider(named, "Elsewhere")
    assert of_type(synthesize(default), TABLE).keys() == of_type(synthesize(named), TABLE).keys()


def test_the_key_encrypts_the_own_ledger(stack: cdk.Stack) -> None:
    key = cast("kms.IKey", kms.Key(stack, "Key"))
    ConnectAssociationProvider(stack, "Provider", encryption_key=key)
    template = synthesize(stack)
    arn = stack.resolve(key.key_arn)
    assert only(template, TABLE)["Properties"]["SSESpecification"] == {
        "KMSMasterKeyId": arn,
        "SSEEnabled": True,
        "SSEType": "KMS",
    }
    assert (ON_KEY, arn) in granted(template, "kms")


@MAKERS
def test_a_table_of_the_stack(
    stack: cdk.Stack, make: Callable[[cdk.Stack], dynamodb.ITable]
) -> None:
    table = make(stack)
    provider = ConnectAssociationProvider(stack, "Provider", ledger=table)
    template = synthesize(stack)
    tables = [
        name
        for name in template["Resources"]
        if "DynamoDB" in str(template["Resources"][name]["Type"])
    ]
    assert provider.ledger is table
    assert len(tables) == 1
    assert table_names(template) == [{"Ref": tables[0]}] * 2
    assert granted(template, "dynamodb") == [(ON_TABLE, {"Fn::GetAtt": [tables[0], "Arn"]})]
    assert granted(template, "kms") == []


@MAKERS
@pytest.mark.parametrize("env", [None, FRANKFURT], ids=["anywhere", "Frankfurt"])
def test_stacks_share_the_table_of_another(
    tmp_path: Path,
    make: Callable[[cdk.Stack], dynamodb.ITable],
    env: cdk.Environment | None,
) -> None:
    home = new_stack(tmp_path, env=env, name="Home")
    table = make(home)
    stacks = [other_stack(home, name, env=env) for name in ("One", "Two")]
    for stack in stacks:
        ConnectAssociationProvider(stack, "Provider", ledger=table)
    templates = [synthesize(stack) for stack in stacks]
    for template in templates:
        assert not of_type(template, TABLE)
        assert "Fn::ImportValue" in table_names(template)[0]
    assert table_names(templates[0]) == table_names(templates[1])


def test_the_ledger_of_another_provider_is_shared(stack: cdk.Stack) -> None:
    first = ConnectAssociationProvider(stack, "Provider")
    second = other_stack(stack, "Second")
    ConnectAssociationProvider(second, "Provider", ledger=first.ledger)
    template = synthesize(second)
    assert not of_type(template, TABLE)
    assert "Ledger" in table_names(template)[0]["Fn::ImportValue"]


def test_a_nested_stack_may_share_the_ledger_of_its_parent(tmp_path: Path) -> None:
    stack = new_stack(tmp_path)
    first = ConnectAssociationProvider(stack, "Provider")
    nested = cdk.NestedStack(stack, "Nested")
    ConnectAssociationProvider(nested, "Provider", ledger=first.ledger)
    assert len(of_type(synthesize(stack), TABLE)) == 1
    (file,) = tmp_path.glob("*.nested.template.json")
    assert not of_type(json.loads(file.read_text()), TABLE)


@pytest.mark.parametrize("make", ["arn", "name", "attributes"])
def test_an_imported_table(tmp_path: Path, make: str) -> None:
    stack = new_stack(tmp_path, env=FRANKFURT)
    key = kms.Key.from_key_arn(stack, "Key", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/mine")
    table = {
        "arn": lambda: dynamodb.Table.from_table_arn(stack, "Shared", ARN),
        "name": lambda: dynamodb.Table.from_table_name(stack, "Shared", "Ledger"),
        "attributes": lambda: dynamodb.Table.from_table_attributes(
            stack, "Shared", table_arn=ARN, encryption_key=key
        ),
    }[make]()
    ConnectAssociationProvider(stack, "Provider", ledger=table)
    template = synthesize(stack)
    assert table_names(template) == ["Ledger"] * 2
    ((actions, resource),) = granted(template, "dynamodb")
    assert actions == ON_TABLE
    assert stack.resolve(table.table_arn) == resource
    # The key's use is granted where the key is known.
    assert granted(template, "kms") == ([(ON_KEY, key.key_arn)] if make == "attributes" else [])


def test_a_shared_table_with_a_key_of_its_own(stack: cdk.Stack) -> None:
    other = other_stack(stack, "Home")
    key = cast("kms.IKey", kms.Key(other, "Key"))
    table = proper_table(
        other, encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED, encryption_key=key
    )
    ConnectAssociationProvider(stack, "Provider", ledger=table)
    ((actions, resource),) = granted(synthesize(stack), "kms")
    assert actions == ON_KEY
    assert "Fn::ImportValue" in resource


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"sort_key": None}, r"keys are pk \(S, HASH\); a ledger has the string keys pk"),
        ({"partition_key": attribute("id")}, r"keys are id \(S, HASH\), sk \(S, RANGE\)"),
        ({"sort_key": attribute("sk", NUMBER)}, r"sk \(N, RANGE\)"),
        (
            {"partition_key": attribute("sk"), "sort_key": attribute("pk")},
            r"sk \(S, HASH\), pk \(S, RANGE\)",
        ),
        ({"time_to_live_attribute": None}, "items never expire; a ledger has"),
        ({"time_to_live_attribute": "ttl"}, "time-to-live attribute is 'ttl'; a ledger has"),
    ],
)
@MAKERS
def test_a_table_of_another_shape_is_refused(
    stack: cdk.Stack,
    make: Callable[..., dynamodb.ITable],
    props: dict[str, Any],
    message: str,
) -> None:
    table = make(other_stack(stack, "Home"), **props)
    with pytest.raises(InvalidAssociationError, match=f"- ledger: the table's .*{message}"):
        ConnectAssociationProvider(stack, "Provider", ledger=table)


def test_everything_wrong_with_a_table_is_told_at_once(tmp_path: Path) -> None:
    stack = new_stack(tmp_path, env=FRANKFURT)
    elsewhere = cdk.Environment(account="210987654321", region="us-east-1")
    table = proper_table(
        other_stack(stack, "Home", env=elsewhere), sort_key=None, time_to_live_attribute=None
    )
    with pytest.raises(InvalidAssociationError) as error:
        ConnectAssociationProvider(stack, "Provider", ledger=table, resync="")
    assert len(error.value.problems) == 5
    assert {problem.partition(":")[0] for problem in error.value.problems} == {"ledger", "resync"}


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (
            cdk.Environment(account=ACCOUNT, region="us-east-1"),
            "the table is in Region 'us-east-1', but the stack goes to 'eu-central-1'",
        ),
        (
            cdk.Environment(account="210987654321", region=REGION),
            "the table is in account '210987654321', but the stack goes to '123456789012'",
        ),
    ],
    ids=["Region", "account"],
)
@pytest.mark.parametrize("imported", [False, True])
def test_a_table_that_the_stack_cannot_reach_is_refused(
    tmp_path: Path, env: cdk.Environment, message: str, *, imported: bool
) -> None:
    stack = new_stack(tmp_path, env=FRANKFURT)
    arn = f"arn:aws:dynamodb:{env.region}:{env.account}:table/Ledger"
    table = (
        dynamodb.Table.from_table_arn(stack, "Shared", arn)
        if imported
        else proper_table(other_stack(stack, "Home", env=env))
    )
    with pytest.raises(InvalidAssociationError, match=message) as error:
        ConnectAssociationProvider(stack, "Provider", ledger=table)
    assert len(error.value.problems) == 1


def test_what_cannot_be_seen_at_synth_is_believed(stack: cdk.Stack) -> None:
    """A stack without an environment may be deployed where the table is."""
    table = dynamodb.Table.from_table_arn(stack, "Shared", ARN)
    ConnectAssociationProvider(stack, "Provider", ledger=table)
    assert table_names(synthesize(stack)) == ["Ledger"] * 2


def test_the_arn_may_be_a_token(tmp_path: Path) -> None:
    stack = new_stack(tmp_path, env=FRANKFURT)
    arn = cdk.CfnParameter(stack, "LedgerArn").value_as_string
    table = dynamodb.Table.from_table_arn(stack, "Shared", arn)
    ConnectAssociationProvider(stack, "Provider", ledger=table)
    ((_, resource),) = granted(synthesize(stack), "dynamodb")
    assert resource == {"Ref": "LedgerArn"}


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:s3:{REGION}:{ACCOUNT}:table/Ledger",
        f"{ARN}/index/by-user",
        f"{ARN}/stream/2026-01-01T00:00:00.000",
    ],
)
def test_the_arn_of_something_else_is_refused(stack: cdk.Stack, arn: str) -> None:
    table = dynamodb.Table.from_table_arn(stack, "Shared", arn)
    with pytest.raises(InvalidAssociationError, match="is not the ARN of a DynamoDB table"):
        ConnectAssociationProvider(stack, "Provider", ledger=table)


@pytest.mark.parametrize("ledger", ["Ledger", ARN, 17, False, []])
def test_what_is_no_table_is_refused(stack: cdk.Stack, ledger: Any) -> None:
    with pytest.raises(InvalidAssociationError, match="ledger: expected a DynamoDB table, a Table"):
        ConnectAssociationProvider(stack, "Provider", ledger=ledger)
    assert stack.node.try_find_child("Provider") is None


def test_a_resource_instead_of_a_construct_is_refused(stack: cdk.Stack) -> None:
    raw: Any = dynamodb.CfnTable(
        stack,
        "Raw",
        key_schema=[dynamodb.CfnTable.KeySchemaProperty(attribute_name="pk", key_type="HASH")],
    )
    with pytest.raises(InvalidAssociationError, match=r"Table\.from_table_arn\(\), got <aws_cdk"):
        ConnectAssociationProvider(stack, "Provider", ledger=raw)


def test_the_table_outlives_the_associations(stack: cdk.Stack) -> None:
    """CloudFormation deletes in the opposite order of dependencies."""
    TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_id=user(1),
    )
    template = synthesize(stack)
    (table,) = of_type(template, TABLE)
    reached: set[str] = set()
    pending = ["Agent"]
    while pending:
        resource = template["Resources"][pending.pop()]
        text = str(resource["Properties"]) + str(resource.get("DependsOn", []))
        named = {name for name in template["Resources"] if name in text} - reached
        reached |= named
        pending += named
    assert table in reached
