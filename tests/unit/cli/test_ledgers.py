"""What the commands make of the ledger: of every claim in it, whoever made it, and of none."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from connect_provider.connect.client import Group
from connect_provider.ledger.claim import GroupClaim, Owner, Phase
from connect_provider.ledger.table import Ledger
from lifecycle.cast import (
    ANN,
    BLUE,
    BOB,
    CHAT,
    CYD,
    DAN,
    EVE,
    HOME,
    INSTANCE,
    RED,
    WEST,
    Thing,
    assignment,
    membership,
    nested,
    single,
    stack_of,
)
from lifecycle.cloudformation_api import ReadFaults
from lifecycle.faults import FaultPlan, LedgerFault
from lifecycle.ledger import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecycle.world import World

    Run = Callable[..., tuple[int, str, str]]

STACK = ("Test",)
LEDGER = ("--ledger", TABLE)
OTHER_STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Other/0"
NOBODY = Thing("nobody", "99999999-9999-4999-8999-999999999999", "")
RETAIN = {"DeletionPolicy": "Retain"}


def rows(run: Run, *arguments: str) -> list[dict[str, Any]]:
    code, out, err = run("status", *arguments, "--json")
    assert code in (0, 1), err
    found = json.loads(out)
    assert (code == 1) is found["drift"]
    associations: list[dict[str, Any]] = found["associations"]
    return associations


def states(run: Run, *arguments: str) -> dict[tuple[str | None, str | None], str]:
    return {
        (row["logical_id"], row["username"] or row["user_id"]): row["state"]
        for row in rows(run, *arguments)
    }


def notes(run: Run, *arguments: str) -> dict[tuple[str | None, str | None], str]:
    return {
        (row["logical_id"], row["username"] or row["user_id"]): row["note"]
        for row in rows(run, *arguments)
    }


def claim(
    world: World,
    group: Thing,
    *users: Thing,
    phase: Phase = Phase.LIVE,
    stack_id: str = OTHER_STACK,
    logical_id: str = "X",
    exclusive: bool = False,
) -> GroupClaim:
    """Write a claim into the ledger as some stack's functions would."""
    made = GroupClaim(
        owner=Owner(stack_id, logical_id),
        version="0123456789ab",
        instance_id=INSTANCE.id,
        group=Group(id=group.id, region=HOME),
        users=frozenset(user.id for user in users),
        began="then",
        since=world.clock.time(),
        exclusive=exclusive,
        phase=phase,
        adopted=frozenset(),
    )
    with world.inside():
        return Ledger(world.clients("dynamodb", HOME), TABLE).put(made)


def take_lease(world: World, group: Thing, *, until: float) -> None:
    world.ledger.put(
        {
            "pk": f"group#{HOME}:{group.id}",
            "sk": "lease",
            "holder": "somebody else",
            "held_until": world.clock.time() + until,
        }
    )


def leases(world: World) -> list[str]:
    return [item["pk"] for item in world.ledger.items() if item["sk"] == "lease"]


def when_called(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str, happens: Callable[[], None]
) -> None:
    """Let something happen each time that Connect is about to get a call."""
    answer = world.faulty.answer

    def answer_later(service: str, region: str, called: str, request: Any) -> Any:
        if called == operation:
            happens()
        return answer(service, region, called, request)

    monkeypatch.setattr(world.faulty, "answer", answer_later)


class TestStatus:
    def test_every_spelling_is_the_same(self, world: World, run: Run) -> None:
        group_id = RED.id.upper()
        assert group_id != RED.id
        world.deploy(
            stack_of(
                A=single(RED.arn, ANN.arn),
                B=single(RED.arn.replace(RED.id, group_id), BOB.id.upper()),
                M=membership(RED, CYD.arn, DAN.id.upper(), exclusive=True),
            )
        )
        assert states(run, *STACK) == {
            ("A", "ann"): "in sync",
            ("B", "bob"): "in sync",
            ("M", "cyd"): "in sync",
            ("M", "dan"): "in sync",
        }

    def test_what_only_cloudformation_knows(self, world: World, run: Run) -> None:
        template = stack_of(
            {"Side": "x"}, M=membership(RED, {"Fn::If": ["Yes", ANN.id, EVE.id]}, exclusive=True)
        )
        template["Conditions"] = {"Yes": {"Fn::Equals": [{"Ref": "Side"}, "x"]}}
        world.deploy(template, {"Side": "x"})
        world.connect.join(RED, EVE)
        assert states(run, *STACK) == {("M", "ann"): "in sync", (None, "eve"): "extra"}

    def test_nested_stacks_go_with_their_parent(self, world: World, run: Run) -> None:
        inner = stack_of(C=assignment(CHAT, ANN), B=single(RED, BOB))
        world.deploy(
            stack_of(A=single(RED, ANN), N=nested(stack_of(Q=single(WEST, CYD), I=nested(inner))))
        )
        world.connect.leave(RED, BOB)
        found = rows(run, *STACK)
        assert {(row["logical_id"], row["state"]) for row in found} == {
            ("A", "in sync"),
            ("Q", "in sync"),
            ("C", "in sync"),
            ("B", "missing"),
        }
        _, out, _ = run("status", *STACK, "--all")
        assert re.search(rf"{ANN.id}\) +Test/A", out)
        assert re.search(rf"{BOB.id}\) +Test-N-I/B", out)

    def test_a_nested_stack_is_served_by_its_parents_functions(
        self, world: World, run: Run
    ) -> None:
        world.deploy(stack_of(A=single(RED, ANN), N=nested(stack_of(Q=single(WEST, CYD)))))
        assert states(run, world.child("N").stack_id) == {("Q", "cyd"): "in sync"}

    def test_who_another_stack_declares_is_not_extra(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, exclusive=True)))
        world.deploy(stack_of(B=single(RED, BOB)), stack="Other")
        world.connect.join(RED, CYD)
        assert states(run, *STACK) == {("M", "ann"): "in sync", (None, "cyd"): "extra"}
        assert states(run, "Other") == {("B", "bob"): "in sync", (None, "cyd"): "extra"}
        assert run("status", *STACK)[0] == 1
        assert run("status", "Other")[0] == 0, "it declares no group as exclusive"

    def test_all_stacks_that_share_a_ledger(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN), N=nested(stack_of(Q=single(WEST, CYD)))))
        world.deploy(stack_of(A=membership(RED, ANN, BOB, exclusive=True)), stack="Other")
        world.connect.leave(RED, BOB)
        world.connect.join(RED, DAN)
        code, out, err = run("status", *LEDGER, "--all")
        assert code == 1
        assert not err
        assert out.startswith(f"Ledger {TABLE}\n")
        assert "3 in sync, 1 missing, 1 extra" in out
        for where in ("Test/A", "Test-N/Q", "Other/A"):
            assert where in out
        _, out, _ = run("status", *LEDGER, "--json")
        found = json.loads(out)
        assert {
            (group["target_id"], group["counts"]["in sync"], group["counts"]["missing"])
            for group in found["groups"]
        } == {(RED.id, 2, 1), (WEST.id, 1, 0)}
        assert found["ledgers"] == [TABLE]
        assert {each["status"] for each in found["stacks"]} == {"CREATE_COMPLETE"}
        assert len(found["stacks"]) == 3

    def test_a_ledger_by_its_arn(self, world: World, run: Run, monkeypatch: Any) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
        arn = f"arn:aws:dynamodb:{HOME}:123456789012:table/{TABLE}"
        assert states(run, "--ledger", arn) == {("A", "ann"): "in sync"}

    def test_a_stack_with_its_ledger_needs_no_function(
        self, world: World, run: Run, functions: Any
    ) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.deploy(stack_of(B=single(RED, BOB)), stack="Other")
        functions.denied = True
        assert states(run, *STACK, *LEDGER) == {("A", "ann"): "in sync"}

    def test_the_ledger_is_read_page_by_page(self, world: World, run: Run) -> None:
        world.ledger.page = 1
        world.deploy(stack_of(A=single(RED, ANN), B=single(RED, BOB), M=membership(RED, CYD)))
        assert set(states(run, *STACK).values()) == {"in sync"}

    def test_only_what_the_stack_claims_is_read(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN), B=single(BLUE, BOB)))
        world.deploy(stack_of(A=single(RED, ANN)))
        world.deploy(stack_of(C=assignment(CHAT, CYD), D=single(WEST, DAN)), stack="Other")
        mark, calls = len(world.ledger.calls), len(world.faulty.calls)
        assert states(run, *STACK) == {("A", "ann"): "in sync"}
        read = [call.body for call in world.ledger.calls[mark:] if call.operation == "Query"]
        asked = [body["ExpressionAttributeValues"][":pk"]["S"] for body in read]
        assert asked[1:] == [f"group#{HOME}:{RED.id}"], "the first only looks for the keys"
        # An older botocore's model, which the emulation goes by, refuses large pages at first.
        answered = [call for call in world.faulty.calls[calls:] if call.status == 200]
        listed = [(call.region, call.path) for call in answered if "List" in call.operation]
        assert len(listed) == 1
        assert listed[0][0] == HOME
        assert RED.id in listed[0][1]

    def test_what_is_retained_is_no_drift(self, world: World, run: Run) -> None:
        world.deploy(
            stack_of(A=single(RED, ANN), M=membership(RED, BOB, CYD, exclusive=True, **RETAIN))
        )
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.leave(RED, CYD)
        world.connect.join(RED, DAN)
        assert states(run, *STACK) == {
            ("A", "ann"): "in sync",
            ("M", "bob"): "in sync",
            ("M", "cyd"): "unknown",
            (None, "dan"): "extra",
        }
        assert notes(run, *STACK)["M", "cyd"].startswith("retained: ")
        assert run("status", *STACK)[0] == 0
        code, _, err = run("repair", *STACK, "--yes", "--exclusive")
        assert code == 0
        assert "no group is declared as exclusive" in err
        assert world.members(RED) == {"ann", "bob", "dan"}

    def test_while_a_stack_is_deployed_nothing_counts_as_retained(
        self, world: World, run: Run
    ) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        claim(world, RED, BOB, stack_id=world.stack.stack_id)
        assert notes(run, *STACK)["X", "bob"].startswith("retained: ")
        world.stack.status = "UPDATE_IN_PROGRESS"
        assert states(run, *STACK)["X", "bob"] == "missing"

    def test_an_update_that_failed_retains_nothing(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(RED, ANN)))
        declared = stack_of(M=membership(RED, ANN, NOBODY))
        assert world.deploy(declared, rollback=False) == "UPDATE_FAILED"
        found = [(row["user_id"], row["phase"], row["note"]) for row in rows(run, *STACK)]
        assert (ANN.id, "LIVE", None) in found

    def test_what_a_deleted_stack_has_retained(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN, **RETAIN), C=assignment(CHAT, BOB, **RETAIN)))
        world.delete()
        found = rows(run, *LEDGER)
        assert {row["state"] for row in found} == {"in sync"}
        assert all(row["note"].startswith("retained: ") for row in found)

    def test_what_the_ledger_has_lost_is_unknown(self, world: World, run: Run) -> None:
        world.deploy(
            stack_of(
                A=single(RED, ANN),
                M=membership(BLUE, BOB),
                C=assignment(CHAT, CYD),
            )
        )
        world.ledger.empty()
        code, out, _ = run("status", *STACK)
        assert code == 0
        assert "3 unknown" in out
        assert out.count("resync claims it again") == 3
        assert CHAT.id in out

    def test_who_may_be_declared_is_never_removed(self, world: World, run: Run) -> None:
        world.deploy(
            stack_of(
                M=membership(RED, ANN, exclusive=True),
                B=single(RED, BOB),
                N=membership(BLUE, CYD, exclusive=True),
            )
        )
        for lost in [item for item in world.ledger.claims() if "/B#" in item["sk"]]:
            world.ledger.remove(lost["pk"], lost["sk"])
        world.connect.join(BLUE, DAN)
        assert states(run, *STACK) == {
            ("M", "ann"): "in sync",
            ("B", None): "unknown",
            (None, "bob"): "unknown",
            ("N", "cyd"): "in sync",
            (None, "dan"): "extra",
        }
        assert "may be declared by B" in notes(run, *STACK)[None, "bob"]
        code, _, err = run("repair", *STACK, "--yes", "--exclusive")
        assert code == 0
        assert "what is unknown is left alone: 2" in err
        assert world.members(RED) == {"ann", "bob"}
        assert world.members(BLUE) == {"cyd"}

    def test_what_could_not_be_brought_about(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        declared = stack_of(A=single(RED, ANN), M=membership(BLUE, BOB, NOBODY))
        assert world.deploy(declared, rollback=False) == "UPDATE_FAILED"
        found = {row["user_id"]: row for row in rows(run, *STACK)}
        assert found[BOB.id]["state"] == "in sync"
        assert found[NOBODY.id]["state"] == "missing"
        assert found[NOBODY.id]["phase"] == "PENDING"
        assert f"has no user {NOBODY.id}" in found[NOBODY.id]["note"]
        mark = len(world.faulty.calls)
        code, _, err = run("repair", *STACK, "--yes")
        assert code == 0
        assert "what is PENDING is left to its deployment: 1" in err
        assert "nothing to repair" in err
        assert not world.faulty.writes_since(mark)

    def test_who_is_pending_is_wanted(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, exclusive=True)))
        claim(world, RED, BOB, phase=Phase.PENDING)
        world.connect.join(RED, BOB)
        assert states(run, *STACK) == {("M", "ann"): "in sync"}
        assert states(run, *LEDGER) == {("M", "ann"): "in sync", ("X", "bob"): "in sync"}
        assert notes(run, *LEDGER)["X", "bob"] == "PENDING: not brought about yet"

    def test_who_is_ending_is_not_wanted(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, exclusive=True)))
        claim(world, RED, ANN, BOB, CYD, phase=Phase.ENDING)
        world.connect.join(RED, BOB)
        assert states(run, *LEDGER) == {
            ("M", "ann"): "in sync",
            ("X", "ann"): "in sync",
            ("X", "bob"): "extra",
            ("X", "cyd"): "in sync",
        }
        found = notes(run, *LEDGER)
        assert found["X", "ann"] == "ENDING: stays, as another resource declares the user"
        assert found["X", "bob"] == "ENDING: not declared any more"
        assert found["X", "cyd"] == "ENDING: has left"
        assert states(run, *STACK) == {("M", "ann"): "in sync", (None, "bob"): "extra"}

    def test_what_has_ended_is_not_shown(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN), B=single(RED, BOB)))
        world.deploy(stack_of(A=single(RED, ANN)))
        assert states(run, *STACK) == {("A", "ann"): "in sync"}

    def test_one_group_may_be_named_in_two_regions(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(WEST, ANN, exclusive=True)))
        claim(world, WEST, BOB, stack_id=world.stack.stack_id, phase=Phase.PENDING)
        world.connect.join(WEST, BOB)
        found = {(row["region"], row["user_id"]): row["state"] for row in rows(run, *STACK)}
        assert found == {
            ("us-west-2", ANN.id): "in sync",
            ("us-east-1", BOB.id): "missing",
        }

    def test_a_stack_of_the_ledger_that_may_not_be_read(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.cloudformation.faults = ReadFaults(denied=frozenset({"DescribeStacks"}))
        code, out, err = run("status", *LEDGER)
        assert code == 0
        assert "1 in sync" in out
        assert "whether stack Test is being deployed" in err
        assert "allow cloudformation:DescribeStacks" in err


class TestRepair:
    def test_removes_nobody_whom_another_stack_declares(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, exclusive=True)))
        world.deploy(stack_of(B=single(RED, BOB)), stack="Other")
        world.connect.join(RED, CYD)
        assert run("repair", *STACK, "--yes", "--exclusive")[0] == 0
        assert world.members(RED) == {"ann", "bob"}

    def test_of_a_whole_ledger(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN), N=nested(stack_of(Q=single(WEST, CYD)))))
        world.deploy(stack_of(B=membership(RED, BOB, exclusive=True)), stack="Other")
        for group, user in ((RED, ANN), (RED, BOB), (WEST, CYD)):
            world.connect.leave(group, user)
        world.connect.join(RED, DAN)
        assert run("repair", *STACK, "--yes")[0] == 0
        assert (world.members(RED), world.members(WEST)) == ({"ann", "dan"}, {"cyd"})
        code, _, err = run("repair", *LEDGER, "--yes", "--exclusive")
        assert code == 0
        assert "repaired 2 memberships" in err
        assert world.members(RED) == {"ann", "bob"}

    def test_is_refused_while_a_stack_around_is_deployed(self, world: World, run: Run) -> None:
        world.deploy(stack_of(N=nested(stack_of(Q=single(WEST, CYD)))))
        world.connect.leave(WEST, CYD)
        world.stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        inner = (world.child("N").stack_id,)
        assert "stack Test is UPDATE_ROLLBACK_IN_PROGRESS" in run("status", *inner)[2]
        code, _, err = run("repair", *inner, "--yes")
        assert code == 2
        assert "stack Test is UPDATE_ROLLBACK_IN_PROGRESS" in err
        assert not world.members(WEST)

    @pytest.mark.parametrize("asked", [("Test", "Other"), LEDGER], ids=["by name", "by ledger"])
    def test_of_several_stacks(self, asked: tuple[str, ...], world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.deploy(stack_of(B=single(RED, BOB)), stack="Other")
        world.deploy(stack_of(C=single(RED, CYD)), stack="Third")
        for user in (ANN, BOB, CYD):
            world.connect.leave(RED, user)
        assert "1 missing" in run("status", "Test")[1]
        assert ("2 missing" if asked != LEDGER else "3 missing") in run("status", *asked)[1]
        assert run("repair", *asked, "--yes")[0] == 0
        assert world.members(RED) == {"ann", "bob"} | ({"cyd"} if asked == LEDGER else set())

    @pytest.mark.parametrize("asked", [("Test", "Other"), LEDGER], ids=["by name", "by ledger"])
    def test_a_stack_that_is_deployed_keeps_no_other_from_being_repaired(
        self, asked: tuple[str, ...], world: World, run: Run
    ) -> None:
        world.deploy(stack_of(A=single(RED, ANN), D=single(BLUE, DAN)))
        world.deploy(
            stack_of(
                N=nested(stack_of(B=single(RED, BOB))),
                M=membership(BLUE, CYD, exclusive=True),
            ),
            stack="Other",
        )
        for group, user in ((RED, ANN), (RED, BOB), (BLUE, CYD), (BLUE, DAN)):
            world.connect.leave(group, user)
        world.connect.join(BLUE, EVE)
        world.stack_named("Other").status = "UPDATE_IN_PROGRESS"
        code, out, err = run("repair", *asked, "--yes", "--exclusive")
        assert code == 1, err
        assert "stack Other is UPDATE_IN_PROGRESS" in err
        assert "what it declares is left alone" in err
        assert "2 to associate" in out
        assert world.members(RED) == {"ann"}, "the nested stack is part of the deployment"
        assert world.members(BLUE) == {"dan", "eve"}, "the deployment decides who is a stranger"
        world.stack_named("Other").status = "UPDATE_COMPLETE"
        assert run("repair", *asked, "--yes", "--exclusive")[0] == 0
        assert world.members(BLUE) == {"cyd", "dan"}

    def test_holds_the_lease_while_it_writes(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB, exclusive=True)))
        world.connect.leave(RED, ANN)
        world.connect.join(RED, CYD)
        held: list[list[str]] = []
        for operation in ("Associate", "Disassociate"):
            when_called(
                world,
                monkeypatch,
                f"{operation}TrafficDistributionGroupUser",
                lambda: held.append(leases(world)),
            )
        assert run("repair", *STACK, "--yes", "--exclusive")[0] == 0
        assert held == [[f"group#{HOME}:{RED.id}"]] * 2
        assert not leases(world), "it is given back"

    def test_waits_for_whoever_changes_the_group(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        world.connect.leave(RED, ANN)
        take_lease(world, RED, until=60)
        assert run("repair", *STACK, "--yes")[0] == 0
        assert world.members(RED) == {"ann", "bob"}

    def test_gives_up_on_whoever_changes_the_group_for_long(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        world.connect.leave(RED, ANN)
        take_lease(world, RED, until=600)
        mark = len(world.faulty.calls)
        code, _, err = run("repair", *STACK, "--yes", "--wait", "1")
        assert code == 2
        assert "a deployment or another repair changes traffic distribution group" in err
        assert not world.faulty.writes_since(mark)
        assert leases(world), "it is somebody else's"

    def test_a_lease_that_expired_is_not_trusted(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        users = [str(uuid.UUID(int=number)) for number in range(8)]
        for user in users:
            world.connect.add_user(user)
        world.deploy(stack_of(M=membership(RED, *users)))
        for user in users:
            world.connect.leave(RED, Thing("", user, ""))
        seen: list[int] = []

        def sleep_for_long() -> None:
            seen.append(1)
            lost = [item for item in world.ledger.items() if item.get("holder") == "somebody else"]
            assert all(item["held_until"] < world.clock.time() for item in lost)
            if len(seen) == 3:
                world.clock.sleep(60)
                take_lease(world, RED, until=20)

        when_called(world, monkeypatch, "AssociateTrafficDistributionGroupUser", sleep_for_long)
        code, _, err = run("repair", *STACK, "--yes")
        assert code == 0, err
        assert len(world.connect.memberships()) == len(users)

    def test_who_is_let_go_meanwhile_is_not_put_back(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        users = (ANN, BOB, CYD, DAN)
        world.deploy(stack_of(M=membership(RED, *users)))
        for user in users:
            world.connect.leave(RED, user)
        seen: list[int] = []

        def end_the_claim() -> None:
            seen.append(1)
            if len(seen) == 2:
                with world.inside():
                    ledger = Ledger(world.clients("dynamodb", HOME), TABLE)
                    (made,) = ledger.of_group(Group(id=RED.id, region=HOME))
                    ledger.change(made, lambda it: it._replace(phase=Phase.ENDED))
                world.clock.sleep(6)

        when_called(world, monkeypatch, "AssociateTrafficDistributionGroupUser", end_the_claim)
        assert run("repair", *STACK, "--yes")[0] == 0
        assert len(seen) == len(world.members(RED)) == 2

    def test_who_is_claimed_meanwhile_is_not_removed(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, exclusive=True)))
        for user in (BOB, CYD, DAN):
            world.connect.join(RED, user)
        first = min((BOB, CYD, DAN), key=lambda user: user.id)
        last = max((BOB, CYD, DAN), key=lambda user: user.id)
        seen: list[int] = []

        def claim_the_last() -> None:
            seen.append(1)
            if len(seen) == 1:
                claim(world, RED, last, phase=Phase.PENDING)

        when_called(world, monkeypatch, "DisassociateTrafficDistributionGroupUser", claim_the_last)
        code, _, err = run("repair", *STACK, "--yes", "--exclusive")
        assert code == 0, err
        assert world.members(RED) == {"ann", last.name}
        assert first.name not in world.members(RED)

    def test_who_may_stay_after_all_is_not_removed(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, exclusive=True)))
        for user in (BOB, CYD, DAN):
            world.connect.join(RED, user)

        def is_not_exclusive() -> None:
            with world.inside():
                ledger = Ledger(world.clients("dynamodb", HOME), TABLE)
                (made,) = ledger.of_group(Group(id=RED.id, region=HOME))
                ledger.change(made, lambda it: it._replace(exclusive=False))

        when_called(
            world, monkeypatch, "DisassociateTrafficDistributionGroupUser", is_not_exclusive
        )
        assert run("repair", *STACK, "--yes", "--exclusive")[0] == 0
        assert len(world.members(RED)) == 3

    def test_a_lease_that_may_not_be_taken(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.leave(RED, ANN)
        mark = len(world.faulty.calls)
        answer = world.ledger.answer

        def deny_writes(operation: str, request: Any) -> Any:
            if operation == "PutItem":
                world.faulty.plan = FaultPlan(ledger=LedgerFault.DENIED)
                return world.faulty.answer("dynamodb", HOME, operation, request)
            return answer(operation, request)

        world.ledger.answer = deny_writes  # type: ignore[method-assign]
        code, _, err = run("repair", *STACK, "--yes")
        assert code == 2
        assert "allow dynamodb:PutItem" in err
        assert not world.faulty.writes_since(mark)


class TestExport:
    @pytest.mark.parametrize("known", [("--stack", "Test"), LEDGER], ids=["stack", "ledger"])
    def test_who_is_declared_already_is_left_out(
        self, known: tuple[str, str], world: World, run: Run
    ) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        for user in (BOB, CYD):
            world.connect.join(RED, user)
        group = ("--traffic-distribution-group-id", RED.arn)
        assert ANN.id in run("export", *group)[1]
        code, out, err = run("export", *group, *known)
        assert code == 0
        assert (ANN.id in out, BOB.id in out, CYD.id in out) == (False, True, True)
        assert "1 users are declared already" in err


class TestErrors:
    def fails(self, run: Run, *arguments: str) -> str:
        code, out, err = run(*arguments)
        assert code == 2
        assert not out
        assert err.count("\n") == 1, err
        assert err.startswith("connect-associations: ")
        return err

    def test_neither_stack_nor_ledger(self, run: Run) -> None:
        for command in ("status", "repair"):
            assert "name a stack, or a ledger" in self.fails(run, command)

    def test_a_stack_whose_functions_name_no_ledger(
        self, world: World, run: Run, functions: Any
    ) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        for environment in ({}, {"Variables": {"OTHER": "x"}}):
            functions.environments["handler"] = environment
            assert "no function of stack Test names a ledger" in self.fails(run, "status", *STACK)
        functions.environments.clear()
        assert "name the table with --ledger" in self.fails(run, "status", *STACK)

    def test_a_function_that_may_not_be_read(self, world: World, run: Run, functions: Any) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        functions.denied = True
        assert "allow lambda:GetFunctionConfiguration" in self.fails(run, "status", *STACK)

    def test_an_environment_that_is_encrypted(self, world: World, run: Run, functions: Any) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        functions.environments["handler"] = {
            "Error": {"ErrorCode": "AccessDeniedException", "Message": "no key"}
        }
        said = self.fails(run, "status", *STACK)
        assert "no key; allow kms:Decrypt on its key, or name the table with --ledger" in said

    def test_a_ledger_that_is_gone(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.ledger.delete_table()
        for arguments in (STACK, LEDGER, ("--ledger", "Ledgre")):
            assert "there is no table" in self.fails(run, "status", *arguments)

    def test_a_ledger_that_may_not_be_read(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.faulty.plan = FaultPlan(ledger=LedgerFault.DENIED)
        assert "allow dynamodb:Query" in self.fails(run, "status", *STACK)

    def test_a_ledger_that_is_none(self, world: World, run: Run) -> None:
        world.ledger.put({"pk": "group#us-east-1:" + RED.id, "sk": "claim#x/y#z", "more": "data"})
        assert "is not a ledger" in self.fails(run, "status", *LEDGER)

    @pytest.mark.parametrize("name", ["", "a", "two words", "arn:aws:s3:::bucket"])
    def test_what_is_no_tables_name(self, name: str, run: Run) -> None:
        said = self.fails(run, "status", *STACK, "--ledger", name)
        assert "--ledger is not the name or the ARN of a table" in said or not name

    def test_a_ledger_without_claims(self, world: World, run: Run) -> None:
        del world
        assert f"ledger {TABLE} holds no claims" in self.fails(run, "status", *LEDGER)
