"""The list of assumptions, what was observed, and the page that is written from both."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
from tools import assume

from connect_associations.testing import ConnectBehaviour, assumptions, observed
from connect_associations.testing.assumptions import ASSUMPTIONS, contradictions
from connect_associations.testing.observed import Observation
from connect_associations.testing.throttle import ThrottleSettings
from lifecycle.stack_parts import StackSettings

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [each.name for each in ASSUMPTIONS]
TODAY = dt.date(2026, 11, 25)


def seen(value: object, *, day: dt.date = TODAY) -> Observation:
    return Observation(value=value, date=day, region="us-east-1")  # type: ignore[arg-type] # what JSON brings


def report(**values: object) -> str:
    written = observed.write({name: (seen(value),) for name, value in values.items()})
    return json.dumps({"observed": json.loads(written)})


def test_every_assumption_has_a_name_of_its_own_that_is_its_constants() -> None:
    for each in ASSUMPTIONS:
        assert getattr(assumptions, each.name.upper()) is each
    assert len(set(NAMES)) == len(ASSUMPTIONS)


def test_every_switch_is_the_assumption_of_its_name() -> None:
    for switch in fields(ConnectBehaviour):
        assert switch.metadata["assumption"].name == switch.name


def test_what_can_be_observed_in_connect_in_more_than_one_way_is_a_switch() -> None:
    open_ones = {
        each.name
        for each in ASSUMPTIONS
        if len(each.choices) > 1 and each.subject is not assumptions.Subject.CLOUDFORMATION
    }
    assert open_ones == set(ConnectBehaviour.choices())


SIMULATED = {
    "rollback": "rollback_of_replacement",
    "in_flight": "requests_in_flight",
    "lists_deleted": "deleted_resource_listed",
    "updated_at_moves": "last_updated_time_in_rollback",
    "reuses_request_ids": "request_id_on_retry",
    "retry_shows": "old_properties_on_retry",
    "failed_create": "failed_create_on_retry",
    "nested_rolls_back": "nested_stack_rolls_back",
}
"""The settings of the simulation of CloudFormation, and what each is about."""


def test_what_the_simulation_of_cloudformation_can_turn_is_an_assumption() -> None:
    assert {each.name for each in fields(StackSettings)} == SIMULATED.keys()
    several = {each.name for each in ASSUMPTIONS if len(each.choices) > 1}
    assert set(SIMULATED.values()) <= several


def test_the_quotas_are_those_of_the_emulation() -> None:
    quota = ThrottleSettings().default
    assert quota.burst == assumptions.REQUESTS_AT_ONCE.expected
    assert quota.rate == assumptions.REQUESTS_PER_SECOND.expected


def test_no_default_contradicts_what_was_observed() -> None:
    assert list(contradictions(ASSUMPTIONS, observed.observations())) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("associate_member", "ResourceConflictException"),
        ("group_users_page_size", 100),
        ("deleted_user_stays_member", True),
        ("deleted_user_stays_member", 0),
        ("ended_contact_vanishes_after", 0.0),
    ],
)
def test_a_contradiction_is_named(name: str, value: object) -> None:
    (sentence,) = contradictions(ASSUMPTIONS, {name: [seen(value)]})
    assert sentence.startswith(f"{name}: expected")
    assert str(value) in sentence


def test_the_latest_observation_counts_and_accounts_may_differ() -> None:
    older, newer = seen("ResourceConflictException"), seen("Succeeds")
    assert not list(contradictions(ASSUMPTIONS, {"associate_member": [older, newer]}))
    assert list(contradictions(ASSUMPTIONS, {"associate_member": [newer, older]}))
    assert not list(contradictions(ASSUMPTIONS, {"group_active_after_calls": [seen(7)]}))


def test_observations_are_read_as_they_were_written() -> None:
    found = {
        "accept_after_calls": (seen(None), seen(2)),
        "deleted_user_stays_member": (
            Observation(value=False, date=TODAY, region="us-west-2", note="after 40 s"),
        ),
    }
    assert observed.read(observed.write(found)) == found


def test_a_report_is_merged_once_and_in_order() -> None:
    earlier = seen("Succeeds", day=dt.date(2026, 1, 1))
    before = {"associate_member": (seen("InvalidRequestException"),)}
    once = assume.merged(before, report(group_user_id="Arn"))
    assert once == {**before, "group_user_id": (seen("Arn"),)}
    assert assume.merged(once, report(group_user_id="Arn")) == once
    old = json.dumps({"observed": json.loads(observed.write({"associate_member": (earlier,)}))})
    assert assume.merged(before, old)["associate_member"] == (earlier, *before["associate_member"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "no JSON report"),
        ("[]", "no JSON report"),
        ('{"observed": {"associate_member": [{"value": 1}]}}', "no JSON report"),
        (report(no_such_thing=1), "no_such_thing: no such assumption"),
    ],
)
def test_what_is_no_report_is_refused(text: str, reason: str) -> None:
    with pytest.raises(assume.ReportError, match=reason):
        assume.merged({}, text)


def test_feeding_a_report_back_updates_the_list_and_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(assume, "OBSERVED", tmp_path / "observed.json")
    monkeypatch.setattr(assume, "PAGE", tmp_path / "assumptions.md")
    monkeypatch.setattr(observed, "observations", dict)
    (tmp_path / "report.json").write_text(report(group_user_id="Arn", requests_at_once=9))
    assert assume.main([str(tmp_path / "report.json")]) == 1
    assert "group_user_id: expected Id, but Arn was observed" in capsys.readouterr().err
    noted = observed.read((tmp_path / "observed.json").read_text())
    assert noted == {"group_user_id": (seen("Arn"),), "requests_at_once": (seen(9),)}
    assert "- Observed: `Arn` in us-east-1 on 2026-11-25." in assume.PAGE.read_text()
    (tmp_path / "report.json").write_text(report(group_user_id="Id"))
    assert assume.main([str(tmp_path / "report.json")]) == 0
    assert assume.main([str(tmp_path / "missing.json")]) == 2


def test_the_page_is_up_to_date() -> None:
    assert assume.PAGE.read_text(encoding="utf-8") == assume.page(observed.observations()), (
        "run: python -m tools.assume"
    )


def test_the_page_has_a_section_for_every_assumption() -> None:
    page = assume.page({})
    assert [line[4:] for line in page.splitlines() if line.startswith("### ")] == NAMES
