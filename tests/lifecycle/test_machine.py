"""The state machine over the real handlers: 200 examples here, thousands with ``make soak``."""

from __future__ import annotations

import os
import random
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from lifecycle.machine import LifecycleMachine
from lifecycle.statistics import Statistics

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEPS = 8
_common = settings(
    stateful_step_count=_STEPS,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)


@pytest.fixture(autouse=True)
def _early_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the second call overlap the first: the machine's memberships are small."""
    monkeypatch.setattr("connect_provider.connect.quota._CALLS_TO_WIDEN", 1)


@pytest.fixture
def statistics(capsys: pytest.CaptureFixture[str]) -> Iterator[Statistics]:
    """Count what is covered, and print it whether the test fails or not."""
    counted = LifecycleMachine.statistics = Statistics()
    yield counted
    with capsys.disabled():
        sys.stdout.write(f"\n{counted}\n")


def _run(*, examples: int, start: int) -> None:
    sys.stdout.write(f"seed {start}; to repeat: LIFECYCLE_SEED={start}\n")
    seed(start)(LifecycleMachine)
    run_state_machine_as_test(
        LifecycleMachine, settings=settings(_common, max_examples=examples, database=None)
    )


def test_promises_hold() -> None:
    statistics = LifecycleMachine.statistics = Statistics()
    _run(
        examples=int(os.environ.get("LIFECYCLE_EXAMPLES", "200")),
        start=int(os.environ.get("LIFECYCLE_SEED", "1")),
    )
    assert statistics.total("examples") >= 1


@pytest.mark.soak
def test_promises_hold_for_long(statistics: Statistics, capsys: pytest.CaptureFixture[str]) -> None:
    start = int(os.environ.get("LIFECYCLE_SEED") or random.SystemRandom().randrange(2**32))
    with capsys.disabled():
        sys.stdout.write(f"\nseed {start}; to repeat: LIFECYCLE_SEED={start}\n")
    _run(examples=int(os.environ.get("LIFECYCLE_EXAMPLES", "2000")), start=start)
    assert statistics.total("violations") == 0
    statistics.check_excuses()
