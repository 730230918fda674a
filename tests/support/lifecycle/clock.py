"""Simulated time: hours pass at once, and what is due happens in order."""

from __future__ import annotations

import heapq
import itertools
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_T = TypeVar("_T")

Steps = "Generator[None, None, _T]"


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

    def jump_to(self, moment: float) -> None:
        """Move to *moment*; never backwards."""
        self._now = max(self._now, moment)


class Scheduler:
    """What will happen, in the order of time and, at the same moment, of scheduling.

    Beside single actions it runs *tasks*: generators that yield while they wait for something that
    an action will bring, and that go on after :meth:`wake`.
    """

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._tasks: list[Generator[None, None, None]] = []
        self._awake = False
        self._depth = 0

    @property
    def now(self) -> float:
        """The simulated seconds since the epoch."""
        return self._clock.time()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do *action* when *seconds* have passed."""
        heapq.heappush(self._queue, (self._clock.time() + seconds, next(self._order), action))

    def begin(self, task: Generator[None, None, None]) -> None:
        """Run *task* from now on, beside what else happens."""
        self._tasks.append(task)
        self.wake()

    def drop(self, task: Generator[None, None, None]) -> None:
        """Never go on with *task*."""
        if task in self._tasks:
            self._tasks.remove(task)

    def wake(self) -> None:
        """Let the tasks look what has changed."""
        self._awake = True
        if not self._depth:
            self._go_on()

    def step(self) -> bool:
        """Jump to what is due next and do it; False if nothing is."""
        if not self._queue:
            return False
        moment, _, action = heapq.heappop(self._queue)
        self._clock.jump_to(moment)
        self._depth += 1
        try:
            action()
        finally:
            self._depth -= 1
        if self._awake and not self._depth:
            self._go_on()
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

    def _go_on(self) -> None:
        self._depth += 1
        try:
            while self._awake:
                self._awake = False
                for task in list(self._tasks):
                    # One of them may have been dropped by another one meanwhile.
                    if task in self._tasks and next(task, self) is self:
                        self.drop(task)
        finally:
            self._depth -= 1
