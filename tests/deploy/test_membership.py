"""All users of a group in one resource, deployed with the real CDK CLI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connect_associations import TrafficDistributionGroupMembership, TrafficDistributionGroupUser
from connect_associations.testing.seed import GROUP_ID, HOME_REGION, INSTANCE_ID, USERS
from deployment import Deployment, Fails, writes

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk

    from connect_associations.testing import ConnectEmulation

pytestmark = pytest.mark.deploy

ANN, BOB, CYD, DAN = (USERS[name] for name in ("ann", "bob", "cyd", "dan"))

JOIN = "AssociateTrafficDistributionGroupUser"
LEAVE = "DisassociateTrafficDistributionGroupUser"


def membership(
    *users: str, exclusive: bool = False, fails: bool = False
) -> Callable[[cdk.Stack], object]:
    def build(scope: cdk.Stack) -> None:
        members = TrafficDistributionGroupMembership(
            scope,
            "Membership",
            instance_id=INSTANCE_ID,
            traffic_distribution_group_id=GROUP_ID,
            user_ids=list(users),
            exclusive=exclusive,
        )
        if fails:
            Fails(scope, after=members)

    return build


def test_only_the_difference_is_written(stack: Deployment, connect: ConnectEmulation) -> None:
    connect.put_member(GROUP_ID, DAN)
    stack.deploy(membership(ANN, BOB))
    assert connect.members(GROUP_ID) == {ANN, BOB, DAN}
    assert sorted(writes(connect)) == [(JOIN, HOME_REGION, ANN), (JOIN, HOME_REGION, BOB)]

    stack.deploy(membership(BOB, CYD))
    assert connect.members(GROUP_ID) == {BOB, CYD, DAN}
    assert writes(connect) == [(JOIN, HOME_REGION, CYD), (LEAVE, HOME_REGION, ANN)]

    stack.deploy(membership(BOB, CYD, exclusive=True))
    assert connect.members(GROUP_ID) == {BOB, CYD}
    assert writes(connect) == [(LEAVE, HOME_REGION, DAN)]

    stack.destroy()
    assert connect.members(GROUP_ID) == set()
    assert sorted(writes(connect)) == [(LEAVE, HOME_REGION, BOB), (LEAVE, HOME_REGION, CYD)]


def test_a_failed_update_leaves_the_group_as_it_was(
    stack: Deployment, connect: ConnectEmulation
) -> None:
    stack.deploy(membership(ANN, BOB))
    writes(connect)
    run = stack.deploy(membership(BOB, CYD, fails=True), check=False)
    assert not run.succeeded
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert connect.members(GROUP_ID) == {ANN, BOB}
    assert writes(connect) == [(JOIN, HOME_REGION, CYD), (LEAVE, HOME_REGION, CYD)]


def test_a_user_taken_over_by_a_membership_never_leaves(
    stack: Deployment, connect: ConnectEmulation
) -> None:
    def single(scope: cdk.Stack) -> None:
        TrafficDistributionGroupUser(
            scope,
            "Single",
            instance_id=INSTANCE_ID,
            traffic_distribution_group_id=GROUP_ID,
            user_id=ANN,
        )

    stack.deploy(single)
    writes(connect)
    stack.deploy(membership(ANN, BOB))
    assert connect.members(GROUP_ID) == {ANN, BOB}
    assert writes(connect) == [(JOIN, HOME_REGION, BOB)]
