"""One user in one group, deployed with the real CDK CLI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connect_associations import TrafficDistributionGroupUser
from connect_associations.testing.entities import Countdown
from connect_associations.testing.seed import (
    GROUP_ID,
    HOME_REGION,
    INSTANCE_ID,
    REPLICA_GROUP_ID,
    REPLICA_REGION,
    USERS,
)
from deployment import Deployment, Fails, writes

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk
    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation

pytestmark = pytest.mark.deploy

ANN, BOB = USERS["ann"], USERS["bob"]

JOIN = "AssociateTrafficDistributionGroupUser"
LEAVE = "DisassociateTrafficDistributionGroupUser"


def group_user(
    *,
    user: str = ANN,
    group: str = GROUP_ID,
    instance: str = INSTANCE_ID,
    construct_id: str = "Association",
    fails: bool = False,
) -> Callable[[cdk.Stack], object]:
    def build(scope: cdk.Stack) -> None:
        association = TrafficDistributionGroupUser(
            scope,
            construct_id,
            instance_id=instance,
            traffic_distribution_group_id=group,
            user_id=user,
        )
        if fails:
            Fails(scope, after=association)

    return build


def test_from_create_to_destroy(
    stack: Deployment, connect: ConnectEmulation, environment: EmbeddedEnvironment
) -> None:
    stack.deploy(group_user(user=ANN))
    assert connect.members(GROUP_ID) == {ANN}
    assert writes(connect) == [(JOIN, HOME_REGION, ANN)]

    stack.deploy(group_user(user=BOB))
    assert connect.members(GROUP_ID) == {BOB}
    assert writes(connect) == [(JOIN, HOME_REGION, BOB), (LEAVE, HOME_REGION, ANN)]

    arn = environment.connect.arn
    stack.deploy(
        group_user(
            user=arn(f"instance/{INSTANCE_ID}/agent/{BOB}"),
            group=arn(f"traffic-distribution-group/{GROUP_ID}"),
            instance=arn(f"instance/{INSTANCE_ID}"),
        )
    )
    assert connect.members(GROUP_ID) == {BOB}
    assert writes(connect) == []

    stack.destroy()
    assert connect.members(GROUP_ID) == set()
    assert writes(connect) == [(LEAVE, HOME_REGION, BOB)]


def test_a_renamed_construct_keeps_the_membership(
    stack: Deployment, connect: ConnectEmulation
) -> None:
    stack.deploy(group_user(construct_id="Before"))
    writes(connect)
    stack.deploy(group_user(construct_id="After"))
    assert connect.members(GROUP_ID) == {ANN}
    assert (LEAVE, HOME_REGION, ANN) not in writes(connect)


def test_a_failing_sibling_takes_the_new_membership_back(
    stack: Deployment, connect: ConnectEmulation
) -> None:
    run = stack.deploy(group_user(user=ANN, fails=True), check=False)
    assert not run.succeeded
    assert stack.status == "ROLLBACK_COMPLETE"
    assert connect.members(GROUP_ID) == set()
    assert writes(connect) == [(JOIN, HOME_REGION, ANN), (LEAVE, HOME_REGION, ANN)]


@pytest.mark.soak
def test_a_failing_sibling_leaves_an_adopted_membership(
    stack: Deployment, connect: ConnectEmulation
) -> None:
    connect.put_member(GROUP_ID, ANN)
    run = stack.deploy(group_user(user=ANN, fails=True), check=False)
    assert not run.succeeded
    assert connect.members(GROUP_ID) == {ANN}
    assert writes(connect) == []


def test_a_failing_sibling_takes_a_change_of_user_back(
    stack: Deployment, connect: ConnectEmulation
) -> None:
    stack.deploy(group_user(user=ANN))
    writes(connect)
    run = stack.deploy(group_user(user=BOB, fails=True), check=False)
    assert not run.succeeded
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert connect.members(GROUP_ID) == {ANN}
    assert writes(connect) == [(JOIN, HOME_REGION, BOB), (LEAVE, HOME_REGION, BOB)]


def test_a_group_at_home_in_another_region(
    stack: Deployment, connect: ConnectEmulation, environment: EmbeddedEnvironment
) -> None:
    arn = environment.connect.arn(
        f"traffic-distribution-group/{REPLICA_GROUP_ID}", region=REPLICA_REGION
    )
    stack.deploy(group_user(group=arn))
    assert connect.members(REPLICA_GROUP_ID) == {ANN}
    stack.destroy()
    assert connect.members(REPLICA_GROUP_ID) == set()
    about_group = [
        call.region for call in connect.calls if "TrafficDistributionGroup" in call.operation
    ]
    assert set(about_group) == {REPLICA_REGION}
    assert writes(connect) == [(JOIN, REPLICA_REGION, ANN), (LEAVE, REPLICA_REGION, ANN)]


@pytest.mark.soak
def test_an_update_that_is_refused_goes_back_to_the_old_user(
    stack: Deployment, connect: ConnectEmulation
) -> None:
    stack.deploy(group_user(user=ANN))
    # Nobody changed Bob lately, so that waiting does not help.
    connect.world.users[BOB].replication = Countdown(calls=100)
    run = stack.deploy(group_user(user=BOB), check=False)
    assert not run.succeeded
    assert f"User {BOB} has not been replicated" in run.output
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert connect.members(GROUP_ID) == {ANN}
