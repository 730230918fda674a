"""Nothing private leaves the handlers: in no log, error or answer, and not for the ledger.

Every test of the suite is watched (:mod:`leaks`). Here the handlers go through all that makes them
log or fail, with credentials and pre-signed URLs that are marked as well.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from botocore.credentials import Credentials

from connect_associations.testing.entities import GroupStatus
from connect_provider.connect.calls import Calls
from leaks import CREDENTIAL, CUSTOMER, SIGNATURE, WATCH, find
from lifecycle.cast import (
    ANN,
    BOB,
    CHAT,
    CYD,
    HOME,
    RED,
    REPLICA,
    TASK,
    VOICE,
    Thing,
    assignment,
    lookup,
    membership,
    sibling,
    single,
    stack_of,
)
from lifecycle.clients import SimulatedClients
from lifecycle.cloudformation_api import ReadFaults
from lifecycle.faults import Fault, FaultPlan, LedgerFault
from lifecycle.ledger import TABLE
from lifecycle.seen import seen_world
from lifecycle.under_test import CONVERGENCE_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from connect_associations.testing import ConnectEmulation
    from lifecycle.framework import Event
    from lifecycle.world import World

NOBODY = Thing("nobody", "99999999-9999-4999-8999-999999999999", "")
LOGGER = logging.getLogger("connect_provider.test")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVERGENCE_TIMEOUT_SECONDS", str(CONVERGENCE_TIMEOUT_SECONDS))
    monkeypatch.setenv("LEDGER_TABLE_NAME", TABLE)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = SimulatedClients()
    marked = Credentials(f"key-{CREDENTIAL}", f"secret-{CREDENTIAL}", f"token-{CREDENTIAL}")
    shared: tuple[Any, ...] = (
        clients("connect", HOME),
        clients("connect", REPLICA),
        clients("cloudformation", HOME),
        clients("dynamodb", HOME),
    )
    for client in shared:
        monkeypatch.setattr(client._request_signer, "_credentials", marked)  # noqa: SLF001 - made once for all tests


def new_world(**switches: Any) -> tuple[World, ConnectEmulation]:
    world, emulation = seen_world(**switches)
    deliver = world.framework.deliver

    def signed(event: Event, respond: Any, *, delay: float) -> None:
        url = f"https://bucket.s3.amazonaws.com/answer?{SIGNATURE}={event['RequestId']}"
        deliver({**event, "ResponseURL": url}, respond, delay=delay)

    world.framework.deliver = signed  # type: ignore[method-assign]  # signs the URL
    return world, emulation


def everything_succeeds(world: World, _emulation: ConnectEmulation) -> None:
    world.deploy(
        stack_of(
            One=single(RED, ANN),
            Many=membership(RED, BOB, CYD),
            Task=assignment(TASK, ANN, release="TRANSFER_TO_QUEUE"),
            Chat=assignment(CHAT, BOB, release="STOP"),
            Voice=assignment(VOICE, CYD, release="RETAIN"),
            Names=lookup("ann"),
        )
    )
    world.deploy(stack_of(Renamed=single(RED, ANN), Many=membership(RED, CYD, exclusive=True)))
    world.delete()


def everything_is_missing(world: World, _emulation: ConnectEmulation) -> None:
    for declared in (
        single(RED, NOBODY),
        single(NOBODY, ANN),
        membership(RED, ANN, NOBODY),
        assignment(TASK, NOBODY),
        assignment(NOBODY, ANN),
        lookup("nobody"),
        single(RED, "nonsense"),
        assignment(TASK, "nonsense"),
    ):
        world.deploy(stack_of(Declared=declared))
        world.delete()


def everything_is_refused(world: World, emulation: ConnectEmulation) -> None:
    contacts = emulation.world.contacts
    contacts[TASK.id].ended_at = 1.0
    contacts[VOICE.id].customer_first_callback = True
    emulation.set_group_status(RED.id, GroupStatus.DELETION_FAILED)
    for declared in (
        assignment(TASK, ANN),
        assignment(VOICE, ANN),
        assignment(CHAT, ANN, release="TRANSFER_TO_QUEUE"),
        single(RED, ANN),
    ):
        world.deploy(stack_of(Declared=declared))
        world.delete()
    world.deploy(stack_of(Declared=assignment(CHAT, ANN, release="STOP")))
    world.deploy(stack_of(Declared=assignment(CHAT, BOB, release="STOP")))
    world.delete()


def everything_rolls_back(world: World, _emulation: ConnectEmulation) -> None:
    world.deploy(stack_of(Keep=single(RED, ANN), Task=assignment(TASK, ANN, release="STOP")))
    world.sabotage_next(seconds={"Failing": 400.0}, fails={("Failing", "Create")})
    world.deploy(
        stack_of(
            Keep=single(RED, BOB),
            Task=assignment(TASK, BOB, release="STOP"),
            Chat=assignment(CHAT, BOB, release="STOP"),
            Failing=sibling(),
        )
    )
    world.delete()


def everything_breaks(world: World, emulation: ConnectEmulation) -> None:
    for fault in Fault:
        world.faulty.plan = FaultPlan(at=dict.fromkeys((0, 2, 3, 5), fault))
        world.deploy(stack_of(One=single(RED, ANN), Task=assignment(TASK, ANN, release="RETAIN")))
        # A Delete whose Lambda is killed fails, and has to be asked for again.
        assert "DELETE_COMPLETE" in (world.delete() for _ in range(5))
    world.faulty.plan = FaultPlan(denied_until=world.clock.time() + 7200)
    world.deploy(stack_of(One=single(RED, ANN), Task=assignment(TASK, ANN, release="STOP")))
    world.delete()
    world.abandon_stack()
    world.faulty.plan = FaultPlan()
    world.deploy(stack_of(One=single(RED, ANN), Task=assignment(TASK, ANN, release="STOP")))
    world.cloudformation.faults = ReadFaults(denied=frozenset({"DescribeStacks"}))
    world.delete()
    assert emulation.members(RED.id) == {ANN.id}, "kept, because nobody would say"


def everything_is_out_of_reach(world: World, _emulation: ConnectEmulation) -> None:
    declared = stack_of(One=single(RED, ANN), Task=assignment(TASK, ANN, release="STOP"))
    for fault in LedgerFault:
        world.faulty.plan = FaultPlan(ledger=fault, ledger_until=world.clock.time() + 7200)
        world.deploy(declared)
        world.delete()
        world.abandon_stack()
    world.faulty.plan = FaultPlan()
    world.deploy(declared)
    world.ledger.delete_table()
    world.deploy(stack_of(One=single(RED, BOB)))
    world.delete()


@pytest.mark.parametrize(
    "life",
    [
        everything_succeeds,
        everything_is_missing,
        everything_is_refused,
        everything_rolls_back,
        everything_breaks,
        everything_is_out_of_reach,
    ],
)
@pytest.mark.parametrize("accept_after_calls", [0, None])
def test_nothing_private_is_seen(
    life: Callable[[World, ConnectEmulation], None], accept_after_calls: int | None
) -> None:
    world, emulation = new_world(accept_after_calls=accept_after_calls)
    before = WATCH.seen
    life(world, emulation)
    assert WATCH.seen > before + 10
    assert world.ledger.calls
    for written in world.ledger.calls:
        WATCH.search("the ledger", str(written.body))
    assert {call.access_key for call in emulation.calls} == {f"key-{CREDENTIAL}"}
    assert WATCH.take() == [], world.story()


# Whether the watch would notice -------------------------------------------------------------------


@pytest.mark.parametrize(
    "private",
    [
        f"name {CUSTOMER}",
        f"secret-{CREDENTIAL}",
        {"ResponseURL": "https://elsewhere"},
        f"https://bucket.s3.amazonaws.com/answer?{SIGNATURE}=1",
        "Authorization: AWS4-HMAC-SHA256 …",
        "https://responses.example/1",
    ],
)
def test_the_watch_notices(private: object) -> None:
    LOGGER.debug("got %s", private)
    assert len(WATCH.take()) == 1
    LOGGER.error("failed", exc_info=ValueError(private))
    assert WATCH.take()
    assert find("nothing private") == []


@pytest.mark.parametrize("where", ["log", "error", "answer"])
def test_the_watch_notices_what_connect_said(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The marked values do reach the code; it is the code that lets go of them."""
    found = Calls.found

    def careless(self: Calls, operation: str, **request: Any) -> Any:
        answer: Any = found(self, operation, **request)
        if operation != "DescribeContact":
            return answer
        if where == "log":
            LOGGER.info("%s", answer)
        elif where == "error":
            raise ValueError(answer)
        else:
            answer["Contact"]["Channel"] = answer["Contact"]["Name"]
        return answer

    monkeypatch.setattr(Calls, "found", careless)
    world, _ = new_world()
    world.deploy(stack_of(Task=assignment(TASK, ANN, release="RETAIN", allow_voice=True)))
    assert any(CUSTOMER in leak for leak in WATCH.take())
