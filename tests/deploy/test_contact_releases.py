"""Contacts of three channels from create over reassign to each release, by the real CDK CLI.

All of them are in one stack: a deployment takes longer than what is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connect_associations import ContactRelease, ContactUserAssignment
from connect_associations.testing.entities import Channel
from connect_associations.testing.seed import (
    CONTACT_FLOW_ID,
    CONTACTS,
    INSTANCE_ID,
    OTHER_QUEUE_ID,
    QUEUE_ID,
    USERS,
)
from deployment import Deployment, writes
from leaks import find

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk
    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation

pytestmark = pytest.mark.deploy

ANN, BOB = USERS["ann"], USERS["bob"]

RETAIN = ContactRelease.retain()
STOP = ContactRelease.stop()
TRANSFER = ContactRelease.transfer_to_queue(contact_flow_id=CONTACT_FLOW_ID)
TRANSFER_ELSEWHERE = ContactRelease.transfer_to_queue(
    contact_flow_id=CONTACT_FLOW_ID, queue_id=OTHER_QUEUE_ID
)

RELEASES = {
    (Channel.TASK, 0): RETAIN,
    (Channel.TASK, 1): STOP,
    (Channel.TASK, 2): TRANSFER,
    (Channel.EMAIL, 0): RETAIN,
    (Channel.EMAIL, 1): STOP,
    (Channel.EMAIL, 2): TRANSFER_ELSEWHERE,
    (Channel.CHAT, 0): RETAIN,
    (Channel.CHAT, 1): STOP,
}
"""How the seed's contacts are released, by channel and number."""


def contact(key: tuple[Channel, int]) -> str:
    channel, number = key
    return CONTACTS[channel][number]


ALL = {contact(key) for key in RELEASES}


def assignments(user: str) -> Callable[[cdk.Stack], object]:
    def build(scope: cdk.Stack) -> None:
        for (channel, number), release in RELEASES.items():
            ContactUserAssignment(
                scope,
                f"{channel.value.title()}{number}",
                instance_id=INSTANCE_ID,
                contact_id=contact((channel, number)),
                user_id=user,
                release=release,
            )

    return build


def state(connect: ConnectEmulation) -> dict[str, dict[str, Any]]:
    contacts: dict[str, dict[str, Any]] = connect.state()["contacts"]
    return contacts


def logged(environment: EmbeddedEnvironment, *, stack: str) -> str:
    """Return all that the functions of a stack logged, ours and the framework's."""
    logs = environment.session().client("logs", endpoint_url=environment.aws_url)
    return "\n".join(
        event["message"]
        for page in logs.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=f"/aws/cloudformation/{stack}/"
        )
        for group in page["logGroups"]
        for part in logs.get_paginator("filter_log_events").paginate(
            logGroupName=group["logGroupName"]
        )
        for event in part["events"]
    )


def test_created_reassigned_and_released(
    stack: Deployment, connect: ConnectEmulation, environment: EmbeddedEnvironment
) -> None:
    connect.behave(accept_after_calls=None)  # an offer can be offered to another user
    for user in (ANN, BOB):
        stack.deploy(assignments(user))
        assert {contact for contact in ALL if state(connect)[contact]["offered_to"] == user} == ALL
        done = writes(connect)
        assert {operation for operation, _, _ in done} == {"AssociateContactWithUser"}
        assert len(done) == len(ALL), "one offer each"

    log = logged(environment, stack="test-created-reassigned-and-released")
    assert CONTACTS[Channel.TASK][0] in log, "nothing was logged"
    # The framework logs its events when its log level is not heeded, as here; it leaves this out.
    assert find(log.replace('"ResponseURL": "..."', "")) == []

    for held in connect.world.contacts.values():
        if held.offered_to:
            connect.world.accept(held)
    stack.destroy()
    assert sorted(operation for operation, _, _ in writes(connect)) == [
        *["StopContact"] * 3,
        *["TransferContact"] * 2,
    ]
    after = state(connect)
    for key, release in RELEASES.items():
        now = after[contact(key)]
        if release is RETAIN:
            assert (now["agent"], now["ended"], now["transferred_to"]) == (BOB, False, None), key
        elif release is STOP:
            assert now["ended"], key
            assert now["transferred_to"] is None, key
        else:
            went_on = after[now["transferred_to"]]
            queue = OTHER_QUEUE_ID if release is TRANSFER_ELSEWHERE else QUEUE_ID
            assert (went_on["queue"], went_on["agent"]) == (queue, None), key
            assert not went_on["ended"], key


def test_a_chat_that_is_to_be_transferred_fails_at_once(
    stack: Deployment, connect: ConnectEmulation
) -> None:
    chat = CONTACTS[Channel.CHAT][0]

    def build(scope: cdk.Stack) -> None:
        ContactUserAssignment(
            scope,
            "Chat",
            instance_id=INSTANCE_ID,
            contact_id=chat,
            user_id=ANN,
            release=TRANSFER,
        )

    run = stack.deploy(build, check=False)
    assert not run.succeeded
    assert f"contact {chat} is on channel CHAT" in run.output
    assert "TransferContact takes TASK and EMAIL only" in run.output
    assert "Use ContactRelease.stop() or ContactRelease.retain()" in run.output
    assert run.seconds < 30
    assert stack.status == "ROLLBACK_COMPLETE"
    assert writes(connect) == []
    assert state(connect)[chat]["offered_to"] is None
