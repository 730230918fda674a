"""What the entry points make of a step that fails, or that goes on for too long."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import pytest

from connect_provider.errors import MAX_MESSAGE_LENGTH, AssociationFailedError
from connect_provider.handler import names_its_log
from lifecycle.cast import ANN, RED, TASK, assignment, lookup, single, stack_of
from lifecycle.faults import FaultPlan
from lifecycle.seen import seen_world
from lifecycle.under_test import CONVERGENCE_TIMEOUT_SECONDS, association_provider

if TYPE_CHECKING:
    from collections.abc import Mapping

DENIED = "The provider's role lacks the permission"
UNTOUCHED = "Nothing was changed."


def test_a_plan_that_is_denied_for_good_says_so_after_a_minute() -> None:
    world, _ = seen_world()
    world.faulty.plan = FaultPlan(denied_until=math.inf)
    began = world.clock.time()
    assert world.stack.create(stack_of(Task=assignment(TASK, ANN))) == "ROLLBACK_COMPLETE"
    assert DENIED in world.stack.reason
    assert UNTOUCHED in world.stack.reason
    assert 60 <= world.clock.time() - began < 120, "a new role may have to become known"


def test_a_plan_that_is_denied_for_a_moment_succeeds() -> None:
    world, _ = seen_world()
    world.faulty.plan = FaultPlan(denied_until=world.clock.time() + 30)
    assert world.deploy(stack_of(Names=lookup("ann"))) == "CREATE_COMPLETE"


def test_a_plan_that_waits_in_vain_says_for_how_long() -> None:
    world, _ = seen_world()
    world.connect.answer_with("InternalServiceException", "SearchUsers", times=None)
    assert world.stack.create(stack_of(Names=lookup("ann"))) == "ROLLBACK_COMPLETE"
    reason = world.stack.reason
    assert re.search(rf"InternalServiceException.* \(waited [0-9,]+ s\)\. {UNTOUCHED}", reason)


def test_an_association_that_waits_in_vain_says_what_waits_longer() -> None:
    world, _ = seen_world()
    world.connect.answer_with(
        "InternalServiceException", "AssociateTrafficDistributionGroupUser", times=None
    )
    began = world.clock.time()
    assert world.stack.create(stack_of(A=single(RED, ANN))) == "ROLLBACK_COMPLETE"
    assert "a longer convergence_timeout of ConnectAssociationProvider" in world.stack.reason
    assert UNTOUCHED not in world.stack.reason
    assert world.clock.time() - began >= 0.9 * CONVERGENCE_TIMEOUT_SECONDS


def test_a_delete_is_told_when_it_began() -> None:
    """Else it never waits for a status that has yet to catch up, and never times out."""
    world, _ = seen_world()
    world.deploy(stack_of(A=single(RED, ANN)))
    event = {**world.events[0], "RequestType": "Delete", "PhysicalResourceId": "before"}
    with world.inside():
        answer = association_provider(clients=world.clients).on_event(event, None)
        assert answer == {"PhysicalResourceId": "before", "StartedAt": world.clock.time()}


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ("/aws/lambda/handler", ""),
        ("", ""),
        ("agents", " The log is in agents."),
    ],
)
def test_an_error_names_the_log_where_the_framework_names_another(
    monkeypatch: pytest.MonkeyPatch, group: str, said: str
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "handler")
    monkeypatch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", group)

    def fails(event: Mapping[str, Any], _context: Any) -> None:
        raise AssociationFailedError(event["reason"])

    handler = names_its_log(fails)
    for reason in ("no.", "x" * MAX_MESSAGE_LENGTH):
        with pytest.raises(AssociationFailedError) as raised:
            handler({"reason": reason})
        assert str(raised.value).startswith(reason[:1000])
        assert str(raised.value).endswith(said)
        assert len(str(raised.value)) <= MAX_MESSAGE_LENGTH
