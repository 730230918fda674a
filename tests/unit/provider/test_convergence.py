"""Moves, their way back, and exclusive memberships: what must not be forgotten on the way.

Each of these fails at once if one of the handlers' steps does nothing.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from connect_provider.ledger.table import Ledger
from lifecycle.cast import (
    ANN,
    BLUE,
    BOB,
    CYD,
    DAN,
    EVE,
    RED,
    membership,
    sibling,
    single,
    stack_of,
)
from lifecycle.clients import json_error
from lifecycle.emulated_connect import EmulatedConnect, behaviour
from lifecycle.faults import Fault, FaultPlan
from lifecycle.framework import AfterKill, FrameworkSettings
from lifecycle.stack_parts import Rollback, StackSettings
from lifecycle.under_test import association_provider, emulated_world
from lifecycle.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from connect_provider.ledger.claim import GroupClaim
    from lifecycle.cast import Thing
    from lifecycle.clock import SimulatedClock

JOIN = "AssociateTrafficDistributionGroupUser"
LEAVE = "DisassociateTrafficDistributionGroupUser"
ONE_GROUP: dict[str, Any] = {"user_in_several_groups": "ResourceConflictException"}


class Picky(EmulatedConnect):
    """A Connect where a group refuses a user, though nothing is known to be wrong with either.

    :ivar refuses: ``(group, user, error code)``, and how often from now on.
    """

    def __init__(self, clock: SimulatedClock, **switches: Any) -> None:
        super().__init__(clock, behaviour=behaviour(**switches))
        self.refuses: dict[tuple[Thing, Thing, str], float] = {}

    def answer(self, region: str, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        """Answer one call."""
        said = f"{request.url} {request.body!r}"
        for (group, user, code), times in self.refuses.items():
            in_vain = operation == JOIN and group.id in said and user.id in said and times > 0
            # The user is in another group: that is told first.
            if in_vain and not (self.one_group_per_user and self._is_elsewhere(group, user)):
                self.refuses[group, user, code] = times - 1
                return json_error(request, 500 if "Internal" in code else 400, code, "no room")
        return super().answer(region, operation, request)

    def _is_elsewhere(self, group: Thing, user: Thing) -> bool:
        return any(it != group.id and user_id == user.id for it, user_id in self.memberships())


def deployed(world: World, template: dict[str, Any], **how: Any) -> None:
    """Deploy what everything else rests on."""
    assert world.deploy(template, **how).endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE"))
    assert "ROLLBACK" not in world.stack.status, world.story()


def picky_world(stack: StackSettings | None = None) -> tuple[World, Picky]:
    made: list[Picky] = []

    def connect(clock: SimulatedClock) -> Picky:
        made.append(Picky(clock, **ONE_GROUP))
        return made[0]

    return World(handlers=association_provider, connect=connect, stack=stack), made[0]


# -- the way back of a move that fails -------------------------------------------------------------


def test_who_left_in_vain_goes_back_at_once() -> None:
    """Not only in a rollback, which may never come."""
    world, connect = picky_world()
    deployed(world, stack_of(A=single(RED, ANN)))
    connect.refuses[BLUE, ANN, "InvalidRequestException"] = float("inf")
    status = world.deploy(stack_of(A=single(BLUE, ANN)), rollback=False)
    assert status == "UPDATE_FAILED", world.story()
    assert "InvalidRequestException: no room" in world.stack.reason
    assert world.members(RED) == {"ann"}, world.story()
    assert world.members(BLUE) == set()
    assert world.roll_back() == "UPDATE_ROLLBACK_COMPLETE"
    assert world.members(RED) == {"ann"}, world.story()


def test_everybody_who_left_in_vain_goes_back_and_the_others_stay_where_they_are() -> None:
    world, connect = picky_world()
    deployed(world, stack_of(M=membership(RED, ANN, BOB, CYD)))
    for user in (ANN, CYD):
        connect.refuses[BLUE, user, "InvalidRequestException"] = float("inf")
    status = world.deploy(stack_of(M=membership(BLUE, ANN, BOB, CYD)), rollback=False)
    assert status == "UPDATE_FAILED"
    assert "2 of 3 users could not be associated" in world.stack.reason
    assert world.members(RED) == {"ann", "cyd"}, world.story()
    assert world.members(BLUE) == {"bob"}
    assert world.roll_back() == "UPDATE_ROLLBACK_COMPLETE"
    assert world.members(RED) == {"ann", "bob", "cyd"}, world.story()
    assert world.members(BLUE) == set()


@pytest.mark.parametrize("rollback", Rollback)
def test_the_rollback_brings_back_who_could_not_go_back_at_once(rollback: Rollback) -> None:
    world, connect = picky_world(StackSettings(rollback=rollback))
    deployed(world, stack_of(A=single(RED, ANN)))
    connect.refuses[BLUE, ANN, "InvalidRequestException"] = float("inf")
    connect.refuses[RED, ANN, "InternalServiceException"] = 4
    status = world.deploy(stack_of(A=single(BLUE, ANN)))
    assert status == "UPDATE_ROLLBACK_COMPLETE", world.story()
    assert world.members(RED) == {"ann"}, world.story()
    assert connect.refuses[RED, ANN, "InternalServiceException"] == 0, "otherwise it shows nothing"


@pytest.mark.parametrize("rollback", Rollback)
@pytest.mark.parametrize("several", [True, False], ids=["membership", "single"])
def test_the_rollback_of_a_move_brings_everybody_back(rollback: Rollback, *, several: bool) -> None:
    world = emulated_world(stack=StackSettings(rollback=rollback), **ONE_GROUP)
    users = (ANN, BOB) if several else (ANN,)

    def template(group: Thing, version: int) -> dict[str, Any]:
        return stack_of(
            A=membership(group, *users) if several else single(group, ANN),
            Fails=sibling(version=version, after=("A",)),
        )

    deployed(world, template(RED, 1))
    world.sabotage_next(seconds={}, fails={("Fails", "Update")})
    assert world.deploy(template(BLUE, 2)) == "UPDATE_ROLLBACK_COMPLETE"
    assert world.members(RED) == {user.name for user in users}, world.story()
    assert world.members(BLUE) == set()


def test_a_move_that_succeeds_leaves_and_joins_once() -> None:
    world = emulated_world(**ONE_GROUP)
    deployed(world, stack_of(A=single(RED, ANN)))
    mark = len(world.faulty.calls)
    assert world.deploy(stack_of(A=single(BLUE, ANN))) == "UPDATE_COMPLETE"
    written = world.faulty.writes_since(mark)
    assert [call.operation for call in written if call.status < 400] == [LEAVE, JOIN]
    assert (world.members(RED), world.members(BLUE)) == (set(), {"ann"}), world.story()


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("kind", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
@pytest.mark.parametrize("after_kill", AfterKill)
def test_a_move_survives_a_kill_at_any_write(
    number: int, kind: Fault, after_kill: AfterKill
) -> None:
    world = emulated_world(framework=FrameworkSettings(after_kill=after_kill), **ONE_GROUP)
    deployed(world, stack_of(A=single(RED, ANN)))
    world.faulty.plan = FaultPlan(at={number: kind}, writes_only=True)
    status = world.deploy(stack_of(A=single(BLUE, ANN)))
    if status == "UPDATE_COMPLETE":
        assert (world.members(RED), world.members(BLUE)) == (set(), {"ann"}), world.story()
    else:
        assert status == "UPDATE_ROLLBACK_COMPLETE"
        assert (world.members(RED), world.members(BLUE)) == ({"ann"}, set()), world.story()


def test_whom_somebody_else_has_there_is_not_moved() -> None:
    world = emulated_world(**ONE_GROUP)
    deployed(world, stack_of(A=single(RED, ANN)))
    deployed(world, stack_of(A=single(RED, ANN)), stack="Other")
    assert world.deploy(stack_of(A=single(BLUE, ANN))) == "UPDATE_ROLLBACK_COMPLETE"
    assert "take the user out of that one first" in world.stack.reason
    assert (world.members(RED), world.members(BLUE)) == ({"ann"}, set()), world.story()


def test_whom_nobody_declared_there_is_not_moved() -> None:
    world = emulated_world(**ONE_GROUP)
    world.connect.join(RED, ANN)
    assert world.deploy(stack_of(A=single(BLUE, ANN))) == "ROLLBACK_COMPLETE"
    assert "take the user out of that one first" in world.stack.reason
    assert (world.members(RED), world.members(BLUE)) == ({"ann"}, set()), world.story()


# -- exclusive memberships -------------------------------------------------------------------------


def exclusive(*users: Thing, **more: Any) -> dict[str, Any]:
    return membership(RED, *users, exclusive=True, **more)


def test_an_exclusive_create_removes_whom_nobody_declares() -> None:
    world = emulated_world()
    for user in (ANN, CYD, DAN):
        world.connect.join(RED, user)
    deployed(world, stack_of(D=single(RED, DAN)), stack="Other")
    assert world.deploy(stack_of(M=exclusive(ANN, BOB))) == "CREATE_COMPLETE"
    assert world.members(RED) == {"ann", "bob", "dan"}, world.story()
    attributes = world.stack.resources["M"].attributes
    assert (attributes["Added"], attributes["Removed"]) == (1, 1)


@pytest.mark.parametrize(
    "update",
    [
        pytest.param(lambda: exclusive(ANN, BOB, DAN), id="one more"),
        pytest.param(lambda: exclusive(ANN), id="one less"),
        pytest.param(lambda: exclusive(DAN), id="all others"),
    ],
)
def test_an_exclusive_update_removes_who_has_come_since(
    update: Callable[[], dict[str, Any]],
) -> None:
    world = emulated_world()
    deployed(world, stack_of(M=exclusive(ANN, BOB)))
    world.connect.join(RED, CYD)
    world.connect.join(RED, EVE)
    body = update()
    wanted = set(body["Properties"]["UserIds"])
    assert world.deploy(stack_of(M=body)) == "UPDATE_COMPLETE"
    left = {user.name for user in (ANN, BOB, CYD, DAN, EVE) if user.id in wanted}
    assert world.members(RED) == left, world.story()
    gone = {"ann", "bob", "cyd", "eve"} - left
    assert world.stack.resources["M"].attributes["Removed"] == len(gone)


def test_a_membership_that_becomes_exclusive_removes_whom_nobody_declares() -> None:
    world = emulated_world()
    world.connect.join(RED, CYD)
    deployed(world, stack_of(M=membership(RED, ANN), B=single(RED, BOB)))
    assert world.members(RED) == {"ann", "bob", "cyd"}
    assert world.deploy(stack_of(M=exclusive(ANN), B=single(RED, BOB))) == "UPDATE_COMPLETE"
    assert world.members(RED) == {"ann", "bob"}, world.story()


def test_a_membership_that_is_not_exclusive_any_more_removes_nobody() -> None:
    world = emulated_world()
    deployed(world, stack_of(M=exclusive(ANN)))
    world.connect.join(RED, CYD)
    assert world.deploy(stack_of(M=membership(RED, ANN, BOB))) == "UPDATE_COMPLETE"
    assert world.members(RED) == {"ann", "bob", "cyd"}, world.story()


@pytest.mark.parametrize("rollback", Rollback)
def test_an_exclusive_update_that_fails_removes_nobody(rollback: Rollback) -> None:
    world = emulated_world(stack=StackSettings(rollback=rollback))
    deployed(world, stack_of(M=exclusive(ANN), Fails=sibling()))
    world.connect.join(RED, CYD)
    world.sabotage_next(seconds={}, fails={("Fails", "Update")})
    failing = stack_of(M=exclusive(ANN, BOB), Fails=sibling(version=2, after=("M",)))
    assert world.deploy(failing) == "UPDATE_ROLLBACK_COMPLETE"
    assert world.members(RED) == {"ann", "cyd"}, world.story()


@pytest.mark.parametrize("count", [1, 3])
def test_an_exclusive_create_that_fails_brings_everybody_back(count: int) -> None:
    world = emulated_world()
    strangers = (CYD, DAN, EVE)[:count]
    for user in strangers:
        world.connect.join(RED, user)
    world.sabotage_next(seconds={}, fails={("Fails", "Create")})
    failing = stack_of(M=exclusive(ANN), Fails=sibling(after=("M",)))
    assert world.deploy(failing) == "ROLLBACK_COMPLETE"
    assert world.members(RED) == {user.name for user in strangers}, world.story()
    assert world.faulty.writes_since(0), "otherwise it shows nothing"


def test_an_exclusive_replacement_removes_strangers_of_the_new_group_only() -> None:
    world = emulated_world()
    deployed(world, stack_of(M=exclusive(ANN)))
    world.connect.join(RED, CYD)
    world.connect.join(BLUE, DAN)
    moved = membership(BLUE, ANN, exclusive=True)
    assert world.deploy(stack_of(M=moved)) == "UPDATE_COMPLETE"
    assert world.members(BLUE) == {"ann"}, world.story()
    assert world.members(RED) == {"cyd"}, "its Delete is of another group's version"


# -- claims that come meanwhile --------------------------------------------------------------------


def test_a_claim_that_comes_while_users_leave_keeps_them() -> None:
    """The claims are read again before removals, not only at the beginning."""
    world = emulated_world()
    deployed(world, stack_of(M=membership(RED, ANN, BOB, CYD)))
    deployed(world, stack_of(M=membership(RED, EVE)), stack="Other")
    other = next(item for item in world.ledger.claims() if "/Other/" in item["sk"])
    packed = uuid.UUID(max(BOB.id, CYD.id)).bytes
    taken: list[str] = []

    class Meanwhile(FaultPlan):
        """Lets the other stack claim one more just when the first one leaves."""

        def counts(self, service: str, operation: str) -> bool:
            if operation == LEAVE and not taken:
                taken.append(operation)
                changed = {**other, "phase": "PENDING", "users": packed}
                world.ledger.put({**changed, "sk": other["sk"][:-1] + "x"})
                world.clock.sleep(6.0)
            return super().counts(service, operation)

    world.faulty.plan = Meanwhile()
    assert world.deploy(stack_of(M=membership(RED, ANN))) == "UPDATE_COMPLETE"
    assert taken
    stays = max(BOB, CYD, key=lambda user: user.id).name
    assert world.members(RED) == {"ann", "eve", stays}, world.story()


def test_every_change_of_a_claim_is_made_on_what_it_is_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An end that is decided while a claim is brought about is not overwritten."""
    world = emulated_world()
    change = Ledger.change
    ended: list[str] = []

    def meanwhile(self: Ledger, claim: GroupClaim, decide: Any) -> GroupClaim:
        if not ended:
            ended.append(claim.version)
            item = world.ledger.claims()[0]
            world.ledger.put(
                {**item, "phase": "ENDING", "undo": True, "revision": item["revision"] + 1}
            )
        return change(self, claim, decide)

    monkeypatch.setattr(Ledger, "change", meanwhile)
    assert world.deploy(stack_of(A=single(RED, ANN))) == "ROLLBACK_COMPLETE", world.story()
    assert ended
    assert "outlived its deployment" in world.stack.reason
    assert world.members(RED) == set()
