"""The pace against a token bucket, in simulated time: nothing here depends on the machine."""

import threading

import pytest

from connect_provider.pace import Pace


class Bucket:
    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self.tokens, self.at = burst, 0.0

    def take(self, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def run(bucket: Bucket, wanted: int, *, latency: float, others: float = 0.0) -> tuple[float, int]:
    """Return the time and the calls that *wanted* successes take."""
    pace, now, calls, done, other_at = Pace(), 0.0, 0, 0, 0.0
    while done < wanted:
        pause = pace.reserve(now, patience=1e9)
        assert pause is not None
        now += pause
        while others and other_at <= now:
            bucket.take(other_at)
            other_at += 1 / others
        calls += 1
        taken = bucket.take(now)
        now += latency
        if taken:
            pace.answered(now)
            done += 1
        else:
            pace.refused(now)
    return now, calls


@pytest.mark.parametrize("latency", [0.003, 0.01, 0.05])
@pytest.mark.parametrize("wanted", [200, 1000, 2500])
def test_the_default_quota_is_used_to_the_full(wanted: int, latency: float) -> None:
    took, calls = run(Bucket(rate=2, burst=5), wanted, latency=latency)
    assert took <= 1.05 * (wanted - 5) / 2
    assert calls <= 1.05 * wanted


@pytest.mark.parametrize(("rate", "burst"), [(10, 20), (60, 60)])
def test_a_raised_quota_is_found_without_a_setting(rate: float, burst: float) -> None:
    took, calls = run(Bucket(rate=rate, burst=burst), 1000, latency=0.004)
    assert took <= 1.05 * (1000 - burst) / rate
    assert calls <= 1.05 * 1000


def test_other_callers_slow_it_down_and_do_not_starve_it() -> None:
    took, calls = run(Bucket(rate=2, burst=5), 200, latency=0.05, others=1)
    assert took <= 2 * 200
    assert calls <= 1.5 * 200


def test_who_is_refused_at_once_steps_back_with_the_crowd() -> None:
    pace = Pace(crowd=200)
    pace.reserve(0, patience=10)
    pauses = []
    for _ in range(50):
        pace = Pace(crowd=200)
        pace.refused(0.1)
        pauses.append(pace.reserve(0.1, patience=1e9) or 0)
    assert max(pauses) > 60


def test_no_turn_is_taken_beyond_the_patience() -> None:
    pace = Pace(crowd=200)
    for _ in range(8):
        pace.refused(0.0)
    assert pace.reserve(0.0, patience=0.0) is None


def test_threads_share_the_turns() -> None:
    pace = Pace()
    pace.answered(0.0)
    pace.refused(0.0)
    turns: list[float] = []

    def take() -> None:
        turns.append(pace.reserve(0.0, patience=1e9) or 0.0)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(turns)) == 8


def test_refusals_hours_apart_are_not_taken_for_the_quota() -> None:
    pace = Pace()
    for hour in range(3):
        now = hour * 5400.0
        assert pace.reserve(now, patience=1.0) == 0.0
        pace.refused(now + 0.1)
        assert pace.reserve(now + 60.0, patience=1.0) == 0.0
        pace.answered(now + 60.1)
