"""The simulator's order of events is that of the real CDK CLI on the emulator.

Compared where the emulator is faithful to CloudFormation: it runs one resource at a time, so that
the resources depend on each other here, and its rollback of a replacement sends only the Delete.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from connect_associations import TrafficDistributionGroupMembership, TrafficDistributionGroupUser
from deployment import Fails
from lifecycle.cast import ANN, BLUE, BOB, CYD, INSTANCE, RED, Thing
from lifecycle.emulated_connect import fill
from lifecycle.ledger import TABLE
from lifecycle.stack_parts import InFlight, Rollback, StackSettings
from lifecycle.under_test import emulated_world

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import aws_cdk as cdk
    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation
    from deployment import Deployment

pytestmark = pytest.mark.deploy

Step = tuple[str, str, str]
"""What was asked for, of which logical resource, and which physical ID was there before."""

_EVENT = re.compile(r"\[provider-framework\] onEventHandler (\{.*?\n\})", re.DOTALL)
_AS_THE_EMULATOR = StackSettings(rollback=Rollback.DELETE_ONLY, in_flight=InFlight.AWAIT)


def agents(
    user: Thing, *members: Thing, name: str = "Agent", fails: bool = False
) -> Callable[[cdk.Stack], object]:
    """Declare a user of one group, then members of another, then perhaps a failure."""

    def build(scope: cdk.Stack) -> None:
        first = TrafficDistributionGroupUser(
            scope,
            name,
            instance_id=INSTANCE.id,
            traffic_distribution_group_id=RED.arn,
            user_id=user.id,
        )
        last: TrafficDistributionGroupUser | TrafficDistributionGroupMembership = first
        if members:
            last = TrafficDistributionGroupMembership(
                scope,
                "Members",
                instance_id=INSTANCE.id,
                traffic_distribution_group_id=BLUE.arn,
                user_ids=[member.id for member in members],
            )
            last.node.add_dependency(first)
        if fails:
            Fails(scope, after=last)

    return build


class Emulated:
    """What CloudFormation asked of the provider on the emulator, by the framework's log."""

    def __init__(self, environment: EmbeddedEnvironment, *, stack: str) -> None:
        self._stack = stack
        self._logs = environment.session().client("logs", endpoint_url=environment.aws_url)
        self._seen_until = 0

    def steps(self) -> list[Step]:
        """Return what came since the last time."""
        groups = [
            group["logGroupName"]
            for page in self._logs.get_paginator("describe_log_groups").paginate()
            for group in page["logGroups"]
            if "FrameworkLogs" in group["logGroupName"]
        ]
        messages = [
            message["message"]
            for group in groups
            for page in self._logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=self._seen_until
            )
            for message in page["events"]
        ]
        self._seen_until = int(time.time() * 1000)
        events = map(json.loads, _EVENT.findall("\n".join(messages)))
        # Other tests may have left stacks of theirs behind.
        return [_step(event) for event in events if f":stack/{self._stack}/" in event["StackId"]]


class Simulated:
    """The same templates in the simulator."""

    def __init__(self) -> None:
        self.world = emulated_world(stack=_AS_THE_EMULATOR)
        self._seen = 0

    def deploy(self, template: dict[str, Any]) -> str:
        associations = {
            logical_id: resource
            for logical_id, resource in template["Resources"].items()
            if resource["Type"].startswith(("Custom::", "AWS::CloudFormation::WaitCondition"))
        }
        for resource in associations.values():
            resource.get("Properties", {}).pop("ServiceToken", None)
            resource["DependsOn"] = [
                name for name in resource.get("DependsOn", []) if name in associations
            ]
        self.world.sabotage_next(
            seconds={},
            fails={(name, "Create") for name in associations if name.startswith("Fails")},
        )
        return self.world.deploy({"Resources": associations})

    def steps(self) -> list[Step]:
        """Return what came since the last time."""
        steps = [_step(event) for event in self.world.events[self._seen :]]
        self._seen += len(steps)
        return steps


def _step(event: Mapping[str, Any]) -> Step:
    # What follows names the version, and differs from request to request.
    group = event.get("PhysicalResourceId", "").partition("/")[0]
    return event["RequestType"], event["LogicalResourceId"], group


def in_phases(steps: list[Step]) -> tuple[list[Step], list[Step]]:
    """Return what goes forward in its order, and the clean-up, whose order is left open."""
    forward = [step for step in steps if step[0] != "Delete"]
    assert steps[: len(forward)] == forward, "the clean-up comes last"
    return forward, sorted(steps[len(forward) :])


def test_the_simulator_sends_what_the_emulator_sends(
    stack: Deployment,
    environment: EmbeddedEnvironment,
    connect: ConnectEmulation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LEDGER_TABLE_NAME", TABLE)
    fill(connect)
    emulated, simulated = Emulated(environment, stack=stack.name), Simulated()
    for build in (
        agents(ANN, ANN, BOB),
        agents(CYD, BOB),  # a replacement, and a new version
        agents(CYD, BOB, name="Renamed"),
        agents(ANN, ANN, BOB, CYD, name="Renamed", fails=True),
        agents(BOB, name="Renamed"),  # a removal
    ):
        stack.deploy(build, check=False)
        status = simulated.deploy(stack.template)
        assert status == stack.status
        steps = emulated.steps()
        assert steps
        assert in_phases(simulated.steps()) == in_phases(steps)
        assert simulated.world.connect.memberships() == {
            (group.id, user) for group in (RED, BLUE) for user in connect.members(group.id)
        }
    # The log goes with the stack.
    stack.destroy()
    assert simulated.world.delete() == "DELETE_COMPLETE"
    assert simulated.world.connect.memberships() == set()
    assert not connect.members(RED.id)
    assert not connect.members(BLUE.id)
