"""The experiments on CloudFormation report exactly how a scripted one behaves.

tests/deploy/test_verify.py runs them on the emulator, which behaves in one way only and cannot
update a stack whose rollback was disabled.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from clinic import everything
from connect_associations.cli.verify.experiments.cloudformation import (
    CustomResources,
    WithoutRollback,
)
from connect_associations.cli.verify.lab import Lab
from connect_associations.cli.verify.staging import NOT_LISTED, Event, Look
from connect_associations.testing import seed
from connect_associations.testing.assumptions import ASSUMPTIONS, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clinic import Clinic

EXPERIMENTS = (CustomResources(), WithoutRollback())
CHOICES = {
    each.name: each.choices
    for each in ASSUMPTIONS
    if each.subject is Subject.CLOUDFORMATION
    and any(each in experiment.settles for experiment in EXPERIMENTS)
}


@dataclass
class Scripted:
    """A stack as CloudFormation deploys it, one custom resource after the other.

    :ivar ways: how it behaves, by the names of the assumptions.
    """

    ways: dict[str, Any]
    state: str = ""
    wanted: dict[str, Any] = field(default_factory=dict)
    good: str = "0"
    shown: str = "0"
    began: int = 0
    operations: str = "UPDATE_STACK"
    disabled: bool = False
    rolled_back: bool = False
    physical: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)

    def submit(self, _operation: str, body: str, **more: Any) -> None:
        template = json.loads(body)
        self.target = template["Description"].rpartition(" ")[2]
        self.wanted = {
            name: one for name, one in template["Resources"].items() if "Custom" in one["Type"]
        }
        self.disabled = more.get("DisableRollback", False)
        self.began += 1
        self.operations = "UPDATE_STACK"
        self.shown = self.target if self.ways["template_during_update"] == "new" else self.good

    def status(self) -> str:
        return self.state

    def look(self) -> Look:
        return Look(version=self.shown, began=str(self.began), operations=self.operations)

    def resource_status(self, logical_id: str) -> str:
        if logical_id in self.gone:
            listed = self.ways["deleted_resource_listed"] == "yes"
            return "DELETE_COMPLETE" if listed else NOT_LISTED
        return self.statuses.get(logical_id, "UPDATE_COMPLETE")

    def roll_back(self) -> None:
        self.rolled_back = True
        self.state = "UPDATE_ROLLBACK_COMPLETE"

    def answer(self, event: Event, physical_id: str, *, failing: str = "") -> None:
        self.answers[event.receipt] = physical_id, failing

    def leave(self, event: Event) -> None:
        del event

    def events(self) -> Iterator[Event]:
        kind = "CREATE" if not self.physical else "UPDATE"
        if self.rolled_back:
            self.rolled_back = False
            return
        replaced: dict[str, tuple[str, str]] = {}
        done: list[str] = []
        late: list[tuple[str, str]] = []
        for name in self.wanted:
            failure = yield from self._bring_about(name, replaced, late)
            if failure:
                yield from self._fail(name, replaced, done)
                return
            done.append(name)
        for name, physical_id in late:
            yield from self._ask("Delete", name, physical_id)
        for name, (old, _) in replaced.items():
            yield from self._ask("Delete", name, old)
        removed = [name for name in self.physical if name not in self.wanted]
        self.statuses = dict.fromkeys(removed, self._status_of_the_removed())
        for name in reversed(removed):
            yield from self._ask("Delete", name, self.physical.pop(name))
            self.gone.add(name)
        self.good = self.target
        self.state = f"{kind}_COMPLETE"

    def _status_of_the_removed(self) -> str:
        way: str = self.ways["removed_resource_in_cleanup"]
        return "UPDATE_COMPLETE" if way == "complete" else way

    def _bring_about(
        self, name: str, replaced: dict[str, tuple[str, str]], late: list[tuple[str, str]]
    ) -> Any:
        if name in self.physical:
            old = self.physical[name]
            answered = yield from self._ask("Update", name, old)
            physical_id, failing = answered
            if failing:
                self.versions[name] = self.target
                return True
            if physical_id != old:
                refused = self.ways["new_physical_id_without_rollback"] == "refused"
                if self.disabled and refused:
                    return True
                replaced[name] = old, physical_id
            self.physical[name] = physical_id
        else:
            left = self.left.pop(name, "")
            if left and self.ways["failed_create_on_retry"] == "Delete,Create":
                yield from self._ask("Delete", name, left)
            elif left:
                late.append((name, left))
            physical_id, failing = yield from self._ask("Create", name, "")
            if failing or not physical_id:
                self.left[name] = physical_id
                return True
            self.physical[name] = physical_id
        self.versions[name] = self.target
        return False

    def _fail(self, failed: str, replaced: dict[str, tuple[str, str]], done: list[str]) -> Any:
        if self.disabled:
            self.state = "UPDATE_FAILED"
            return
        old_one = self.ways["template_during_update_rollback"] == "old"
        self.shown = self.good if old_one else self.target
        self.began += self.ways["last_updated_time_in_rollback"] == "changed"
        self.operations = self.ways["last_operations"]
        both = self.ways["rollback_of_replacement"] == "Update,Delete"
        for name in [*done, failed]:
            if name not in self.physical:
                continue
            if name not in replaced or both:
                physical_id, _ = yield from self._ask("Update", name, self.physical[name])
                self.physical[name] = physical_id
            if name in replaced:
                old, new = replaced[name]
                yield from self._ask("Delete", name, new)
                self.physical[name] = old
        left = self.left.pop(failed, None)
        if left is not None and self.ways["delete_of_given_up_create"] == "made up":
            yield from self._ask("Delete", failed, "made up")
        self.state = "UPDATE_ROLLBACK_COMPLETE"

    def _ask(self, kind: str, name: str, physical_id: str) -> Any:
        receipt = str(len(self.answers) + 1_000 * self.began)
        key = f"{kind} {name} {self.target}"
        if self.ways["request_id_on_retry"] == "another":
            key += receipt
        attempted = self.ways["old_properties_on_retry"] == "attempted"
        old = self.versions.get(name, "") if attempted else self.good
        yield Event(
            type=kind,
            logical_id=name,
            physical_id=physical_id,
            request_id=key,
            stack_id="stack",
            response_url="",
            old_version=old,
            receipt=receipt,
        )
        return self.answers.get(receipt, ("", ""))


@pytest.mark.parametrize(
    ("name", "choice"),
    [(name, choice) for name, choices in CHOICES.items() for choice in choices],
)
def test_each_variant_is_reported_and_nothing_else(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, name: str, choice: str
) -> None:
    ways = {each: choices[0] for each, choices in CHOICES.items()} | {name: choice}
    monkeypatch.setattr(Lab, "make_stage", lambda _lab: Scripted(ways))
    named = everything(cloudformation=True, create=False)
    report = clinic.run(named, experiments=EXPERIMENTS)
    found = {each: report.observed[each].value for each in ways if each in report.observed}
    assert found == ways, report.unsettled


def test_without_being_asked_for_no_stack_is_made(clinic: Clinic) -> None:
    report = clinic.run(everything(create=False), experiments=EXPERIMENTS)
    assert not report.observed
    assert "--cloudformation" in report.unsettled["last_operations"]
    assert clinic.emulation.members(seed.GROUP_ID) == {seed.USERS["cyd"]}
