"""What `status` says about users whom Connect could not replicate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from botocore_models import needs_findings
from lifecycle.cast import ANN, BOB, CYD, RED, membership, stack_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from connect_associations.testing import ConnectEmulation
    from lifecycle.world import World

    Run = Callable[..., tuple[int, str, str]]

OPERATION = "ListReplicationFindings"
STATUS = ("status", "Test")


@pytest.fixture(autouse=True)
def drifted(world: World, emulation: ConnectEmulation) -> World:
    """Return a world in which Bob, who is missing, is not replicated, and so is Cyd, who is not."""
    world.deploy(stack_of(M=membership(RED, ANN, BOB, CYD)))
    world.connect.leave(RED, BOB)
    for user in (BOB, CYD):
        emulation.add_finding(
            user.id, reference_code="AGENT_LIMIT", message="The other Region has no room."
        )
    return world


def asked(world: World) -> int:
    return [call.operation for call in world.faulty.calls].count(OPERATION)


@needs_findings
def test_why_a_missing_user_is_not_replicated(world: World, run: Run) -> None:
    code, out, err = run(*STATUS, "--all")
    assert code == 1
    (bob,) = [line for line in out.splitlines() if BOB.id in line]
    assert "not replicated" in bob
    assert "not replicated: AGENT_LIMIT, The other Region has no room." in bob
    assert out.count("not replicated") == 1, "who is a member needs no reason"
    assert not err
    assert asked(world) == 1


@needs_findings
def test_nobody_asks_where_nobody_is_missing(world: World, run: Run) -> None:
    world.connect.join(RED, BOB)
    assert run(*STATUS)[0] == 0
    assert not asked(world)


@needs_findings
@pytest.mark.parametrize("code", ["InvalidRequestException", "ResourceNotFoundException"])
def test_an_instance_that_has_no_findings(code: str, world: World, run: Run) -> None:
    world.connect.answer_with(code, OPERATION, times=None)
    found, out, err = run(*STATUS)
    assert found == 1
    assert "1 missing" in out
    assert not err


@needs_findings
def test_who_may_not_ask_is_told(world: World, run: Run) -> None:
    world.connect.answer_with("AccessDeniedException", OPERATION, times=None)
    code, out, err = run(*STATUS)
    assert code == 1
    assert "1 missing" in out
    assert "why users are not replicated is not known" in err
    assert "allow connect:ListReplicationFindings" in err


@needs_findings
def test_a_question_that_gets_no_answer(world: World, run: Run) -> None:
    world.connect.answer_with("InternalServiceException", OPERATION, times=None)
    code, _, err = run(*STATUS)
    assert code == 1
    assert "why users are not replicated is not known" in err


def test_a_boto3_that_does_not_know_it(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = type(world.clients("connect", "us-east-1"))
    monkeypatch.delattr(client, "list_replication_findings", raising=False)
    code, out, err = run(*STATUS)
    assert code == 1
    assert "1 missing" in out
    assert not err
