"""The command `verify`, in this process, on the emulated contact centre."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tools import assume

from botocore_models import since_2026
from clinic import client
from connect_associations.cli import commands
from connect_associations.cli.session import Session
from connect_associations.cli.verify import command
from connect_associations.testing import Fault, mock_connect, seed
from connect_associations.testing.entities import Channel

if TYPE_CHECKING:
    from collections.abc import Callable

    from clinic import Clinic
    from connect_associations.testing.recorder import Call

    Run = Callable[..., tuple[int, str, str]]

pytestmark = since_2026
ANN, BOB, CYD = (seed.USERS[name] for name in ("ann", "bob", "cyd"))
INSTANCE = ("--instance-id", seed.INSTANCE_ID)
GROUP = ("--traffic-distribution-group-id", seed.GROUP_ID)
USERS = ("--user-id", ANN, "--user-id", BOB)
TASKS = ("--contact-flow-id", seed.CONTACT_FLOW_ID, "--queue-id", seed.QUEUE_ID)
NAMED = (*INSTANCE, *GROUP, *USERS, *TASKS)


@pytest.fixture
def run(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command without waiting; answers exit code, standard output and error."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", seed.HOME_REGION)
    monkeypatch.setattr(command, "time", clinic.clock)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(Session, "client", lambda _self, _service, region=None: client(region))

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        files = ("--journal", str(clinic.journal_path), "--report", str(clinic.folder / "report"))
        with mock_connect(clinic.emulation):
            code = commands.run(["verify", *arguments, *files])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def report(clinic: Clinic) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((clinic.folder / "report.json").read_text())
    return found


def written(clinic: Clinic) -> list[Call]:
    return [call for call in clinic.emulation.writes if call.took_effect]


def test_it_tries_out_what_it_may_and_leaves_no_trace(clinic: Clinic, run: Run) -> None:
    before = clinic.state()
    code, out, err = run(*NAMED, "--create", "--yes")
    assert code == 0, err
    assert clinic.state() == before
    assert not clinic.journal_path.exists()
    assert len(report(clinic)["observed"]) > 20
    assert f"User {ANN}, who may be moved, is in none" in out


def test_a_report_holds_no_names_ids_or_account_numbers(clinic: Clinic, run: Run) -> None:
    run(*NAMED, "--create", "--yes")
    world = clinic.emulation.world
    private = {
        clinic.emulation.account_id,
        seed.INSTANCE_ID,
        *world.users,
        *world.groups,
        *world.contacts,
        *world.queues,
        "arn:aws:connect",
    }
    for suffix in (".md", ".json"):
        text = (clinic.folder / f"report{suffix}").read_text()
        assert not [each for each in private if each in text]
        assert not {*seed.USERS, "East", "West"} & set(text.split())


def test_a_report_can_be_fed_back(clinic: Clinic, run: Run) -> None:
    clinic.emulation.behave(group_user_id="Arn")
    code, _, err = run(*NAMED, "--yes")
    assert code == 1
    assert "not as expected, please publish the report: group_user_id" in err
    merged = assume.merged({}, (clinic.folder / "report.json").read_text())
    assert [each.value for each in merged["group_user_id"]] == ["Arn"]
    assert "the library is right either way" in (clinic.folder / "report.md").read_text()


def test_read_only_changes_nothing(clinic: Clinic, run: Run) -> None:
    code, out, err = run(*NAMED, "--read-only")
    assert code == 0, err
    assert clinic.emulation.writes == []
    assert "Nothing is changed." in out
    assert "left out: nothing may be changed (--read-only)" in out
    assert {"group_user_id", "plain_group_id_in_replica"} <= report(clinic)["observed"].keys()


def test_nothing_is_changed_before_somebody_agrees(clinic: Clinic, run: Run) -> None:
    code, out, err = run(*NAMED)
    assert code == 2
    assert "nothing was changed" in err
    assert "associate the first user with the group, twice" in out
    assert clinic.emulation.writes == []
    assert not clinic.journal_path.exists()


def test_what_is_not_named_is_asked_for(
    clinic: Clinic, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [seed.INSTANCE_ID, seed.GROUP_ID, ANN, BOB, "y"]
    typed = io.StringIO("".join(f"{each}\n" for each in answers))
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", typed)
    before = clinic.state()
    code, _, err = run()
    assert code == 0, err
    assert {"associate_member", "disassociate_non_member"} <= report(clinic)["observed"].keys()
    assert {call.parameters["UserId"] for call in written(clinic)} == {ANN}, "Bob was not in it"
    assert clinic.state() == before


def test_who_names_no_group_when_asked_gets_what_needs_none(
    clinic: Clinic, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = io.StringIO(f"{seed.INSTANCE_ID}\n\n\ny\n")
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", typed)
    code, _, err = run()
    assert code == 0, err
    assert clinic.emulation.writes == []
    assert "group_user_id" in report(clinic)["observed"]


def test_only_the_named_users_and_what_was_made_are_touched(clinic: Clinic, run: Run) -> None:
    for group in (seed.GROUP_ID, seed.REPLICA_GROUP_ID):
        for user in (CYD, seed.USERS["dan"], BOB):
            clinic.emulation.put_member(group, user)
    before = clinic.state()
    theirs = set(seed.USERS.values()) - {ANN, BOB}
    run(*NAMED, "--create", "--yes")
    assert clinic.state() == before
    assert not [call for call in written(clinic) if call.parameters.get("UserId") in theirs]
    theirs = {contact for contacts in seed.CONTACTS.values() for contact in contacts}
    assert not [call for call in written(clinic) if call.parameters.get("ContactId") in theirs]


def test_all_is_made_that_is_not_named(clinic: Clinic, run: Run) -> None:
    before = clinic.state()
    code, _, err = run(*INSTANCE, "--create", "--yes")
    assert code == 0, err
    assert clinic.state() == before
    observed = report(clinic)["observed"].keys()
    assert {"associate_member", "user_in_several_groups", "deleted_user_stays_member"} <= observed
    assert not {"associate_ended_contact"} & observed
    assert {call.parameters.get("UserId") for call in written(clinic)}.isdisjoint(
        seed.USERS.values()
    )


def test_an_instance_without_a_replica_gets_what_it_can(clinic: Clinic, run: Run) -> None:
    clinic.emulation.world.instances[seed.INSTANCE_ID].replica_region = None
    code, out, err = run(*INSTANCE, *USERS, *TASKS, "--yes")
    assert code == 0, err
    assert "not replicated" in out
    found = report(clinic)
    assert {"replication_findings_without_replica", "transferred_contact"} <= found[
        "observed"
    ].keys()
    assert "no replica" in found["unsettled"]["plain_group_id_in_replica"]


def test_missing_permissions_are_named_one_by_one_with_a_policy(clinic: Clinic, run: Run) -> None:
    before = clinic.state()
    for operation in ("StartTaskContact", "CreateUser"):
        clinic.emulation.faults.add(
            Fault(operations=frozenset({operation}), code="AccessDeniedException", count=None)
        )
    code, out, err = run(*NAMED, "--create", "--yes")
    assert code == 0, err
    assert "connect:CreateUser is not allowed" in err
    assert "connect:StartTaskContact is not allowed" in err
    policy = json.loads(out[out.index("{") :])
    (statement,) = policy["Statement"]
    assert {"connect:CreateUser", "connect:StartTaskContact", "connect:StopContact"} <= set(
        statement["Action"]
    )
    assert all(":123456789012:" in each for each in statement["Resource"])
    assert "connect:CreateUser is not allowed" in report(clinic)["unsettled"]["visible_after_calls"]
    assert "associate_member" in report(clinic)["observed"]
    assert clinic.state() == before


def test_a_missing_read_ends_it_before_anything_is_changed(clinic: Clinic, run: Run) -> None:
    clinic.emulation.faults.add(
        Fault(operations=frozenset({"DescribeInstance"}), code="AccessDeniedException", count=None)
    )
    code, _, err = run(*NAMED, "--yes")
    assert code == 2
    assert "connect:DescribeInstance is not allowed" in err
    assert clinic.emulation.writes == []


def test_what_may_not_be_put_back_is_said_and_remembered(clinic: Clinic, run: Run) -> None:
    before = clinic.state()
    refusal = clinic.emulation.faults.add(
        Fault(operations=frozenset({"StopContact"}), code="AccessDeniedException", count=None)
    )
    code, _, err = run(*NAMED, "--yes")
    assert code == 2
    assert "could not be put back: stop contact" in err
    assert "--clean-up" in err
    clinic.emulation.faults.remove(refusal)
    code, _, err = run("--clean-up", "--yes")
    assert code == 0, err
    assert clinic.state() == before
    assert not clinic.journal_path.exists()


@pytest.mark.parametrize("call", [30, 60, 90, 120])
def test_an_expired_session_says_and_remembers_what_is_left(
    clinic: Clinic, run: Run, call: int
) -> None:
    before = clinic.state()
    expiry = clinic.emulation.faults.add(
        Fault(code="ExpiredTokenException", first=call, count=None)
    )
    code, _, err = run(*NAMED, "--create", "--yes")
    assert code == 2
    assert "answered ExpiredTokenException; what is left to put back:" in err
    assert f"users {ANN}, {BOB}: in arn:aws:connect" in err
    clinic.emulation.faults.remove(expiry)
    code, _, err = run("--clean-up", "--yes")
    assert code == 0, err
    assert "an earlier run was not finished" in err
    assert clinic.state() == before


def test_the_next_run_cleans_up_before_it_begins(clinic: Clinic, run: Run) -> None:
    before = clinic.state()
    expiry = clinic.emulation.faults.add(Fault(code="ExpiredTokenException", first=80, count=None))
    run(*NAMED, "--create", "--yes")
    clinic.emulation.faults.remove(expiry)
    assert clinic.state() != before
    code, _, err = run(*NAMED, "--read-only")
    assert code == 2
    assert "nothing was changed" in err
    code, _, err = run(*NAMED, "--read-only", "--yes")
    assert code == 0, err
    assert clinic.state() == before


def test_after_ctrl_c_all_is_put_back(
    clinic: Clinic, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = clinic.state()
    respond, count = clinic.emulation.respond, 0

    def interrupted(request: Any) -> Any:
        nonlocal count
        count += 1
        answer = respond(request)
        if count == 90:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(clinic.emulation, "respond", interrupted)
    code, _, err = run(*NAMED, "--create", "--yes")
    assert code == 130
    assert "interrupted; putting everything back" in err
    assert clinic.state() == before
    assert not clinic.journal_path.exists()
    assert report(clinic)["observed"], "what was seen by then is reported"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--create", "--read-only", *INSTANCE), "choose one"),
        ((), "name the instance with --instance-id"),
        (("--instance-id", seed.GROUP_ID), "was not found in us-east-1"),
        ((*INSTANCE, "--user-id", ANN), "two different users"),
        ((*INSTANCE, "--user-id", ANN, "--user-id", ANN), "two different users"),
        ((*INSTANCE, "--user-id", ANN, "--user-id", seed.QUEUE_ID), "ResourceNotFoundException"),
        ((*INSTANCE, "--traffic-distribution-group-id", ANN), "is not one of instance"),
        (
            (*INSTANCE, *GROUP, "--second-traffic-distribution-group-id", seed.GROUP_ID),
            "is the first one",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    clinic: Clinic, run: Run, arguments: tuple[str, ...], reason: str
) -> None:
    code, _, err = run(*arguments, "--yes")
    assert code == 2
    assert reason in err
    assert clinic.emulation.writes == []


@pytest.mark.parametrize("text", ["", "[]", '{"other": 1}'])
def test_a_journal_that_cannot_be_read_is_not_overwritten(
    clinic: Clinic, run: Run, text: str
) -> None:
    clinic.journal_path.write_text(text)
    code, _, err = run(*NAMED, "--yes")
    assert code == 2
    assert "put that back by hand" in err
    assert clinic.journal_path.read_text() == text
    assert clinic.emulation.writes == []


def test_a_contact_that_waits_is_not_taken_for_ours(clinic: Clinic, run: Run) -> None:
    run(*NAMED, "--yes")
    waiting = clinic.emulation.world.contacts[seed.CONTACTS[Channel.TASK][0]]
    assert waiting.ended_at is None
    assert waiting.offers == []
