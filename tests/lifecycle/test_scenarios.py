"""Scripted histories: what must survive, and what must not be left behind.

The three that people meet first - a renamed construct, a Lambda killed between the call and the
answer, a first deployment that rolls back - run against a naive provider as well, which loses.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from lifecycle.cast import (
    ANN,
    BLUE,
    BOB,
    CHAT,
    CYD,
    DAN,
    EVE,
    GROUPS,
    NOBODY,
    RED,
    TASK,
    VOICE,
    WEST,
    assignment,
    declared_user,
    lookup,
    membership,
    sibling,
    single,
    stack_of,
)  # fmt: skip
from lifecycle.cloudformation_api import ReadFaults
from lifecycle.faults import CONNECT, Fault, FaultPlan
from lifecycle.framework import AfterKill, FrameworkSettings
from lifecycle.naive import NaiveProvider
from lifecycle.stack_parts import InFlight, Rollback, StackSettings
from lifecycle.under_test import association_provider, emulated_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _pytest.mark.structures import ParameterSet

    from lifecycle.framework import Event
    from lifecycle.world import World

ROLLBACKS = [
    StackSettings(rollback=rollback, updated_at_moves=moves)
    for rollback in Rollback
    for moves in (False, True)
]


def name_of(rollback: StackSettings) -> str:
    return f"{rollback.rollback.name}{'-updated-at-moves' if rollback.updated_at_moves else ''}"


all_rollbacks = pytest.mark.parametrize("rollback", ROLLBACKS, ids=name_of)
_USUAL = StackSettings()

both_in_flight = pytest.mark.parametrize("in_flight", list(InFlight))
both_kills = pytest.mark.parametrize("after_kill", list(AfterKill))


def new_world(
    *,
    handlers: Any = association_provider,
    rollback: StackSettings = _USUAL,
    in_flight: InFlight = InFlight.CANCEL,
    after_kill: AfterKill = AfterKill.FAILS,
    **switches: Any,
) -> World:
    return emulated_world(
        handlers=handlers,
        stack=replace(rollback, in_flight=in_flight),
        framework=FrameworkSettings(after_kill=after_kill),
        **switches,
    )


def fail_last(world: World, *, seconds: float = 400.0) -> dict[str, Any]:
    """Return a sibling that fails when everything else is done."""
    world.sabotage_next(seconds={"Failing": seconds}, fails={("Failing", "Create")})
    return sibling()


def disassociations(world: World) -> list[str]:
    return [call.operation for call in world.faulty.calls if "Disassociate" in call.operation]


class TestRename:
    def test_keeps_the_user_in_the_group(self) -> None:
        world = new_world()
        world.deploy(stack_of(OldName=single(RED, ANN)))
        assert world.deploy(stack_of(NewName=single(RED, ANN))) == "UPDATE_COMPLETE"
        assert world.members(RED) == {"ann"}, world.story()
        assert not disassociations(world), "not even for a moment"

    def test_loses_the_user_with_a_naive_provider(self) -> None:
        world = new_world(handlers=NaiveProvider)
        world.deploy(stack_of(OldName=single(RED, ANN)))
        assert world.deploy(stack_of(NewName=single(RED, ANN))) == "UPDATE_COMPLETE"
        assert world.members(RED) == set()

    @all_rollbacks
    def test_rolled_back_keeps_the_user_too(self, rollback: StackSettings) -> None:
        world = new_world(rollback=rollback)
        world.deploy(stack_of(OldName=single(RED, ANN)))
        status = world.deploy(stack_of(NewName=single(RED, ANN), Failing=fail_last(world)))
        assert status == "UPDATE_ROLLBACK_COMPLETE"
        assert world.members(RED) == {"ann"}, world.story()

    def test_of_a_membership(self) -> None:
        world = new_world()
        world.deploy(stack_of(OldName=membership(RED, ANN, BOB)))
        world.deploy(stack_of(NewName=membership(RED, BOB, CYD)))
        assert world.members(RED) == {"bob", "cyd"}, world.story()

    def test_with_references_to_users_of_the_stack(self) -> None:
        world = new_world()
        ann, bob = declared_user(ANN), declared_user(BOB)
        world.deploy(
            stack_of(Ann=ann, Bob=bob, Old=membership(RED, {"Ref": "Ann"}, {"Ref": "Bob"}))
        )
        world.deploy(
            stack_of(
                Ann=ann,
                Bob=bob,
                New=membership(RED, {"Fn::GetAtt": ["Ann", "UserArn"]}),
                One=single(RED, {"Fn::GetAtt": ["Bob", "UserArn"]}),
            )
        )
        assert world.members(RED) == {"ann", "bob"}, world.story()
        assert not disassociations(world)

    def test_with_a_parameter(self) -> None:
        world = new_world()
        values = {"Group": RED.arn}
        old = stack_of(values, Old=single({"Ref": "Group"}, ANN))
        new = stack_of(values, New=single({"Ref": "Group"}, ANN))
        world.deploy(old, values)
        world.deploy(new, values)
        assert world.members(RED) == {"ann"}, world.story()


def crashes_of_an_update() -> Iterator[ParameterSet]:
    """Every crash at every call, each with one way to roll back; the soak has the other three.

    In turn, so that every crash also meets every way at some call, as does every call. How the
    stack is rolled back does not depend on the call: what a way gets wrong fails at other calls.
    """
    kinds = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
    for at in range(12):
        for number, (kind, after_kill) in enumerate(product(kinds, AfterKill)):
            for turn, rollback in enumerate(ROLLBACKS):
                usual = turn == (number + at) % len(ROLLBACKS)
                yield pytest.param(
                    *(at, kind, after_kill, rollback),
                    id=f"{at}-{kind.name}-{after_kill.name}-{name_of(rollback)}",
                    marks=[] if usual else [pytest.mark.soak],
                )


class TestCrashAfterTheCall:
    def test_leaves_nothing_behind(self) -> None:
        world = new_world()
        world.faulty.plan = FaultPlan(at={0: Fault.KILLED_AFTER}, writes_only=True)
        assert world.deploy(stack_of(A=single(RED, ANN))) == "ROLLBACK_COMPLETE"
        assert world.members(RED) == set(), world.story()

    def test_leaves_the_user_behind_with_a_naive_provider(self) -> None:
        world = new_world(handlers=NaiveProvider)
        world.faulty.plan = FaultPlan(at={0: Fault.KILLED_AFTER}, writes_only=True)
        assert world.deploy(stack_of(A=single(RED, ANN))) == "ROLLBACK_COMPLETE"
        assert world.members(RED) == {"ann"}

    @pytest.mark.parametrize(("at", "kind", "after_kill", "rollback"), [*crashes_of_an_update()])
    def test_at_any_call_of_an_update(
        self, at: int, kind: Fault, after_kill: AfterKill, rollback: StackSettings
    ) -> None:
        world = new_world(rollback=rollback, after_kill=after_kill)
        world.connect.join(BLUE, DAN)
        world.deploy(stack_of(A=single(RED, ANN), M=membership(BLUE, BOB, CYD)))
        world.faulty.plan = FaultPlan(at={at: kind})
        status = world.deploy(stack_of(A=single(BLUE, ANN), M=membership(BLUE, CYD, DAN, EVE)))
        if "ROLLBACK" in status:
            assert world.members(RED) == {"ann"}, world.story()
            assert world.members(BLUE) == {"bob", "cyd", "dan"}, world.story()
        else:
            assert world.members(RED) == set(), world.story()
            assert world.members(BLUE) == {"ann", "cyd", "dan", "eve"}, world.story()

    @both_kills
    @pytest.mark.parametrize("kind", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
    @pytest.mark.parametrize("at", range(10))
    def test_at_any_call_of_a_create(self, at: int, kind: Fault, after_kill: AfterKill) -> None:
        world = new_world(after_kill=after_kill)
        world.connect.join(RED, BOB)
        world.faulty.plan = FaultPlan(at={at: kind})
        status = world.deploy(stack_of(A=single(RED, ANN), M=membership(RED, BOB, CYD)))
        expected = {"bob"} if "ROLLBACK" in status else {"ann", "bob", "cyd"}
        assert world.members(RED) == expected, world.story()


class TestLostAnswers:
    """Two calls of one pass take effect and time out, so that both are made twice."""

    LOST: ClassVar = {0: Fault.LOST_ANSWER, 2: Fault.LOST_ANSWER}

    @pytest.mark.parametrize(
        "error", ["Succeeds", "ResourceConflictException", "InvalidRequestException"]
    )
    def test_whoever_has_joined_is_a_member(self, error: str) -> None:
        world = new_world(associate_member=error)
        world.faulty.plan = FaultPlan(at=dict(self.LOST), writes_only=True)
        status = world.deploy(stack_of(M=membership(RED, ANN, BOB, CYD)))
        assert world.faulty.happened[Fault.LOST_ANSWER.value] == 2
        assert status == "CREATE_COMPLETE", world.story()
        assert world.members(RED) == {"ann", "bob", "cyd"}

    @pytest.mark.parametrize(
        "error",
        [
            "Succeeds",
            "ResourceConflictException",
            "InvalidRequestException",
            "ResourceNotFoundException",
        ],
    )
    def test_whoever_has_left_is_none(self, error: str) -> None:
        world = new_world(disassociate_non_member=error)
        world.deploy(stack_of(M=membership(RED, ANN, BOB, CYD)))
        world.faulty.plan = FaultPlan(at=dict(self.LOST), writes_only=True)
        status = world.delete()
        assert world.faulty.happened[Fault.LOST_ANSWER.value] == 2
        assert status == "DELETE_COMPLETE", world.story()
        assert world.members(RED) == set()


class TestAdoptedMembership:
    def test_survives_the_rollback_of_a_create(self) -> None:
        world = new_world()
        world.connect.join(RED, ANN)
        status = world.deploy(stack_of(A=single(RED, ANN), Failing=fail_last(world)))
        assert status == "ROLLBACK_COMPLETE"
        assert world.members(RED) == {"ann"}, world.story()

    def test_does_not_survive_with_a_naive_provider(self) -> None:
        world = new_world(handlers=NaiveProvider)
        world.connect.join(RED, ANN)
        status = world.deploy(stack_of(A=single(RED, ANN), Failing=fail_last(world)))
        assert status == "ROLLBACK_COMPLETE"
        assert world.members(RED) == set()

    @all_rollbacks
    def test_survives_the_rollback_of_an_update(self, rollback: StackSettings) -> None:
        world = new_world(rollback=rollback)
        world.connect.join(RED, ANN)
        world.connect.join(BLUE, CYD)
        world.deploy(stack_of(M=membership(BLUE, BOB)))
        status = world.deploy(
            stack_of(A=single(RED, ANN), M=membership(BLUE, CYD, DAN), Failing=fail_last(world))
        )
        assert status == "UPDATE_ROLLBACK_COMPLETE"
        assert world.members(RED) == {"ann"}, world.story()
        assert world.members(BLUE) == {"bob", "cyd"}, world.story()

    @pytest.mark.parametrize("body", [single(RED, ANN), membership(RED, ANN)], ids=["one", "many"])
    def test_is_removed_with_its_resource(self, body: dict[str, Any]) -> None:
        world = new_world()
        world.connect.join(RED, ANN)
        world.deploy(stack_of(A=body, Other=sibling()))
        world.deploy(stack_of(Other=sibling()))
        assert world.members(RED) == set(), world.story()

    def test_is_removed_with_the_stack(self) -> None:
        world = new_world()
        world.connect.join(RED, ANN)
        world.deploy(stack_of(A=single(RED, ANN)))
        assert world.delete() == "DELETE_COMPLETE"
        assert world.members(RED) == set(), world.story()


class TestTakeOver:
    @pytest.mark.parametrize("fails", [False, True])
    @all_rollbacks
    def test_by_a_membership(self, rollback: StackSettings, *, fails: bool) -> None:
        world = new_world(rollback=rollback)
        world.deploy(stack_of(A=single(RED, ANN), B=single(RED, BOB)))
        more = {"Failing": fail_last(world)} if fails else {}
        world.deploy(stack_of(M=membership(RED, ANN, BOB), **more))
        assert world.members(RED) == {"ann", "bob"}, world.story()
        assert not disassociations(world)

    @pytest.mark.parametrize("fails", [False, True])
    @all_rollbacks
    def test_by_single_users(self, rollback: StackSettings, *, fails: bool) -> None:
        world = new_world(rollback=rollback)
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        more = {"Failing": fail_last(world)} if fails else {}
        world.deploy(stack_of(A=single(RED, ANN), B=single(RED, BOB), **more))
        assert world.members(RED) == {"ann", "bob"}, world.story()
        assert not disassociations(world)

    @pytest.mark.parametrize("fails", [False, True])
    @all_rollbacks
    def test_of_one_user_by_another_membership(
        self, rollback: StackSettings, *, fails: bool
    ) -> None:
        world = new_world(rollback=rollback)
        world.deploy(stack_of(M=membership(RED, ANN, BOB), N=membership(RED, CYD)))
        more = {"Failing": fail_last(world)} if fails else {}
        world.deploy(stack_of(M=membership(RED, ANN), N=membership(RED, BOB, CYD), **more))
        assert world.members(RED) == {"ann", "bob", "cyd"}, world.story()
        assert not disassociations(world)

    def test_in_the_home_region_of_the_group(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(WEST, ANN)))
        world.deploy(stack_of(M=membership(WEST.arn, ANN.arn)))
        assert world.members(WEST) == {"ann"}, world.story()
        writes = [call for call in world.faulty.calls if call.writes]
        assert {call.region for call in writes} == {"us-west-2"}


class TestRequestInFlight:
    """A sibling fails while a request is unanswered: its execution goes on, unheard."""

    @both_in_flight
    @pytest.mark.parametrize("seconds", [0.2, 20.0, 100.0])
    @pytest.mark.parametrize("adopted", [False, True])
    def test_create(self, in_flight: InFlight, seconds: float, *, adopted: bool) -> None:
        world = new_world(in_flight=in_flight)
        if adopted:
            world.connect.join(RED, ANN)
        if seconds > 1:
            world.connect.group_becomes_active(RED, after=60)
        body = stack_of(
            A=single(RED, ANN), M=membership(RED, BOB, CYD),
            Failing=fail_last(world, seconds=seconds),
        )  # fmt: skip
        assert world.deploy(body) == "ROLLBACK_COMPLETE", world.story()
        assert world.members(RED) == ({"ann"} if adopted else set()), world.story()

    @both_in_flight
    @all_rollbacks
    @pytest.mark.parametrize("seconds", [0.2, 20.0])
    def test_update(self, rollback: StackSettings, in_flight: InFlight, seconds: float) -> None:
        world = new_world(rollback=rollback, in_flight=in_flight)
        world.deploy(stack_of(A=single(RED, ANN), M=membership(BLUE, BOB, CYD)))
        if seconds > 1:
            world.connect.group_becomes_active(BLUE, after=60)
        body = stack_of(
            A=single(BLUE, ANN), M=membership(BLUE, CYD, DAN),
            Failing=fail_last(world, seconds=seconds),
        )  # fmt: skip
        assert world.deploy(body) == "UPDATE_ROLLBACK_COMPLETE", world.story()
        assert world.members(RED) == {"ann"}, world.story()
        assert world.members(BLUE) == {"bob", "cyd"}, world.story()

    @both_in_flight
    @all_rollbacks
    def test_of_a_contact_that_is_accepted_under_its_old_name(
        self, rollback: StackSettings, in_flight: InFlight
    ) -> None:
        world = new_world(rollback=rollback, in_flight=in_flight, accept_after_calls=2)
        world.deploy(stack_of(Old=assignment(CHAT, ANN, release="STOP")))
        world.deploy(
            stack_of(
                New=assignment(CHAT, ANN, release="STOP"), Failing=fail_last(world, seconds=0.2)
            )
        )
        assert not world.connect.contact(CHAT).ended, world.story()


class TestOneGroupPerUser:
    """The service may allow a user in one group only; then a move has to leave first."""

    def world(self, rollback: StackSettings = _USUAL) -> World:
        return new_world(rollback=rollback, user_in_several_groups="ResourceConflictException")

    @pytest.mark.parametrize("many", [False, True])
    def test_moves(self, *, many: bool) -> None:
        world = self.world()
        declare = membership if many else single
        world.deploy(stack_of(A=declare(RED, ANN)))
        assert world.deploy(stack_of(A=declare(BLUE, ANN))) == "UPDATE_COMPLETE", world.story()
        assert world.members(RED) == set(), world.story()
        assert world.members(BLUE) == {"ann"}, world.story()

    @pytest.mark.parametrize("many", [False, True])
    @all_rollbacks
    def test_goes_back_when_the_deployment_fails(
        self, rollback: StackSettings, *, many: bool
    ) -> None:
        world = self.world(rollback)
        declare = membership if many else single
        world.deploy(stack_of(A=declare(RED, ANN)))
        status = world.deploy(stack_of(A=declare(BLUE, ANN), Failing=fail_last(world)))
        assert status == "UPDATE_ROLLBACK_COMPLETE", world.story()
        assert world.members(RED) == {"ann"}, world.story()
        assert world.members(BLUE) == set(), world.story()

    def test_goes_back_when_what_stands_in_the_way_is_undone_later(self) -> None:
        world = self.world()
        world.connect.join(BLUE, BOB)
        # A sends Bob away, B takes him in and dies; A's Delete comes before B's.
        world.faulty.plan = FaultPlan(at={2: Fault.KILLED_AFTER}, writes_only=True)
        status = world.deploy(stack_of(A=membership(BLUE, ANN, exclusive=True), B=single(RED, BOB)))
        assert status == "ROLLBACK_COMPLETE", world.story()
        assert world.members(BLUE) == {"bob"}, world.story()
        assert world.members(RED) == set(), world.story()

    @all_rollbacks
    @pytest.mark.parametrize("kind", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
    @pytest.mark.parametrize("at", range(4))
    def test_goes_back_when_it_is_killed_in_between(
        self, at: int, kind: Fault, rollback: StackSettings
    ) -> None:
        world = self.world(rollback)
        world.deploy(stack_of(A=single(RED, ANN)))
        world.faulty.plan = FaultPlan(at={at: kind}, writes_only=True)
        status = world.deploy(stack_of(A=single(BLUE, ANN)))
        moved = "ROLLBACK" not in status
        assert world.members(RED) == (set() if moved else {"ann"}), world.story()
        assert world.members(BLUE) == ({"ann"} if moved else set()), world.story()


class TestFailedMembershipUpdate:
    @all_rollbacks
    def test_is_undone(self, rollback: StackSettings) -> None:
        world = new_world(rollback=rollback)
        world.connect.join(RED, EVE)
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        status = world.deploy(stack_of(M=membership(RED, BOB, CYD, EVE), Failing=fail_last(world)))
        assert status == "UPDATE_ROLLBACK_COMPLETE"
        assert world.members(RED) == {"ann", "bob", "eve"}, world.story()

    @all_rollbacks
    def test_to_another_group_is_undone(self, rollback: StackSettings) -> None:
        world = new_world(rollback=rollback)
        world.connect.join(BLUE, BOB)
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        world.deploy(stack_of(M=membership(BLUE, ANN, BOB), Failing=fail_last(world)))
        assert world.members(RED) == {"ann", "bob"}, world.story()
        assert world.members(BLUE) == {"bob"}, world.story()

    @all_rollbacks
    def test_then_a_successful_one(self, rollback: StackSettings) -> None:
        world = new_world(rollback=rollback)
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        world.deploy(stack_of(M=membership(RED, BOB, CYD), Failing=fail_last(world)))
        assert world.deploy(stack_of(M=membership(RED, BOB, DAN))) == "UPDATE_COMPLETE"
        assert world.members(RED) == {"bob", "dan"}, world.story()
        assert world.delete() == "DELETE_COMPLETE"
        assert world.members(RED) == set(), world.story()

    @all_rollbacks
    def test_whose_rollback_fails_and_is_continued(self, rollback: StackSettings) -> None:
        world = new_world(rollback=rollback)
        world.deploy(stack_of(M=membership(RED, ANN, BOB), Other=sibling(), A=single(BLUE, ANN)))
        world.sabotage_next(
            seconds={"Other": 100.0}, fails={("Other", "Update"), ("Other", "Revert")}
        )
        status = world.deploy(
            stack_of(M=membership(RED, BOB, CYD), Other=sibling(version=2), A=single(RED, DAN))
        )
        assert status == "UPDATE_ROLLBACK_FAILED"
        world.sabotage_next(seconds={}, fails=set())
        assert world.continue_rollback() == "UPDATE_ROLLBACK_COMPLETE"
        assert world.members(RED) == {"ann", "bob"}, world.story()
        assert world.members(BLUE) == {"ann"}, world.story()


class TestExclusive:
    def test_removes_the_undeclared(self) -> None:
        world = new_world()
        world.connect.join(RED, EVE)
        world.deploy(stack_of(M=membership(RED, ANN, exclusive=True), D=single(RED, DAN)))
        assert world.members(RED) == {"ann", "dan"}, world.story()

    def test_declared_by_what_comes_later_is_back_at_once(self) -> None:
        world = new_world()
        world.connect.join(RED, DAN)
        world.deploy(
            stack_of(
                M=membership(RED, ANN, exclusive=True),
                Later=sibling(after=("M",)),
                D=single(RED, DAN, after=("Later",)),
            )
        )
        assert world.members(RED) == {"ann", "dan"}, world.story()

    def test_rolled_back_brings_them_back(self) -> None:
        world = new_world()
        world.connect.join(RED, EVE)
        world.deploy(stack_of(M=membership(RED, ANN, exclusive=True), Failing=fail_last(world)))
        assert world.members(RED) == {"eve"}, world.story()

    @all_rollbacks
    def test_update_rolled_back_brings_them_back(self, rollback: StackSettings) -> None:
        world = new_world(rollback=rollback)
        world.connect.join(RED, EVE)
        world.deploy(stack_of(M=membership(RED, ANN)))
        world.deploy(
            stack_of(M=membership(RED, ANN, BOB, exclusive=True), Failing=fail_last(world))
        )
        assert world.members(RED) == {"ann", "eve"}, world.story()

    @all_rollbacks
    def test_back_in_its_group_it_removes_nobody(self, rollback: StackSettings) -> None:
        world = new_world(rollback=rollback)
        world.deploy(stack_of(M=membership(RED, ANN, exclusive=True), D=single(RED, DAN)))
        world.connect.join(RED, EVE)
        world.deploy(stack_of(M=membership(BLUE, BOB), Failing=fail_last(world)))
        assert world.members(BLUE) == set(), world.story()
        assert world.members(RED) == {"ann", "dan", "eve"}, world.story()


class TestContacts:
    @pytest.mark.parametrize("release", ["RETAIN", "STOP", "TRANSFER_TO_QUEUE"])
    def test_never_assigned_is_left_alone_by_the_rollback(self, release: str) -> None:
        world = new_world()
        world.faulty.plan = FaultPlan(
            at=dict.fromkeys(range(400), Fault.SERVER_ERROR), writes_only=True
        )
        status = world.deploy(stack_of(C=assignment(TASK, ANN, release=release)))
        world.faulty.plan = FaultPlan()
        assert status == "ROLLBACK_COMPLETE"
        state = world.connect.contact(TASK)
        assert not state.ended, world.story()
        assert not state.transferred, world.story()
        assert state.offers == ()

    def test_offered_then_rolled_back_with_stop(self) -> None:
        world = new_world()
        world.deploy(stack_of(C=assignment(CHAT, ANN, release="STOP"), Failing=fail_last(world)))
        state = world.connect.contact(CHAT)
        assert state.offers == (ANN.id,)
        assert state.ended, world.story()

    @all_rollbacks
    @pytest.mark.parametrize("accept_after_calls", [0, None])
    def test_a_change_back_to_the_user_before_last_is_rolled_back(
        self, accept_after_calls: int | None, rollback: StackSettings
    ) -> None:
        world = new_world(
            rollback=rollback,
            accept_after_calls=accept_after_calls,
            associate_connected_contact="Succeeds",
        )
        for user in (CYD, ANN):
            world.deploy(stack_of(C=assignment(CHAT, user)))
        status = world.deploy(stack_of(C=assignment(CHAT, CYD), Failing=fail_last(world)))
        assert status == "UPDATE_ROLLBACK_COMPLETE", world.story()
        assert world.connect.contact(CHAT).with_user == ANN.id, world.story()

    @all_rollbacks
    def test_a_change_to_another_contact_that_fails_goes_back_to_its_own_claim(
        self, rollback: StackSettings
    ) -> None:
        world = new_world(rollback=rollback, accept_after_calls=0)
        world.deploy(stack_of(C=assignment(CHAT, ANN)))
        before = world.stack.resources["C"].physical_id
        world.deploy(stack_of(C=assignment(CHAT, ANN)), stack="Other")
        status = world.deploy(stack_of(C=assignment(TASK, ANN), Failing=fail_last(world)))
        assert status == "UPDATE_ROLLBACK_COMPLETE", world.story()
        assert world.stack.resources["C"].physical_id == before, world.story()

    def test_an_offer_whose_answer_was_lost_is_stopped_by_a_rollback(self) -> None:
        """The user has accepted it by the time it is repeated, and Connect refuses that."""
        world = new_world(
            accept_after_calls=0, associate_connected_contact="InvalidRequestException"
        )
        world.deploy(stack_of(Other=sibling()))
        world.faulty.plan = FaultPlan(
            at={0: Fault.LOST_ANSWER}, services=frozenset((CONNECT,)), writes_only=True
        )
        declared = assignment(CHAT, ANN, release="STOP")
        world.deploy(stack_of(Other=sibling(), C=declared, Failing=fail_last(world)))
        assert world.connect.contact(CHAT).ended, world.story()

    @pytest.mark.parametrize("accepted_after", range(1, 7))
    def test_an_earlier_offer_that_is_accepted_now_is_not_stopped_by_a_rollback(
        self, accepted_after: int
    ) -> None:
        world = new_world(accept_after_calls=accepted_after)
        declared = assignment(CHAT, ANN, release="STOP")
        world.deploy(stack_of(Other=sibling()))
        world.deploy(stack_of(Other=sibling(), C=declared, Failing=fail_last(world)))
        before = world.connect.contact(CHAT).offers
        world.deploy(stack_of(Other=sibling(), C=declared, Failing=fail_last(world)))
        state = world.connect.contact(CHAT)
        assert len(before) == 1
        assert not state.ended, world.story()
        # It is declared to be stopped when it is destroyed, whoever offered it.
        if state.offers == before:
            world.sabotage_next(seconds={}, fails=set())
            world.deploy(stack_of(Other=sibling(), C=declared))
            world.delete()
            assert world.connect.contact(CHAT).ended, world.story()

    def test_taken_by_the_user_before_is_not_stopped_by_a_rollback(self) -> None:
        world = new_world()
        world.connect.serve(CHAT, ANN)
        offers = world.connect.contact(CHAT).offers
        world.deploy(stack_of(C=assignment(CHAT, ANN, release="STOP"), Failing=fail_last(world)))
        state = world.connect.contact(CHAT)
        assert not state.ended, world.story()
        assert state.offers == offers

    def test_of_another_user_by_now_is_left_alone(self) -> None:
        world = new_world()
        world.deploy(stack_of(C=assignment(CHAT, ANN, release="STOP")))
        world.connect.serve(CHAT, BOB)
        assert world.delete() == "DELETE_COMPLETE"
        assert not world.connect.contact(CHAT).ended, world.story()

    def test_renamed_is_not_stopped(self) -> None:
        world = new_world()
        world.deploy(stack_of(C=assignment(CHAT, ANN, release="STOP")))
        world.deploy(stack_of(D=assignment(CHAT, ANN, release="STOP")))
        assert not world.connect.contact(CHAT).ended, world.story()
        assert world.connect.contact(CHAT).offers == (ANN.id,), world.story()

    def test_changed_release_writes_nothing(self) -> None:
        world = new_world()
        world.deploy(stack_of(C=assignment(CHAT, ANN, release="STOP")))
        mark = len(world.faulty.calls)
        world.deploy(stack_of(C=assignment(CHAT, ANN, release="RETAIN")))
        assert world.faulty.writes_since(mark) == []

    def test_is_released_with_the_stack(self) -> None:
        world = new_world()
        world.deploy(stack_of(C=assignment(CHAT, ANN, release="STOP"),
                              T=assignment(TASK, BOB, release="TRANSFER_TO_QUEUE")))  # fmt: skip
        assert world.delete() == "DELETE_COMPLETE"
        assert world.connect.contact(CHAT).ended, world.story()
        assert world.connect.contact(TASK).transferred, world.story()

    @pytest.mark.parametrize("kind", [Fault.LOST_ANSWER, Fault.KILLED_AFTER])
    @both_kills
    def test_is_not_offered_twice(self, kind: Fault, after_kill: AfterKill) -> None:
        world = new_world(after_kill=after_kill)
        world.faulty.plan = FaultPlan(at={0: kind}, writes_only=True)
        world.deploy(stack_of(C=assignment(CHAT, ANN)))
        assert world.connect.contact(CHAT).offers == (ANN.id,), world.story()


DELAYS = pytest.mark.parametrize("delay", [0.0, 0.1, 0.4, 2.0, 60.0, 1000.0])


class TestDeliveredTwice:
    @DELAYS
    @pytest.mark.parametrize("at", [0, 1, 2])
    def test_everything(self, delay: float, at: int) -> None:
        world = new_world()
        world.connect.join(RED, CYD)
        world.repeat_events(lambda _number: (delay,))
        world.faulty.plan = FaultPlan(at={at: Fault.INTERLEAVED}, writes_only=True)
        assert world.deploy(stack_of(A=single(RED, ANN), M=membership(BLUE, BOB))) == (
            "CREATE_COMPLETE"
        )
        assert world.deploy(stack_of(B=single(RED, ANN), M=membership(BLUE, CYD))) == (
            "UPDATE_COMPLETE"
        )
        assert world.members(RED) == {"ann", "cyd"}, world.story()
        assert world.members(BLUE) == {"cyd"}, world.story()
        assert world.delete() == "DELETE_COMPLETE"
        assert world.members(RED) == {"cyd"}, world.story()
        assert world.members(BLUE) == set(), world.story()

    @DELAYS
    @all_rollbacks
    def test_in_failed_deployments(self, delay: float, rollback: StackSettings) -> None:
        world = new_world(rollback=rollback)
        world.connect.join(RED, CYD)
        world.deploy(stack_of(A=single(RED, ANN), M=membership(BLUE, BOB)))
        world.repeat_events(lambda _number: (delay,))
        body = stack_of(
            A=single(BLUE, ANN), M=membership(BLUE, CYD), C=single(RED, CYD), E=single(RED, EVE),
            Failing=fail_last(world),
        )  # fmt: skip
        assert world.deploy(body) == "UPDATE_ROLLBACK_COMPLETE"
        assert world.members(RED) == {"ann", "cyd"}, world.story()
        assert world.members(BLUE) == {"bob"}, world.story()

    def test_long_after(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN), M=membership(BLUE, BOB, CYD)))
        world.deploy(stack_of(B=single(RED, ANN), M=membership(BLUE, CYD, DAN), S=sibling()))
        world.deploy(stack_of(M=membership(BLUE, CYD), S=sibling(), B=single(RED, BOB)))
        before = world.connect.memberships()
        for event in list(world.stack.events):
            world.deliver_again(event)
            assert world.connect.memberships() == before, world.story()

    def test_release_long_after_the_stack_is_gone(self) -> None:
        world = new_world(associate_voice_contact="InvalidRequestException")
        assert world.deploy(stack_of(C=assignment(VOICE, ANN, release="STOP"))) == (
            "ROLLBACK_COMPLETE"
        )
        world.delete()
        world.deliver_again(world.events[-1])
        assert not world.connect.contact(VOICE).ended, world.story()


class TestDelete:
    def test_killed_then_again(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN), M=membership(BLUE, BOB, CYD)))
        world.faulty.plan = FaultPlan(at={0: Fault.KILLED_AFTER, 1: Fault.KILLED_BEFORE})
        assert world.delete() == "DELETE_FAILED", world.story()
        assert world.delete() == "DELETE_COMPLETE", world.story()
        assert world.members(RED) == set()
        assert world.members(BLUE) == set()

    def test_twice_is_no_error(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN), M=membership(BLUE, BOB), C=assignment(CHAT, ANN)))
        world.delete()
        deletes = [event for event in world.stack.events if event["RequestType"] == "Delete"]
        assert len(deletes) == 3
        for event in deletes:
            assert world.deliver_again(event)["Status"] == "SUCCESS", world.story()

    def test_of_what_is_gone_already(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN), M=membership(BLUE, BOB)))
        world.connect.leave(RED, ANN)
        world.connect.leave(BLUE, BOB)
        assert world.delete() == "DELETE_COMPLETE", world.story()

    def test_retained(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN, DeletionPolicy="Retain"), B=single(RED, BOB)))
        assert world.delete() == "DELETE_COMPLETE"
        assert world.members(RED) == {"ann"}, world.story()

    def test_reads_again_when_throttled(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN), Other=sibling()))
        world.cloudformation.faults = ReadFaults(throttled=2)
        world.deploy(stack_of(Other=sibling()))
        assert world.members(RED) == set(), world.story()


class TestWaiting:
    def test_for_a_group_and_a_user(self) -> None:
        world = new_world()
        world.connect.group_becomes_active(RED, after=90)
        world.connect.user_replicates(BOB, after=120)
        status = world.deploy(stack_of(A=single(RED, ANN), M=membership(BLUE, BOB)))
        assert status == "CREATE_COMPLETE", world.story()
        assert world.members(RED) == {"ann"}
        assert world.members(BLUE) == {"bob"}

    def test_for_permissions(self) -> None:
        world = new_world()
        world.faulty.plan = FaultPlan(denied_until=world.clock.time() + 45)
        assert world.deploy(stack_of(A=single(RED, ANN))) == "CREATE_COMPLETE", world.story()

    @pytest.mark.parametrize(
        "kind",
        [Fault.THROTTLED, Fault.SERVER_ERROR, Fault.CONNECTION_ERROR, Fault.LOST_ANSWER],
    )
    @pytest.mark.parametrize("at", range(8))
    def test_for_what_heals(self, at: int, kind: Fault) -> None:
        world = new_world()
        world.faulty.plan = FaultPlan(at={at: kind})
        assert world.deploy(stack_of(A=single(RED, ANN), M=membership(BLUE, BOB))) == (
            "CREATE_COMPLETE"
        ), world.story()

    def test_no_longer_because_of_throttling_hours_ago(self) -> None:
        world = new_world()
        for _ in range(3):
            world.deploy(stack_of(A=single(RED, ANN), B=single(RED, BOB)))
            world.faulty.plan = FaultPlan(at={0: Fault.THROTTLED})
            start = world.clock.time()
            world.stack.delete()
            assert world.stack.status == "DELETE_COMPLETE", world.story()
            assert world.clock.time() - start < 120, world.story()
            world.settle()

    def test_not_for_long_for_what_does_not_exist(self) -> None:
        world = new_world()
        start = world.clock.time()
        world.stack.create(stack_of(A=single("00000000-0000-4000-8000-000000000000", ANN)))
        assert world.stack.status == "ROLLBACK_COMPLETE"
        assert 60 <= world.clock.time() - start < 150, world.story()


class TestNoOp:
    @pytest.mark.parametrize("many", [False, True])
    def test_another_spelling_writes_nothing(self, *, many: bool) -> None:
        declare: Callable[..., dict[str, Any]] = membership if many else single
        world = new_world()
        world.deploy(stack_of(A=declare(RED, ANN)))
        mark = len(world.faulty.calls)
        for group, user in ((RED.arn, ANN.id), (RED.id.upper(), ANN.arn), (RED, ANN.id.upper())):
            assert world.deploy(stack_of(A=declare(group, user))) == "UPDATE_COMPLETE"
        assert world.faulty.writes_since(mark) == [], world.story()
        deletes: list[Event] = [e for e in world.stack.events if e["RequestType"] == "Delete"]
        assert deletes == []


class TestEventsThatComeAgain:
    def test_the_create_of_a_contact_after_its_stack_is_gone(self) -> None:
        world = new_world(accept_after_calls=2)
        failing = fail_last(world, seconds=1.0)
        world.deploy(stack_of(A=assignment(CHAT, ANN, release="STOP"), Failing=failing))
        world.delete()
        assert world.connect.contact(CHAT).agent is None
        (create,) = [
            event
            for event in world.events
            if event["RequestType"] == "Create" and event["LogicalResourceId"] == "A"
        ]
        world.deliver_again(create)  # meanwhile the offer is accepted
        assert not world.connect.contact(CHAT).ended, world.story()

    def test_the_create_of_a_contact_that_was_rolled_back(self) -> None:
        world = new_world(accept_after_calls=2)
        world.deploy(stack_of(Other=sibling()))
        world.faulty.plan = FaultPlan(at={0: Fault.KILLED_AFTER}, writes_only=True)
        declared = assignment(CHAT, ANN, release="STOP")
        status = world.deploy(stack_of(Other=sibling(), C=declared))
        assert status == "UPDATE_ROLLBACK_COMPLETE"
        (create,) = [event for event in world.events if event["RequestType"] == "Create"]
        world.deliver_again(create)
        assert not world.connect.contact(CHAT).ended, world.story()

    def test_the_create_of_a_contact_that_somebody_else_has_by_now(self) -> None:
        world = new_world(associate_connected_contact="Succeeds")
        world.deploy(stack_of(C=assignment(CHAT, ANN)))
        world.connect.serve(CHAT, BOB)
        (create,) = world.events
        world.deliver_again(create)
        assert world.connect.contact(CHAT).with_user == BOB.id, world.story()

    def test_the_create_of_a_contact_while_it_goes_to_another_user(self) -> None:
        # Ann accepts between the two plans and the Update's offer to Bob.
        world = new_world(accept_after_calls=3, associate_connected_contact="Succeeds")
        world.deploy(stack_of(C=assignment(CHAT, ANN, release="STOP")))
        (create,) = world.events
        world.deliver_stale(create, delay=0.1)
        world.deploy(stack_of(C=assignment(CHAT, BOB, release="STOP")))
        assert not world.connect.contact(CHAT).ended, world.story()

    @all_rollbacks
    def test_the_create_of_a_contact_while_it_fails_to_go_to_another_user(
        self, rollback: StackSettings
    ) -> None:
        # Ann accepts just before the Update, which fails for it.
        world = new_world(rollback=rollback, accept_after_calls=3)
        world.deploy(stack_of(C=assignment(CHAT, ANN, release="STOP")))
        (create,) = world.events
        world.deliver_stale(create, delay=0.1)
        status = world.deploy(stack_of(C=assignment(CHAT, BOB, release="STOP")))
        assert status == "UPDATE_ROLLBACK_COMPLETE", world.story()
        assert not world.connect.contact(CHAT).ended, world.story()

    @all_rollbacks
    @pytest.mark.parametrize("delay", [0.0, 0.1, 0.2, 0.3, 0.4])
    def test_the_create_of_a_user_while_its_update_fails(
        self, delay: float, rollback: StackSettings
    ) -> None:
        world = new_world(rollback=rollback)
        world.deploy(stack_of(A=single(RED, ANN)))
        (create,) = world.events
        world.deliver_stale(create, delay=delay)
        assert world.deploy(stack_of(A=single(RED, NOBODY))) == "UPDATE_ROLLBACK_COMPLETE"
        assert world.members(RED) == {"ann"}, world.story()

    @pytest.mark.parametrize("delay", [0.0, 0.1, 0.2, 0.5, 1.0, 2.0])
    @pytest.mark.parametrize("declare", [single, membership])
    def test_the_create_of_a_user_who_is_created_in_another_group(
        self, declare: Any, delay: float
    ) -> None:
        world = new_world()
        world.deploy(stack_of(Other=sibling(), A=declare(RED, ANN)))
        create = world.events[-1]
        world.deploy(stack_of(Other=sibling()))
        world.deliver_stale(create, delay=delay)
        world.deploy(stack_of(Other=sibling(), A=declare(BLUE, BOB)))
        world.settle()
        assert (world.members(RED), world.members(BLUE)) == (set(), {"bob"}), world.story()

    @pytest.mark.parametrize("delay", [0.0, 0.1, 0.2, 0.5, 1.0, 2.0])
    @all_rollbacks
    def test_the_update_of_a_user_who_then_goes_to_another_group(
        self, delay: float, rollback: StackSettings
    ) -> None:
        world = new_world(rollback=rollback)
        world.deploy(stack_of(A=single(RED, ANN)))
        world.deploy(stack_of(A=single(BLUE, ANN), Failing=fail_last(world)))
        (update, *_) = [event for event in world.events if event["RequestType"] == "Update"]
        world.sabotage_next(seconds={}, fails=set())
        world.deliver_stale(update, delay=delay)
        world.deploy(stack_of(A=single(WEST, ANN)))
        world.settle()
        assert [world.members(it) for it in GROUPS] == [set(), set(), {"ann"}], world.story()

    @pytest.mark.parametrize("delay", [0.0, 0.1, 0.2, 0.5, 1.0, 2.0])
    def test_the_create_of_a_contact_while_another_one_is_assigned(self, delay: float) -> None:
        world = new_world(accept_after_calls=1)
        world.deploy(stack_of(Other=sibling(), A=assignment(CHAT, ANN)))
        create = world.events[-1]
        world.deploy(stack_of(Other=sibling()))
        world.deliver_stale(create, delay=delay)
        world.deploy(stack_of(Other=sibling(), A=assignment(TASK, BOB, release="STOP")))
        world.settle()
        assert world.connect.contact(TASK).with_user == BOB.id, world.story()
        assert not world.connect.contact(CHAT).ended, world.story()

    @pytest.mark.parametrize(
        "then", [assignment(CHAT, ANN), single(BLUE, ANN)], ids=["a contact", "a single user"]
    )
    def test_the_create_of_a_membership_whose_name_is_now_another_types(
        self, then: dict[str, Any]
    ) -> None:
        world = emulated_world(framework=FrameworkSettings(always_cold=True))
        world.deploy(stack_of(Other=sibling(), A=membership(RED, ANN)))
        world.deploy(stack_of(Other=sibling()))
        world.deploy(stack_of(Other=sibling(), A=then))
        world.deliver_again(world.events[0])
        assert world.members(RED) == set(), world.story()

    def test_the_delete_of_a_user_whom_somebody_has_added_since(self) -> None:
        world = emulated_world(framework=FrameworkSettings(always_cold=True))
        world.deploy(stack_of(Other=sibling(), A=single(RED, ANN)))
        world.deploy(stack_of(Other=sibling()))
        world.connect.join(RED, ANN)
        world.deliver_again(world.events[-1])
        assert world.members(RED) == {"ann"}, world.story()

    def test_the_delete_of_a_contact_that_is_accepted_after_the_rollback(self) -> None:
        world = new_world(accept_after_calls=None)
        failing = fail_last(world, seconds=1.0)
        world.deploy(stack_of(Other=sibling()))
        world.deploy(
            stack_of(Other=sibling(), A=assignment(CHAT, ANN, release="STOP"), Failing=failing)
        )
        world.connect.serve(CHAT, ANN)
        world.deliver_again(world.events[-1])
        assert not world.connect.contact(CHAT).ended, world.story()

    def test_the_delete_of_a_contact_that_was_never_assigned(self) -> None:
        world = new_world(associate_voice_contact="InvalidRequestException")
        world.deploy(stack_of(Other=sibling()))
        status = world.deploy(stack_of(Other=sibling(), C=assignment(VOICE, ANN, release="STOP")))
        assert status == "UPDATE_ROLLBACK_COMPLETE"
        world.deploy(stack_of(Other=sibling(version=2)))
        (delete,) = [event for event in world.events if event["RequestType"] == "Delete"]
        world.deliver_again(delete)
        assert not world.connect.contact(VOICE).ended, world.story()


class TestUserLookup:
    ALL: ClassVar[dict[str, Any]] = {"Fn::Split": [",", {"Fn::GetAtt": ["Names", "UserIds"]}]}
    FIRST: ClassVar[dict[str, Any]] = {
        "Fn::Select": [0, {"Fn::Split": [",", {"Fn::GetAtt": ["Names", "UserIds"]}]}]
    }

    def members_of(self, *names: str) -> dict[str, Any]:
        declared = membership(RED)
        declared["Properties"]["UserIds"] = self.ALL
        return stack_of(Names=lookup(*names), M=declared)

    def test_from_create_to_delete(self) -> None:
        world = new_world()
        assert world.deploy(self.members_of("Ann", "bob")) == "CREATE_COMPLETE", world.story()
        assert world.members(RED) == {"ann", "bob"}
        assert world.deploy(self.members_of("bob", "cyd")) == "UPDATE_COMPLETE", world.story()
        assert world.members(RED) == {"bob", "cyd"}, world.story()
        assert world.delete() == "DELETE_COMPLETE"
        assert world.members(RED) == set(), world.story()

    def test_a_user_of_another_name_is_the_same_user(self) -> None:
        world = new_world()
        world.deploy(self.members_of("ann", "bob"))
        world.connect.rename(ANN, "anna")
        mark = len(world.faulty.calls)
        assert world.deploy(self.members_of("anna", "bob")) == "UPDATE_COMPLETE", world.story()
        assert not world.faulty.writes_since(mark)
        world.connect.rename(ANN, "annabel")
        world.delete()
        assert world.members(RED) == set(), "known by ID, not by a name that is gone"

    def test_a_single_takes_over(self) -> None:
        world = new_world()
        world.deploy(self.members_of("ann", "bob"))
        world.deploy(stack_of(Names=lookup("ann", "bob"), One=single(RED, self.FIRST)))
        assert world.members(RED) == {"ann"}, world.story()
        assert disassociations(world) == ["DisassociateTrafficDistributionGroupUser"]

    @all_rollbacks
    def test_a_failed_change_is_undone(self, rollback: StackSettings) -> None:
        world = new_world(rollback=rollback)
        world.deploy(self.members_of("ann", "bob"))
        new = self.members_of("bob", "cyd")
        new["Resources"]["Failing"] = fail_last(world)
        assert world.deploy(new) == "UPDATE_ROLLBACK_COMPLETE", world.story()
        assert world.members(RED) == {"ann", "bob"}, world.story()

    def test_names_that_nobody_has_are_all_named(self) -> None:
        world = new_world()
        world.deploy(self.members_of("ann", "zoe", "bob", "yan"))
        assert world.stack.status == "ROLLBACK_COMPLETE"
        assert "nobody is named 'zoe'; nobody is named 'yan'" in world.stack.reason
        assert world.members(RED) == set()

    def test_a_name_of_several_users_is_refused(self) -> None:
        world = new_world()
        world.connect.rename(BOB, "ANN")
        world.deploy(self.members_of("ann"))
        assert f"'ann' names users {' and '.join(sorted((ANN.id, BOB.id)))}" in world.stack.reason

    @pytest.mark.parametrize(
        ("names", "problem"),
        [
            ("ann", "Usernames is not a list"),
            ([], "Usernames is not a list of 1 to 40"),
            ([f"user{number}" for number in range(41)], "Usernames is not a list of 1 to 40"),
            (["ann", ""], r"Usernames[1] is not a name"),
            (["a" * 101], r"Usernames[0] is not a name"),
            ([["ann"]], r"Usernames[0] is not a name"),
        ],
    )
    def test_bad_names(self, names: object, problem: str) -> None:
        world = new_world()
        template = self.members_of("ann")
        template["Resources"]["Names"]["Properties"]["Usernames"] = names
        assert world.deploy(template) == "ROLLBACK_COMPLETE"
        assert problem in world.stack.reason
        assert not world.faulty.calls
