"""How fast to call: an estimate of a quota that is shared with callers who are not seen.

Connect limits each operation by a token bucket for the whole account and Region, by default two
requests a second with a burst of five, and says neither the rate nor how full the bucket is. Two
facts are enough to find the rate. A refused call shows that the bucket is empty, so the calls that
went through between two refusals, divided by the time between them, *are* the rate that is left
for us. And an empty bucket loses nothing: tokens that arrive while we wait are still there.

So calls run freely until the first refusal; then at the measured rate and a little more, because
only the next refusal makes the measurement better. botocore's adaptive mode backs off far below
the quota after each refusal instead; ``docs/decisions`` has the comparison.
"""

from __future__ import annotations

import math
import random
import threading
from collections import defaultdict

_FIRST_PROBE = 0.1
_PROBE_GROWTH = 2.0
_LONGEST_PAUSE = 60.0
_OVERSHOOT = 0.01
_UNCERTAINTY = 0.7
_OVERDUE = 2.0
_FORGET_AFTER = 3
_LONGEST_IDLE = 10.0
_FILLED = 5.0  # the default burst, in calls
_SPEED_UP = 1.3
_REMEMBERED_CALLS = 120.0
_OWN_CALLS_WINDOW = 10.0
_STRANGERS_SPAN = 2.0
_HIGHEST_RATE = 100.0
_CALLS_TO_WIDEN = 5
_LATENCY_OVER_QUICKEST = 3.0


class Pace:
    """The pace of one operation in one Region; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0
        self._misses = 0
        self._emptied_at: float | None = None
        self._since_emptied = 0
        self._calls = self._seconds = 0.0
        self._last_answer = float("-inf")
        self._last_turn = float("-inf")
        self._backoff = _FIRST_PROBE
        self._quickest_answer = float("inf")
        self._refusal_known_at = float("-inf")

    @property
    def _rate(self) -> float | None:
        """The calls per second that go through between two empty buckets; None while unknown."""
        return self._calls / self._seconds if self._calls else None

    @property
    def width(self) -> int:
        """How many calls must be under way at once so that the quota is used: at least one.

        That is the rate times the time until an answer comes, which is judged by the quickest
        answer: the slowest are time-outs. Before a rate is measured it widens with the calls that
        go through, so that a small quota is not overrun.
        """
        with self._lock:
            if self._rate is None and (self._misses or not self._since_emptied):
                return 1
            rate = self._rate or _HIGHEST_RATE
            needed = math.ceil(rate * self._quickest_answer * _LATENCY_OVER_QUICKEST)
            if self._rate is None:
                needed = min(needed, 1 + self._since_emptied // _CALLS_TO_WIDEN)
            return max(1, needed)

    def reserve(self, now: float, *, patience: float) -> float | None:
        """Take the next turn.

        :param now: the time, in seconds.
        :param patience: the longest wait that is acceptable, in seconds.
        :returns: how long to wait before the call, or None if that is more than *patience*
            (then no turn is taken).
        """
        with self._lock:
            idle = now - max(self._last_turn, self._next)
            full_after = _FILLED / self._rate if self._rate else 0.0
            if self._emptied_at is not None and idle > max(_LONGEST_IDLE, full_after):
                # The bucket has filled. A refusal before the pause says nothing about the time
                # since: calls that are hours apart are not the quota.
                self._emptied_at = None
                self._misses = self._since_emptied = 0
                self._calls = self._seconds = 0.0
            start = max(now, self._next)
            if start - now > patience:
                return None
            self._last_turn = start
            if self._rate is not None:
                self._next = start + 1 / (self._rate * (1 + self._overshoot()))
            elif self._misses:
                self._next = start + self._backoff
            return start - now

    def is_void(self, taken: float) -> bool:
        """Whether a refusal came since a turn was taken, so that it must be taken again."""
        with self._lock:
            return taken < self._refusal_known_at

    def answered(self, now: float, *, sent: float) -> None:
        """Note that the service took a call, whatever it answered.

        :param sent: when the call was made, in seconds.
        """
        with self._lock:
            self._quickest_answer = min(self._quickest_answer, now - sent)
            self._last_answer = now
            self._since_emptied += 1
            self._misses = 0
            if self._rate is not None and self._since_emptied * self._overshoot() > _OVERDUE:
                # With a right estimate the bucket would have been empty by now.
                self._since_emptied, self._emptied_at = 0, now
                self._calls, self._seconds = 4.0, 4.0 / (self._rate * _SPEED_UP)

    def refused(self, now: float, *, sent: float) -> None:
        """Note that the service refused a call because the quota is used up.

        :param sent: when the call was made, in seconds. Calls that were under way when a refusal
            came find the same empty bucket, and their own refusals say nothing new.
        """
        with self._lock:
            if sent < self._refusal_known_at:
                return
            self._refusal_known_at = now
            self._misses += 1
            if self._misses == 1:
                self._measure(sent)
            growth = _PROBE_GROWTH ** (self._misses - 1)
            if self._rate is not None:
                self._backoff = min(2.0 / self._rate * growth, _LONGEST_PAUSE)
            elif now - self._last_answer < _OWN_CALLS_WINDOW:
                self._backoff = min(_FIRST_PROBE * growth, _LONGEST_PAUSE)
            else:
                # Refused without having called lately: others use the quota up. Spread out.
                span = min(_STRANGERS_SPAN * growth, _LONGEST_PAUSE)
                self._backoff = random.uniform(0, span)  # noqa: S311 - spreads callers, protects nothing
            if self._misses > _FORGET_AFTER:
                # The quota shrank, or others took it: what was measured no longer holds.
                self._calls = self._seconds = 0.0
            self._next = now + self._backoff

    def _overshoot(self) -> float:
        """Return by how much to exceed the estimate: the less it rests on, the more."""
        return max(_OVERSHOOT, _UNCERTAINTY / (self._calls + 1))

    def _measure(self, emptied_at: float) -> None:
        """Use the time between two empty buckets as a sample of the rate."""
        if self._emptied_at is not None and self._since_emptied:
            self._calls += self._since_emptied
            self._seconds += max(emptied_at - self._emptied_at, 1e-3)
            if self._calls > _REMEMBERED_CALLS:
                self._seconds *= _REMEMBERED_CALLS / self._calls
                self._calls = _REMEMBERED_CALLS
        self._emptied_at = emptied_at
        self._since_emptied = 0


class Paces(defaultdict[tuple[str, str], Pace]):
    """The paces by Region and operation; they outlive a single invocation."""

    def __init__(self) -> None:
        super().__init__(Pace)
