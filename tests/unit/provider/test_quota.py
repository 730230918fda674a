"""The pace against a token bucket, in simulated time: nothing here depends on the machine."""

import threading

import pytest

from connect_provider.connect.quota import Pace, Paces


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
        taken, sent = bucket.take(now), now
        now += latency
        if taken:
            pace.answered(now, sent=sent)
            done += 1
        else:
            pace.refused(now, sent=sent)
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


def test_who_is_refused_without_having_called_spreads_out() -> None:
    pauses = []
    for _ in range(200):
        pace = Pace()
        pace.refused(0.1, sent=0.05)
        pauses.append(pace.reserve(0.1, patience=1e9) or 0)
    assert 0 <= min(pauses) < 0.2
    assert 1.8 < max(pauses) <= 2.0


def test_who_is_refused_again_spreads_out_further_up_to_a_minute() -> None:
    longest = []
    for misses in range(1, 12):
        pauses = []
        for _ in range(100):
            pace = Pace()
            for miss in range(misses):
                pace.refused(miss + 0.1, sent=miss + 0.05)
            pauses.append(pace.reserve(misses - 0.9, patience=1e9) or 0)
        longest.append(max(pauses))
    assert longest[0] < longest[2] < longest[4]
    assert 50 < longest[-1] <= 60


def test_who_has_called_just_now_probes_soon_and_ever_slower() -> None:
    pace = Pace()
    pace.answered(0.05, sent=0.0)
    pauses = []
    for miss in range(1, 13):
        pace.refused(0.1, sent=0.05 + miss / 1000 if miss == 1 else 0.1)
        pauses.append(pace.reserve(0.1, patience=1e9))
    assert pauses[:4] == pytest.approx([0.1, 0.2, 0.4, 0.8])
    assert pauses[-1] == 60.0


def test_no_turn_is_taken_beyond_the_patience() -> None:
    pace = Pace()
    pace.answered(0.0, sent=0.0)
    pace.refused(0.0, sent=0.0)
    assert pace.reserve(0.0, patience=0.05) is None
    assert pace.reserve(0.0, patience=0.1) == pytest.approx(0.1), "the turn is still there"
    assert pace.reserve(0.0, patience=0.1) is None, "the next one is later"


def test_each_operation_and_region_has_a_pace_of_its_own() -> None:
    paces = Paces()
    pace = paces["us-east-1", "DescribeUser"]
    assert paces["us-east-1", "DescribeUser"] is pace
    assert paces["us-west-2", "DescribeUser"] is not pace
    assert paces["us-east-1", "DescribeContact"] is not pace


def test_a_quota_that_shrank_is_measured_anew() -> None:
    bucket = Bucket(rate=20, burst=5)
    pace, now = Pace(), 0.0
    taken: list[float] = []
    for call in range(600):
        if call == 300:
            bucket.rate = 1.0
        pause = pace.reserve(now, patience=1e9)
        assert pause is not None
        now += pause
        sent = now
        now += 0.01
        if bucket.take(sent):
            pace.answered(now, sent=sent)
            taken.append(now)
        else:
            pace.refused(now, sent=sent)
    rate = 50 / (taken[-1] - taken[-51])
    assert 0.7 < rate <= 1.05, "all of the smaller quota, and little more is tried"
    assert len(taken) > 450, "few calls are refused"


def test_a_quota_that_grew_is_found() -> None:
    bucket = Bucket(rate=2, burst=5)
    pace, now = Pace(), 0.0
    taken: list[float] = []
    while len(taken) < 1500:
        if len(taken) == 200:
            bucket.rate = 20.0
        pause = pace.reserve(now, patience=1e9)
        assert pause is not None
        now += pause
        sent = now
        now += 0.01
        if bucket.take(sent):
            pace.answered(now, sent=sent)
            taken.append(now)
        else:
            pace.refused(now, sent=sent)
    assert 100 / (taken[-1] - taken[-101]) > 18


def test_threads_share_the_turns() -> None:
    pace = Pace()
    pace.answered(0.0, sent=0.0)
    pace.refused(0.0, sent=0.0)
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
        pace.refused(now + 0.1, sent=now)
        assert pace.reserve(now + 60.0, patience=1.0) == 0.0
        pace.answered(now + 60.1, sent=now + 60.0)


def test_a_small_quota_is_met_by_one_call_at_a_time() -> None:
    pace = Pace()
    assert pace.width == 1, "nothing is known"
    for call in range(20):
        pace.answered(call + 0.15, sent=float(call))
    pace.refused(20.15, sent=20.0)
    assert pace.width == 1, "the bucket is empty"
    for call in range(21, 41):
        pace.answered(call / 2 + 10.15, sent=call / 2 + 10)
    pace.refused(30.65, sent=30.5)
    assert pace.width == 1, "two calls a second are answered before the next is due"


def test_it_widens_with_the_calls_that_go_through() -> None:
    pace, widths = Pace(), []
    for call in range(40):
        pace.answered(call + 0.1, sent=float(call))
        widths.append(pace.width)
    assert widths[3] == 1
    assert widths[4] == 2
    assert widths == sorted(widths)
    assert widths[-1] == 9


def test_it_does_not_widen_for_answers_that_come_at_once() -> None:
    pace = Pace()
    for call in range(1000):
        pace.answered(float(call), sent=float(call))
    pace.answered(1020.0, sent=1000.0)
    assert pace.width == 1, "one time-out is not how long answers take"


def test_a_high_quota_is_filled_at_the_measured_rate() -> None:
    pace = Pace()
    pace.answered(0.1, sent=0.0)
    pace.refused(0.2, sent=0.1)
    for call in range(50):
        pace.answered(0.3 + call / 50, sent=0.2 + call / 50)
    pace.refused(1.2, sent=1.1)
    assert pace.width >= 50 * 0.1


def test_refusals_of_calls_that_were_under_way_together_count_once() -> None:
    together, alone = Pace(), Pace()
    for pace in (together, alone):
        pace.answered(0.1, sent=0.0)
        pace.refused(1.0, sent=0.9)
    for late in range(5):
        together.refused(1.0 + late / 100, sent=0.91 + late / 100)
    assert together.reserve(1.05, patience=60.0) == alone.reserve(1.05, patience=60.0)


def test_a_refusal_voids_the_turns_that_are_still_to_come() -> None:
    pace = Pace()
    assert pace.reserve(0.0, patience=1.0) == 0.0
    assert not pace.is_void(0.0)
    pace.refused(0.1, sent=0.0)
    assert pace.is_void(0.0)
    assert not pace.is_void(0.1)
