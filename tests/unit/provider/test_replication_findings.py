"""Why a user cannot be associated, where Connect tells it: in the error, and in nothing else."""

from __future__ import annotations

import pytest

from lifecycle.cast import ANN, BOB, RED, membership, single, stack_of
from lifecycle.seen import seen_world

SAID = "AGENT-7, The routing profile does not exist in the other Region"


def test_a_finding_is_the_reason_and_nobody_waits_for_it_to_heal() -> None:
    world, emulation = seen_world()
    emulation.add_finding(ANN.id, reference_code="AGENT-7", message=SAID.partition(", ")[2])
    emulation.world.users[ANN.id].last_modified = world.clock.time()
    began = world.clock.time()
    assert world.stack.create(stack_of(A=membership(RED, ANN, BOB))) == "ROLLBACK_COMPLETE"
    assert f"ListReplicationFindings says of user {ANN.id}: {SAID}" in world.stack.reason
    assert world.clock.time() - began < 60
    assert world.members(RED) == set()


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "InvalidRequestException", "ThrottlingException"]
)
def test_without_findings_it_is_as_if_nobody_had_asked(code: str) -> None:
    world, _ = seen_world()
    world.connect.user_replicates(ANN, after=120)
    world.connect.answer_with(code, "ListReplicationFindings", times=None)
    assert world.deploy(stack_of(A=single(RED, ANN))) == "CREATE_COMPLETE"
    assert world.members(RED) == {"ann"}


def test_a_finding_of_a_user_who_can_be_associated_does_not_matter() -> None:
    world, emulation = seen_world()
    emulation.add_finding(BOB.id, reference_code="AGENT-7", message="something")
    world.connect.user_replicates(ANN, after=120)
    assert world.deploy(stack_of(A=single(RED, ANN))) == "CREATE_COMPLETE"
