"""Where the provider that read the stack's template went wrong, and where a ledger might.

What it did is said beside each class; every one of these was an ordinary CDK app.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from connect_provider.ledger.table import LEASE_SECONDS
from lifecycle.cast import (
    ANN,
    BLUE,
    BOB,
    CHAT,
    CYD,
    DAN,
    EVE,
    INSTANCE,
    NOBODY,
    QUEUE,
    RED,
    WEST,
    assignment,
    membership,
    nested,
    sibling,
    single,
    stack_of,
)  # fmt: skip
from lifecycle.cloudformation_api import ReadFaults
from lifecycle.faults import Fault, FaultPlan, LedgerFault
from lifecycle.framework import AfterKill, FrameworkSettings
from lifecycle.stack_parts import FailedCreate, InFlight, OldProperties, Rollback, StackSettings
from lifecycle.under_test import emulated_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifecycle.world import World

all_rollbacks = pytest.mark.parametrize(
    "rollback",
    [
        StackSettings(rollback=rollback, updated_at_moves=moves)
        for rollback in Rollback
        for moves in (False, True)
    ],
    ids=lambda it: f"{it.rollback.name}{'-updated-at-moves' if it.updated_at_moves else ''}",
)


def half(name: str, values: Sequence[object]) -> pytest.MarkDecorator:
    """Every value with two of the four rollbacks; the soak has the other two.

    In turn, so that each value meets both kinds of rollback, and both times of UpdatedAt.
    """
    return pytest.mark.parametrize(
        (name, "rollback"),
        [
            pytest.param(
                value,
                StackSettings(rollback=rollback, updated_at_moves=moves),
                id=f"{value}-{rollback.name}{'-updated-at-moves' if moves else ''}",
                marks=[pytest.mark.soak] if (number + kind + moves) % 2 else [],
            )
            for number, value in enumerate(values)
            for kind, rollback in enumerate(Rollback)
            for moves in (False, True)
        ],
    )


both_in_flight = pytest.mark.parametrize("in_flight", list(InFlight))
one_or_many = pytest.mark.parametrize("declare", [single, membership], ids=["one", "many"])


def new_world(stack: StackSettings | None = None, **switches: Any) -> World:
    return emulated_world(stack=stack or StackSettings(), **switches)


def fail_last(world: World, *, seconds: float = 400.0) -> dict[str, Any]:
    """Return a sibling that fails when everything else is done."""
    world.sabotage_next(seconds={"Failing": seconds}, fails={("Failing", "Create")})
    return sibling()


def phases(world: World) -> list[str]:
    return sorted(str(claim["phase"]) for claim in world.ledger.claims())


class TestImports:
    """Identifiers that no template shows: nobody was ever removed, or declared users were.

    An import, a mapping, a condition, a dynamic reference or an attribute of another resource has
    become a value by the time of the event; a parameter stands for all of them here.
    """

    @one_or_many
    def test_a_dropped_user_leaves(self, declare: Any) -> None:
        world = new_world()
        values = {"Group": RED.arn, "User": ANN.arn}
        kept = membership({"Ref": "Group"}, BOB)
        gone = declare({"Ref": "Group"}, {"Ref": "User"})
        world.deploy(stack_of(values, A=gone, Kept=kept), values)
        assert world.members(RED) == {"ann", "bob"}
        world.deploy(stack_of(values, Kept=kept), values)
        assert world.members(RED) == {"bob"}, world.story()
        assert world.delete() == "DELETE_COMPLETE"
        assert world.members(RED) == set(), world.story()

    def test_an_exclusive_membership_removes_strangers(self) -> None:
        world = new_world()
        world.connect.join(RED, EVE)
        values = {"Group": RED.arn}
        world.deploy(stack_of(values, M=membership({"Ref": "Group"}, ANN, exclusive=True)), values)
        assert world.members(RED) == {"ann"}, world.story()
        (resource,) = world.stack.resources.values()
        assert resource.attributes["Removed"] == 1

    def test_the_template_is_never_asked_for(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN), Other=sibling()))
        world.deploy(stack_of(B=single(RED, ANN), Other=sibling()))
        world.delete()
        assert set(world.cloudformation.calls) <= {
            "DescribeStacks",
            "DescribeStackResource",
            "ListStackResources",
        }

    def test_an_exclusive_membership_replaces_any_number_of_strangers(self) -> None:
        """Refused before: the physical ID could not hold 41."""
        world = new_world()
        strangers = [f"11111111-1111-4111-8111-{number:012x}" for number in range(60)]
        for stranger in strangers:
            world.connect.add_user(stranger)
            world.connect.join(RED, replace(ANN, id=stranger))
        world.deploy(stack_of(M=membership(RED, ANN, exclusive=True), Failing=fail_last(world)))
        assert {user for _, user in world.connect.memberships()} == set(strangers)
        world.sabotage_next(seconds={}, fails=set())
        world.delete()
        world.deploy(stack_of(M=membership(RED, ANN, exclusive=True)))
        assert {user for _, user in world.connect.memberships()} == {ANN.id}, world.story()


class TestNestedStacks:
    """A new nested stack whose parent failed afterwards took members of before along."""

    @pytest.mark.parametrize("depth", [1, 2, 3])
    @pytest.mark.parametrize("first", [True, False], ids=["a new stack", "an update"])
    @pytest.mark.parametrize("rolls_back", [False, True])
    def test_vanishes_because_its_parent_fails(
        self, depth: int, *, first: bool, rolls_back: bool
    ) -> None:
        world = new_world(StackSettings(nested_rolls_back=rolls_back))
        world.connect.join(RED, ANN)
        world.connect.serve(CHAT, ANN)
        inner = stack_of(
            A=single(RED, ANN), M=membership(RED, BOB), C=assignment(CHAT, ANN, release="STOP")
        )
        for _ in range(depth - 1):
            inner = stack_of(Inner=nested(inner))
        if not first:
            world.deploy(stack_of(Other=sibling()))
        status = world.deploy(
            stack_of(Other=sibling(), Nested=nested(inner), Failing=fail_last(world))
        )
        assert "ROLLBACK_COMPLETE" in status
        assert world.members(RED) == {"ann"}, world.story()
        assert not world.connect.contact(CHAT).ended, world.story()

    def test_fails_in_the_middle(self) -> None:
        """The root still goes forward while the stack in the middle goes away."""
        for rolls_back in (False, True):
            world = new_world(StackSettings(nested_rolls_back=rolls_back))
            world.connect.join(RED, ANN)
            leaf = stack_of(A=single(RED, ANN), B=single(RED, BOB))
            middle = stack_of(Leaf=nested(leaf), Failing=fail_last(world, seconds=100.0))
            assert world.deploy(stack_of(Middle=nested(middle))) == "ROLLBACK_COMPLETE"
            assert world.members(RED) == {"ann"}, world.story()

    def test_is_removed_with_its_members(self) -> None:
        world = new_world()
        world.connect.join(RED, ANN)
        inner = stack_of(A=single(RED, ANN), B=single(RED, BOB))
        world.deploy(stack_of(Other=sibling(), Nested=nested(inner)))
        assert world.members(RED) == {"ann", "bob"}
        world.deploy(stack_of(Other=sibling()))
        assert world.members(RED) == set(), world.story()

    @all_rollbacks
    def test_an_update_of_it_is_rolled_back(self, rollback: StackSettings) -> None:
        world = new_world(rollback)
        world.connect.join(BLUE, EVE)
        world.deploy(stack_of(Nested=nested(stack_of(A=single(RED, ANN), M=membership(RED, BOB)))))
        world.deploy(
            stack_of(
                Nested=nested(stack_of(A=single(BLUE, ANN), M=membership(BLUE, CYD, EVE))),
                Failing=fail_last(world),
            )
        )
        assert world.members(RED) == {"ann", "bob"}, world.story()
        assert world.members(BLUE) == {"eve"}, world.story()

    def test_of_a_root_that_cannot_be_read_the_worst_is_assumed(self) -> None:
        world = new_world()
        world.connect.join(RED, ANN)
        world.deploy(stack_of(Nested=nested(stack_of(A=single(RED, ANN), B=single(RED, BOB)))))
        assert world.delete() == "DELETE_COMPLETE"
        assert world.members(RED) == set(), "an ordinary deletion takes adopted members along"


class TestNoRollback:
    """``--no-rollback`` leaves failures as they are, until the next operation."""

    OLD = pytest.mark.parametrize(
        "settings",
        [
            StackSettings(retry_shows=shows, failed_create=created, reuses_request_ids=again)
            for shows in OldProperties
            for created in FailedCreate
            for again in (False, True)
        ],
        ids=lambda it: f"{it.retry_shows.name}-{it.failed_create.name}-{it.reuses_request_ids}",
    )

    @OLD
    @one_or_many
    def test_a_failed_create_then_a_retry(self, settings: StackSettings, declare: Any) -> None:
        world = new_world(settings)
        world.connect.join(RED, ANN)
        world.sabotage_next(seconds={"Failing": 400.0}, fails={("Failing", "Create")})
        template = stack_of(
            A=declare(RED, ANN), B=declare(RED, BOB), M=declare(BLUE, CYD), Failing=sibling()
        )
        assert world.deploy(template, rollback=False) == "CREATE_FAILED"
        world.sabotage_next(seconds={}, fails=set())
        assert world.deploy(template) == "UPDATE_COMPLETE", world.story()
        assert world.members(RED) == {"ann", "bob"}, world.story()
        assert world.delete() == "DELETE_COMPLETE"
        assert world.members(RED) == set(), world.story()
        assert world.members(BLUE) == set(), world.story()

    @OLD
    def test_a_failed_update_then_a_rollback(self, settings: StackSettings) -> None:
        world = new_world(settings)
        world.connect.join(BLUE, EVE)
        world.deploy(stack_of(A=single(RED, ANN), M=membership(RED, BOB, CYD)))
        world.sabotage_next(seconds={"Failing": 400.0}, fails={("Failing", "Create")})
        template = stack_of(
            A=single(BLUE, ANN), M=membership(BLUE, CYD, EVE), D=single(RED, DAN), Failing=sibling()
        )
        assert world.deploy(template, rollback=False) == "UPDATE_FAILED"
        world.sabotage_next(seconds={}, fails=set())
        assert world.roll_back() == "UPDATE_ROLLBACK_COMPLETE", world.story()
        assert world.members(RED) == {"ann", "bob", "cyd"}, world.story()
        assert world.members(BLUE) == {"eve"}, world.story()
        assert world.delete() == "DELETE_COMPLETE"
        assert world.members(RED) == set(), world.story()

    @OLD
    def test_two_exclusive_creates_that_fail_bring_back_nobody(
        self, settings: StackSettings
    ) -> None:
        """The second one does not take for a stranger whom the first one has added."""
        world = new_world(settings)
        world.connect.join(RED, EVE)
        world.deploy(stack_of(Other=sibling()))
        for users in ((BOB, NOBODY), (ANN, NOBODY)):
            declared = membership(RED, *users, exclusive=True)
            status = world.deploy(stack_of(Other=sibling(), M=declared), rollback=False)
            assert status == "UPDATE_FAILED"
        assert world.roll_back() == "UPDATE_ROLLBACK_COMPLETE", world.story()
        assert world.members(RED) == {"eve"}, world.story()

    @OLD
    def test_a_user_who_cannot_be_associated_then_a_right_one(
        self, settings: StackSettings
    ) -> None:
        world = new_world(settings)
        world.connect.join(RED, EVE)
        world.deploy(stack_of(M=membership(RED, ANN)))
        status = world.deploy(stack_of(M=membership(RED, ANN, BOB, EVE, NOBODY)), rollback=False)
        assert status == "UPDATE_FAILED"
        assert world.deploy(stack_of(M=membership(RED, ANN, BOB))) == "UPDATE_COMPLETE"
        assert world.members(RED) == {"ann", "bob", "eve"}, world.story()

    @pytest.mark.parametrize("created", FailedCreate)
    @pytest.mark.parametrize("again", ["again", "no more"])
    @pytest.mark.parametrize("at", range(8))
    def test_a_create_that_died_then_a_retry_that_fails_too(
        self, at: int, again: str, created: FailedCreate
    ) -> None:
        """The retry deletes it while it still goes forward; its users may have joined meanwhile."""
        world = new_world(StackSettings(failed_create=created, in_flight=InFlight.AWAIT))
        world.connect.join(RED, ANN)
        world.connect.join(RED, EVE)
        world.deploy(stack_of(Other=sibling()))
        dying = membership(RED, ANN, BOB, exclusive=True)
        world.faulty.plan = FaultPlan(at={at: Fault.KILLED_AFTER}, writes_only=True)
        template = stack_of(Other=sibling(), A=dying, C=single(RED, CYD), Failing=sibling())
        world.sabotage_next(seconds={}, fails={("Failing", "Create")})
        assert world.deploy(template, rollback=False) == "UPDATE_FAILED", world.story()
        world.faulty.plan = FaultPlan()
        kept = {} if again == "no more" else {"A": dying}
        template = stack_of(Other=sibling(), C=single(RED, CYD), **kept, Failing=sibling())
        assert world.deploy(template, rollback=False) == "UPDATE_FAILED", world.story()
        assert world.roll_back() == "UPDATE_ROLLBACK_COMPLETE", world.story()
        assert world.members(RED) == {"ann", "eve"}, world.story()

    @pytest.mark.parametrize("created", FailedCreate)
    @pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
    def test_an_exclusive_create_that_is_renamed_in_the_retry(
        self, status: str, created: FailedCreate
    ) -> None:
        """Whom the first one has expelled stays away for the second one, unless that fails too."""
        world = new_world(StackSettings(failed_create=created))
        world.connect.join(RED, BOB)
        world.deploy(stack_of(Other=sibling()))
        exclusive = membership(RED, ANN, exclusive=True)
        fail_last(world)
        template = stack_of(Other=sibling(), A=exclusive, Failing=sibling())
        assert world.deploy(template, rollback=False) == "UPDATE_FAILED"
        assert world.members(RED) == {"ann"}, world.story()
        world.clock.sleep(5400.0)
        if status == "UPDATE_COMPLETE":
            world.sabotage_next(seconds={}, fails=set())
        template = stack_of(Other=sibling(), C=exclusive, Failing=sibling())
        assert world.deploy(template) == status, world.story()
        expected = {"ann"} if status == "UPDATE_COMPLETE" else {"bob"}
        assert world.members(RED) == expected, world.story()

    @OLD
    def test_a_contact_that_cannot_go_to_another_user(self, settings: StackSettings) -> None:
        world = new_world(settings)
        world.deploy(stack_of(C=assignment(CHAT, ANN, release="STOP")))
        for user in (BOB, BOB, CYD):
            template = stack_of(C=assignment(CHAT, user, release="STOP"))
            assert world.deploy(template, rollback=False) == "UPDATE_FAILED", world.story()
        assert world.roll_back() == "UPDATE_ROLLBACK_COMPLETE", world.story()
        world.delete()
        assert world.connect.contact(CHAT).ended, world.story()

    @OLD
    def test_a_contact_that_goes_on_to_other_users_comes_back(
        self, settings: StackSettings
    ) -> None:
        """Every change was complete, and the ledger knows only the user before the last one."""
        world = new_world(settings, accept_after_calls=None)
        contact = assignment(CHAT, ANN, release="STOP")
        assert world.deploy(stack_of(C=contact, S=sibling())) == "CREATE_COMPLETE"
        world.sabotage_next(seconds={"S": 30.0}, fails={("S", "Update")})
        for version, user in enumerate((BOB, CYD), start=2):
            template = stack_of(
                C=assignment(CHAT, user, release="STOP"), S=sibling(version=version)
            )
            assert world.deploy(template, rollback=False) == "UPDATE_FAILED", world.story()
        world.sabotage_next(seconds={}, fails=set())
        assert world.roll_back() == "UPDATE_ROLLBACK_COMPLETE", world.story()
        assert world.connect.contact(CHAT).offers[-1] == ANN.id, world.story()

    @pytest.mark.parametrize("late", [False, True])
    def test_a_contact_that_could_not_go_to_another_user_is_released(self, *, late: bool) -> None:
        """It ends as that of the user who was offered it."""
        world = new_world(
            accept_after_calls=None, associate_offered_contact="InvalidRequestException"
        )
        world.deploy(stack_of(S=sibling(), C=assignment(CHAT, ANN, release="STOP")))
        if late:
            # CloudFormation gave up the Update before it claimed anything.
            world.sabotage_next(seconds={"S": 0.1}, fails={("S", "Update")})
        changed = stack_of(S=sibling(version=2), C=assignment(CHAT, BOB, release="STOP"))
        assert world.deploy(changed, rollback=False) == "UPDATE_FAILED", world.story()
        world.sabotage_next(seconds={}, fails=set())
        if late:
            update = [it for it in world.events if it["LogicalResourceId"] == "C"][-1]
            world.sabotage_next(seconds={"S": 20.0}, fails=set())
            world.deliver_stale(update, delay=5.0)
        assert world.deploy(stack_of(S=sibling(version=3))) == "UPDATE_COMPLETE", world.story()
        assert world.connect.contact(CHAT).ended, world.story()

    @pytest.mark.parametrize("moves", [False, True])
    def test_a_create_that_was_done_for_another_request_as_it_was_cancelled(
        self, *, moves: bool
    ) -> None:
        """Whoever fails converges the others as well, and the rollback may come much later."""
        world = new_world(
            StackSettings(in_flight=InFlight.CANCEL, updated_at_moves=moves),
            user_in_several_groups="ResourceConflictException",
        )
        world.connect.join(BLUE, CYD)
        world.deploy(stack_of(S=sibling()))
        lease = {"pk": f"group#us-east-1:{RED.id}", "sk": "lease", "holder": "dead"}
        world.ledger.put({**lease, "held_until": world.clock.time() + 5.0})
        template = stack_of(S=sibling(), G=membership(RED, BOB, CYD), N=single(RED, ANN))
        assert world.deploy(template, rollback=False) == "UPDATE_FAILED"
        assert "N: resource Create cancelled" in world.story(), "otherwise it shows nothing"
        world.clock.sleep(5400.0)
        assert world.roll_back() == "UPDATE_ROLLBACK_COMPLETE", world.story()
        assert world.members(RED) == set(), world.story()

    @OLD
    def test_a_failed_create_is_deleted(self, settings: StackSettings) -> None:
        world = new_world(settings)
        world.connect.join(RED, ANN)
        template = stack_of(M=membership(RED, ANN, BOB, NOBODY))
        assert world.deploy(template, rollback=False) == "CREATE_FAILED"
        assert world.delete() == "DELETE_COMPLETE"
        assert world.members(RED) == {"ann"}, world.story()


class TestRetry:
    """CloudFormation uses a RequestId again: the old error came from memory, no call was made."""

    SETTINGS = StackSettings(reuses_request_ids=True)

    @one_or_many
    def test_of_a_failed_create(self, declare: Any) -> None:
        world = new_world(self.SETTINGS)
        world.deploy(stack_of(Other=sibling()))
        template = stack_of(Other=sibling(), A=declare(RED, ANN), Failing=fail_last(world))
        world.deploy(template)
        assert world.members(RED) == set()
        world.sabotage_next(seconds={}, fails=set())
        assert world.deploy(template) == "UPDATE_COMPLETE", world.story()
        assert world.members(RED) == {"ann"}
        assert world.delete() == "DELETE_COMPLETE"
        assert world.members(RED) == set(), world.story()

    @all_rollbacks
    def test_of_a_failed_update(self, rollback: StackSettings) -> None:
        world = new_world(replace(rollback, reuses_request_ids=True))
        world.deploy(stack_of(A=single(RED, ANN), M=membership(RED, BOB)))
        template = stack_of(
            A=single(BLUE, ANN), M=membership(RED, BOB, CYD), Failing=fail_last(world)
        )
        world.deploy(template)
        assert world.members(RED) == {"ann", "bob"}, world.story()
        world.sabotage_next(seconds={}, fails=set())
        assert world.deploy(template) == "UPDATE_COMPLETE", world.story()
        assert world.members(RED) == {"bob", "cyd"}, world.story()
        assert world.members(BLUE) == {"ann"}, world.story()

    def test_of_a_contact(self) -> None:
        world = new_world(self.SETTINGS)
        world.deploy(stack_of(Other=sibling()))
        template = stack_of(Other=sibling(), C=assignment(CHAT, ANN), Failing=fail_last(world))
        world.deploy(template)
        world.sabotage_next(seconds={}, fails=set())
        assert world.deploy(template) == "UPDATE_COMPLETE", world.story()

    def test_the_framework_invokes_a_handler_twice(self) -> None:
        for numbers in ({0}, {1}, {0, 1, 2, 3}):
            world = new_world()
            world.connect.join(RED, BOB)
            world.framework.twice = set(numbers)
            world.deploy(stack_of(A=single(RED, ANN), M=membership(RED, BOB)))
            assert world.members(RED) == {"ann", "bob"}
            world.framework.twice = set(numbers)
            world.deploy(stack_of(M=membership(RED, BOB)))
            assert world.members(RED) == {"bob"}, world.story()


class TestTwoStacks:
    """Whoever let go first took the user out."""

    @pytest.mark.parametrize("second_goes_first", [False, True])
    @one_or_many
    def test_a_user_of_both_stays_until_the_last_lets_go(
        self, declare: Any, *, second_goes_first: bool
    ) -> None:
        world = new_world()
        names = ("Other", "Test") if second_goes_first else ("Test", "Other")
        for name in ("Test", "Other"):
            world.deploy(stack_of(A=declare(RED, ANN)), stack=name)
        world.delete(names[0])
        assert world.members(RED) == {"ann"}, world.story()
        world.delete(names[1])
        assert world.members(RED) == set(), world.story()

    @pytest.mark.parametrize("leaves_first", [False, True])
    def test_a_move_loses_nobody(self, *, leaves_first: bool) -> None:
        world = new_world()
        both = stack_of(S=sibling(), A=single(RED, ANN), M=membership(RED, BOB, CYD))
        without = stack_of(S=sibling(), M=membership(RED, CYD))
        with_them = stack_of(S=sibling(), A=single(RED, ANN), B=single(RED, BOB))
        world.deploy(both)
        world.deploy(stack_of(S=sibling()), stack="Other")
        if leaves_first:
            world.deploy(without)
            world.deploy(with_them, stack="Other")
        else:
            world.deploy(with_them, stack="Other")
            world.deploy(without)
        assert world.members(RED) == {"ann", "bob", "cyd"}, world.story()

    def test_at_the_same_time(self) -> None:
        world = new_world()
        world.deploy_together(
            {"Test": stack_of(A=single(RED, ANN)), "Other": stack_of(B=membership(RED, ANN, BOB))}
        )
        assert world.members(RED) == {"ann", "bob"}
        world.deploy_together(
            {
                "Test": stack_of(A=single(RED, ANN), C=single(RED, CYD)),
                "Other": stack_of(B=membership(RED, DAN)),
            }
        )
        assert world.members(RED) == {"ann", "cyd", "dan"}, world.story()

    def test_what_one_adopts_from_the_other_leaves_with_the_last(self) -> None:
        """The second one's deployment fails after the first one has let go."""
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN), S=sibling()))
        world.sabotage_next(seconds={"Failing": 2000.0}, fails={("Failing", "Create")})
        world.deploy_together(
            {
                "Test": stack_of(S=sibling()),
                "Other": stack_of(B=single(RED, ANN), Failing=sibling()),
            }
        )
        assert world.members(RED) == set(), world.story()

    def test_an_exclusive_membership_spares_the_other_stack_s_users(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.join(RED, EVE)
        world.deploy(stack_of(M=membership(RED, BOB, exclusive=True)), stack="Other")
        assert world.members(RED) == {"ann", "bob"}, world.story()

    @pytest.mark.parametrize("fail", [(), ("Test",), ("Other",), ("Test", "Other")])
    def test_two_exclusive_memberships_created_together(self, fail: tuple[str, ...]) -> None:
        """A stranger whom both take out comes back only if neither of them stays."""
        world = new_world()
        world.connect.join(RED, EVE)
        world.sabotage_next(seconds={"Failing": 400.0}, fails={("Failing", "Create")})
        world.deploy_together(
            {
                name: stack_of(
                    M=membership(RED, user, exclusive=True),
                    **({"Failing": sibling()} if name in fail else {}),
                )
                for name, user in (("Test", ANN), ("Other", BOB))
            }
        )
        staying = {"ann": "Test", "bob": "Other"}
        left = {user for user, name in staying.items() if name not in fail}
        assert world.members(RED) == (left or {"eve"}), world.story()

    def test_a_contact_of_both_is_kept(self) -> None:
        world = new_world()
        world.deploy(stack_of(C=assignment(CHAT, ANN, release="STOP")))
        world.deploy(stack_of(C=assignment(CHAT, ANN, release="STOP")), stack="Other")
        assert world.connect.contact(CHAT).offers == (ANN.id,), world.story()
        world.delete()
        assert not world.connect.contact(CHAT).ended, world.story()
        world.delete("Other")
        assert world.connect.contact(CHAT).ended, world.story()

    def test_an_offer_that_somebody_else_took_is_not_taken_over(self) -> None:
        world = new_world()
        world.deploy(stack_of(C=assignment(CHAT, ANN)), stack="Other")
        world.connect.serve(CHAT, EVE)
        status = world.deploy(stack_of(C=assignment(CHAT, ANN)))
        assert status == "ROLLBACK_COMPLETE", "the contact is with eve, and Connect refuses"
        assert "Only a queued contact can be assigned" in world.stack.reason


class TestOneDeployment:
    """Two resources that declare the same user, and fail together."""

    @pytest.mark.parametrize("order", [("A", "M"), ("M", "A")])
    def test_neither_takes_the_other_s_user_for_a_member_of_before(
        self, order: tuple[str, str]
    ) -> None:
        world = new_world()
        bodies = {"A": single(RED, ANN), "M": membership(RED, ANN, BOB)}
        first, second = order
        bodies[second] = {**bodies[second], "DependsOn": [first]}
        world.deploy(stack_of(**bodies, Failing=fail_last(world)))
        assert world.members(RED) == set(), world.story()

    @pytest.mark.parametrize("order", [("D", "M"), ("M", "D")])
    def test_whom_an_exclusive_membership_sends_away_comes_back(
        self, order: tuple[str, str]
    ) -> None:
        world = new_world()
        world.connect.join(RED, EVE)
        bodies = {"D": single(RED, EVE), "M": membership(RED, ANN, exclusive=True)}
        first, second = order
        bodies[second] = {**bodies[second], "DependsOn": [first]}
        world.deploy(stack_of(**bodies, Failing=fail_last(world)))
        assert world.members(RED) == {"eve"}, world.story()


class TestRetain:
    """No Delete ever ends the claim of what is retained."""

    def test_a_removed_resource_blocks_nobody(self) -> None:
        world = new_world()
        world.deploy(
            stack_of(A=single(RED, ANN, DeletionPolicy="Retain"), B=single(RED, BOB), S=sibling())
        )
        world.deploy(stack_of(B=single(RED, BOB), N=single(RED, ANN), S=sibling()))
        assert world.members(RED) == {"ann", "bob"}
        world.deploy(stack_of(S=sibling()))
        assert world.members(RED) == set(), world.story()

    def test_the_retained_users_stay(self) -> None:
        world = new_world()
        world.deploy(stack_of(M=membership(RED, ANN, BOB, DeletionPolicy="Retain"), S=sibling()))
        world.deploy(stack_of(S=sibling()))
        assert world.members(RED) == {"ann", "bob"}, world.story()
        world.delete()
        assert world.members(RED) == {"ann", "bob"}, world.story()

    def test_replaced_with_retain_only_ever_adds(self) -> None:
        world = new_world()
        world.deploy(stack_of(M=membership(RED, ANN, UpdateReplacePolicy="Retain")))
        world.deploy(stack_of(M=membership(RED, BOB, UpdateReplacePolicy="Retain")))
        assert world.members(RED) == {"ann", "bob"}, world.story()
        world.deploy(stack_of(M=membership(RED, CYD)))
        world.deploy(stack_of(M=membership(RED, DAN)))
        assert world.members(RED) == {"ann", "bob", "dan"}, world.story()

    def test_what_never_became_complete_stays_until_the_next_deployment(self) -> None:
        world = new_world()
        world.deploy(stack_of(S=sibling()))
        retained = membership(RED, ANN, NOBODY, DeletionPolicy="Retain")
        world.deploy(stack_of(S=sibling(), M=retained))
        assert world.members(RED) == {"ann"}, world.story()
        world.deploy(stack_of(S=sibling(), B=single(RED, BOB)))
        assert world.members(RED) == {"bob"}, world.story()

    @all_rollbacks
    def test_declared_again_and_failed(self, rollback: StackSettings) -> None:
        world = new_world(rollback)
        body = single(RED, ANN, DeletionPolicy="Retain")
        world.deploy(stack_of(A=body, S=sibling()))
        world.deploy(stack_of(S=sibling()))
        world.deploy(stack_of(A=single(RED, ANN), S=sibling(), Failing=fail_last(world)))
        assert world.members(RED) == {"ann"}, world.story()

    def test_of_another_stack_it_blocks(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN, DeletionPolicy="Retain")))
        world.delete()
        world.deploy(stack_of(A=single(RED, ANN)), stack="Other")
        world.delete("Other")
        assert world.members(RED) == {"ann"}, world.story()

    def test_cloudformation_is_asked_only_about_doubtful_claims(self) -> None:
        world = new_world()
        world.deploy(stack_of(M=membership(RED, ANN, BOB), A=single(RED, CYD)))
        world.deploy(stack_of(M=membership(RED, BOB, DAN), A=single(RED, CYD)))
        world.delete()
        assert "ListStackResources" not in world.cloudformation.calls


class TestLedgerLost:
    """Nobody who is declared is removed, and every stack can be changed and deleted."""

    @pytest.mark.parametrize("how", ["emptied", "deleted"])
    def test_a_delete_keeps_and_warns(self, how: str, caplog: pytest.LogCaptureFixture) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN), C=assignment(CHAT, ANN, release="STOP")))
        world.ledger.empty() if how == "emptied" else world.ledger.delete_table()
        assert world.delete() == "DELETE_COMPLETE", world.story()
        assert world.members(RED) == {"ann"}, world.story()
        assert not world.connect.contact(CHAT).ended
        assert "A is kept as it is" in caplog.text
        assert "C is kept as it is" in caplog.text

    def test_the_next_change_claims_anew(self) -> None:
        world = new_world()
        world.deploy(stack_of(M=membership(RED, ANN, BOB), S=sibling()))
        world.ledger.empty()
        assert world.deploy(stack_of(M=membership(RED, BOB, CYD), S=sibling())) == (
            "UPDATE_COMPLETE"
        )
        assert world.members(RED) == {"ann", "bob", "cyd"}, "ann is kept: nobody knows of her"
        world.deploy(stack_of(S=sibling()))
        assert world.members(RED) == {"ann"}, world.story()

    @all_rollbacks
    def test_a_failed_change_is_undone(self, rollback: StackSettings) -> None:
        if rollback.updated_at_moves:
            pytest.skip("the version of before is lost, and when the deployment began as well")
        world = new_world(rollback)
        world.deploy(stack_of(M=membership(RED, ANN, BOB), S=sibling()))
        world.ledger.empty()
        status = world.deploy(
            stack_of(M=membership(RED, BOB, CYD), S=sibling(), Failing=fail_last(world))
        )
        assert status == "UPDATE_ROLLBACK_COMPLETE", world.story()
        assert world.members(RED) == {"ann", "bob"}, world.story()

    def test_a_deleted_table_fails_a_change_in_one_line(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN)))
        world.ledger.delete_table()
        world.deploy(stack_of(A=single(RED, ANN), B=single(RED, BOB)))
        assert "The ledger does not exist" in world.stack.reason
        assert "\n" not in world.stack.reason.partition("Logs:")[0].strip()
        assert world.members(RED) == {"ann"}

    def test_restored_to_an_earlier_time_and_claimed_anew_by_resync(self) -> None:
        world = new_world()
        world.deploy(stack_of(M=membership(RED, ANN)))
        snapshot = world.ledger.snapshot()
        body = membership(RED, ANN, BOB)
        world.deploy(stack_of(M=body))
        world.ledger.restore(snapshot)
        body["Properties"]["Resync"] = "2026-11-25"
        mark = len(world.faulty.calls)
        assert world.deploy(stack_of(M=body)) == "UPDATE_COMPLETE", world.story()
        assert world.faulty.writes_since(mark) == [], "nothing has drifted"
        assert world.members(RED) == {"ann", "bob"}
        world.delete()
        assert world.members(RED) == set(), world.story()


class TestResync:
    def test_brings_back_who_was_removed_by_hand(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.leave(RED, ANN)
        body = single(RED, ANN)
        body["Properties"]["Resync"] = "again"
        assert world.deploy(stack_of(A=body)) == "UPDATE_COMPLETE"
        assert world.members(RED) == {"ann"}, world.story()
        world.delete()
        assert world.members(RED) == set()


class TestLedgerOutOfReach:
    @pytest.mark.parametrize("fault", list(LedgerFault))
    def test_nothing_is_written_and_the_reason_says_so(self, fault: LedgerFault) -> None:
        world = new_world()
        world.faulty.plan = FaultPlan(ledger=fault)
        world.deploy(stack_of(A=single(RED, ANN), C=assignment(CHAT, ANN)))
        assert world.stack.status.startswith("ROLLBACK"), world.story()
        assert not world.faulty.writes_since(0), world.story()
        assert "ledger" in world.stack.reason, world.stack.reason

    @pytest.mark.parametrize("fault", list(LedgerFault))
    def test_a_delete_fails_rather_than_leak(self, fault: LedgerFault) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN)))
        world.faulty.plan = FaultPlan(ledger=fault)
        assert world.delete() == "DELETE_FAILED", world.story()
        assert world.members(RED) == {"ann"}
        world.faulty.plan = FaultPlan()
        assert world.delete() == "DELETE_COMPLETE"
        assert world.members(RED) == set(), world.story()

    @pytest.mark.parametrize("fault", list(LedgerFault))
    def test_what_heals_is_waited_for(self, fault: LedgerFault) -> None:
        world = new_world()
        world.faulty.plan = FaultPlan(ledger=fault, ledger_until=world.clock.time() + 40)
        assert world.deploy(stack_of(A=single(RED, ANN))) == "CREATE_COMPLETE", world.story()
        assert world.members(RED) == {"ann"}

    @pytest.mark.parametrize("denied", ["DescribeStacks", "ListStackResources"])
    def test_cloudformation_denied_fails_rather_than_guesses(self, denied: str) -> None:
        world = new_world()
        retained = single(RED, ANN, DeletionPolicy="Retain")
        world.deploy(stack_of(A=retained, B=single(RED, ANN, after=("A",)), S=sibling()))
        world.cloudformation.faults = ReadFaults(denied=frozenset({denied}))
        world.deploy(stack_of(A=retained, S=sibling()))
        assert world.members(RED) == {"ann"}, world.story()


class TestLease:
    """One converger a group at a time."""

    @pytest.mark.parametrize("kind", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
    @pytest.mark.parametrize("at", range(16))
    @pytest.mark.parametrize("after_kill", list(AfterKill))
    def test_a_converger_killed_at_any_call(
        self, at: int, kind: Fault, after_kill: AfterKill
    ) -> None:
        world = emulated_world(framework=FrameworkSettings(after_kill=after_kill))
        world.connect.join(RED, BOB)
        world.faulty.plan = FaultPlan(at={at: kind})
        status = world.deploy(stack_of(A=single(RED, ANN), M=membership(RED, BOB, CYD)))
        expected = {"bob"} if "ROLLBACK" in status else {"ann", "bob", "cyd"}
        assert world.members(RED) == expected, world.story()
        world.faulty.plan = FaultPlan()
        world.delete()
        assert world.members(RED) <= {"bob"}, world.story()

    def test_a_lease_that_is_left_behind_expires(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN)))
        (key,) = {claim["pk"] for claim in world.ledger.claims()}
        until = world.clock.time() + LEASE_SECONDS
        world.ledger.put({"pk": key, "sk": "lease", "holder": "dead", "held_until": until})
        start = world.clock.time()
        world.stack.delete()
        assert world.stack.status == "DELETE_COMPLETE"
        assert world.clock.time() - start < 2 * LEASE_SECONDS, world.story()

    @pytest.mark.parametrize("at", range(4))
    def test_a_converger_that_sleeps_past_its_lease_stops(self, at: int) -> None:
        world = new_world()
        world.faulty.plan = FaultPlan(at={at: Fault.STALLED})
        world.deploy(stack_of(M=membership(RED, ANN, BOB, CYD), N=membership(RED, DAN, EVE)))
        assert world.members(RED) == {"ann", "bob", "cyd", "dan", "eve"}, world.story()
        world.delete()
        assert world.members(RED) == set(), world.story()

    def test_is_given_back(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN)))
        assert [item["sk"] for item in world.ledger.items() if item["sk"] == "lease"] == []


class TestLateEvents:
    """Whatever comes again, in whatever phase of whatever later deployment, changes nothing."""

    TEMPLATES = (
        stack_of(A=single(RED, ANN), M=membership(BLUE, BOB, CYD), S=sibling()),
        stack_of(A=single(BLUE, ANN), M=membership(BLUE, CYD, DAN), S=sibling()),
        stack_of(A=single(RED, EVE), M=membership(BLUE, CYD), S=sibling()),
        stack_of(M=membership(BLUE, BOB), S=sibling()),
        stack_of(A=single(RED, ANN), M=membership(BLUE, BOB), S=sibling()),
    )

    @pytest.mark.parametrize("delay", [0.0, 0.25, 0.7, 5.0, 15.0])
    @pytest.mark.parametrize("number", range(10))
    def test_an_event_of_before_while_another_deployment_runs(
        self, number: int, delay: float
    ) -> None:
        world = new_world()
        for template in self.TEMPLATES[:-1]:
            world.deploy(template)
        if number >= len(world.events):
            pytest.skip("there are fewer events")
        world.deliver_stale(world.events[number], delay=delay)
        assert world.deploy(self.TEMPLATES[-1]) == "UPDATE_COMPLETE", world.story()
        assert world.members(RED) == {"ann"}, world.story()
        assert world.members(BLUE) == {"bob"}, world.story()

    @half("number", range(10))
    def test_an_event_of_before_while_another_deployment_fails(
        self, number: int, rollback: StackSettings
    ) -> None:
        world = new_world(rollback)
        for template in self.TEMPLATES[:-1]:
            world.deploy(template)
        if number >= len(world.events):
            pytest.skip("there are fewer events")
        for delay in (0.3, 401.0):
            world.deliver_stale(world.events[number], delay=delay)
        failing = stack_of(**self.TEMPLATES[-1]["Resources"], Failing=fail_last(world))
        assert world.deploy(failing) == "UPDATE_ROLLBACK_COMPLETE", world.story()
        assert world.members(RED) == set(), world.story()
        assert world.members(BLUE) == {"bob"}, world.story()

    @half("in_flight", list(InFlight))
    def test_a_waiter_that_outlives_its_request(
        self, rollback: StackSettings, in_flight: InFlight
    ) -> None:
        world = new_world(replace(rollback, in_flight=in_flight))
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.group_becomes_active(BLUE, after=900)
        failing = fail_last(world, seconds=20.0)
        world.deploy(stack_of(A=single(BLUE, ANN), B=single(BLUE, BOB), Failing=failing))
        assert world.members(BLUE) == set(), world.story()
        assert world.members(RED) == {"ann"}, world.story()


class TestGivenUp:
    """CloudFormation gives up what is under way, and nobody may be left to undo it."""

    @half("at", range(14))
    def test_an_update_whose_waiter_dies(self, at: int, rollback: StackSettings) -> None:
        world = new_world(replace(rollback, in_flight=InFlight.CANCEL))
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.group_becomes_active(BLUE, after=15)
        world.faulty.plan = FaultPlan(at={at: Fault.KILLED_AFTER})
        failing = fail_last(world, seconds=20.0)
        world.deploy(stack_of(A=single(BLUE, ANN), C=single(BLUE, CYD), Failing=failing))
        assert world.members(BLUE) == set(), world.story()
        assert world.members(RED) == {"ann"}, world.story()


class TestManySingles:
    """Every single listed the whole group."""

    def test_one_who_cannot_be_associated_fails_alone(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN)))
        world.deploy(stack_of(A=single(RED, ANN), B=single(RED, BOB), N=single(RED, NOBODY)))
        assert f"has no user {NOBODY}" in world.stack.reason
        assert world.members(RED) == {"ann"}, world.story()


class TestEventualConsistency:
    def test_a_group_that_is_found_later(self) -> None:
        world = new_world()
        for operation in (
            "ListTrafficDistributionGroupUsers",
            "DescribeTrafficDistributionGroup",
        ):
            world.connect.answer_with("ResourceNotFoundException", operation, times=3)
        assert world.deploy(stack_of(A=single(RED, ANN))) == "CREATE_COMPLETE", world.story()

    def test_a_user_who_is_found_later(self) -> None:
        world = new_world()
        for operation in ("AssociateTrafficDistributionGroupUser", "DescribeUser"):
            world.connect.answer_with("ResourceNotFoundException", operation, times=3)
        assert world.deploy(stack_of(A=single(RED, ANN))) == "CREATE_COMPLETE", world.story()

    def test_a_contact_that_is_found_later(self) -> None:
        world = new_world()
        world.connect.answer_with("ResourceNotFoundException", "DescribeContact", times=3)
        assert world.deploy(stack_of(C=assignment(CHAT, ANN))) == "CREATE_COMPLETE", world.story()

    def test_a_group_that_seems_gone_when_it_is_deleted_from(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN)))
        for operation in (
            "ListTrafficDistributionGroupUsers",
            "DescribeTrafficDistributionGroup",
        ):
            world.connect.answer_with("ResourceNotFoundException", operation, times=3)
        assert world.delete() == "DELETE_COMPLETE", world.story()
        assert world.members(RED) == set(), world.story()

    def test_a_page_size_that_a_region_refuses(self) -> None:
        world = new_world()
        world.connect.join(RED, BOB)
        world.connect.answer_with(
            "InvalidRequestException", "ListTrafficDistributionGroupUsers", times=1
        )
        assert world.deploy(stack_of(A=single(RED, ANN))) == "CREATE_COMPLETE", world.story()
        assert world.members(RED) == {"ann", "bob"}


class TestHomeRegion:
    def test_the_group_is_named_where_it_lives(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(WEST, ANN)))
        world.delete()
        calls = [call for call in world.faulty.calls if "DistributionGroup" in call.operation]
        regions = {call.region for call in calls}
        assert regions == {"us-west-2"}


class TestTheLedgerItself:
    def test_on_event_writes_nothing(self) -> None:
        world = new_world()
        world.deploy(stack_of(A=single(RED, ANN), C=assignment(CHAT, ANN)))
        world.deploy(stack_of(A=single(BLUE, ANN), C=assignment(CHAT, BOB)))
        world.delete()
        assert world.on_event_writes == []

    def test_a_claim_is_written_before_the_first_call_that_changes_anything(self) -> None:
        world = new_world()
        world.faulty.plan = FaultPlan(at={0: Fault.KILLED_BEFORE}, writes_only=True)
        world.deploy(stack_of(A=single(RED, ANN)), rollback=False)
        assert phases(world) == ["PENDING"]
        (claim,) = world.ledger.claims()
        assert claim["adopted"] == b"", "noted: nobody was a member"

    def test_tombstones_are_small_and_expire(self) -> None:
        world = new_world()
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        world.delete()
        (claim,) = world.ledger.claims()
        assert claim["phase"] == "ENDED"
        assert "users" not in claim
        week = 7 * 24 * 3600
        assert abs(claim["expires_at"] - world.clock.time() - week) < 7200

    def test_users_take_16_bytes(self) -> None:
        world = new_world()
        world.connect.join(RED, ANN)
        world.deploy(stack_of(M=membership(RED, ANN, BOB, CYD)))
        (claim,) = world.ledger.claims()
        assert (len(claim["users"]), len(claim["adopted"])) == (32, 16)
        assert claim["phase"] == "LIVE"


class TestAttributes:
    def test_of_a_single_and_a_membership(self) -> None:
        world = new_world()
        world.connect.join(BLUE, BOB)
        world.connect.join(BLUE, EVE)
        many = membership(BLUE, BOB, CYD, exclusive=True)
        world.deploy(stack_of(A=single(RED, ANN), M=many))
        assert world.stack.resources["A"].attributes == {
            "InstanceId": INSTANCE.id,
            "TrafficDistributionGroupId": RED.id,
            "UserId": ANN.id,
            "Region": "us-east-1",
        }
        assert world.stack.resources["M"].attributes == {
            "TrafficDistributionGroupId": BLUE.id,
            "UserCount": 2,
            "Added": 1,
            "Removed": 1,
        }

    def test_of_a_contact_whose_update_changes_nothing(self) -> None:
        world = new_world()
        world.deploy(stack_of(C=assignment(CHAT, ANN)))
        before = world.stack.resources["C"].attributes
        world.deploy(stack_of(C=assignment(CHAT, ANN.arn)))
        assert world.stack.resources["C"].attributes == before
        assert before == {
            "ContactId": CHAT.id,
            "UserId": ANN.id,
            "Channel": "CHAT",
            "QueueId": QUEUE.id,
        }


class TestRolledBackTogether:
    """Claims that end side by side know of one another."""

    def test_whom_one_expelled_and_the_other_added(self) -> None:
        world = new_world(StackSettings(in_flight=InFlight.AWAIT))
        world.connect.join(BLUE, EVE)
        world.sabotage_next(seconds={"F": 5.0}, fails={("F", "Create")})
        world.deploy(
            stack_of(K=membership(BLUE, CYD, exclusive=True), J=membership(BLUE, EVE), F=sibling())
        )
        assert world.members(BLUE) == {"eve"}, world.story()

    def test_a_pending_offer_outlives_an_update_that_fails(self) -> None:
        world = new_world(
            accept_after_calls=None, associate_offered_contact="InvalidRequestException"
        )
        world.deploy(stack_of(C=assignment(CHAT, ANN, release="STOP")))
        status = world.deploy(stack_of(C=assignment(CHAT, EVE, release="STOP")))
        assert status == "UPDATE_ROLLBACK_COMPLETE", world.story()
        world.delete()
        assert world.connect.contact(CHAT).ended, world.story()

    def test_a_late_create_that_was_given_up_before_it_claimed(self) -> None:
        world = new_world()
        world.deploy(stack_of(F=sibling()))
        world.sabotage_next(seconds={"F": 0.1}, fails={("F", "Update")})
        world.deploy(stack_of(F=sibling(version=2), A=single(RED, ANN)))
        late = next(it for it in world.events if it["LogicalResourceId"] == "A")
        world.sabotage_next(seconds={"F": 20.0}, fails=set())
        world.deliver_stale(late, delay=5.0)
        world.deploy(stack_of(F=sibling(version=3), A=single(RED, BOB)))
        assert world.members(RED) == {"bob"}, world.story()
