"""What an audit calls is what its role may do, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk.aws_events import Schedule

from connect_associations import (
    Audit,
    ConnectAssociationProvider,
    TrafficDistributionGroupMembership,
    UserFilter,
)
from lifecycle.cast import ANN, BOB, CYD, INSTANCE, RED, membership, stack_of
from synthesis import new_stack, of_type, synthesize

if TYPE_CHECKING:
    from pathlib import Path

    from auditing import Stage

BY_AWS = {
    "cloudformation:DescribeStackResource",  # of the handlers' role, which is made alike
    "connect:ListUserProficiencies",  # SearchUsers depends on it
    "dynamodb:GetItem",  # when somebody else has changed a claim
    "logs:CreateLogStream",
    "logs:PutLogEvents",
}
CHANGES = {
    "connect:AssociateTrafficDistributionGroupUser",
    "connect:DisassociateTrafficDistributionGroupUser",
}


def granted(folder: Path, *, repair: bool) -> set[str]:
    stack = new_stack(folder)
    audit = Audit(schedule=Schedule.rate(cdk.Duration.hours(1)), repair=repair)
    ConnectAssociationProvider(stack, "Provider", audit=audit)
    who: dict[str, Any] = (
        {"users_matching": UserFilter(tags={"a": "b"})} if repair else {"usernames": ["ann"]}
    )
    TrafficDistributionGroupMembership(
        stack, "A", instance_id=INSTANCE.id, traffic_distribution_group_id=RED.id, **who
    )
    template = synthesize(stack)
    return {
        action
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if any("AuditRole" in str(role) for role in policy["Properties"]["Roles"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in _listed(statement["Action"])
    }


def _listed(action: str | list[str]) -> list[str]:
    return [action] if isinstance(action, str) else action


@pytest.mark.parametrize("repair", [False, True])
def test_it_calls_what_it_may_and_may_what_it_calls(
    stage: Stage,
    tmp_path: Path,
    repair: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    stage.set(repair=repair)
    body = membership(RED, ANN, BOB, exclusive=True)
    stage.world.deploy(stack_of(A=body))
    stage.settle()
    connect, ledger = len(stage.world.faulty.calls), len(stage.world.ledger.calls)
    stage.emulation.world.remove_user(stage.emulation.world.users[BOB.id])
    stage.world.connect.join(RED, CYD)
    stage.world.connect.leave(RED, ANN)
    stage.world.connect.answer_with(
        "InvalidRequestException", "AssociateTrafficDistributionGroupUser", times=1
    )
    for _ in range(2):
        stage.audit()
    for user_id in [f"88888888-8888-4888-8888-{number:012d}" for number in range(12)]:
        (item,) = stage.world.ledger.claims()
        users = item["users"] + bytes.fromhex(user_id.replace("-", ""))
        stage.world.ledger.put({**item, "users": users})
    stage.audit()
    del stage.emulation.world.groups[RED.id]
    stage.audit()
    called = {f"connect:{call.operation}" for call in stage.world.faulty.calls[connect:]}
    called |= {f"dynamodb:{call.operation}" for call in stage.world.ledger.calls[ledger:]}
    called |= {
        "cloudformation:DescribeStacks",
        "cloudformation:ListStackResources",
        "events:PutEvents",
    }
    may = granted(tmp_path, repair=repair)
    assert called <= may
    asked_after_a_refusal = set() if repair else {"connect:ListReplicationFindings"}
    assert may - called <= BY_AWS | asked_after_a_refusal
    assert bool(may & CHANGES) is repair
