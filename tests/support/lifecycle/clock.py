"""Simulated time: hours pass at once, and what is due happens in order."""

from __future__ import annotations

import heapq
import itertools
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_T = TypeVar("_T")


class LambdaKilled(BaseException):
    """The Lambda environment ended in mid-flight: no ``except Exception`` may see it."""


class SimulatedClock:
    """A clock that only moves when somebody sleeps or the scheduler jumps.

    While a Lambda function runs, :attr:`deadlines` holds when it will be killed; whoever sleeps
    past the innermost deadline is.
    """

    def __init__(self, *, start: float) -> None:
        self._now = start
        self.deadlines: list[float] = []

    def time(self) -> float:
        """Return the simulated seconds since the epoch."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass.

        :raises LambdaKilled: the running function's time-out passed meanwhile.
        """
        self._now += max(0.0, seconds)
        if self.deadlines and self._now > self.deadlines[-1]:
            raise LambdaKilled("Task timed out")

    def start(self, work: Callable[[], _T]) -> Future[_T]:
        """Do *work* at once: it is under way until somebody waits for it.

        :raises LambdaKilled: the environment ended meanwhile.
        """
        future: Future[_T] = Future()
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - raised again by who asks for the result
            future.set_exception(error)
        return future

    def wait_for_any(self, under_way: Collection[Future[_T]]) -> Collection[Future[_T]]:
        """Return all, since all are done."""
        return list(under_way)

    def jump_to(self, moment: float) -> None:
        """Move to *moment*; never backwards."""
        self._now = max(self._now, moment)


class Scheduler:
    """What will happen, in the order of time and, at the same moment, of scheduling."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    @property
    def now(self) -> float:
        """The simulated seconds since the epoch."""
        return self._clock.time()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do *action* when *seconds* have passed."""
        heapq.heappush(self._queue, (self._clock.time() + seconds, next(self._order), action))

    def step(self) -> bool:
        """Jump to what is due next and do it; False if nothing is."""
        if not self._queue:
            return False
        moment, _, action = heapq.heappop(self._queue)
        self._clock.jump_to(moment)
        action()
        return True

    def step_within(self, seconds: float) -> bool:
        """Do what is due next if it is due within *seconds*."""
        return bool(
            self._queue and self._queue[0][0] <= self._clock.time() + seconds and self.step()
        )

    def run_for(self, seconds: float) -> None:
        """Do all that is due within *seconds*, and end that much later."""
        end = self._clock.time() + seconds
        while self._queue and self._queue[0][0] <= end:
            self.step()
        self._clock.jump_to(end)
