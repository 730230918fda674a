"""Events that nobody should send: a clear error, or for a Delete success; never a write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connect_provider.errors import MAX_MESSAGE_LENGTH, ProviderError
from lifecycle.cast import (
    ANN,
    BOB,
    CHAT,
    FLOW,
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


def world_with(body: dict[str, Any]) -> World:
    """A stack that holds the resource, so that there is something to lose."""
    world = emulated_world()
    assert world.deploy(stack_of(A=body)) == "CREATE_COMPLETE"
    world.faulty.calls.clear()
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


def refused(world: World, event: Event) -> None:
    handlers = association_provider(clients=world.clients, clock=world.clock)
    with pytest.raises(ProviderError) as raised:
        handlers.on_event(event, None)
    assert 20 < len(str(raised.value)) <= MAX_MESSAGE_LENGTH
    assert not [call for call in world.faulty.calls if call.writes]


def deleted(world: World, event: Event) -> None:
    handlers = association_provider(clients=world.clients, clock=world.clock)
    planned = handlers.on_event(event, None)
    assert handlers.is_complete({**event, **planned}, None)["IsComplete"]
    assert not [call for call in world.faulty.calls if call.writes]


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
        "group-user",
        "group-user/a/b/c/maybe",
        "group-users/a/b/c/d/e/a=!!!/k=:/o=/x=",
        "contact-user/a/b",
        "users/a",
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
        f"group-user/{INSTANCE.id}/{RED.id}/{BOB.id}/new",
        f"contact-user/{INSTANCE.id}/{RED.id}/new",
        f"users/{INSTANCE.id}/AAAA",
    ]
    for physical_id in others:
        event = {**event_of(world, "Delete"), "PhysicalResourceId": physical_id}
        deleted(world, event)


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
