"""The provider itself, deployed with the real CDK CLI."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from connect_associations import ConnectAssociationProvider, TrafficDistributionGroupUser
from connect_associations.testing.entities import Countdown
from connect_associations.testing.seed import GROUP_ID, INSTANCE_ID, USERS
from deployment import Deployment, writes

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk
    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation

pytestmark = pytest.mark.deploy

ANN, BOB = USERS["ann"], USERS["bob"]


def group_user(user: str, *, provider: bool = False) -> Callable[[cdk.Stack], object]:
    def build(scope: cdk.Stack) -> None:
        TrafficDistributionGroupUser(
            scope,
            "Association",
            instance_id=INSTANCE_ID,
            traffic_distribution_group_id=GROUP_ID,
            user_id=user,
        )
        if provider:
            ConnectAssociationProvider(scope, "Provider", memory_size=512)

    return build


def test_the_log_group_that_a_failure_names_is_there(
    stack: Deployment, connect: ConnectEmulation, environment: EmbeddedEnvironment
) -> None:
    stack.deploy(group_user(ANN))
    # Nobody changed Bob lately, so that waiting does not help.
    connect.world.users[BOB].replication = Countdown(calls=100)
    run = stack.deploy(group_user(BOB), check=False)
    assert not run.succeeded
    named = re.search(r"Logs: (/aws/lambda/[^\s\\]+)", run.output)
    assert named is not None
    logs = environment.session().client("logs", endpoint_url=environment.aws_url)
    groups = logs.describe_log_groups(logGroupNamePrefix=named[1])["logGroups"]
    assert [group["logGroupName"] for group in groups] == [named[1]]
    assert groups[0]["retentionInDays"] == 30


def test_a_provider_that_comes_later_keeps_everybody(
    stack: Deployment, connect: ConnectEmulation
) -> None:
    stack.deploy(group_user(ANN))
    writes(connect)
    stack.deploy(group_user(ANN, provider=True))
    assert connect.members(GROUP_ID) == {ANN}
    assert writes(connect) == []
    stack.destroy()
    assert connect.members(GROUP_ID) == set()
