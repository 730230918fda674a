"""A contact assigned to a user, deployed with the real CDK CLI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connect_associations import ContactRelease, ContactUserAssignment
from connect_associations.testing.entities import Channel
from connect_associations.testing.seed import (
    CONTACT_FLOW_ID,
    CONTACTS,
    HOME_REGION,
    INSTANCE_ID,
    QUEUE_ID,
    USERS,
)
from deployment import Deployment, Fails, writes

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import aws_cdk as cdk
    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation

pytestmark = pytest.mark.deploy

ANN, BOB = USERS["ann"], USERS["bob"]
TASK = CONTACTS[Channel.TASK][0]
CHAT = CONTACTS[Channel.CHAT][0]

ASSIGN = "AssociateContactWithUser"

RETAIN = ContactRelease.retain()
STOP = ContactRelease.stop()
TRANSFER = ContactRelease.transfer_to_queue(contact_flow_id=CONTACT_FLOW_ID)


def assignment(
    *,
    contact: str = TASK,
    user: str = ANN,
    release: ContactRelease = RETAIN,
    fails: bool = False,
) -> Callable[[cdk.Stack], object]:
    def build(scope: cdk.Stack) -> None:
        association = ContactUserAssignment(
            scope,
            "Assignment",
            instance_id=INSTANCE_ID,
            contact_id=contact,
            user_id=user,
            release=release,
        )
        if fails:
            Fails(scope, after=association)

    return build


def held(connect: ConnectEmulation, contact: str) -> dict[str, Any]:
    state: dict[str, Any] = connect.state()["contacts"][contact]
    return state


def test_from_create_to_destroy_retained(
    stack: Deployment, connect: ConnectEmulation, environment: EmbeddedEnvironment
) -> None:
    connect.behave(accept_after_calls=None)  # an offer can be offered to another user
    stack.deploy(assignment(user=ANN))
    assert held(connect, TASK)["offered_to"] == ANN
    assert writes(connect) == [(ASSIGN, HOME_REGION, ANN)]

    stack.deploy(assignment(user=BOB))
    assert held(connect, TASK)["offered_to"] == BOB
    assert writes(connect) == [(ASSIGN, HOME_REGION, BOB)]

    arn = environment.connect.arn
    stack.deploy(
        assignment(
            contact=arn(f"instance/{INSTANCE_ID}/contact/{TASK}"),
            user=arn(f"instance/{INSTANCE_ID}/agent/{BOB}"),
        )
    )
    assert writes(connect) == []

    stack.destroy()
    assert held(connect, TASK)["offered_to"] == BOB
    assert writes(connect) == []


@pytest.mark.soak
def test_destroyed_with_stop(stack: Deployment, connect: ConnectEmulation) -> None:
    stack.deploy(assignment(contact=CHAT, release=STOP))
    assert held(connect, CHAT)["agent"] == ANN
    writes(connect)
    stack.destroy()
    assert held(connect, CHAT)["ended"]
    assert writes(connect) == [("StopContact", HOME_REGION, CHAT)]


@pytest.mark.soak
def test_destroyed_with_transfer_to_the_queue(stack: Deployment, connect: ConnectEmulation) -> None:
    stack.deploy(assignment(release=TRANSFER))
    assert held(connect, TASK)["agent"] == ANN
    writes(connect)
    stack.destroy()
    after = held(connect, TASK)
    if after["transferred_to"]:
        after = held(connect, after["transferred_to"])
    assert (after["queue"], after["agent"], after["ended"]) == (QUEUE_ID, None, False)
    assert writes(connect) == [("TransferContact", HOME_REGION, TASK)]


@pytest.mark.soak
def test_another_release_writes_nothing(stack: Deployment, connect: ConnectEmulation) -> None:
    stack.deploy(assignment(release=RETAIN))
    writes(connect)
    stack.deploy(assignment(release=STOP))
    assert writes(connect) == []
    assert not held(connect, TASK)["ended"]


@pytest.mark.soak
def test_a_failing_sibling_of_a_retained_contact_leaves_it(
    stack: Deployment, connect: ConnectEmulation
) -> None:
    run = stack.deploy(assignment(fails=True), check=False)
    assert not run.succeeded
    assert stack.status == "ROLLBACK_COMPLETE"
    assert writes(connect) == [(ASSIGN, HOME_REGION, ANN)]


def test_a_refused_change_of_user_is_rolled_back(
    stack: Deployment, connect: ConnectEmulation
) -> None:
    stack.deploy(assignment(user=ANN))
    assert held(connect, TASK)["agent"] == ANN  # who has accepted it, so that it stays
    writes(connect)
    run = stack.deploy(assignment(user=BOB), check=False)
    assert not run.succeeded
    assert TASK in run.output
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert held(connect, TASK)["agent"] == ANN
    assert writes(connect) == [(ASSIGN, HOME_REGION, BOB)]
