"""Every exception that Connect's model has, on every call that the provider makes.

Twice, and then the call goes through; or always. docs/errors.md has a row for each.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from lifecycle.cast import ANN, CHAT, RED, TASK, assignment, lookup, single, stack_of
from lifecycle.under_test import emulated_world

if TYPE_CHECKING:
    from collections.abc import Iterator

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

HEALS = {"ThrottlingException", "InternalServiceException", "AccessDeniedException"}
"""Repeated until it goes through, on every call; denied only in the first minute."""

ALSO_HEALS = {
    # The group is ACTIVE and the user is there: either has only just become so.
    ("AssociateTrafficDistributionGroupUser", "ResourceNotFoundException"),
    ("DisassociateTrafficDistributionGroupUser", "ResourceNotFoundException"),
    ("ListTrafficDistributionGroupUsers", "ResourceNotFoundException"),
}


NOT_NEEDED = {
    # A single user joins all the same, and a rollback keeps who may have been there before.
    ("ListTrafficDistributionGroupUsers", "ResourceNotFoundException"),
    ("ListTrafficDistributionGroupUsers", "ThrottlingException"),
    ("ListTrafficDistributionGroupUsers", "InternalServiceException"),
}
"""What may fail for ever without failing a deployment."""


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
    if code in HEALS or (operation, code) in ALSO_HEALS:
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
    if (operation, code) in NOT_NEEDED:
        assert status == "CREATE_COMPLETE", world.story()
        return
    assert status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"), world.story()
    if code not in HEALS and (operation, code) not in ALSO_HEALS:
        assert world.clock.time() - started < 60, world.story()
    check_failure(world, operation, code)


@pytest.mark.parametrize("operation", SETTINGS)
def test_docs_have_a_row_for_each(operation: str) -> None:
    _, found, rest = DOCS.read_text(encoding="utf-8").partition(f"## {operation}\n")
    assert found, f"docs/errors.md says nothing about {operation}"
    section = rest.partition("\n## ")[0]
    first_cells = " ".join(re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE))
    missing = [code for name, code in cases() if name == operation and code not in first_cells]
    assert not missing
