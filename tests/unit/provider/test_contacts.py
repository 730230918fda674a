"""Whether a contact may be released: as a table, and where something cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connect_provider.connect.client import Contact
from connect_provider.contacts.release import may_release
from connect_provider.ledger.claim import ContactClaim, Offer, Owner, Phase
from lifecycle.cast import ANN, BOB, CHAT, TASK, assignment, sibling, stack_of
from lifecycle.faults import FaultPlan, LedgerFault
from lifecycle.seen import seen_world
from lifecycle.under_test import emulated_world

if TYPE_CHECKING:
    from lifecycle.world import World

OTHER_STACK = "Other"
WRITES = ("StopContact", "TransferContact")


def deployed(world: World, template: dict[str, Any], **how: Any) -> None:
    """Deploy what everything else rests on."""
    assert world.deploy(template, **how).endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE"))
    assert "ROLLBACK" not in world.stack.status, world.story()


def released(offer: Offer, agent: str | None, *, undo: bool = False, ended: bool = False) -> bool:
    claim = ContactClaim(
        owner=Owner("stack", "A"),
        version="0",
        instance_id="i",
        contact_id="c",
        user_id="ann",
        assignment="0",
        began="",
        since=0.0,
        phase=Phase.ENDING,
        offer=offer,
        undo=undo,
    )
    contact = Contact(
        channel="CHAT",
        agent_id=agent,
        queue_id=None,
        ended=ended,
        active_region=None,
        previous_contact_id=None,
    )
    return may_release(claim, contact)


@pytest.mark.parametrize(
    ("offer", "undo", "ann_has_it", "nobody_has_it"),
    [
        (Offer.NONE, False, False, False),
        (Offer.NONE, True, False, False),
        (Offer.MAYBE, False, True, False),
        (Offer.MAYBE, True, True, False),
        (Offer.MADE, False, True, True),
        (Offer.MADE, True, True, False),
        (Offer.ADOPTED, False, True, False),
        (Offer.ADOPTED, True, False, False),
    ],
)
def test_what_is_released(
    offer: Offer, *, undo: bool, ann_has_it: bool, nobody_has_it: bool
) -> None:
    assert released(offer, "ann", undo=undo) == ann_has_it
    assert released(offer, None, undo=undo) == nobody_has_it
    assert not released(offer, "bob", undo=undo), "somebody else has accepted it"
    for agent in ("ann", "bob", None):
        assert not released(offer, agent, undo=undo, ended=True)


# -- what cannot be read is not taken for nothing --------------------------------------------------


def releases(emulation: Any) -> list[str]:
    return [call.operation for call in emulation.writes if call.operation in WRITES]


@pytest.mark.parametrize("fault", LedgerFault)
def test_a_ledger_out_of_reach_releases_nothing(fault: LedgerFault) -> None:
    """Whether somebody else declares the contact is not known then."""
    world, emulation = seen_world()
    deployed(world, stack_of(A=assignment(CHAT, ANN, release="STOP")))
    world.faulty.plan = FaultPlan(ledger=fault)
    assert world.delete() == "DELETE_FAILED", world.story()
    assert releases(emulation) == []
    assert emulation.world.contacts[CHAT.id].ended_at is None
    world.faulty.plan = FaultPlan()
    assert world.delete() == "DELETE_COMPLETE", world.story()
    assert releases(emulation) == ["StopContact"]


@pytest.mark.parametrize("number", range(8))
def test_a_read_of_the_ledger_that_fails_at_any_time_releases_nothing_that_is_claimed(
    number: int,
) -> None:
    world, emulation = seen_world()
    body = assignment(CHAT, ANN, release="STOP")
    deployed(world, stack_of(A=body))
    deployed(world, stack_of(A=body), stack=OTHER_STACK)

    class Denied(FaultPlan):
        """Denies the table from the n-th request on, for half a minute."""

        requests = 0
        until = -1.0

        def hits_ledger(self, now: float) -> bool:
            self.requests += 1
            if self.requests == number + 1:
                self.until = now + 30.0
            return now < self.until

    world.faulty.plan = Denied(ledger=LedgerFault.DENIED)
    assert world.delete() == "DELETE_COMPLETE", world.story()
    assert releases(emulation) == [], world.story()
    world.faulty.plan = FaultPlan()
    assert world.delete(OTHER_STACK) == "DELETE_COMPLETE"
    assert releases(emulation) == ["StopContact"]


@pytest.mark.parametrize("code", ["InternalServiceException", "InvalidRequestException"])
def test_a_contact_that_cannot_be_described_is_not_released(code: str) -> None:
    world, emulation = seen_world()
    deployed(world, stack_of(A=assignment(CHAT, ANN, release="STOP")))
    world.connect.answer_with(code, "DescribeContact", times=None)
    assert world.delete() == "DELETE_FAILED", world.story()
    assert releases(emulation) == []


@pytest.mark.parametrize("release", ["STOP", "TRANSFER_TO_QUEUE"])
def test_a_contact_that_another_resource_declares_is_not_released(release: str) -> None:
    world, emulation = seen_world()
    body = assignment(TASK, ANN, release=release)
    deployed(world, stack_of(A=body))
    assert world.deploy(stack_of(B=body)) == "UPDATE_COMPLETE", "renamed"
    assert releases(emulation) == []
    assert [call.operation for call in emulation.writes] == ["AssociateContactWithUser"]
    assert world.delete() == "DELETE_COMPLETE"
    assert len(releases(emulation)) == 1


def test_a_contact_that_another_stack_is_about_to_claim_is_not_released() -> None:
    world, emulation = seen_world()
    deployed(world, stack_of(A=assignment(CHAT, ANN, release="STOP")))
    item = world.ledger.claims()[0]
    other = item["sk"].replace("stack/Test/", "stack/Other/")
    world.ledger.put({**item, "sk": other, "phase": "PENDING", "offer": "NONE"})
    assert world.delete() == "DELETE_COMPLETE"
    assert releases(emulation) == [], world.story()


# -- in a rollback ---------------------------------------------------------------------------------


@pytest.mark.parametrize("accepts", [True, False])
def test_a_failed_create_releases_only_what_the_user_has_accepted(*, accepts: bool) -> None:
    world, emulation = seen_world(accept_after_calls=0 if accepts else None)
    world.sabotage_next(seconds={}, fails={("Fails", "Create")})
    template = stack_of(A=assignment(CHAT, ANN, release="STOP"), Fails=sibling(after=("A",)))
    assert world.deploy(template) == "ROLLBACK_COMPLETE"
    assert releases(emulation) == (["StopContact"] if accepts else []), world.story()


def test_a_failed_create_does_not_release_what_the_user_had_before() -> None:
    world, emulation = seen_world()
    world.connect.serve(CHAT, ANN)
    world.sabotage_next(seconds={}, fails={("Fails", "Create")})
    template = stack_of(A=assignment(CHAT, ANN, release="STOP"), Fails=sibling(after=("A",)))
    assert world.deploy(template) == "ROLLBACK_COMPLETE"
    assert [call.operation for call in emulation.writes] == [], world.story()


def test_a_failed_reassignment_goes_back_to_the_user_of_before() -> None:
    world = emulated_world(accept_after_calls=None)
    deployed(world, stack_of(A=assignment(CHAT, ANN, release="STOP"), Fails=sibling()))
    world.sabotage_next(seconds={}, fails={("Fails", "Update")})
    failing = stack_of(
        A=assignment(CHAT, BOB, release="STOP"), Fails=sibling(version=2, after=("A",))
    )
    assert world.deploy(failing) == "UPDATE_ROLLBACK_COMPLETE"
    assert world.connect.contact(CHAT).offers == (ANN.id, BOB.id, ANN.id), world.story()
    assert not world.connect.contact(CHAT).ended
    assert world.delete() == "DELETE_COMPLETE"
    assert world.connect.contact(CHAT).ended
