from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from connect_associations._version import __version__
from connect_associations.cli import export, repair
from connect_associations.cli.ledgers import Ledgers
from connect_associations.cli.repair import Action
from connect_provider.connect.client import Group
from connect_provider.groups.declaration import MAX_USERS
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
    Thing,
    assignment,
    lookup,
    membership,
    sibling,
    single,
    stack_of,
)
from lifecycle.cloudformation_api import ReadFaults
from lifecycle.ledger import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from connect_associations.cli.session import Session
    from lifecycle.world import World

    Run = Callable[..., tuple[int, str, str]]

STACK = ("Test",)


def end(world: World, contact: Thing) -> None:
    """End a contact out of band."""
    connect = world.clients("connect", "us-east-1")
    connect.stop_contact(InstanceId=INSTANCE.id, ContactId=contact.id)


def agents(world: World, count: int) -> list[str]:
    """Make users, and return their IDs."""
    users = [f"{number:08}-0000-4000-8000-000000000000" for number in range(count)]
    for user in users:
        world.connect.add_user(user)
    return users


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
        code, out, err = run("status", *STACK, "--all")
        assert code == 0
        assert "3 in sync" in out
        assert f"ann ({ANN.id})" in out
        assert f"Group ({WEST.id}) in us-west-2" in out
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
            (lambda world: world.connect.serve(CHAT, BOB), "missing", "another user has accepted"),
            (lambda _: None, "unknown", "nobody has accepted it yet"),
            (lambda world: end(world, CHAT), "unknown", "the contact has ended"),
            (
                lambda world: world.connect.answer_with(
                    "ResourceNotFoundException", "DescribeContact", times=None
                ),
                "unknown",
                "does not know the contact",
            ),
        ],
        ids=["accepted", "with another", "offered", "ended", "gone"],
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

    def test_who_has_a_contact_is_named(self, world: World, run: Run) -> None:
        world.deploy(stack_of(C=assignment(CHAT, ANN)))
        world.connect.serve(CHAT, BOB)
        _, out, _ = run("status", *STACK)
        assert CHAT.id in out
        assert f"another user has accepted the contact: bob ({BOB.id})" in out
        _, out, _ = run("status", *STACK, "--json")
        (row,) = json.loads(out)["associations"]
        assert (row["with_user_id"], row["with_username"]) == (BOB.id, "bob")

    def test_users_by_name_and_by_reference(self, world: World, run: Run) -> None:
        declared = membership(RED)
        declared["Properties"]["UserIds"] = {
            "Fn::Split": [",", {"Fn::GetAtt": ["Names", "UserIds"]}]
        }
        world.deploy(stack_of(Names=lookup("ann", "bob"), M=declared))
        assert states(run) == {(RED.id, "ann"): "in sync", (RED.id, "bob"): "in sync"}

    def test_a_deployment_that_is_under_way_is_mentioned(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.stack.status = "UPDATE_IN_PROGRESS"
        code, _, err = run("status", *STACK)
        assert code == 0
        assert "stack Test is UPDATE_IN_PROGRESS" in err

    def test_a_stack_by_its_id_is_found_in_its_region(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.deploy(stack_of(C=assignment(CHAT, ANN), A=single(RED, ANN)))
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
        assert run("status", world.stack.stack_id)[0] == 0

    def test_the_region_can_be_given(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.deploy(stack_of(C=assignment(CHAT, ANN), A=single(RED, ANN)))
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
        assert run("status", *STACK, "--region", "us-east-1")[0] == 0

    def test_a_group_that_is_gone(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.answer_with(
            "ResourceNotFoundException", "ListTrafficDistributionGroupUsers", times=None
        )
        code, out, _ = run("status", *STACK, "--json")
        assert code == 1
        assert f"Connect does not find traffic distribution group {RED.id}" in out

    def test_names_come_from_describe_user_where_nobody_may_search(
        self, world: World, run: Run
    ) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        world.connect.answer_with("AccessDeniedException", "SearchUsers", times=None)
        code, out, err = run("status", *STACK, "--all")
        assert code == 0
        assert f"ann ({ANN.id})" in out
        assert f"bob ({BOB.id})" in out
        assert not err

    def test_names_that_may_not_be_read(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB), N=membership(WEST, CYD)))
        for operation in ("SearchUsers", "DescribeUser"):
            world.connect.answer_with("AccessDeniedException", operation, times=None)
        mark = len(world.faulty.calls)
        code, out, err = run("status", *STACK, "--all")
        assert code == 0
        assert ANN.id in out
        assert "ann (" not in out
        assert err.count("connect:SearchUsers nor connect:DescribeUser is allowed") == 1
        asked = [call.operation for call in world.faulty.calls[mark:]]
        assert asked.count("SearchUsers") == asked.count("DescribeUser") == 1

    def test_names_are_not_worth_a_failure(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.answer_with("InvalidRequestException", "SearchUsers", times=None)
        code, out, err = run("status", *STACK, "--all")
        assert code == 0
        assert ANN.id in out
        assert "some users are shown without names: SearchUsers" in err

    def test_differences_are_shown_and_the_rest_is_counted(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB), N=membership(BLUE, CYD)))
        world.connect.leave(RED, BOB)
        world.connect.join(BLUE, DAN)
        _, out, _ = run("status", *STACK)
        assert BOB.id in out
        for user in (ANN, CYD, DAN):
            assert user.id not in out
        assert "  1 in sync, 1 missing\n" in out
        assert "  1 in sync, 1 extra\n" in out, "a group that is not exclusive may have others"
        assert "2 in sync, 1 missing, 1 extra; --all shows 3 more" in out
        _, out, _ = run("status", *STACK, "--all")
        assert all(user.id in out for user in (ANN, BOB, CYD, DAN))
        assert "--all" not in out

    def test_groups_have_names(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(RED, ANN), N=membership(WEST, ANN)))
        world.connect.leave(WEST, ANN)
        found = (f"Group ({RED.id}) in us-east-1", f"Group ({WEST.id}) in us-west-2")
        for command in ("status", "repair"):
            _, out, err = run(command, *STACK, *(["--dry-run"] if command == "repair" else []))
            assert found[1] in out
            assert (found[0] in out) is (command == "status")
            assert not err
        groups = json.loads(run("status", *STACK, "--json")[1])["groups"]
        assert [(group["name"], group["status"]) for group in groups] == 2 * [("Group", "ACTIVE")]
        world.connect.answer_with(
            "AccessDeniedException", "DescribeTrafficDistributionGroup", times=None
        )
        code, out, err = run("status", *STACK)
        assert code == 1
        assert f"Traffic distribution group {WEST.id} in us-west-2" in out
        assert err.count("allow connect:DescribeTrafficDistributionGroup") == 1

    def test_a_group_that_is_not_active_says_so(self, world: World, run: Run) -> None:
        world.deploy(stack_of(M=membership(RED, ANN)))
        world.connect.group_becomes_active(RED, after=600)
        assert "1 in sync; UPDATE_IN_PROGRESS" in run("status", *STACK)[1]

    @pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["tables", "json"])
    def test_watches_until_ctrl_c(
        self,
        as_json: tuple[str, ...],
        world: World,
        run: Run,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        began = world.clock.time()
        looked: list[float] = []
        sleep = world.clock.sleep

        def next_look(seconds: float) -> None:
            if seconds != 20:
                return sleep(seconds)
            looked.append(world.clock.time())
            if len(looked) == 1:
                world.connect.leave(RED, ANN)
            if len(looked) == 3:
                raise KeyboardInterrupt
            return sleep(seconds)

        monkeypatch.setattr(world.clock, "sleep", next_look)
        code, out, err = run("status", *STACK, "--watch", "--every", "20", *as_json)
        assert code == 1, "what was seen last counts"
        assert out.count("\n\n1 in sync" if not as_json else '"drift": false') == 1
        assert out.count("\n\n1 missing" if not as_json else '"drift": true') == 2
        assert err.count("Ctrl-C ends") == 3
        assert looked[-1] - began > 40

    def test_a_look_that_fails_for_a_moment_ends_no_watch(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.answer_with(
            "InternalServiceException", "ListTrafficDistributionGroupUsers", times=4
        )
        sleep = world.clock.sleep
        looks: list[int] = []

        def next_look(seconds: float) -> None:
            if seconds == 30:
                looks.append(1)
            if len(looks) == 2:
                raise KeyboardInterrupt
            sleep(seconds)

        monkeypatch.setattr(world.clock, "sleep", next_look)
        code, out, err = run("status", *STACK, "--watch")
        assert code == 0
        assert "InternalServiceException" in err
        assert "looking again" in err
        assert "1 in sync" in out

    def test_a_permission_that_is_missing_ends_a_watch(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.connect.answer_with(
            "AccessDeniedException", "ListTrafficDistributionGroupUsers", times=None
        )
        assert run("status", *STACK, "--watch")[0] == 2

    def test_ctrl_c_says_what_was_looked_at(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        answer = world.faulty.answer

        def ctrl_c(service: str, region: str, operation: str, request: Any) -> Any:
            if operation == "ListTrafficDistributionGroupUsers":
                raise KeyboardInterrupt
            return answer(service, region, operation, request)

        monkeypatch.setattr(world.faulty, "answer", ctrl_c)
        code, out, err = run("status", *STACK)
        assert (code, out) == (130, "")
        assert err == (
            "connect-associations: interrupted while reading traffic distribution group "
            f"{RED.id} in us-east-1, after 0 calls; nothing was changed\n"
        )

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
        assert "no group is declared as exclusive" in err
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
        assert "contacts are left alone: 1" in err
        assert not world.faulty.writes_since(mark)

    @pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"])
    def test_a_deployment_that_is_under_way_is_not_disturbed(
        self, status: str, world: World, run: Run
    ) -> None:
        self.drifted(world)
        world.stack.status = status
        mark = len(world.faulty.calls)
        code, _, err = run("repair", *STACK, "--yes")
        assert code == 2
        assert f"stack Test is {status}" in err
        assert not world.faulty.writes_since(mark)

    def test_all_who_cannot_be_repaired_are_named(self, world: World, run: Run) -> None:
        users = agents(world, 40)
        world.deploy(stack_of(M=membership(RED, ANN, *users)))
        for user in (*users, ANN.id):
            world.connect.leave(RED, Thing("", user, ""))
        world.connect.answer_with(
            "InvalidRequestException", "AssociateTrafficDistributionGroupUser", times=40
        )
        code, _, err = run("repair", *STACK, "--yes")
        assert code == 2
        assert world.members(RED) == {"ann"}
        lines = err.splitlines()
        assert all(sum(user in line for line in lines) == 1 for user in users)
        assert f"user-{users[7]} ({users[7]}) could not be associated with" in err
        assert lines[-1] == (
            "connect-associations: 40 of 41 memberships could not be repaired; the reasons are "
            "above"
        )

    def test_who_may_not_repair_is_told_what_to_allow(self, world: World, run: Run) -> None:
        self.drifted(world)
        world.connect.answer_with(
            "AccessDeniedException", "AssociateTrafficDistributionGroupUser", times=None
        )
        code, _, err = run("repair", *STACK, "--yes")
        assert code == 2
        assert err.count("allow connect:AssociateTrafficDistributionGroupUser") == 2
        assert "role" not in err

    def test_one_group_that_fails_keeps_no_other_from_being_repaired(
        self, world: World, run: Run
    ) -> None:
        self.drifted(world)
        first = min(RED, BLUE, key=lambda group: group.id)
        world.connect.answer_with(
            "AccessDeniedException", "AssociateTrafficDistributionGroupUser", times=1
        )
        assert run("repair", *STACK, "--yes")[0] == 2
        assert (world.members(RED) == {"ann"}) is (first is BLUE)
        assert ("cyd" in world.members(BLUE)) is (first is RED)

    def test_a_network_that_breaks_is_told_of_everybody(self, world: World, run: Run) -> None:
        users = agents(world, 10)
        world.deploy(stack_of(M=membership(RED, ANN, *users)))
        for user in users:
            world.connect.leave(RED, Thing("", user, ""))
        world.connect.answer_with(
            "InternalServiceException", "AssociateTrafficDistributionGroupUser", times=None
        )
        began = world.clock.time()
        code, _, err = run("repair", *STACK, "--yes")
        assert code == 2
        assert all(user in err for user in users)
        assert "10 of 10 memberships" in err
        assert world.clock.time() - began < 120

    def test_waits_for_a_group_that_is_being_made(self, world: World, run: Run) -> None:
        self.drifted(world)
        world.connect.group_becomes_active(RED, after=100)
        code, _, err = run("repair", *STACK, "--yes")
        assert (code, world.members(RED)) == (0, {"ann"})
        assert "repaired 2 memberships" in err

    @pytest.mark.parametrize(("minutes", "code"), [("5", 2), ("30", 0)])
    def test_waits_for_a_user_no_longer_than_told(
        self, minutes: str, code: int, world: World, run: Run
    ) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        for user in (ANN, BOB):
            world.connect.leave(RED, user)
        world.connect.user_replicates(ANN, after=20 * 60)
        found, _, err = run("repair", *STACK, "--yes", "--wait", minutes)
        assert found == code
        assert "bob" in world.members(RED)
        assert (f"ann ({ANN.id}) could not be associated" in err) is (code == 2)

    def test_throttled_changes_are_repeated(self, world: World, run: Run) -> None:
        self.drifted(world)
        world.connect.answer_with(
            "ThrottlingException", "AssociateTrafficDistributionGroupUser", times=9
        )
        assert run("repair", *STACK, "--yes")[0] == 0

    def test_what_was_done_before_ctrl_c_stays(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        users = agents(world, 30)
        world.deploy(stack_of(M=membership(RED, *users)))
        for user in users:
            world.connect.leave(RED, Thing("", user, ""))
        answer = world.faulty.answer

        def answer_until_ctrl_c(service: str, region: str, operation: str, request: Any) -> Any:
            if service == "connect" and len(world.connect.memberships()) == 20:
                raise KeyboardInterrupt
            return answer(service, region, operation, request)

        with monkeypatch.context() as patch:
            patch.setattr(world.faulty, "answer", answer_until_ctrl_c)
            code, _, err = run("repair", *STACK, "--yes")
        assert code == 130
        assert err.splitlines()[-1] == (
            "connect-associations: interrupted after at least 16 of 30 users; what was done stays; "
            "run it again for the rest"
        )
        assert len(world.connect.memberships()) == 20
        assert all(item["sk"] != "lease" for item in world.ledger.items()), "it is given back"
        code, _, err = run("repair", *STACK, "--yes")
        assert (code, len(world.connect.memberships())) == (0, 30)
        assert "repaired 10 memberships" in err

    def test_many_are_counted(self, world: World, session: Callable[..., Session]) -> None:
        users = tuple(agents(world, 45))
        change = repair.Change(
            action=Action.ASSOCIATE,
            instance_id=INSTANCE.id,
            group=Group(id=RED.id, region="us-east-1"),
            users=users,
        )
        counted: list[int] = []
        world.deploy(stack_of(M=membership(RED, *users)))
        for user in users:
            world.connect.leave(RED, Thing("", user, ""))
        with world.inside():
            made = session(region="us-east-1")
            ledgers = Ledgers(made, [made.table(TABLE)])
            (outcome,) = repair.Repair(
                made, ledgers, wait=0, reached=counted.append, waits_for=pytest.fail
            ).carry_out([change])
        assert outcome.done == set(users)
        assert not outcome.failed
        assert counted == sorted(counted)
        assert set(counted) == set(range(46))
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

    def test_the_instance_can_be_given(self, world: World, run: Run) -> None:
        world.connect.join(RED, ANN)
        group = ("--traffic-distribution-group-id", RED.arn)
        expected = run("export", *group)
        assert run("export", *group, "--instance-id", INSTANCE.arn) == expected
        other = "00000000-0000-4000-8000-000000000000"
        code, out, err = run("export", *group, "--instance-id", other)
        assert (code, out) == (2, "")
        assert f"belongs to instance {INSTANCE.id}, not to {other}" in err

    def test_a_group_that_may_not_be_described(self, world: World, run: Run) -> None:
        world.connect.join(RED, ANN)
        world.connect.answer_with(
            "AccessDeniedException", "DescribeTrafficDistributionGroup", times=None
        )
        group = ("--traffic-distribution-group-id", RED.arn)
        code, out, err = run("export", *group)
        assert (code, out) == (2, "")
        assert "allow connect:DescribeTrafficDistributionGroup" in err
        code, out, err = run("export", *group, "--instance-id", INSTANCE.id)
        assert code == 0
        assert f'"{ANN.id}",  # ann' in out
        assert "the group's name is not known" in err

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
        assert "there is no stack 'Nobody' in us-east-1" in self.fails(run, "status", "Nobody")

    def test_a_stack_without_associations(self, world: World, run: Run) -> None:
        world.deploy(stack_of(Other=sibling()))
        assert "declares no associations" in self.fails(run, "status", *STACK)

    def test_a_stack_that_may_not_be_read(self, world: World, run: Run) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        for operation in ("DescribeStacks", "ListStackResources"):
            world.cloudformation.faults = ReadFaults(denied=frozenset({operation}))
            assert f"allow cloudformation:{operation}" in self.fails(run, "status", *STACK)

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
        assert "allow connect:ListTrafficDistributionGroupUsers" in self.fails(
            run, "status", *STACK
        )

    @pytest.mark.parametrize(
        "arguments",
        [("status", *STACK), ("export", "--traffic-distribution-group-id", RED.arn)],
        ids=["status", "export"],
    )
    def test_a_connect_that_does_not_answer(
        self, arguments: tuple[str, ...], world: World, run: Run
    ) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        for operation in ("ListTrafficDistributionGroupUsers", "DescribeTrafficDistributionGroup"):
            world.connect.answer_with("InternalServiceException", operation, times=None)
        began = world.clock.time()
        assert "InternalServiceException" in self.fails(run, *arguments)
        assert world.clock.time() - began < 60

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
