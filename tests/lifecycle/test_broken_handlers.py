"""Every promise can be broken, and the machine notices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from lifecycle import broken
from lifecycle.expectations import Promise
from lifecycle.history import BrokenRule
from lifecycle.machine import LifecycleMachine
from lifecycle.statistics import Statistics

if TYPE_CHECKING:
    from lifecycle.world import HandlersFactory

_BROKEN = [
    (broken.NaiveButWaiting, Promise.DECLARED_EXISTS),
    (broken.NaiveButWaiting, Promise.RESTORED),
    (broken.NaiveButWaiting, Promise.REPEATED_EVENT),
    (broken.DoesNothing, Promise.DECLARED_EXISTS),
    (broken.DoesNothing, Promise.CONTACT_ASSIGNED),
    (broken.IgnoresOtherResources, Promise.DECLARED_EXISTS),
    (broken.ForgetsAdoption, Promise.RESTORED),
    (broken.IgnoresRollbacks, Promise.RESTORED),
    (broken.RemovesInUpdate, Promise.RESTORED),
    (broken.KeepsEverything, Promise.NOTHING_LEFT),
    (broken.KeepsEverything, Promise.CONTACT_RELEASED),
    (broken.WritesInOnEvent, Promise.ON_EVENT_READS_ONLY),
    (broken.RefusesRepeats, Promise.HEALS),
    (broken.WritesOnNoOp, Promise.NO_OP_WRITES_NOTHING),
    (broken.AlwaysExclusive, Promise.UNDECLARED_UNTOUCHED),
    (broken.NeverExclusive, Promise.EXCLUSIVE),
    (broken.DeletesOnlyOnce, Promise.DELETE_IDEMPOTENT),
    (broken.CannotDelete, Promise.DELETABLE),
    (broken.StopsEveryContact, Promise.NEVER_ASSIGNED),
    (broken.StopsEveryContact, Promise.CONTACT_UNTOUCHED),
    (broken.OffersAgain, Promise.NOT_OFFERED_AGAIN),
]


pytestmark = pytest.mark.soak  # a search for a violation takes up to minutes


@pytest.mark.parametrize(("handlers_", "promise"), _BROKEN)
def test_is_caught(handlers_: HandlersFactory, promise: Promise) -> None:
    class Machine(LifecycleMachine):
        handlers = handlers_
        statistics = Statistics()
        promises = frozenset((promise,))

    with pytest.raises(BrokenRule, match=re.escape(promise)):
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=2000,
                stateful_step_count=8,
                phases=[Phase.generate],
                derandomize=True,
                database=None,
                deadline=None,
                report_multiple_bugs=False,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )


def test_every_promise_is_broken_by_somebody() -> None:
    assert {promise for _, promise in _BROKEN} == set(Promise)
