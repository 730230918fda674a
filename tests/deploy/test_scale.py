"""Hundreds of users under Connect's quota, deployed with the real CDK CLI."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from connect_associations import TrafficDistributionGroupMembership
from connect_associations.testing.seed import GROUP_ID, HOME_REGION, INSTANCE_ID
from connect_associations.testing.throttle import ThrottleSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import aws_cdk as cdk

    from connect_associations.testing import ConnectEmulation
    from deployment import Deployment

pytestmark = pytest.mark.deploy

JOIN = "AssociateTrafficDistributionGroupUser"
LEAVE = "DisassociateTrafficDistributionGroupUser"

AGENTS = [f"99999999-bbbb-4bbb-8bbb-{number:012d}" for number in range(305)]
FIRST, SECOND = AGENTS[:300], AGENTS[5:]

THROTTLE = ThrottleSettings(time_scale=30)
"""Connect's default quota, 2 a second with a burst of 5, with half a minute in each second."""


@pytest.fixture
def throttled(connect: ConnectEmulation) -> Iterator[ConnectEmulation]:
    """A Connect with the users and the quota; the next test finds it without."""
    settings = connect.throttle.settings
    connect.limit(THROTTLE)
    instance = connect.world.instances[INSTANCE_ID]
    for number, user_id in enumerate(AGENTS):
        connect.add_user(instance, user_id=user_id, username=f"agent{number}")
    yield connect
    connect.limit(settings)


def membership(users: Sequence[str]) -> Callable[[cdk.Stack], object]:
    return lambda scope: TrafficDistributionGroupMembership(
        scope,
        "Agents",
        instance_id=INSTANCE_ID,
        traffic_distribution_group_id=GROUP_ID,
        user_ids=list(users),
    )


def carried_out(connect: ConnectEmulation) -> Counter[tuple[str, str, str]]:
    """Return what was written since the last time, each with how often; and forget it."""
    found = Counter(
        (call.operation, call.region, call.parameters["UserId"])
        for call in connect.writes
        if call.took_effect
    )
    connect.recorder.clear()
    return found


def every(operation: str, users: Sequence[str]) -> Counter[tuple[str, str, str]]:
    return Counter((operation, HOME_REGION, user_id) for user_id in users)


@pytest.mark.soak
def test_three_hundred_users(stack: Deployment, throttled: ConnectEmulation) -> None:
    stack.deploy(membership(FIRST))
    assert throttled.members(GROUP_ID) == set(FIRST)
    assert any(call.outcome == "ThrottlingException" for call in throttled.calls)
    assert carried_out(throttled) == every(JOIN, FIRST)

    stack.deploy(membership(SECOND))
    assert stack.status == "UPDATE_COMPLETE"
    assert throttled.members(GROUP_ID) == set(SECOND)
    assert carried_out(throttled) == every(JOIN, AGENTS[300:]) + every(LEAVE, AGENTS[:5])

    stack.destroy()
    assert throttled.members(GROUP_ID) == set()
    assert carried_out(throttled) == every(LEAVE, SECOND)
