"""The command line beside stacks that the real CDK CLI deploys."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from embedded import toolchain
from embedded.environment import REGION

from connect_associations import TrafficDistributionGroupMembership
from connect_associations.testing.seed import GROUP_ID, INSTANCE_ID, REPLICA_GROUP_ID, USERS
from deployment import writes

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation
    from deployment import Deployment

pytestmark = pytest.mark.deploy

AGENTS = [f"99999999-cccc-4ccc-8ccc-{number:012d}" for number in range(300)]


class CommandLine:
    """Runs ``connect-associations`` in a process of its own, as people do."""

    def __init__(self, environment: EmbeddedEnvironment) -> None:
        self._environment = {
            **environment.env,
            "AWS_DEFAULT_REGION": REGION,
            "PYTHONPATH": str(toolchain.ROOT / "constructs"),
        }

    def run(self, *arguments: str, expect: int = 0) -> str:
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "connect_associations.cli", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout


def pasted(code: str) -> Callable[[cdk.Stack], object]:
    """Return a stack whose constructor is the exported code."""
    return lambda scope: exec(code, {"self": scope})  # noqa: S102 - the code that people paste


def test_export_deploy_drift_and_repair(
    stack: Deployment, environment: EmbeddedEnvironment, connect: ConnectEmulation
) -> None:
    command = CommandLine(environment)
    instance = connect.world.instances[INSTANCE_ID]
    for number, user_id in enumerate(AGENTS):
        connect.add_user(instance, user_id=user_id, username=f"agent{number:03}")
        connect.put_member(REPLICA_GROUP_ID, user_id)
    arn = f"arn:aws:connect:us-west-2:123456789012:traffic-distribution-group/{REPLICA_GROUP_ID}"
    code = command.run("export", "--traffic-distribution-group-id", arn)
    assert "# agent299" in code
    connect.recorder.clear()

    stack.deploy(pasted(code))
    assert not writes(connect), "an existing contact centre is adopted as it is"
    name = stack.name
    found = json.loads(command.run("status", "--stack", name, "--json"))
    assert {row["state"] for row in found["associations"]} == {"in sync"}
    assert len(found["associations"]) == len(AGENTS)
    (ledger,) = found["ledgers"]
    command.run("status", "--ledger", ledger)

    for user_id in AGENTS[:2]:
        connect.remove_member(REPLICA_GROUP_ID, user_id)
    assert "2 missing" in command.run("status", "--stack", name, expect=1)
    assert "agent001" in command.run("repair", "--stack", name, "--dry-run", expect=1)
    assert not writes(connect)
    command.run("repair", "--stack", name, "--yes")
    assert connect.members(REPLICA_GROUP_ID) == set(AGENTS)
    assert len(writes(connect)) == 2
    command.run("status", "--stack", name)
    stack.destroy()
    assert not connect.members(REPLICA_GROUP_ID)
    command.run("status", "--stack", name, expect=2)
    command.run("status", "--ledger", ledger, expect=2)


def test_a_nested_stack(
    stack: Deployment, environment: EmbeddedEnvironment, connect: ConnectEmulation
) -> None:
    command = CommandLine(environment)
    ann, bob, cyd = (USERS[name] for name in ("ann", "bob", "cyd"))

    def declare(scope: cdk.Stack) -> None:
        outer_and_inner = (scope, ann), (cdk.NestedStack(scope, "Inner"), bob)
        for where, user in outer_and_inner:
            TrafficDistributionGroupMembership(
                where,
                "Agents",
                instance_id=INSTANCE_ID,
                traffic_distribution_group_id=GROUP_ID,
                user_ids=[user],
                exclusive=where is scope,
            )

    stack.deploy(declare)
    connect.put_member(GROUP_ID, cyd)
    connect.remove_member(GROUP_ID, bob)
    found = json.loads(command.run("status", "--stack", stack.name, "--json", expect=1))
    assert {(row["user_id"], row["state"]) for row in found["associations"]} == {
        (ann, "in sync"),
        (bob, "missing"),
        (cyd, "extra"),
    }
    assert len(found["ledgers"]) == 2, "each provider has its own"
    command.run("repair", "--stack", stack.name, "--yes", "--exclusive")
    assert connect.members(GROUP_ID) == {ann, bob}
    command.run("status", "--stack", stack.name)
