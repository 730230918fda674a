"""What `plan` foretells, beside what the deployment then does."""

from __future__ import annotations

import io
import json
import re
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from botocore_models import needs_findings
from connect_associations.cli import screen
from lifecycle.cast import (
    ANN,
    BLUE,
    BOB,
    CHAT,
    CYD,
    DAN,
    EVE,
    INSTANCE,
    RED,
    TASK,
    VOICE,
    WEST,
    Thing,
    assignment,
    declared_user,
    lookup,
    membership,
    nested,
    single,
    stack_of,
)
from lifecycle.ledger import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from connect_associations.testing import ConnectEmulation
    from lifecycle.world import World

    Run = Callable[..., tuple[int, str, str]]
    Template = dict[str, Any]

RETAIN: dict[str, Any] = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
NOBODY = Thing("nobody", "99999999-9999-4999-8999-999999999999", "")
FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {"Environment": {"Variables": {"LEDGER_TABLE_NAME": TABLE}}},
}


class Plan:
    """Runs `plan` of stacks in a world, and compares what it foretells with what happens."""

    def __init__(self, world: World, run: Run, folder: Path) -> None:
        self.world = world
        self.run = run
        self.folder = folder

    def write(self, template: Template, *, stack: str = "Test") -> Path:
        """Write a template as `cdk synth` would, and return its file."""
        path = self.folder / f"{stack}.template.json"
        resources = {"Handler": FUNCTION, **template["Resources"]}
        for logical_id, resource in resources.items():
            inner = resource.get("Metadata", {}).get("Template")
            if inner:
                below = self.write(inner, stack=f"{stack}{logical_id}.nested")
                resources[logical_id] = {**resource, "Metadata": {"aws:asset:path": below.name}}
        path.write_text(json.dumps({**template, "Resources": resources}), encoding="utf-8")
        return path

    def of(self, template: Template, *options: str, expect: int | None = None) -> dict[str, Any]:
        """Return the plan of the stack Test as data."""
        path = self.write(template)
        mark = len(self.world.faulty.calls)
        code, out, err = self.run("plan", "--template", str(path), "--json", *options)
        assert code in ((0, 1, 3) if expect is None else (expect,)), err
        assert not self.world.faulty.writes_since(mark)
        found: dict[str, Any] = json.loads(out)
        assert code == (3 if found["fails"] else 1 if found["changes"] else 0)
        return found

    def comes_true(self, template: Template, parameters: Any = None) -> dict[str, list[str]]:
        """Plan and deploy the stack Test; return who moves, by name."""
        found = self.of(template)
        expected = self.world.connect.memberships()
        moves: dict[str, list[str]] = {}
        for group in found["groups"]:
            for change in ("join", "adopt", "leave", "refused"):
                pairs = {(group["target_id"], each["user_id"]) for each in group[change]}
                if change == "join":
                    expected |= pairs
                elif change == "leave":
                    expected -= pairs
                names = [each["username"] or each["user_id"] for each in group[change]]
                moves[change] = sorted([*moves.get(change, []), *names])
        self.world.deploy(template, parameters)
        assert self.world.connect.memberships() == expected
        return {change: names for change, names in moves.items() if names}


@pytest.fixture
def plan(world: World, run: Run, tmp_path: Path) -> Plan:
    return Plan(world, run, tmp_path)


class TestWhoMoves:
    def test_a_new_stack(self, world: World, plan: Plan) -> None:
        world.connect.join(RED, BOB)
        world.connect.join(RED, EVE)
        assert plan.comes_true(stack_of(M=membership(RED, ANN, BOB), W=single(WEST, CYD))) == {
            "join": ["ann", "cyd"],
            "adopt": ["bob"],
        }

    @pytest.mark.parametrize(
        "again",
        [
            stack_of(M=membership(RED, ANN, BOB)),
            stack_of(M=membership(RED.arn, BOB.arn, ANN.id.upper())),
        ],
        ids=["the same", "in other words"],
    )
    def test_the_same_declaration(self, again: Template, world: World, plan: Plan) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        world.connect.leave(RED, BOB)
        assert plan.comes_true(again) == {}, "an Update to the same declaration repairs nothing"
        assert plan.of(again)["changes"] is False

    def test_a_change(self, world: World, plan: Plan) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        world.connect.join(RED, DAN)
        assert plan.comes_true(stack_of(M=membership(RED, BOB, CYD, DAN))) == {
            "join": ["cyd"],
            "adopt": ["dan"],
            "leave": ["ann"],
        }

    def test_another_group(self, world: World, plan: Plan) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        assert plan.comes_true(stack_of(M=membership(WEST, ANN, BOB))) == {
            "join": ["ann", "bob"],
            "leave": ["ann", "bob"],
        }

    def test_a_resource_that_goes(self, world: World, plan: Plan) -> None:
        world.deploy(stack_of(A=single(RED, ANN), B=single(RED, BOB)))
        assert plan.comes_true(stack_of(A=single(RED, ANN))) == {"leave": ["bob"]}

    def test_a_condition_that_does_not_hold_any_more(self, world: World, plan: Plan) -> None:
        template = stack_of({"Side": "x"}, A=single(RED, ANN), B={**single(RED, BOB)})
        template["Conditions"] = {"Yes": {"Fn::Equals": [{"Ref": "Side"}, "x"]}}
        template["Resources"]["B"]["Condition"] = "Yes"
        world.deploy(template, {"Side": "x"})
        assert plan.of(template, expect=0)["groups"] == []
        template["Conditions"] = {"Yes": {"Fn::Equals": [{"Ref": "Side"}, "y"]}}
        assert plan.comes_true(template, {"Side": "x"}) == {"leave": ["bob"]}

    def test_a_resource_that_is_retained(self, world: World, plan: Plan) -> None:
        world.deploy(stack_of(A=single(RED, ANN), M=membership(RED, BOB, CYD, **RETAIN)))
        assert plan.comes_true(stack_of(A=single(RED, ANN))) == {}

    def test_a_version_that_is_retained(self, world: World, plan: Plan) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB, **RETAIN)))
        assert plan.comes_true(stack_of(M=membership(RED, BOB, CYD, **RETAIN))) == {"join": ["cyd"]}

    def test_a_user_is_handed_over(self, world: World, plan: Plan) -> None:
        world.deploy(stack_of(A=single(RED, ANN), M=membership(RED, BOB, CYD)))
        assert plan.comes_true(stack_of(N=membership(RED, ANN, BOB))) == {"leave": ["cyd"]}

    def test_what_another_stack_declares_stays(self, world: World, plan: Plan) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        world.deploy(stack_of(B=single(RED, BOB)), stack="Other")
        assert plan.comes_true(stack_of(M=membership(RED, CYD))) == {
            "join": ["cyd"],
            "leave": ["ann"],
        }

    @pytest.mark.parametrize("before", [None, membership(RED, ANN)], ids=["new", "in place"])
    def test_an_exclusive_membership_removes_strangers(
        self, before: Any, world: World, plan: Plan
    ) -> None:
        world.deploy(stack_of(O=single(BLUE, ANN), **({"M": before} if before else {})))
        world.deploy(stack_of(B=single(RED, BOB)), stack="Other")
        world.connect.join(RED, DAN)
        world.connect.join(RED, EVE)
        found = plan.comes_true(
            stack_of(O=single(BLUE, ANN), M=membership(RED, ANN, CYD, exclusive=True))
        )
        joins = ["cyd"] if before else ["ann", "cyd"]
        assert found == {"join": joins, "leave": ["dan", "eve"]}

    def test_a_retained_exclusive_membership_removes_nobody_in_place(
        self, world: World, plan: Plan
    ) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, exclusive=True, **RETAIN)))
        world.connect.join(RED, DAN)
        declared = stack_of(M=membership(RED, ANN, CYD, exclusive=True, **RETAIN))
        assert plan.comes_true(declared) == {"join": ["cyd"]}

    def test_nested_stacks(self, world: World, plan: Plan) -> None:
        world.deploy(
            stack_of(
                A=single(RED, ANN),
                N=nested(stack_of(B=single(RED, BOB), I=nested(stack_of(E=single(BLUE, EVE))))),
                O=nested(stack_of(C=single(RED, CYD))),
            )
        )
        assert plan.comes_true(
            stack_of(
                A=single(RED, ANN),
                N=nested(stack_of(D=single(RED, DAN), I=nested(stack_of(E=single(BLUE, EVE))))),
            )
        ) == {"join": ["dan"], "leave": ["bob", "cyd"]}
        path = plan.write(stack_of(N=nested(stack_of(D=single(RED, BOB)))))
        _, out, _ = plan.run("plan", "--template", str(path))
        assert out.startswith("Plan of stack Test\n")
        assert "Test/A" in out
        assert "Test-N/D" in out

    def test_resync_brings_back_who_is_missing(self, world: World, plan: Plan) -> None:
        declared = membership(RED, ANN, BOB)
        world.deploy(stack_of(M=declared))
        world.connect.leave(RED, BOB)
        declared = {**declared, "Properties": {**declared["Properties"], "Resync": "again"}}
        assert plan.comes_true(stack_of(M=declared)) == {"join": ["bob"]}

    def test_a_ledger_that_was_lost(self, world: World, plan: Plan) -> None:
        declared = stack_of(M=membership(RED, ANN, BOB))
        world.deploy(declared)
        world.ledger.empty()
        assert plan.comes_true(declared) == {}, "CloudFormation has nothing to send"
        assert plan.comes_true(stack_of(M=membership(RED, BOB, CYD))) == {
            "join": ["cyd"],
            "adopt": ["bob"],
        }


class TestContacts:
    def of(self, found: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        return [
            (each["change"], each["contact_id"], each["username"]) for each in found["contacts"]
        ]

    def test_a_contact_is_offered(self, world: World, plan: Plan) -> None:
        declared = stack_of(C=assignment(CHAT, ANN), T=assignment(TASK, BOB, release="STOP"))
        world.connect.serve(TASK, BOB)
        found = plan.of(declared, expect=1)
        assert self.of(found) == [("offer", CHAT.id, "ann"), ("adopt", TASK.id, "bob")]
        world.deploy(declared)
        assert self.of(plan.of(declared, expect=0)) == []

    def test_another_user(self, world: World, plan: Plan) -> None:
        world.deploy(stack_of(T=assignment(TASK, ANN, release="STOP")))
        found = plan.of(stack_of(T=assignment(TASK, BOB, release="STOP")), expect=1)
        assert self.of(found) == [("offer", TASK.id, "bob")], "in place: it is not released"

    @pytest.mark.parametrize("after", [{}, {"T": assignment(CHAT, BOB)}], ids=["gone", "another"])
    def test_a_contact_is_released(self, after: Template, world: World, plan: Plan) -> None:
        world.deploy(
            stack_of(T=assignment(TASK, ANN, release="STOP"), V=assignment(VOICE, ANN, **RETAIN))
        )
        found = plan.of(stack_of(**after), expect=1)
        assert self.of(found)[-1] == ("release", TASK.id, "ann")
        assert found["contacts"][-1]["note"] == "its release is STOP"
        assert self.of(found)[:-1] == ([("offer", CHAT.id, "bob")] if after else [])
        world.deploy(stack_of(**after))
        assert world.connect.contact(TASK).ended

    def test_a_contact_that_cannot_be_assigned(self, world: World, plan: Plan) -> None:
        voice = assignment(VOICE, ANN)
        del voice["Properties"]["AllowVoice"]
        world.clients("connect", "us-east-1").stop_contact(
            InstanceId=INSTANCE.id, ContactId=CHAT.id
        )
        found = plan.of(
            stack_of(
                C=assignment(CHAT, ANN),
                V=voice,
                T=assignment(TASK, "Ann"),
                U=assignment(TASK, {"Ref": "Nobody"}),
            ),
            expect=3,
        )
        reasons = {each["resource"]: each["reason"] for each in found["refused"]}
        assert "has ended" in reasons["Test/C"]
        assert "set allow_voice=True" in reasons["Test/V"]
        assert "UserId is not the ID of a user" in reasons["Test/T"]
        assert [each["resource"] for each in found["unknown"]] == ["Test/U"]


class TestRosters:
    def test_names(self, world: World, plan: Plan) -> None:
        declared = membership(RED)
        declared["Properties"]["Usernames"] = ["ann", "Bob"]
        del declared["Properties"]["UserIds"]
        assert plan.comes_true(stack_of(M=declared)) == {"join": ["ann", "bob"]}
        world.connect.rename(ANN, "anna")
        assert plan.comes_true(stack_of(M=declared)) == {}
        declared["Properties"]["Usernames"] = ["anna", "nobody", "none"]
        (refused,) = plan.of(stack_of(M=declared), expect=3)["refused"]
        assert refused["resource"] == "Test/M"
        assert "nobody is named 'nobody'" in refused["reason"]
        assert "nobody is named 'none'" in refused["reason"]

    def test_a_rule(self, emulation: ConnectEmulation, plan: Plan) -> None:
        users = emulation.world.users
        for user in (ANN, BOB):
            users[user.id].tags = {"team": "night"}
        declared = membership(RED)
        declared["Properties"]["UsersMatching"] = [{"Tags": {"team": "night"}}]
        del declared["Properties"]["UserIds"]
        assert plan.comes_true(stack_of(M=declared)) == {"join": ["ann", "bob"]}
        declared["Properties"]["UsersMatching"] = [{"Tags": {"team": "nobody's"}}]
        (refused,) = plan.of(stack_of(M=declared), expect=3)["refused"]
        assert "nobody matches" in refused["reason"]

    def test_a_lookup(self, plan: Plan) -> None:
        declared = membership(RED)
        declared["Properties"]["UserIds"] = {
            "Fn::Split": [",", {"Fn::GetAtt": ["Names", "UserIds"]}]
        }
        assert plan.comes_true(stack_of(Names=lookup("ann", "bob"), M=declared)) == {
            "join": ["ann", "bob"]
        }
        found = plan.of(stack_of(Names=lookup("ann", "nobody"), M=declared), expect=3)
        assert "nobody is named 'nobody'" in found["refused"][0]["reason"]


class TestRefused:
    def reason(self, found: Mapping[str, Any]) -> str:
        (refused,) = found["refused"]
        assert refused["resource"] == "Test/M"
        return str(refused["reason"])

    def test_a_user_whom_the_instance_does_not_have(self, plan: Plan) -> None:
        found = plan.of(stack_of(M=membership(RED, ANN, NOBODY)), expect=3)
        (group,) = found["groups"]
        assert [each["username"] for each in group["join"]] == ["ann"]
        (refused,) = group["refused"]
        assert (refused["user_id"], refused["resource"]) == (NOBODY.id, "Test/M")
        assert f"instance {INSTANCE.id} in us-east-1 has no such user" in refused["note"]

    def test_a_group_of_another_region(self, plan: Plan) -> None:
        found = plan.of(stack_of(M=membership(WEST.id, ANN)), expect=3)
        assert "there is no traffic distribution group" in self.reason(found)
        assert "home Region" in self.reason(found)
        assert found["groups"] == []

    @needs_findings
    def test_a_user_who_is_not_replicated(self, emulation: ConnectEmulation, plan: Plan) -> None:
        emulation.add_finding(
            BOB.id, reference_code="AGENT_LIMIT", message="The other Region has no room."
        )
        (group,) = plan.of(stack_of(M=membership(RED, ANN, BOB)), expect=3)["groups"]
        (refused,) = group["refused"]
        assert refused["username"] == "bob"
        assert "not replicated: AGENT_LIMIT, The other Region has no room." in refused["note"]

    def test_a_group_that_takes_no_users(self, emulation: ConnectEmulation, plan: Plan) -> None:
        emulation.set_group_status(RED.id, "CREATION_FAILED")
        assert "is CREATION_FAILED" in self.reason(plan.of(stack_of(M=membership(RED, ANN))))

    @pytest.mark.parametrize(
        ("users", "said"),
        [
            ([], "UserIds is empty"),
            (["ann"], "UserIds[0] is not the ID of a user"),
            ([ANN.id, ANN.arn], f"UserIds[1] names user {ANN.id} again"),
            ([RED.arn], "UserIds[0] is not the ARN of a user"),
        ],
    )
    def test_what_the_provider_refuses(self, users: list[str], said: str, plan: Plan) -> None:
        declared = membership(RED)
        declared["Properties"]["UserIds"] = users
        assert said in self.reason(plan.of(stack_of(M=declared), expect=3))


class TestUnknown:
    def test_values_of_the_deployment(self, plan: Plan) -> None:
        found = plan.of(
            stack_of(
                {"Given": "x"},
                A=single(RED, {"Ref": "Given"}),
                B=single(RED, {"Fn::GetAtt": ["Made", "UserArn"]}),
                C=single(RED, "{{resolve:ssm:/agents/cyd}}"),
                D=single(RED, {"Fn::ImportValue": "Other:Dan"}),
                E=single(RED, {"Fn::Transform": {"Name": "Macro"}}),
                Made=declared_user(EVE),
            ),
            expect=1,
        )
        assert {(each["resource"], each["value"]) for each in found["unknown"]} == {
            ("Test/A", "parameter Given"),
            ("Test/B", "Made.UserArn"),
            ("Test/C", "{{resolve:ssm:/agents/cyd}}"),
            ("Test/D", "export Other:Dan"),
            ("Test/E", "Fn::Transform"),
        }
        assert found["groups"] == []

    def test_what_is_deployed_already_is_known(self, plan: Plan, cloudformation: Any) -> None:
        cloudformation.exports["Other:Dan"] = DAN.arn
        template = stack_of(
            {"Given": "x"},
            A=single(RED, {"Ref": "Given"}),
            B=single(RED, {"Fn::GetAtt": ["Made", "UserArn"]}),
            Made=declared_user(EVE),
        )
        plan.world.deploy(template, {"Given": ANN.id})
        assert plan.of(template, expect=0)["unknown"] == []
        template["Resources"]["D"] = single(RED, {"Fn::ImportValue": "Other:Dan"})
        (group,) = plan.of(template, expect=1)["groups"]
        assert [each["username"] for each in group["join"]] == ["dan"]

    @pytest.mark.parametrize(
        ("parameter", "deployed_with", "joins"),
        [
            ({"Type": "CommaDelimitedList", "Default": f"{ANN.id},{BOB.id}"}, None, ["ann", "bob"]),
            ({"Type": "CommaDelimitedList", "Default": ANN.id}, CYD.id, ["cyd"]),
            ({"Type": "CommaDelimitedList", "Default": ANN.id, "NoEcho": True}, "****", None),
            (
                {"Type": "AWS::SSM::Parameter::Value<CommaDelimitedList>", "Default": "/a"},
                None,
                None,
            ),
        ],
        ids=["default", "deployed", "secret", "Systems Manager"],
    )
    def test_parameters(
        self,
        parameter: dict[str, Any],
        deployed_with: str | None,
        joins: list[str] | None,
        plan: Plan,
        cloudformation: Any,
    ) -> None:
        plan.world.deploy(stack_of(O=single(BLUE, ANN)))
        if deployed_with:
            cloudformation.parameters["Test"] = {"Agents": deployed_with}
        declared = membership(RED)
        declared["Properties"]["UserIds"] = {"Ref": "Agents"}
        template = {
            **stack_of(O=single(BLUE, ANN), M=declared),
            "Parameters": {"Agents": parameter},
        }
        found = plan.of(template, expect=1)
        joining = [each["username"] for group in found["groups"] for each in group["join"]]
        assert joining == (joins or [])
        assert [each["value"] for each in found["unknown"]] == (
            [] if joins else ["parameter Agents"]
        )

    def test_of_a_list_some_may_be_known(self, world: World, plan: Plan) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        some = membership(RED, ANN, CYD, {"Fn::GetAtt": ["Made", "UserArn"]})
        found = plan.of(stack_of(M=some, Made=declared_user(EVE)), expect=1)
        (group,) = found["groups"]
        assert [each["username"] for each in group["join"]] == ["cyd"]
        assert group["leave"] == [], "who is not known yet may be Bob"
        assert [each["value"] for each in found["unknown"]] == ["Made.UserArn"]

    def test_what_is_unknown_and_was_so_before_is_no_change(
        self, world: World, plan: Plan, cloudformation: Any
    ) -> None:
        declared = stack_of(A=single(RED, ANN))
        world.deploy(declared)
        secret = stack_of(A=single(RED, "{{resolve:ssm:/agents/ann}}"))
        assert plan.of(secret, expect=1)["unknown"]
        cloudformation.templates["Test"] = secret
        assert plan.of(secret, expect=0)["unknown"]

    def test_who_may_not_ask_is_told(self, world: World, plan: Plan, cloudformation: Any) -> None:
        world.deploy(stack_of(A=single(RED, ANN), B=single(RED, BOB)))
        cloudformation.denied = {"GetTemplate", "ListExports"}
        path = plan.write(stack_of(D=single(RED, {"Fn::ImportValue": "Other:Dan"})))
        code, out, err = plan.run("plan", "--template", str(path))
        assert code == 1
        assert "2 leave" in out
        assert err.count("allow cloudformation:GetTemplate") == 1
        assert err.count("allow cloudformation:ListExports") == 1


BEFORE_AND_AFTER = """\
Plan of stack Test

Group ({red}) in us-east-1
 1 joins, 1 leaves, 1 is adopted, 1 is refused; 1 stay
Change User Resource Note
─
join cyd ({cyd}) M
leave ann ({ann}) M
refused {nobody} M instance {instance} in us-east-1 has no such user

Known only when it is deployed
 S: parameter Somebody

1 joins, 1 leaves, 1 is adopted, 1 is refused; the deployment would fail
"""


class TestPrinting:
    def test_before_and_after_a_change(
        self, world: World, plan: Plan, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        world.connect.join(RED, DAN)
        console = Console(file=io.StringIO(), width=160, color_system=None)
        monkeypatch.setattr(screen, "output", lambda: console)
        path = plan.write(
            stack_of(
                {"Somebody": ""},
                M=membership(RED, BOB, CYD, DAN, NOBODY),
                S=single(RED, {"Ref": "Somebody"}),
            )
        )
        assert plan.run("plan", "--template", str(path))[0] == 3
        # How wide the columns are is rich's business.
        shown = re.sub(r"─+", "─", re.sub(r" +", " ", console.file.getvalue()))  # type: ignore[attr-defined] # it is a StringIO
        assert shown.replace(" \n", "\n") == BEFORE_AND_AFTER.format(
            red=RED.id,
            ann=ANN.id,
            cyd=CYD.id,
            nobody=NOBODY.id,
            instance=INSTANCE.id,
        )

        console.file = io.StringIO()
        path = plan.write(stack_of(M=membership(RED, ANN, BOB)))
        assert plan.run("plan", "--template", str(path))[0] == 0
        assert console.file.getvalue() == "Plan of stack Test\n\nnobody moves\n"

    def test_how_long_it_takes_at_the_quota(self, world: World, plan: Plan) -> None:
        users = [f"{number:08}-0000-4000-8000-000000000000" for number in range(800)]
        for user in users:
            world.connect.add_user(user)
        path = str(plan.write(stack_of(M=membership(RED, *users), W=membership(WEST, *users[:9]))))
        _, out, _ = plan.run("plan", "--template", path)
        assert out.endswith(
            "809 join; about 6 min 38 s at Connect's default quota of 2 calls per second\n"
        )
        assert users[17] in out
        _, out, _ = plan.run("plan", "--template", path, "--rate", "10")
        assert out.endswith("809 join; about 1 min 20 s at 10 calls per second\n")
        _, out, _ = plan.run("plan", "--template", path, "--markdown")
        assert out.count("| join |") == 300, "a comment has 65,536 characters"
        assert "… and 509 more" in out
        assert len(out) < 60_000

    def test_a_deployment_that_is_under_way_is_mentioned(self, world: World, plan: Plan) -> None:
        world.deploy(stack_of(A=single(RED, ANN)))
        world.stack.status = "UPDATE_IN_PROGRESS"
        path = str(plan.write(stack_of(A=single(RED, ANN))))
        assert "stack Test is UPDATE_IN_PROGRESS" in plan.run("plan", "--template", path)[2]

    def test_markdown(self, world: World, plan: Plan) -> None:
        world.deploy(stack_of(M=membership(RED, ANN, BOB)))
        world.connect.rename(CYD, "cyd_of|the*night")
        path = plan.write(stack_of(M=membership(RED, BOB, CYD), W=single(WEST.id, DAN)))
        code, out, _ = plan.run("plan", "--template", str(path), "--markdown")
        assert code == 3
        assert out.startswith(
            "### Plan of stack Test\n\n1 joins, 1 leaves; the deployment would fail\n"
        )
        assert f"| Group ({RED.id}) in us-east-1 | 1 | 1 | 0 | 0 | 1 |" in out
        assert f"| join | cyd\\_of\\|the\\*night ({CYD.id}) | M |  |" in out
        assert f"| leave | ann ({ANN.id}) | M |  |" in out
        assert "**Refused**\n\n- W: there is no traffic distribution group" in out

    def test_adopted_users_are_shown_on_demand(self, world: World, plan: Plan) -> None:
        world.connect.join(RED, ANN)
        path = str(plan.write(stack_of(A=single(RED, ANN))))
        assert ANN.id not in plan.run("plan", "--template", path)[1]
        assert ANN.id in plan.run("plan", "--template", path, "--all")[1]


class TestApps:
    def assembly(self, plan: Plan, folder: Path, **stacks: Template) -> None:
        folder.mkdir(exist_ok=True)
        plan.folder = folder
        for name, template in stacks.items():
            plan.write(template, stack=name)
        artifacts = {
            f"{name}Artifact": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://unknown-account/us-east-1",
                "properties": {"templateFile": f"{name}.template.json", "stackName": name},
            }
            for name in stacks
        }
        manifest = json.dumps({"version": "43.0.0", "artifacts": artifacts})
        (folder / "manifest.json").write_text(manifest, encoding="utf-8")

    def test_all_stacks_and_stages(self, plan: Plan, tmp_path: Path, world: World) -> None:
        app = tmp_path / "cdk.out"
        app.mkdir()
        self.assembly(
            plan, app / "assembly-Prod", Night=stack_of(B=single(BLUE, BOB)), Other=stack_of()
        )
        self.assembly(plan, app, Test=stack_of(A=single(RED, ANN)))
        manifest = json.loads((app / "manifest.json").read_text(encoding="utf-8"))
        manifest["artifacts"]["assembly-Prod"] = {
            "type": "cdk:cloud-assembly",
            "properties": {"directoryName": "assembly-Prod"},
        }
        (app / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        options = ("plan", "--app", str(app), "--json")
        found = json.loads(plan.run(*options)[1])
        assert found["stacks"] == ["Test", "Night"]
        assert {each["target_id"] for each in found["groups"]} == {RED.id, BLUE.id}
        for name in ("Night", "NightArtifact"):
            found = json.loads(plan.run(*options, name)[1])
            assert [each["target_id"] for each in found["groups"]] == [BLUE.id]
        code, _, err = plan.run(*options, "Day")
        assert code == 2
        assert "the app has no stack 'Day'; it has Night, Other, Test" in err
        code, _, err = plan.run(*options, "Other")
        assert code == 2
        assert "no stack declares or has associations" in err
        world.deploy(stack_of(A=single(RED, ANN)))
        self.assembly(plan, app, Test=stack_of())
        (group,) = json.loads(plan.run(*options)[1])["groups"]
        assert [each["username"] for each in group["leave"]] == ["ann"]

    def test_a_stack_that_moves_users_to_another_one(
        self, plan: Plan, tmp_path: Path, world: World
    ) -> None:
        world.deploy(stack_of(A=single(RED, ANN), B=single(RED, BOB)))
        self.assembly(
            plan,
            tmp_path,
            Test=stack_of(A=single(RED, ANN)),
            Next=stack_of(B=single(RED, BOB)),
        )
        code, out, _ = plan.run("plan", "--app", str(tmp_path), "--json")
        (group,) = json.loads(out)["groups"]
        assert code == 0, "Bob is declared all the time"
        assert (group["join"], group["leave"], group["adopt"]) == ([], [], [])

    def test_what_is_no_assembly(self, plan: Plan, tmp_path: Path) -> None:
        for options, said in (
            (("--app", str(tmp_path / "out")), "run cdk synth"),
            (("--template", str(tmp_path / "Gone.json")), "cannot be read"),
        ):
            code, out, err = plan.run("plan", *options)
            assert (code, out) == (2, "")
            assert said in err
        yaml = tmp_path / "Test.yaml"
        yaml.write_text("Resources:\n  A:\n", encoding="utf-8")
        assert "writes JSON to cdk.out" in plan.run("plan", "--template", str(yaml))[2]
        yaml.write_text("[]", encoding="utf-8")
        assert "is not a template" in plan.run("plan", "--template", str(yaml))[2]


def any_stack(random: Random) -> Template:
    """Return a template whose names, groups and users often are those of another one."""
    resources = {}
    for name in random.sample("ABM", random.randint(1, 3)):
        group = random.choice([RED, BLUE])
        users = random.sample([ANN, BOB, CYD, DAN], random.randint(1, 3))
        more = random.choice([{}, {}, RETAIN])
        if name == "M":
            resources[name] = membership(
                group, *users, exclusive=random.choice([None, True]), **more
            )
        else:
            resources[name] = single(group, users[0], **more)
    return stack_of(**resources)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_foretold_happens(seed: int, world: World, plan: Plan) -> None:
    random = Random(seed)  # noqa: S311 - protects nothing
    world.deploy(any_stack(random))
    world.deploy(any_stack(random), stack="Other")
    for stranger in random.sample([ANN, BOB, CYD, DAN, EVE], 2):
        world.connect.join(RED, stranger)
    for _ in range(2):
        plan.comes_true(any_stack(random))
