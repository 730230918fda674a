"""The command line beside stacks that the real CDK CLI deploys."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from embedded import toolchain
from embedded.environment import REGION

from connect_associations import (
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
)
from connect_associations.testing.seed import GROUP_ID, INSTANCE_ID, REPLICA_GROUP_ID, USERS
from deployment import ENVIRONMENT, writes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation
    from deployment import Deployment

pytestmark = pytest.mark.deploy

AGENTS = [f"99999999-cccc-4ccc-8ccc-{number:012d}" for number in range(800)]


class CommandLine:
    """Runs ``connect-associations`` in a process of its own, as people do."""

    def __init__(self, environment: EmbeddedEnvironment) -> None:
        self._environment = {
            **environment.env,
            "AWS_DEFAULT_REGION": REGION,
            "PYTHONPATH": str(toolchain.ROOT / "constructs"),
        }

    def run(self, *arguments: str, expect: int = 0, columns: int | None = None) -> str:
        """Return what is printed: to a terminal if it has columns."""
        terminal = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": str(columns)} if columns else {}
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "connect_associations.cli", *arguments],
            env={**self._environment, **terminal},
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
    assert "# agent799" in code
    connect.recorder.clear()

    stack.deploy(pasted(code))
    assert not writes(connect), "an existing contact centre is adopted as it is"
    name = stack.name
    found = json.loads(command.run("status", name, "--json"))
    assert {row["state"] for row in found["associations"]} == {"in sync"}
    assert len(found["associations"]) == len(AGENTS)
    (ledger,) = found["ledgers"]
    command.run("status", "--ledger", ledger)

    for user_id in AGENTS[:2]:
        connect.remove_member(REPLICA_GROUP_ID, user_id)
    for columns in (80, 160):
        shown = command.run("status", name, expect=1, columns=columns)
        lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
        assert "  798 in sync, 2 missing" in (line.rstrip() for line in lines)
        assert [sum(user in line for line in lines) for user in AGENTS[:3]] == [1, 1, 0]
        assert len(lines) < 20
        assert max(map(len, lines)) <= columns
    assert "agent001" in command.run("repair", name, "--dry-run", expect=1)
    assert not writes(connect)
    command.run("repair", name, "--yes")
    assert connect.members(REPLICA_GROUP_ID) == set(AGENTS)
    assert len(writes(connect)) == 2
    command.run("status", name)
    stack.destroy()
    assert not connect.members(REPLICA_GROUP_ID)
    command.run("status", name, expect=2)
    command.run("status", "--ledger", ledger, expect=2)


def test_a_plan_comes_true(
    stack: Deployment, environment: EmbeddedEnvironment, connect: ConnectEmulation, tmp_path: Path
) -> None:
    command = CommandLine(environment)
    ann, bob, cyd, dan = (USERS[name] for name in ("ann", "bob", "cyd", "dan"))

    def declares(*users: str, inner: str | None = None) -> Callable[[cdk.Stack], object]:
        def build(scope: cdk.Stack) -> None:
            TrafficDistributionGroupMembership(
                scope,
                "Agents",
                instance_id=INSTANCE_ID,
                traffic_distribution_group_id=GROUP_ID,
                user_ids=users,
            )
            if inner:
                TrafficDistributionGroupUser(
                    cdk.NestedStack(scope, "Inner"),
                    "Agent",
                    instance_id=INSTANCE_ID,
                    traffic_distribution_group_id=GROUP_ID,
                    user_id=inner,
                )

        return build

    def plan(build: Callable[[cdk.Stack], object], *, expect: int) -> dict[str, set[str]]:
        folder = tempfile.mkdtemp(dir=tmp_path)
        app = cdk.App(outdir=folder, analytics_reporting=False)
        build(cdk.Stack(app, stack.name, env=ENVIRONMENT))
        app.synth()
        found = json.loads(command.run("plan", "--app", folder, "--json", expect=expect))
        return {
            change: {each["user_id"] for group in found["groups"] for each in group[change]}
            for change in ("join", "leave", "adopt", "refused")
        }

    connect.put_member(GROUP_ID, ann)
    first = declares(ann, bob, inner=cyd)
    assert plan(first, expect=1) == {
        "join": {bob, cyd},
        "adopt": {ann},
        "leave": set(),
        "refused": set(),
    }
    assert not writes(connect)
    stack.deploy(first)
    assert connect.members(GROUP_ID) == {ann, bob, cyd}
    assert not any(plan(first, expect=0).values())

    then = declares(ann, dan)
    found = plan(then, expect=1)
    assert (found["join"], found["leave"]) == ({dan}, {bob, cyd})
    stack.deploy(then)
    assert connect.members(GROUP_ID) == {ann, dan}

    assert plan(declares(ann, AGENTS[0]), expect=3)["refused"] == {AGENTS[0]}


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
    found = json.loads(command.run("status", stack.name, "--json", expect=1))
    assert {(row["user_id"], row["state"]) for row in found["associations"]} == {
        (ann, "in sync"),
        (bob, "missing"),
        (cyd, "extra"),
    }
    assert len(found["ledgers"]) == 2, "each provider has its own"
    command.run("repair", stack.name, "--yes", "--exclusive")
    assert connect.members(GROUP_ID) == {ann, bob}
    command.run("status", stack.name)
