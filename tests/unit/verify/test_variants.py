"""`verify` reports exactly how the emulation was set to behave."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from botocore_models import since_2026
from clinic import everything
from connect_associations.cli.verify.experiment import Need
from connect_associations.cli.verify.experiments import EXPERIMENTS
from connect_associations.testing import ConnectBehaviour, ThrottleSettings, seed
from connect_associations.testing.assumptions import ASSUMPTIONS, Subject

if TYPE_CHECKING:
    from clinic import Clinic
    from connect_associations.cli.verify.experiment import Experiment
    from connect_associations.cli.verify.report import Report

pytestmark = since_2026
CHOICES = ConnectBehaviour.choices()
COMPANIONS: dict[str, dict[str, Any]] = {
    "list_inactive_group": {"group_active_after_calls": 4},
    "associate_offered_contact": {"accept_after_calls": 2},
}
"""What else is needed for a switch to be seen."""
NOT_TRIED = {"associate_voice_contact"}
"""Nobody can make a voice contact without a customer."""
FIXED = {
    each.name: each.expected
    for each in ASSUMPTIONS
    if each.name not in CHOICES and each.subject is not Subject.CLOUDFORMATION
}
"""What the emulation does in one way only."""
VARIANTS = [
    pytest.param(name, choice, id=f"{name}={choice}")
    for name, choices in CHOICES.items()
    for choice in choices
    if name not in NOT_TRIED
]


def prepare(clinic: Clinic, switches: dict[str, Any]) -> None:
    """Set the emulation, and what has to be there for the switches to be seen."""
    clinic.emulation.behave(**switches)
    instance = clinic.emulation.world.instances[seed.INSTANCE_ID]
    if "throttling_error" in switches:
        clinic.emulation.limit(ThrottleSettings())
    if "cross_region_routing_without_global_routing" in switches:
        instance.global_routing = False
    if "replication_findings_without_replica" in switches:
        instance.replica_region = None
    clinic.crowd({100: 101, 1000: 1001}.get(switches.get("group_users_page_size", 10), 12))


def expected(clinic: Clinic) -> dict[str, Any]:
    """Return what the emulation does, as a report says it."""
    return {**FIXED, **clinic.emulation.world.behaviour.as_dict()}


def seen(report: Report) -> dict[str, Any]:
    return {name: each.value for name, each in report.observed.items()}


@pytest.mark.parametrize(("name", "choice"), VARIANTS)
def test_each_variant_is_reported_and_nothing_else(
    clinic: Clinic, name: str, choice: object
) -> None:
    prepare(clinic, {name: choice, **COMPANIONS.get(name, {})})
    before = clinic.state()
    if name == "replication_findings_without_replica":
        report = clinic.run(everything(group_id=None, second_group_id=None))
    else:
        report = clinic.run()
    found = seen(report)
    assert name in found, report.unsettled[name]
    everything_set = expected(clinic)
    assert found == {each: everything_set[each] for each in found}
    assert clinic.state() == before
    assert not clinic.journal_path.exists()


@pytest.mark.parametrize("number", range(8))
def test_any_mixture_of_variants_is_reported(clinic: Clinic, number: int) -> None:
    draw = random.Random(number)  # noqa: S311 - the same mixture every time
    mixture = {name: draw.choice(choices) for name, choices in CHOICES.items()}
    clinic.crowd(12)
    clinic.emulation.behave(**mixture)
    clinic.emulation.limit(ThrottleSettings())
    before = clinic.state()
    report = clinic.run()
    found = seen(report)
    everything_set = expected(clinic)
    assert found == {each: everything_set[each] for each in found}
    assert len(found) > len(CHOICES) / 2
    assert clinic.state() == before
    assert all(report.unsettled.values())


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.name)
def test_an_experiment_names_the_operations_that_it_calls(
    clinic: Clinic, experiment: Experiment
) -> None:
    clinic.run(experiments=[])
    to_look = {call.operation for call in clinic.emulation.calls}
    clinic.run(experiments=[experiment])
    called = {call.operation for call in clinic.emulation.calls} - to_look
    assert called <= set(experiment.operations)
    assert bool(experiment.operations) is (Need.CLOUDFORMATION not in experiment.needs)
