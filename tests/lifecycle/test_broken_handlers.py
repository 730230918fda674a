"""Every promise can be broken, and the machine notices; so do scripted races."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from lifecycle import broken, broken_ledger, races
from lifecycle.history import BrokenRule
from lifecycle.machine import LifecycleMachine
from lifecycle.promises import Promise
from lifecycle.statistics import Statistics
from lifecycle.under_test import association_provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecycle.world import HandlersFactory


_MOST_EXAMPLES = 10_000
"""A ceiling: the rarest meeting of handler and trouble takes about a thousand examples."""

_FAST: list[Any] = [
    (broken.NaiveButWaiting, Promise.DECLARED_EXISTS),
    (broken_ledger.IgnoresOtherResources, Promise.DECLARED_EXISTS),
    (broken_ledger.ForgetsAdoption, Promise.RESTORED),
    (broken.WritesInOnEvent, Promise.ON_EVENT_READS_ONLY),
]
_SLOW: list[Any] = [
    (broken.IgnoresRollbacks, Promise.RESTORED),
    (broken.NaiveButWaiting, Promise.RESTORED),
    (broken.NaiveButWaiting, Promise.REPEATED_EVENT),
    (broken.DoesNothing, Promise.DECLARED_EXISTS),
    (broken.DoesNothing, Promise.CONTACT_ASSIGNED),
    (broken_ledger.IgnoresOtherStacks, Promise.OTHERS_STAY),
    (broken_ledger.ClaimsTooLate, Promise.RESTORED),
    (broken.RemovesInUpdate, Promise.RESTORED),
    (broken.RemovesInUpdate, Promise.MAKE_BEFORE_BREAK),
    (broken.RemovesInUpdate, Promise.RETAINED),
    (broken.KeepsEverything, Promise.NOTHING_LEFT),
    (broken.KeepsEverything, Promise.CONTACT_RELEASED),
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
_RACES: list[Any] = [
    (broken_ledger.ClaimsTooLate, races.killed_after_the_first_call),
    (broken_ledger.NeedsNoLease, races.joins_while_it_is_removed),
    (broken_ledger.ReadsClaimsSeldom, races.is_claimed_while_others_leave),
    (broken_ledger.ForgetsEndedClaims, races.comes_again_much_later),
]


@pytest.mark.parametrize(
    ("handlers_", "promise"),
    [*_FAST, *(pytest.param(*case, marks=pytest.mark.soak) for case in _SLOW)],
)
def test_is_caught(handlers_: HandlersFactory, promise: Promise) -> None:
    class Machine(LifecycleMachine):
        handlers = handlers_
        statistics = Statistics()
        promises = frozenset((promise,))

    with pytest.raises(BrokenRule, match=re.escape(promise)):
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=_MOST_EXAMPLES,
                stateful_step_count=8,
                phases=[Phase.generate],
                derandomize=True,
                database=None,
                report_multiple_bugs=False,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )


@pytest.mark.soak
@pytest.mark.parametrize(("handlers", "race"), _RACES)
def test_loses_the_race(handlers: HandlersFactory, race: Callable[[HandlersFactory], None]) -> None:
    with pytest.raises(AssertionError):
        race(handlers)


@pytest.mark.parametrize("race", [race for _, race in _RACES])
def test_the_real_ones_win(race: Callable[[HandlersFactory], None]) -> None:
    race(association_provider)


def test_every_promise_is_broken_by_somebody() -> None:
    assert {promise for _, promise in (*_FAST, *_SLOW)} == set(Promise)
