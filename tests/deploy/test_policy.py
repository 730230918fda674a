"""What the example's policies grant, against the calls that Connect saw from the real Lambdas."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from embedded.environment import ACCOUNT

from connect_associations.testing.entities import Channel, Countdown
from connect_associations.testing.seed import CONTACT_FLOW_ID, CONTACTS, USERS
from iam import grants, needed, policies

if TYPE_CHECKING:
    from pathlib import Path

    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation
    from iam import Access, Grant

pytestmark = pytest.mark.deploy

TASK, EARLIER = CONTACTS[Channel.TASK][:2]
REFERENCES = {"AWS::Region": "us-east-1", "AWS::AccountId": ACCOUNT}

UNUSED = {
    "cloudformation:DescribeStackResource",  # only calls of Connect are recorded here
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
    "connect:ListReplicationFindings",  # called for users who were changed lately
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "logs:CreateLogStream",  # what Lambda itself does with the role
    "logs:PutLogEvents",
}


@pytest.mark.soak
def test_the_example_is_granted_what_it_calls(
    environment: EmbeddedEnvironment, connect: ConnectEmulation, tmp_path: Path
) -> None:
    connect.world.contacts[TASK].previous_contact_id = EARLIER
    assembly = tmp_path / "cdk.out"
    granted: set[Grant] = set()
    used: set[Access] = set()

    def deploy(*users: str, succeeds: bool = True) -> None:
        shutil.rmtree(assembly, ignore_errors=True)
        run = environment.cdk.deploy(
            context={
                "user_ids": ",".join(users),
                "contact_id": TASK,
                "contact_user_id": USERS["ann"],
                "contact_release": "transfer_to_queue",
                "contact_flow_id": CONTACT_FLOW_ID,
            },
            output=assembly,
            check=False,
        )
        assert run.succeeded == succeeds, run.output
        granted.update(grants(policies(_template(assembly)).values(), REFERENCES))
        used.update(_needed(connect))

    try:
        deploy(USERS["ann"], USERS["bob"])
        # Refused at once, not after the minute in which who is unknown may only be new.
        connect.world.users[USERS["cyd"]].replication = Countdown(calls=100)
        deploy(USERS["ann"], USERS["cyd"], succeeds=False)
    finally:
        environment.cdk.destroy(app=assembly)
    used |= _needed(connect)
    assert connect.state()["contacts"][TASK]["transferred_to"]

    denied = [
        access for access in sorted(used) if not any(grant.covers(access) for grant in granted)
    ]
    assert denied == []
    idle = {grant for grant in granted if not any(grant.covers(access) for access in used)}
    assert {grant.action for grant in idle} == UNUSED, sorted(idle)


def _template(assembly: Path) -> dict[str, Any]:
    (path,) = assembly.glob("*.template.json")
    template: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return template


def _needed(connect: ConnectEmulation) -> set[Access]:
    return {access for call in connect.calls for access in needed(call, account=ACCOUNT)}
