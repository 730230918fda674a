"""Assignments that cannot be: refused in words, before anything is written, and rolled back.

At once, but for a contact that is not there: that is believed after a minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connect_associations.testing.entities import Channel
from lifecycle.cast import (
    ANN,
    BOB,
    CHAT,
    FLOW,
    INSTANCE,
    QUEUE,
    RED,
    TASK,
    VOICE,
    Thing,
    assignment,
    sibling,
    single,
    stack_of,
)
from lifecycle.seen import seen_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from connect_associations.testing import ConnectEmulation

NO_ID = "99999999-9999-4999-8999-999999999999"
ELSEWHERE = INSTANCE.arn.replace(INSTANCE.id, NO_ID)
TRANSFER = "TRANSFER_TO_QUEUE"
BELIEVED_AFTER = 60.0
"""Seconds until what is not found is believed to be missing."""


def writes(emulation: ConnectEmulation) -> list[str]:
    return [call.operation for call in emulation.writes]


def declared(contact: Thing, **properties: Any) -> dict[str, Any]:
    """Declare an assignment to Ann in which *properties* differ; None leaves one out."""
    body = assignment(contact, ANN)
    changed = {**body["Properties"], **properties}
    return {**body, "Properties": {k: v for k, v in changed.items() if v is not None}}


def ends(emulation: ConnectEmulation) -> None:
    emulation.world.contacts[TASK.id].ended_at = emulation.world.now()


def was_transferred_often(emulation: ConnectEmulation) -> None:
    instance = emulation.world.instances[INSTANCE.id]
    later = emulation.world.contacts[TASK.id]
    for number in range(11):
        later.previous_contact_id = f"{number:08d}-0000-4000-8000-000000000000"
        later = emulation.add_contact(
            instance, contact_id=later.previous_contact_id, channel=Channel.TASK, queue=None
        )


def nothing_happens(_emulation: ConnectEmulation) -> None:
    """Leave Connect as it is."""


def to_queue(**more: str) -> dict[str, str]:
    return {"Mode": TRANSFER, "ContactFlowId": FLOW.id, **more}


REFUSED = {
    "has ended since synth": (ends, declared(TASK), f"{TASK.id} has ended and cannot be assigned"),
    "is unknown": (
        nothing_happens,
        declared(TASK, ContactId=NO_ID),
        f"has no contact {NO_ID}: check both IDs",
    ),
    "is a voice contact": (
        nothing_happens,
        declared(VOICE, AllowVoice=None),
        "is a voice contact, and AssociateContactWithUser is documented for chat, email and task",
    ),
    "is a chat that is to be transferred": (
        nothing_happens,
        declared(CHAT, Release=to_queue()),
        "is on channel CHAT, and TransferContact takes TASK and EMAIL only",
    ),
    "is a voice contact that is to be transferred": (
        nothing_happens,
        declared(VOICE, Release=to_queue()),
        "is on channel VOICE, and TransferContact takes TASK and EMAIL only",
    ),
    "has no transfer left": (
        was_transferred_often,
        declared(TASK, Release=to_queue()),
        "was transferred 11 times already, the most that Connect allows",
    ),
    "goes through a flow of another instance": (
        nothing_happens,
        declared(TASK, Release=to_queue(ContactFlowId=f"{ELSEWHERE}/contact-flow/{FLOW.id}")),
        f"Release.ContactFlowId belongs to instance {NO_ID}, InstanceId is {INSTANCE.id}",
    ),
    "goes to a queue of another instance": (
        nothing_happens,
        declared(TASK, Release=to_queue(QueueId=f"{ELSEWHERE}/queue/{QUEUE.id}")),
        f"Release.QueueId belongs to instance {NO_ID}, InstanceId is {INSTANCE.id}",
    ),
    "is one of another instance": (
        nothing_happens,
        declared(TASK, ContactId=f"{ELSEWHERE}/contact/{TASK.id}"),
        f"ContactId belongs to instance {NO_ID}",
    ),
    "goes to a user of another instance": (
        nothing_happens,
        declared(TASK, UserId=f"{ELSEWHERE}/agent/{ANN.id}"),
        f"UserId belongs to instance {NO_ID}",
    ),
}


@pytest.mark.parametrize(("happens", "body", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_contact_is_refused_that(
    happens: Callable[[ConnectEmulation], None], body: dict[str, Any], said: str
) -> None:
    world, emulation = seen_world()
    happens(emulation)
    began = world.clock.time()
    world.stack.create(stack_of(Contact=body))
    took = world.clock.time() - began
    assert said in world.stack.reason, world.story()
    if "check both IDs" in said:
        assert BELIEVED_AFTER <= took < BELIEVED_AFTER + 30, "made only just now, it may be"
    else:
        assert took < 10, "refused at once"
    assert world.settle() == "ROLLBACK_COMPLETE"
    assert writes(emulation) == []
    assert world.ledger.claims() == [], "nothing was claimed either"


@pytest.mark.parametrize("mode", ["STOP", TRANSFER])
def test_a_refused_release_is_told_when_it_is_declared(mode: str) -> None:
    """Not when the stack is deleted, which may be years later."""
    world, emulation = seen_world()
    assert world.deploy(stack_of(Contact=declared(CHAT))) == "CREATE_COMPLETE"
    release = {"Mode": mode, "ContactFlowId": FLOW.id}
    status = world.deploy(stack_of(Contact=declared(CHAT, Release=release)))
    if mode == TRANSFER:
        assert status == "UPDATE_ROLLBACK_COMPLETE"
        assert "is on channel CHAT" in world.stack.reason
    else:
        assert status == "UPDATE_COMPLETE"
    assert writes(emulation) == ["AssociateContactWithUser"]


def test_an_ended_contact_does_not_stop_the_stack_from_changing() -> None:
    world, emulation = seen_world()
    world.deploy(stack_of(Contact=declared(TASK)))
    ends(emulation)
    changed = stack_of(Contact=declared(TASK, Release=to_queue()), Ann=single(RED, ANN))
    assert world.deploy(changed) == "UPDATE_COMPLETE"
    assert world.delete() == "DELETE_COMPLETE"
    assert [name for name in writes(emulation) if "Contact" in name] == ["AssociateContactWithUser"]


def test_an_ended_contact_cannot_be_reassigned() -> None:
    world, emulation = seen_world()
    world.deploy(stack_of(Contact=declared(TASK)))
    ends(emulation)
    status = world.deploy(stack_of(Contact=declared(TASK, UserId=BOB.id)))
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert f"{TASK.id} has ended and cannot be assigned" in world.stack.reason
    assert writes(emulation) == ["AssociateContactWithUser"]


def test_a_contact_that_ends_meanwhile_does_not_keep_the_rollback_from_its_end() -> None:
    world, emulation = seen_world(accept_after_calls=None)
    world.deploy(stack_of(Contact=declared(TASK)))
    world.sabotage_next(seconds={"Failing": 30.0}, fails={("Failing", "Create")})
    changed = stack_of(Contact=declared(TASK, UserId=BOB.id), Failing=sibling())
    assert world.deploy(changed, rollback=False) == "UPDATE_FAILED"
    ends(emulation)
    world.sabotage_next(seconds={}, fails=set())
    assert world.roll_back() == "UPDATE_ROLLBACK_COMPLETE", world.story()
    assert writes(emulation) == ["AssociateContactWithUser", "AssociateContactWithUser"]


def test_a_contact_of_two_users_names_the_one_who_has_it() -> None:
    """Synth sees it, unless the IDs are only known when the stack is deployed."""
    world, emulation = seen_world()
    template = stack_of(
        {"One": "", "Other": ""},
        First=declared(TASK, ContactId={"Ref": "One"}),
        Second={
            **declared(TASK, ContactId={"Ref": "Other"}, UserId=BOB.id),
            "DependsOn": ["First"],
        },
    )
    status = world.deploy(template, {"One": TASK.id, "Other": TASK.arn})
    assert status == "ROLLBACK_COMPLETE"
    assert "Only a queued contact can be assigned" in world.stack.reason
    assert f"User {ANN.id} has it" in world.stack.reason
    assert emulation.world.contacts[TASK.id].agent_id == ANN.id


def test_a_flow_that_is_not_there_fails_the_release_and_says_what_to_do() -> None:
    """Nothing but the transfer tells; no permission to look at flows is asked for."""
    world, emulation = seen_world()
    world.deploy(stack_of(Contact=declared(TASK, Release=to_queue(ContactFlowId=NO_ID))))
    assert world.delete() == "DELETE_FAILED"
    assert f"contact flow {NO_ID}" in world.stack.reason.lower()
    assert "release it by hand, or set release=ContactRelease.retain()" in world.stack.reason
    assert emulation.world.contacts[TASK.id].ended_at is None
