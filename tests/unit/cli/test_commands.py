from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from connect_associations._version import __version__
from connect_associations.cli import export, repair
from connect_associations.cli.session import Session
from connect_provider.connect import Group
from connect_provider.declaration import MAX_USERS
from connect_provider.plan import Action
from lifecycle.cast import (
    ANN,
    BLUE,
    BOB,
    CHAT,
    CYD,
    DAN,
    INSTANCE,
    RED,
    TASK,
    WEST,
    assignment,
    lookup,
    membership,
    sibling,
    single,
    stack_of,
)
from lifecycle.cloudformation_api import ReadFaults

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecycle.world import World

    Run = Callable[..., tuple[int, str, str]]

STACK = ("--stack", "Test")


def states(run: Run) -> dict[tuple[str, str], str]:
    code, out, _ = run("status", *STACK, "--json")
    found = json.loads(out)
    assert code == (1 if found["drift"] else 0)
    return {
        (row["target_id"], row["username"] or row["user_id"]): row["state"]
        for row in found["associations"]
    }


class TestStatus:
    def test_in_sync(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN), M=membership(WEST, BOB, CYD)))
        mark = len(world.faulty.calls)
        code, out, err = run("status", *STACK)
        assert code == 0
        assert "3 in sync" in out
        assert f"ann ({ANN.id})" in out
        assert f"{WEST.id} (us-west-2)" in out
        assert not err
        assert not world.faulty.writes_since(mark)

    def test_missing(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN), M=membership(RED, BOB)))
        world.connect.leave(RED, BOB)
        assert states(run) == {(RED.id, "ann"): "in sync", (RED.id, "bob"): "missing"}

    def test_extra_counts_where_the_group_is_exclusive(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, exclusive=True), N=membership(BLUE, BOB)))
        world.connect.join(BLUE, CYD)
        code, out, _ = run("status", *STACK)
        assert (code, "1 extra" in out) == (0, True)
        world.connect.join(RED, DAN)
        code, out, _ = run("status", *STACK)
        assert (code, "2 extra" in out) == (1, True)

    @pytest.mark.parametrize(
        ("happens", "state", "note"),
        [
            (lambda world: world.connect.serve(CHAT, ANN), "in sync", None),
            (lambda world: world.connect.serve(CHAT, BOB), "missing", f"user {BOB.id} has"),
            (lambda _: None, "unknown", "nobody has accepted it yet"),
        ],
        ids=["accepted", "with another", "offered"],
    )
    def test_contacts(
        self,
        happens: Callable[[World], None],
        state: str,
        note: str | None,
        world: World,
        run: Run,
    ) -> None:
        world.connect.keep_offers()
        world.deploy(stack_of(C=assignment(CHAT, ANN)))
        happens(world)
        _, out, _ = run("status", *STACK, "--json")
        (row,) = json.loads(out)["associations"]
        assert row["state"] == state
        assert (note or "") in (row["note"] or "")

    def test_users_by_name_and_by_reference(self, world: World, run: Run) -> None:
        declared = membership(RED)
        declared["Properties"]["UserIds"] = {
            "Fn::Split": [",", {"Fn::GetAtt": ["Names", "UserIds"]}]
        }
        world.deploy(stack_of(Names=lookup("ann", "bob"), M=declared))
        assert states(run) == {(RED.id, "ann"): "in sync", (RED.id, "bob"): "in sync"}

    def test_what_cannot_be_read_is_unknown(self, world: World, run: Run) -> None:
        template = stack_of({"Side": "x"}, A=single(RED, ANN), M=membership(RED, BOB))
        template["Conditions"] = {"Yes": {"Fn::Equals": [{"Ref": "Side"}, "x"]}}
        template["Resources"]["M"]["Properties"]["UserIds"] = [{"Fn::If": ["Yes", BOB.id, CYD.id]}]
        world.deploy(template, {"Side": "x"})
        code, out, _ = run("status", *STACK)
        assert code == 0
        assert "1 unknown" in out
        assert "cannot be read from the template: Fn::If" in out

    def test_a_group_that_is_gone(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.answer_with(
            "ResourceNotFoundException", "ListTrafficDistributionGroupUsers", times=None
        )
        code, out, _ = run("status", *STACK, "--json")
        assert code == 1
        assert f"Connect does not find traffic distribution group {RED.id}" in out

    def test_names_that_may_not_be_read(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.answer_with("AccessDeniedException", "SearchUsers", times=None)
        code, out, err = run("status", *STACK)
        assert code == 0
        assert ANN.id in out
        assert "ann (" not in out
        assert "connect:SearchUsers is not allowed" in err

    def test_throttled_calls_are_repeated(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.answer_with(
            "ThrottlingException", "ListTrafficDistributionGroupUsers", times=4
        )
        assert states(run) == {(RED.id, "ann"): "in sync"}


class TestRepair:
    def drifted(self, world: World) -> None:
        world.deploy(stack_of(A=single(RED, ANN), M=membership(BLUE, BOB, CYD, exclusive=True)))
        world.connect.leave(RED, ANN)
        world.connect.leave(BLUE, CYD)
        world.connect.join(BLUE, DAN)

    def test_puts_back_what_is_missing(self, world: World, run: Run) -> None:
        self.drifted(world)
        code, out, err = run("repair", *STACK, "--yes")
        assert code == 0
        assert f"ann ({ANN.id})" in out
        assert "repaired 2 memberships" in err
        assert "1 undeclared users of exclusive groups stay" in err
        assert world.members(RED) == {"ann"}
        assert world.members(BLUE) == {"bob", "cyd", "dan"}

    def test_removes_only_when_asked(self, world: World, run: Run) -> None:
        self.drifted(world)
        assert run("repair", *STACK, "--yes", "--exclusive")[0] == 0
        assert world.members(BLUE) == {"bob", "cyd"}
        assert run("status", *STACK)[0] == 0

    def test_removes_from_no_group_that_is_not_exclusive(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(RED, ANN)))
        world.connect.join(RED, BOB)
        code, _, err = run("repair", *STACK, "--yes", "--exclusive")
        assert code == 0
        assert "no group of the stack is declared as exclusive" in err
        assert world.members(RED) == {"ann", "bob"}

    def test_a_dry_run_writes_nothing(self, world: World, run: Run) -> None:
        self.drifted(world)
        mark = len(world.faulty.calls)
        code, out, _ = run("repair", *STACK, "--dry-run", "--exclusive")
        assert code == 1
        assert "disassociate" in out
        assert not world.faulty.writes_since(mark)

    @pytest.mark.parametrize(("answer", "repaired"), [("y", True), ("n", False), ("", False)])
    def test_asks(
        self,
        answer: str,
        repaired: bool,  # noqa: FBT001 - parametrized
        world: World,
        run: Run,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.drifted(world)
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n" if answer else ""))
        code, _, err = run("repair", *STACK)
        assert code == (0 if repaired else 2)
        assert ("nothing was changed" in err) is not repaired
        assert world.members(RED) == ({"ann"} if repaired else set())

    def test_nothing_to_do(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        code, out, err = run("repair", *STACK, "--yes")
        assert (code, out) == (0, "")
        assert "nothing to repair" in err

    def test_contacts_are_left_alone(self, world: World, run: Run) -> None:
        world.deploy(stack_of(C=assignment(TASK, ANN)))
        world.connect.serve(TASK, BOB)
        mark = len(world.faulty.calls)
        code, _, err = run("repair", *STACK, "--yes")
        assert code == 0
        assert "contacts are left alone" in err
        assert not world.faulty.writes_since(mark)

    def test_who_cannot_be_repaired_is_named(self, world: World, run: Run) -> None:
        self.drifted(world)
        world.connect.answer_with(
            "InvalidRequestException", "AssociateTrafficDistributionGroupUser", times=None
        )
        code, _, err = run("repair", *STACK, "--yes")
        assert code == 2
        assert ANN.id in err
        assert CYD.id in err
        assert err.strip().count("\n") == 1, "a warning and one line of error"

    def test_many_are_taken_in_steps(self, world: World) -> None:
        users = tuple(f"{number:08}-0000-4000-8000-000000000000" for number in range(45))
        for user in users:
            world.connect.add_user(user)
        change = repair.Change(
            action=Action.ASSOCIATE,
            instance_id=INSTANCE.id,
            group=Group(id=RED.id, region="us-east-1"),
            users=users,
        )
        done: list[int] = []
        session = Session(region="us-east-1", clients=world.clients, clock=world.clock)
        assert repair.carry_out(session, [change], done=done.append) == []
        assert done == [20, 20, 5]
        assert {user for _, user in world.connect.memberships()} == set(users)


class TestExport:
    def test_python(self, world: World, run: Run) -> None:
        for user in (ANN, BOB):
            world.connect.join(RED, user)
        code, out, _ = run("export", "--traffic-distribution-group-id", RED.arn)
        assert code == 0
        declared: list[dict[str, Any]] = []
        scope = {
            "TrafficDistributionGroupMembership": lambda *_, **props: declared.append(props),
            "self": None,
        }
        exec(out.partition("\n")[2], scope)  # noqa: S102 - the code that people paste
        assert declared == [
            {
                "instance_id": INSTANCE.id,
                "traffic_distribution_group_id": RED.arn,
                "user_ids": sorted((ANN.id, BOB.id)),
            }
        ]
        assert "# ann" in out

    def test_json_of_a_group_in_another_region(self, world: World, run: Run) -> None:
        world.connect.join(WEST, CYD)
        _, out, _ = run("export", "--traffic-distribution-group-id", WEST.arn, "--format", "json")
        found = json.loads(out)
        assert found["traffic_distribution_group_id"] == WEST.arn
        assert found["users"] == [{"user_id": CYD.id, "username": "cyd"}]

    def test_many_users_become_several_memberships(self) -> None:
        class NoNames:
            def of(self, _user_id: str) -> str:
                return ""

        code = export.as_python(
            export.Membership(
                instance_id=INSTANCE.id,
                arn=RED.arn,
                name="East & west, 2",
                users=tuple(f"user{number}" for number in range(MAX_USERS + 1)),
            ),
            NoNames(),  # type: ignore[arg-type] # what as_python uses of it
        )
        assert '"EastWest21"' in code
        assert '"EastWest22"' in code
        assert code.count("TrafficDistributionGroupMembership(") == 2

    def test_a_group_without_users(self, world: World, run: Run) -> None:
        del world
        _, out, _ = run("export", "--traffic-distribution-group-id", BLUE.id)
        assert out.startswith(f"# {BLUE.arn} has no users")


class TestErrors:
    def fails(self, run: Run, *arguments: str) -> str:
        code, out, err = run(*arguments)
        assert code == 2
        assert not out
        assert err.count("\n") == 1
        assert err.startswith("connect-associations: ")
        return err

    def test_an_unknown_stack(self, run: Run) -> None:
        assert "there is no stack 'Nobody' in us-east-1" in self.fails(
            run, "status", "--stack", "Nobody"
        )

    def test_a_stack_without_associations(self, world: World, run: Run) -> None:
        world.deploy(stack_of(Other=sibling()))
        assert "declares no associations" in self.fails(run, "status", *STACK)

    def test_a_stack_that_may_not_be_read(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        for operation in ("DescribeStacks", "ListStackResources", "GetTemplate"):
            world.cloudformation.faults = ReadFaults(denied=frozenset({operation}))
            assert operation in self.fails(run, "status", *STACK)

    def test_an_unknown_group(self, run: Run) -> None:
        missing = "00000000-0000-4000-8000-000000000000"
        assert "there is no traffic distribution group" in self.fails(
            run, "export", "--traffic-distribution-group-id", missing
        )
        assert "is not the ID of a traffic" in self.fails(
            run, "export", "--traffic-distribution-group-id", "East"
        )

    def test_connect_denies(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.answer_with(
            "AccessDeniedException", "ListTrafficDistributionGroupUsers", times=None
        )
        assert "lists the permissions" in self.fails(run, "status", *STACK)

    def test_no_region(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
        assert "choose one with --region" in self.fails(run, "status", *STACK)

    def test_an_unknown_profile(self, run: Run) -> None:
        assert "aws configure list-profiles" in self.fails(
            run, "status", *STACK, "--profile", "nobody"
        )


def test_the_version(run: Run) -> None:
    assert run("--version")[:2] == (0, f"{__version__}\n")


def test_a_command_that_is_none(run: Run) -> None:
    assert run("state")[0] == 2
    assert run("status")[0] == 2
