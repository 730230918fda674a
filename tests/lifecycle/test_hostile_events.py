"""Events that nobody should send: a clear error, or for a Delete success; never a write.

A Delete may leave a tombstone in the ledger, so that the same one a week later finds nothing to do.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from connect_provider.errors import (
    MAX_MESSAGE_LENGTH,
    InvalidEventError,
    LedgerError,
    ProviderError,
)
from lifecycle.cast import (
    ANN,
    BOB,
    CHAT,
    FLOW,
    HOME,
    INSTANCE,
    RED,
    assignment,
    lookup,
    membership,
    single,
    stack_of,
)
from lifecycle.under_test import association_provider, emulated_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecycle.framework import Event
    from lifecycle.world import World

HOSTILE: dict[str, Any] = {
    "nothing": None,
    "empty": "",
    "a number": 7,
    "a flag": True,
    "a list": [[ANN.id]],
    "an object": {"Ref": "Ann"},
    "oversized": "a" * 100_000,
    "full-width digits": ANN.id.translate({ord(str(n)): 0xFF10 + n for n in range(10)}),
    "Cyrillic letters": "\u0430\u0435" + ANN.id[2:],
    "a path": f"../{ANN.id}",
    "a query": f"{ANN.id}?UserId={BOB.id}",
    "an escape": ANN.id.replace("-", "%2D"),
    "another service": ANN.arn.replace(":connect:", ":lambda:"),
    "another partition": ANN.arn.replace("arn:aws:", "arn:aws-cn:"),
    "another account": ANN.arn.replace(":123456789012:", ":210987654321:"),
    "another kind": f"{INSTANCE.arn}/security-profile/{ANN.id}",
    "no Region": ANN.arn.replace(":us-east-1:", "::"),
    "an unresolved token": "${Token[TOKEN.42]}",
}
ONE: dict[str, dict[str, Any]] = {
    "single": single(RED, ANN),
    "membership": membership(RED, ANN),
    "contact": assignment(CHAT, ANN, release="STOP"),
    "lookup": lookup("ann"),
}
FIELDS = [
    (kind, name)
    for kind, body in ONE.items()
    for name in body["Properties"]
    if name not in ("Exclusive", "Region", "Release", "UserIds", "Usernames")
]


POLLS, POLL_SECONDS = 10, 10.0


def world_with(body: dict[str, Any]) -> World:
    """A stack that holds the resource, so that there is something to lose."""
    world = emulated_world()
    assert world.deploy(stack_of(A=body)) == "CREATE_COMPLETE"
    return world


def event_of(world: World, request_type: str, **properties: Any) -> Event:
    """Return the event of the Create, for another request and with other properties."""
    created = world.events[0]
    event = {
        **created,
        "RequestType": request_type,
        "RequestId": "00000000-0000-4000-8000-00000000000f",
        "ResourceProperties": {**created["ResourceProperties"], **properties},
        "OldResourceProperties": created["ResourceProperties"],
        "PhysicalResourceId": world.stack.resources["A"].physical_id,
    }
    for name in {"Create": ["PhysicalResourceId", "OldResourceProperties"]}.get(request_type, []):
        del event[name]
    return event


@contextlib.contextmanager
def nothing_written(world: World) -> Iterator[None]:
    """Neither Connect nor the ledger is written to, but for the tombstone of a Delete."""
    calls, requests = len(world.faulty.calls), len(world.ledger.calls)
    yield
    assert not world.faulty.writes_since(calls)
    written = [call.body.get("Item", {}) for call in world.ledger.writes_since(requests)]
    assert all(item.get("phase") == {"S": "ENDED"} for item in written), written


def refused(world: World, event: Event, error: type[ProviderError] = InvalidEventError) -> None:
    """Refuse *event*, and not because it comes late: the stack is being updated."""
    handlers = association_provider(clients=world.clients)
    at_rest, world.stack.status = world.stack.status, "UPDATE_IN_PROGRESS"
    mark = len(world.ledger.calls)
    with nothing_written(world), world.inside(), pytest.raises(error) as raised:
        handlers.on_event(event, None)
    world.stack.status = at_rest
    assert 20 < len(str(raised.value)) <= MAX_MESSAGE_LENGTH
    assert not world.ledger.writes_since(mark)


def deleted(world: World, event: Event) -> None:
    """Answer a Delete that comes while nothing is under way: it succeeds and changes nothing."""
    handlers = association_provider(clients=world.clients)
    with nothing_written(world), world.inside():
        planned = handlers.on_event(event, None)
        assert planned["PhysicalResourceId"] == event["PhysicalResourceId"]
        for _ in range(POLLS):
            if handlers.is_complete({**event, **planned}, None)["IsComplete"]:
                return
            world.clock.sleep(POLL_SECONDS)
    pytest.fail("the Delete never ended")


@pytest.mark.parametrize("kind", ONE)
def test_the_same_events_are_accepted_without_what_is_hostile(kind: str) -> None:
    """Otherwise everything here might be refused for a reason of its own."""
    world = world_with(ONE[kind])
    handlers = association_provider(clients=world.clients)
    world.stack.status = "UPDATE_IN_PROGRESS"
    user = {"membership": {"UserIds": [BOB.id]}, "lookup": {"Usernames": ["bob"]}}
    changed = user.get(kind, {"UserId": BOB.id})
    with nothing_written(world), world.inside():
        answer = handlers.on_event(event_of(world, "Update", **changed), None)
    assert answer.keys() <= {"PhysicalResourceId", "Claim", "Data", "StartedAt"}
    assert (kind == "lookup") or answer["Claim"]


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_identifiers(kind: str, field: str) -> None:
    world = world_with(ONE[kind])
    for value in HOSTILE.values():
        for request_type in ("Create", "Update"):
            refused(world, event_of(world, request_type, **{field: value}))
        deleted(world, event_of(world, "Delete", **{field: value}))


@pytest.mark.parametrize("kind", ["single", "membership", "contact"])
def test_properties_that_are_missing(kind: str) -> None:
    world = world_with(ONE[kind])
    for name in world.events[0]["ResourceProperties"]:
        if name in ("ServiceToken", "ServiceTimeout", "Release"):
            continue
        for request_type in ("Create", "Update", "Delete"):
            event = event_of(world, request_type)
            del event["ResourceProperties"][name]
            (deleted if request_type == "Delete" else refused)(world, event)


@pytest.mark.parametrize(
    "users",
    [
        *([value] for value in HOSTILE.values()),
        "all of them",
        [],
        {},
        [f"{n:08}-0000-4000-8000-000000000000" for n in range(10_000)],
        [ANN.id, ANN.arn],
    ],
    ids=lambda value: repr(value)[:30],
)
def test_lists_of_users(users: Any) -> None:
    world = world_with(ONE["membership"])
    for request_type in ("Create", "Update"):
        refused(world, event_of(world, request_type, UserIds=users))
    deleted(world, event_of(world, "Delete", UserIds=users))


@pytest.mark.parametrize(
    "release",
    [
        "STOP",
        {},
        {"Mode": "stop"},
        {"Mode": ["STOP"]},
        {"Mode": "TRANSFER_TO_QUEUE"},
        *({"Mode": "TRANSFER_TO_QUEUE", "ContactFlowId": value} for value in HOSTILE.values()),
        *(
            {"Mode": "TRANSFER_TO_QUEUE", "ContactFlowId": FLOW.id, "QueueId": value}
            for value in HOSTILE.values()
            if value
        ),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_releases(release: Any) -> None:
    world = world_with(ONE["contact"])
    for request_type in ("Create", "Update"):
        refused(world, event_of(world, request_type, Release=release))
    deleted(world, event_of(world, "Delete", Release=release))


@pytest.mark.parametrize("kind", ONE)
@pytest.mark.parametrize(
    "physical_id",
    [
        "Stack-A-1A2B3C4D5E6F",
        "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED",
        "AWSCDK::CustomResourceProviderFramework::MISSING_PHYSICAL_ID",
        "",
        "/////",
        "us-east-1",
        f"{HOME}:{RED.id}",
        f"{HOME}:{RED.id}/perhaps",
        f"{HOME}:{RED.id}/0123456789AB",
        f"{HOME}:{RED.id}/0123456789ab\n",
        f"{HOME}:{RED.id}/0123456789ab/more",
        "contact:a:b/0123456789ab",
        "users:a",
        "x" * 1024,
        "\u0000\ud7ff\U0010ffff",
    ],
)
def test_deletes_with_an_id_of_somebody_else_s_making(kind: str, physical_id: str) -> None:
    world = world_with(ONE[kind])
    deleted(world, {**event_of(world, "Delete"), "PhysicalResourceId": physical_id})


@pytest.mark.parametrize("kind", ONE)
def test_deletes_with_the_id_of_another_resource(kind: str) -> None:
    world = world_with(ONE[kind])
    others = [
        f"{HOME}:{RED.id}/0123456789ab",
        f"{HOME}:{INSTANCE.id}/0123456789ab",
        f"mars-north-1:{RED.id}/0123456789ab",
        f"contact:{INSTANCE.id}:{CHAT.id}/0123456789ab",
        f"contact:{INSTANCE.id}:{RED.id}/0123456789ab",
        f"users:{INSTANCE.id}/0123456789ab",
    ]
    for physical_id in others:
        event = {**event_of(world, "Delete"), "PhysicalResourceId": physical_id}
        deleted(world, event)


@pytest.mark.parametrize("kind", ["single", "membership", "contact"])
@pytest.mark.parametrize(
    "claim",
    [
        "all of it",
        {},
        {"Users": "AAAA"},
        {"Users": 7},
        {"Assignment": None},
        {"Since": "yesterday"},
        {"Users": "!", "Began": "", "Since": 0, "Exclusive": False},
    ],
    ids=repr,
)
def test_claims_that_on_event_did_not_plan(kind: str, claim: Any) -> None:
    world = world_with(ONE[kind])
    event = {**event_of(world, "Update"), "Claim": claim, "Data": {}, "StartedAt": 0.0}
    if not claim:
        # As on_event answers where nothing is to change.
        event["PhysicalResourceId"] = "Stack-A-1A2B3C4D5E6F"
        handlers = association_provider(clients=world.clients)
        with nothing_written(world), world.inside():
            assert handlers.is_complete(event, None)["IsComplete"]
        return
    handlers = association_provider(clients=world.clients)
    with nothing_written(world), world.inside(), pytest.raises(InvalidEventError) as raised:
        handlers.is_complete(event, None)
    assert 20 < len(str(raised.value)) <= MAX_MESSAGE_LENGTH


@pytest.mark.parametrize("kind", ["single", "membership", "contact"])
@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_a_ledger_that_is_not_named(
    monkeypatch: pytest.MonkeyPatch, kind: str, request_type: str
) -> None:
    world = world_with(ONE[kind])
    monkeypatch.delenv("LEDGER_TABLE_NAME")
    user = {"membership": {"UserIds": [BOB.id]}}.get(kind, {"UserId": BOB.id})
    refused(world, event_of(world, request_type, **user), LedgerError)


@pytest.mark.parametrize("kind", ["single", "membership", "contact"])
@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_a_ledger_that_is_named_and_not_there(
    monkeypatch: pytest.MonkeyPatch, kind: str, request_type: str
) -> None:
    world = world_with(ONE[kind])
    monkeypatch.setenv("LEDGER_TABLE_NAME", "nowhere")
    user = {"membership": {"UserIds": [BOB.id]}}.get(kind, {"UserId": BOB.id})
    refused(world, event_of(world, request_type, **user), LedgerError)


@pytest.mark.parametrize(
    "name",
    ["RequestType", "ResourceType", "StackId", "RequestId", "LogicalResourceId"],
)
@pytest.mark.parametrize("value", [None, 7, []], ids=repr)
def test_events_that_are_none(name: str, value: Any) -> None:
    world = world_with(ONE["single"])
    refused(world, {**event_of(world, "Create"), name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RequestType", "create"),
        ("ResourceType", "Custom::ConnectTrafficDistributionGroup"),
        ("StackId", "my-stack"),
        ("StackId", "arn:aws:s3:us-east-1:123456789012:stack/name/id"),
    ],
)
def test_events_of_somebody_else(name: str, value: str) -> None:
    world = world_with(ONE["single"])
    refused(world, {**event_of(world, "Create"), name: value})
