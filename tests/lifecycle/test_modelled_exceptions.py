"""Every exception that Connect's model has, on every call that the provider makes.

Twice, and then the call goes through; or always. docs/errors.md has a row for each.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from connect_associations.testing.entities import Channel
from lifecycle.cast import (
    ANN,
    CHAT,
    HOME,
    INSTANCE,
    QUEUE,
    RED,
    TASK,
    Thing,
    assignment,
    lookup,
    membership,
    single,
    stack_of,
)
from lifecycle.seen import seen_world
from lifecycle.under_test import emulated_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connect_associations.testing import ConnectEmulation
    from lifecycle.world import World

DOCS = Path(__file__).parents[2] / "docs" / "errors.md"

_user = stack_of(A=single(RED, ANN))
SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "AssociateTrafficDistributionGroupUser": (_user, "deploy"),
    "DisassociateTrafficDistributionGroupUser": (_user, "delete"),
    "ListTrafficDistributionGroupUsers": (_user, "deploy"),
    "DescribeTrafficDistributionGroup": (_user, "deploy"),
    "DescribeUser": (_user, "deploy"),
    "SearchUsers": (stack_of(A=lookup("ann")), "deploy"),
    "AssociateContactWithUser": (stack_of(A=assignment(CHAT, ANN)), "deploy"),
    "DescribeContact": (stack_of(A=assignment(CHAT, ANN)), "deploy"),
    "TransferContact": (
        stack_of(A=assignment(TASK, ANN, release="TRANSFER_TO_QUEUE")),
        "delete",
    ),
    "StopContact": (stack_of(A=assignment(CHAT, ANN, release="STOP")), "delete"),
}
"""The template whose deployment or deletion makes the call."""

WHILE_DIAGNOSING = {
    "DescribeTrafficDistributionGroup": "ResourceNotFoundException",
    "DescribeUser": "ResourceNotFoundException",
}
"""Calls that are only made to find out what this error of the association means."""

LIST = "ListTrafficDistributionGroupUsers"

HEALS = {"ThrottlingException", "InternalServiceException", "AccessDeniedException"}
"""Repeated until it goes through, on every call; denied only in the first minute."""

ALSO_HEALS = {
    # The group is ACTIVE and the user is there: either has only just become so.
    ("AssociateTrafficDistributionGroupUser", "ResourceNotFoundException"),
    ("DisassociateTrafficDistributionGroupUser", "ResourceNotFoundException"),
    ("ListTrafficDistributionGroupUsers", "ResourceNotFoundException"),
}

BELIEVED_LATER = {
    ("DescribeTrafficDistributionGroup", "ResourceNotFoundException"),
    ("DescribeUser", "ResourceNotFoundException"),
    ("DescribeContact", "ResourceNotFoundException"),
}
"""Connect is eventually consistent: what is not found may only have been made just now."""

BELIEVED_AFTER = 60.0


def cases() -> Iterator[tuple[str, str]]:
    model = botocore.session.get_session().get_service_model("connect")
    for operation in SETTINGS:
        for shape in model.operation_model(operation).error_shapes:
            yield operation, shape.name


def world_before(operation: str) -> World:
    world = emulated_world()
    template, act = SETTINGS[operation]
    if act == "delete":
        assert world.deploy(template) == "CREATE_COMPLETE"
    return world


def act(world: World, operation: str) -> str:
    template, what = SETTINGS[operation]
    return world.stack.create(template) if what == "deploy" else world.stack.delete()


def answer(world: World, operation: str, code: str, *, times: int | None) -> None:
    if operation in WHILE_DIAGNOSING:
        world.connect.answer_with(
            WHILE_DIAGNOSING[operation], "AssociateTrafficDistributionGroupUser", times=times and 1
        )
    world.connect.answer_with(code, operation, times=times)


def check_failure(world: World, operation: str, code: str) -> None:
    """The reason says what happened; Connect is as before; and nothing is stuck."""
    assert len(world.stack.reason) <= 2500, "1,500 of the provider, and what the framework adds"
    if operation in WHILE_DIAGNOSING and code == WHILE_DIAGNOSING[operation]:
        operation = "AssociateTrafficDistributionGroupUser"  # that is what it means
    assert operation in world.stack.reason
    told = (code, "throttled", "has no contact", "does not find")
    assert any(text in world.stack.reason for text in told), world.stack.reason
    if SETTINGS[operation][1] == "deploy" and "FAILED" not in world.stack.status:
        assert world.members(RED) == set(), world.story()
        assert not world.connect.contact(CHAT).offers
    world.connect.answer_normally()
    assert world.delete() == "DELETE_COMPLETE", world.story()
    assert world.members(RED) == set(), world.story()


@pytest.mark.parametrize(("operation", "code"), list(cases()))
def test_twice(operation: str, code: str) -> None:
    world = world_before(operation)
    answer(world, operation, code, times=2)
    status = act(world, operation)
    if code in HEALS or (operation, code) in ALSO_HEALS | BELIEVED_LATER:
        assert status in ("CREATE_COMPLETE", "DELETE_COMPLETE"), world.story()
    else:
        assert status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"), world.story()
        check_failure(world, operation, code)


@pytest.mark.parametrize(("operation", "code"), list(cases()))
def test_always(operation: str, code: str) -> None:
    world = world_before(operation)
    started = world.clock.time()
    answer(world, operation, code, times=None)
    status = act(world, operation)
    took = world.clock.time() - started
    assert status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"), world.story()
    if (operation, code) in BELIEVED_LATER:
        # Once when it fails, and once more when it is rolled back.
        assert BELIEVED_AFTER <= took < 2.5 * BELIEVED_AFTER, world.story()
    elif code not in HEALS and (operation, code) not in ALSO_HEALS:
        assert took < BELIEVED_AFTER, world.story()
    check_failure(world, operation, code)


def test_a_user_who_is_not_listed_anywhere_is_never_associated() -> None:
    """Without a listing nobody knows who was there before, so a rollback could not go back."""
    world = emulated_world()
    world.connect.answer_with("InternalServiceException", LIST, times=None)
    assert world.deploy(_user) == "ROLLBACK_COMPLETE"
    assert not world.faulty.writes_since(0)


def test_a_page_size_that_a_region_refuses_falls_back_to_ten() -> None:
    world = emulated_world()
    world.connect.answer_with("InvalidRequestException", LIST, times=1)
    assert world.deploy(_user) == "CREATE_COMPLETE"
    assert world.members(RED) == {"ann"}


# -- not found -------------------------------------------------------------------------------------

MISSING = "99999999-9999-4999-8999-999999999999"
NOT_FOUND: dict[str, tuple[dict[str, Any], str, str]] = {
    "user": (single(RED, MISSING), MISSING, "has no user"),
    "user of a membership": (membership(RED, ANN, MISSING), MISSING, "has no user"),
    "group": (single(MISSING, ANN), MISSING, "There is no traffic distribution group"),
    "contact": (assignment(Thing("missing", MISSING, ""), ANN), MISSING, "has no contact"),
    "user of a contact": (assignment(CHAT, MISSING), MISSING, "has no user"),
    "name": (lookup("nobody"), "nobody", "nobody is named"),
}


@pytest.mark.parametrize(("body", "name", "said"), NOT_FOUND.values(), ids=NOT_FOUND.keys())
def test_not_found_is_believed_after_a_minute(body: dict[str, Any], name: str, said: str) -> None:
    world, emulation = seen_world()
    began = world.clock.time()
    world.stack.create(stack_of(A=body))
    took = world.clock.time() - began
    assert said in world.stack.reason, world.story()
    assert name in world.stack.reason
    assert BELIEVED_AFTER <= took < 2 * BELIEVED_AFTER, world.story()
    assert world.settle() == "ROLLBACK_COMPLETE", world.story()
    assert world.members(RED) == set()
    assert not [
        call for call in emulation.writes if call.took_effect and "Contact" in call.operation
    ]


def _add_user(
    emulation: ConnectEmulation, *, user_id: str = MISSING, username: str = "new"
) -> None:
    instance = emulation.world.instances[INSTANCE.id]
    emulation.add_user(instance, user_id=user_id, username=username)


def _add_group(emulation: ConnectEmulation) -> None:
    instance = emulation.world.instances[INSTANCE.id]
    emulation.add_group(instance, group_id=MISSING, region=HOME)


def _add_contact(emulation: ConnectEmulation) -> None:
    emulation.add_contact(
        emulation.world.instances[INSTANCE.id],
        contact_id=MISSING,
        channel=Channel.CHAT,
        queue=emulation.world.queues[QUEUE.id],
    )


APPEARS: dict[str, Callable[[ConnectEmulation], None]] = {
    "user": _add_user,
    "user of a membership": _add_user,
    "group": _add_group,
    "contact": _add_contact,
    "user of a contact": _add_user,
    "name": lambda emulation: _add_user(emulation, username="nobody"),
}


@pytest.mark.parametrize("kind", APPEARS)
def test_not_found_heals_within_the_minute(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    world, emulation = seen_world()
    sleep, appears_at = world.clock.sleep, world.clock.time() + 40.0
    appears = iter([APPEARS[kind]])

    def sleeping(seconds: float) -> None:
        """Sleep; on_event does that too, and nothing else happens while it runs."""
        sleep(seconds)
        if world.clock.time() >= appears_at:
            next(appears, lambda _: None)(emulation)

    monkeypatch.setattr(world.clock, "sleep", sleeping)
    assert world.deploy(stack_of(A=NOT_FOUND[kind][0])) == "CREATE_COMPLETE", world.story()


@pytest.mark.parametrize("operation", SETTINGS)
def test_docs_have_a_row_for_each(operation: str) -> None:
    _, found, rest = DOCS.read_text(encoding="utf-8").partition(f"## {operation}\n")
    assert found, f"docs/errors.md says nothing about {operation}"
    section = rest.partition("\n## ")[0]
    first_cells = " ".join(re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE))
    missing = [code for name, code in cases() if name == operation and code not in first_cells]
    assert not missing
