"""Scripted histories that show what a rule of the ledger is good for; each takes the handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecycle.cast import ANN, BOB, RED, USERS, membership, sibling, single, stack_of
from lifecycle.faults import Fault, FaultPlan
from lifecycle.under_test import emulated_world

if TYPE_CHECKING:
    from lifecycle.world import HandlersFactory

_ANY_CALL = range(30)


def killed_after_the_first_call(handlers: HandlersFactory) -> None:
    """A Lambda function dies between Connect's first write and its answer."""
    world = emulated_world(handlers=handlers)
    world.faulty.plan = FaultPlan(at={0: Fault.KILLED_AFTER}, writes_only=True)
    assert world.deploy(stack_of(A=single(RED, ANN))) == "ROLLBACK_COMPLETE"
    assert world.members(RED) == set(), world.story()


def joins_while_it_is_removed(handlers: HandlersFactory) -> None:
    """One stack lets go of a user whom another one declares at the same moment."""
    for at in _ANY_CALL:
        world = emulated_world(handlers=handlers)
        world.deploy(stack_of(A=single(RED, ANN), B=single(RED, BOB)))
        world.faulty.plan = FaultPlan(at={at: Fault.INTERLEAVED})
        world.deploy_together(
            {"Test": stack_of(B=single(RED, BOB)), "Other": stack_of(A=single(RED, ANN))}
        )
        assert world.members(RED) == {"ann", "bob"}, world.story()


def is_claimed_while_others_leave(handlers: HandlersFactory) -> None:
    """Of many who are to leave, the last one is claimed anew long before the turn comes."""
    last = max(USERS, key=lambda user: user.id)
    for at in range(4, 16):
        world = emulated_world(handlers=handlers)
        world.deploy(stack_of(M=membership(RED, *USERS)))
        mark = len(world.ledger.calls)
        world.faulty.latency["connect"] = 3.0
        world.faulty.plan = FaultPlan(at={at: Fault.INTERLEAVED, at + 1: Fault.INTERLEAVED})
        world.deploy_together({"Test": stack_of(), "Other": stack_of(A=single(RED, last))})
        claimed = next(
            call.time
            for call in world.ledger.calls[mark:]
            if "Other" in str(call.body) and "PENDING" in str(call.body)
        )
        left = [
            call.time
            for call in world.faulty.calls
            if "Disassociate" in call.operation and last.id in call.path
        ]
        # The claims are read every few seconds, not before every call.
        assert all(moment < claimed + 9.0 for moment in left), world.story()


def comes_again_much_later(handlers: HandlersFactory) -> None:
    """A Create comes again, in a later deployment, once its user is not declared any more."""
    world = emulated_world(handlers=handlers)
    world.deploy(stack_of(Other=sibling(), A=single(RED, ANN)))
    world.deploy(stack_of(Other=sibling()))
    create = next(event for event in world.events if event["RequestType"] == "Create")
    world.sabotage_next(seconds={"Other": 30.0}, fails=set())
    world.deliver_stale(create, delay=1.0)
    world.deploy(stack_of(Other=sibling(version=2)))
    assert world.members(RED) == set(), world.story()
