"""The commands beside moto's CloudFormation, Lambda and DynamoDB, with the clients of a person."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from moto.cloudformation.models import cloudformation_backends

from connect_associations.cli import commands
from connect_associations.testing import ConnectEmulation, mock_connect
from connect_associations.testing.seed import (
    CONTACTS,
    GROUP_ID,
    HOME_REGION,
    INSTANCE_ID,
    USERS,
    seed,
)
from connect_provider.connect.client import Group
from connect_provider.groups.declaration import GROUP_USERS
from connect_provider.ledger.claim import ContactClaim, GroupClaim, Owner, Phase
from connect_provider.ledger.table import Ledger
from lifecycle.stack_parts import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[..., tuple[int, str, str]]

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
    ],
}


def resources(*, ledger: Any = None, keys: tuple[str, str] = ("pk", "sk")) -> dict[str, Any]:
    """Return what stands behind a stack's associations: a table, a role and functions.

    :param ledger: the table that the functions use. Default: the stack's own
    """
    names = dict(zip(("HASH", "RANGE"), keys, strict=True))
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"} for name in keys
            ],
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for kind, name in names.items()],
        },
    }
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}}

    def function(**environment: Any) -> dict[str, Any]:
        return {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ZipFile": "def handler(*_): pass"},
                "Handler": "index.handler",
                "Runtime": "python3.14",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Environment": {"Variables": environment},
            },
        }

    return {
        **({} if ledger else {"Ledger": table}),
        "Role": role,
        "Customers": function(TABLE="customers"),
        "OnEvent": function(LEDGER_TABLE_NAME=ledger or {"Ref": "Ledger"}),
    }


def deploy(name: str, parts: dict[str, Any]) -> str:
    """Create a stack, and return its ID."""
    stack_id: str = boto3.client("cloudformation").create_stack(
        StackName=name, TemplateBody=json.dumps({"Resources": parts})
    )["StackId"]
    return stack_id


def stack_id_of(name: str) -> str:
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    assert "StackId" in stack
    return stack["StackId"]


def table_of(stack: str) -> str:
    """Return the name of a stack's own ledger."""
    resource = boto3.client("cloudformation").describe_stack_resource(
        StackName=stack, LogicalResourceId="Ledger"
    )["StackResourceDetail"]
    assert "PhysicalResourceId" in resource
    return resource["PhysicalResourceId"]


def claim(table: str, stack_id: str, logical_id: str, *users: str, **more: Any) -> GroupClaim:
    """Write a claim, as the functions would."""
    made = GroupClaim(
        owner=Owner(stack_id, logical_id),
        version="0123456789ab",
        instance_id=INSTANCE_ID,
        group=Group(id=more.pop("group_id", GROUP_ID), region=HOME_REGION),
        users=frozenset(users),
        began="then",
        since=1.0,
        phase=Phase.LIVE,
        adopted=frozenset(),
        **more,
    )
    return Ledger(boto3.client("dynamodb"), table).put(made)


def has(stack_id: str, claimed: GroupClaim) -> None:
    """Let a stack list the resource that claims; moto would want to run its function."""
    resource_map = cloudformation_backends[ACCOUNT][HOME_REGION].get_stack(stack_id).resource_map
    logical_id = claimed.owner.logical_id
    resource_map._resource_json_map[logical_id] = {}  # noqa: SLF001 - as above
    resource_map._parsed_resources[logical_id] = SimpleNamespace(  # noqa: SLF001 - as above
        logical_resource_id=logical_id,
        physical_resource_id=claimed.physical_id,
        cf_resource_type=GROUP_USERS,
    )


@pytest.fixture(autouse=True)
def connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectEmulation]:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", HOME_REGION)
    emulation = ConnectEmulation()
    seed(emulation)
    with mock_aws(config={"lambda": {"use_docker": False}}), mock_connect(emulation):
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        yield emulation


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = commands.run(list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    return run


def rows(run: Run, *arguments: str) -> set[tuple[str, str, str]]:
    code, out, err = run("status", *arguments, "--json")
    assert code in (0, 1), err
    return {
        (row["logical_id"], row["username"], row["state"])
        for row in json.loads(out)["associations"]
    }


def test_a_stack_of_its_own(run: Run, connect: ConnectEmulation) -> None:
    stack_id = deploy("Agents", resources())
    has(stack_id, claim(table_of("Agents"), stack_id, "M", USERS["ann"], USERS["bob"]))
    connect.put_member(GROUP_ID, USERS["ann"])
    assert rows(run, "--stack", "Agents") == {("M", "ann", "in sync"), ("M", "bob", "missing")}
    assert run("repair", "--stack", "Agents", "--yes")[0] == 0
    assert connect.members(GROUP_ID) == {USERS["ann"], USERS["bob"]}
    assert run("status", "--stack", stack_id)[0] == 0


def test_two_stacks_with_one_ledger(run: Run, connect: ConnectEmulation) -> None:
    first = deploy("First", resources())
    table = table_of("First")
    second = deploy("Second", resources(ledger=table))
    has(first, claim(table, first, "M", USERS["ann"], exclusive=True))
    has(second, claim(table, second, "N", USERS["bob"]))
    for user in ("ann", "bob", "cyd"):
        connect.put_member(GROUP_ID, USERS[user])
    extra = (None, "cyd", "extra")
    assert rows(run, "--stack", "First") == {("M", "ann", "in sync"), extra}
    assert rows(run, "--stack", "Second") == {("N", "bob", "in sync"), extra}
    both = {("M", "ann", "in sync"), ("N", "bob", "in sync"), extra}
    assert rows(run, "--ledger", table) == both
    arn = f"arn:aws:dynamodb:{HOME_REGION}:{ACCOUNT}:table/{table}"
    assert rows(run, "--ledger", arn) == both
    assert run("repair", "--stack", "First", "--yes", "--exclusive")[0] == 0
    assert connect.members(GROUP_ID) == {USERS["ann"], USERS["bob"]}


def test_nested_stacks_with_ledgers_of_their_own(run: Run, connect: ConnectEmulation) -> None:
    boto3.client("s3").create_bucket(Bucket="templates")
    boto3.client("s3").put_object(
        Bucket="templates", Key="inner", Body=json.dumps({"Resources": resources()})
    )
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": "https://templates.s3.amazonaws.com/inner"},
    }
    outer_id = deploy("Outer", {**resources(), "Inner": nested})
    found = boto3.client("cloudformation").list_stacks()["StackSummaries"]
    (inner_name,) = {stack["StackName"] for stack in found} - {"Outer"}
    inner_id = stack_id_of(inner_name)
    has(outer_id, claim(table_of("Outer"), outer_id, "M", USERS["ann"], exclusive=True))
    has(inner_id, claim(table_of(inner_id), inner_id, "N", USERS["bob"]))
    for user in ("ann", "bob", "cyd"):
        connect.put_member(GROUP_ID, USERS[user])
    assert rows(run, "--stack", "Outer") == {
        ("M", "ann", "in sync"),
        ("N", "bob", "in sync"),
        (None, "cyd", "extra"),
    }
    connect.remove_member(GROUP_ID, USERS["bob"])
    assert run("repair", "--stack", "Outer", "--yes", "--exclusive")[0] == 0
    assert connect.members(GROUP_ID) == {USERS["ann"], USERS["bob"]}
    assert rows(run, "--stack", inner_id) == {
        ("N", "bob", "in sync"),
        (None, "ann", "extra"),
    }, "its own ledger does not know the other one's claims"


def test_a_contact(run: Run) -> None:
    stack_id = deploy("Agents", resources())
    contact_id = CONTACTS["TASK"][0]  # type: ignore[index] # the channel is a string
    made = ContactClaim(
        owner=Owner(stack_id, "C"),
        version="0123456789ab",
        instance_id=INSTANCE_ID,
        contact_id=contact_id,
        user_id=USERS["ann"],
        assignment="0123456789ab",
        began="then",
        since=1.0,
        phase=Phase.PENDING,
    )
    Ledger(boto3.client("dynamodb"), table_of("Agents")).put(made)
    code, out, _ = run("status", "--stack", "Agents", "--json")
    (row,) = json.loads(out)["associations"]
    assert code == 0
    assert (row["target_id"], row["phase"], row["state"]) == (contact_id, "PENDING", "unknown")
    assert row["note"].startswith("PENDING: nobody has accepted it yet")


def test_a_ledger_larger_than_a_page(run: Run, connect: ConnectEmulation) -> None:
    stack_id = deploy("Agents", resources())
    table = table_of("Agents")
    instance = connect.world.instances[INSTANCE_ID]
    long = 300 * 1024 * "x"
    for number in range(6):
        group_id = f"22222222-2222-4222-8222-00000000010{number}"
        connect.add_group(instance, group_id=group_id, region=HOME_REGION)
        connect.put_member(group_id, USERS["ann"])
        name = f"M{number}"
        has(stack_id, claim(table, stack_id, name, USERS["ann"], group_id=group_id, problem=long))
    assert "LastEvaluatedKey" in boto3.client("dynamodb").scan(TableName=table)
    for arguments in (("--stack", "Agents"), ("--ledger", table)):
        assert rows(run, *arguments) == {(f"M{number}", "ann", "in sync") for number in range(6)}


class TestErrors:
    def fails(self, run: Run, *arguments: str) -> str:
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        return err

    def test_no_such_stack(self, run: Run) -> None:
        for command in ("status", "repair"):
            said = self.fails(run, command, "--stack", "Nobody")
            assert "there is no stack 'Nobody' in us-east-1" in said

    def test_no_ledger(self, run: Run) -> None:
        parts = resources()
        deploy("Other", {name: parts[name] for name in ("Role", "Customers")})
        assert "no function of stack Other names a ledger" in self.fails(
            run, "status", "--stack", "Other"
        )

    def test_no_such_table(self, run: Run) -> None:
        deploy("Agents", resources(ledger="Gone"))
        for arguments in (("--stack", "Agents"), ("--ledger", "Gone")):
            said = self.fails(run, "status", *arguments)
            assert "there is no table 'Gone' in us-east-1" in said

    def test_a_table_with_other_keys(self, run: Run) -> None:
        deploy("Agents", resources(keys=("id", "date")))
        assert "it needs the string keys pk and sk" in self.fails(
            run, "status", "--stack", "Agents"
        )

    def test_no_claims(self, run: Run) -> None:
        deploy("Agents", resources())
        assert "stack Agents declares no associations" in self.fails(
            run, "status", "--stack", "Agents"
        )
