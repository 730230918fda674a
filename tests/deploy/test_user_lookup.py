"""Users by their names, deployed with the real CDK CLI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connect_associations import (
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
    UserLookup,
)
from connect_associations.testing.seed import GROUP_ID, INSTANCE_ID, REPLICA_GROUP_ID, USERS

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk

    from connect_associations.testing import ConnectEmulation
    from deployment import Deployment

pytestmark = pytest.mark.deploy


def agents(*names: str) -> Callable[[cdk.Stack], object]:
    def build(scope: cdk.Stack) -> None:
        lookup = UserLookup(scope, "Agents", instance_id=INSTANCE_ID, usernames=names)
        TrafficDistributionGroupMembership(
            scope,
            "East",
            instance_id=INSTANCE_ID,
            traffic_distribution_group_id=GROUP_ID,
            user_ids=lookup.user_ids,
        )
        TrafficDistributionGroupUser(
            scope,
            "West",
            instance_id=INSTANCE_ID,
            traffic_distribution_group_id=REPLICA_GROUP_ID,
            user_id=lookup.user_id_of("bob"),
            region="us-west-2",
        )

    return build


@pytest.mark.soak
def test_from_create_to_destroy(stack: Deployment, connect: ConnectEmulation) -> None:
    stack.deploy(agents("ann", "bob"))
    assert connect.members(GROUP_ID) == {USERS["ann"], USERS["bob"]}
    assert connect.members(REPLICA_GROUP_ID) == {USERS["bob"]}

    stack.deploy(agents("bob", "cyd"))
    assert connect.members(GROUP_ID) == {USERS["bob"], USERS["cyd"]}
    stack.destroy()
    assert not connect.members(GROUP_ID)
    assert not connect.members(REPLICA_GROUP_ID)
