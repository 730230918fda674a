"""Calls at the quota's pace, repeated while repeating may help and time is left."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from connect_provider.calls import CallError, Failure, call
from connect_provider.errors import StillWaiting
from connect_provider.overlap import overlapped
from connect_provider.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from connect_provider.clock import Clock

_T = TypeVar("_T")

_REPEATS = 3
_REPEAT_PAUSE = 0.5
_LONGEST_REPEAT_PAUSE = 20.0
_PERMISSION_PAUSE = 5.0


class Paces:
    """The paces of all operations in all Regions; they outlive a single invocation.

    :param crowd: how many resources may be worked on at the same moment; see :class:`Pace`.
    """

    def __init__(self, *, crowd: int = 1) -> None:
        self.crowd = crowd
        self._paces: dict[tuple[str, str], Pace] = {}

    def of(self, region: str, operation: str) -> Pace:
        """Return the pace of *operation* in *region*."""
        return self._paces.setdefault((region, operation), Pace(crowd=self.crowd))


class Caller(NamedTuple):
    """Makes the calls of one invocation.

    :param clock: the time.
    :param paces: shared with the invocations before and after.
    :param deadline: when this invocation must stop, in seconds since the epoch.
    :param patience: the longest pause before one call, in seconds. Who can be polled again
        (``is_complete``) has little, so that no invocation sleeps for long; who cannot has much.
    :param permissions_settle_at: until then a denied call may be allowed soon, because IAM has
        not yet told everyone about a new role; in seconds since the epoch.
    """

    clock: Clock
    paces: Paces
    deadline: float
    patience: float
    permissions_settle_at: float

    @property
    def out_of_time(self) -> bool:
        """Whether this invocation should stop."""
        return self.clock.time() >= self.deadline

    def call(self, region: str, operation: str, subject: str, send: Callable[[], _T]) -> _T:
        """Run *send* when its turn comes.

        Throttled calls are repeated for as long as there is time, server errors and broken
        connections a few times (as long as there is time by who has much patience, because nobody
        polls it again), denied calls while permissions may still be spreading.

        :param region: the Region that is called; quotas are counted there.
        :param operation: the API's name of the operation.
        :param subject: whom or what the call is about, for messages.
        :raises CallError: the call failed for good.
        :raises StillWaiting: it may succeed later, but not within this invocation.
        """
        pace = self.paces.of(region, operation)
        last: CallError | None = None
        repeats = 0
        while True:
            self._wait(pace, operation, subject, last)
            sent = self.clock.time()
            try:
                answer = call(operation, subject, send)
            except CallError as error:
                last = error
                if error.failure is Failure.THROTTLED:
                    pace.refused(self.clock.time(), sent=sent)
                    continue
                pace.answered(self.clock.time(), sent=sent)
                if error.failure is Failure.TRANSIENT and (
                    repeats < _REPEATS or self.patience > _LONGEST_REPEAT_PAUSE
                ):
                    repeats += 1
                    jitter = random.uniform(0.5, 1)  # noqa: S311 - spreads callers, protects nothing
                    pause = min(_LONGEST_REPEAT_PAUSE, _REPEAT_PAUSE * 2**repeats)
                    self.pause(pause * jitter, error)
                elif (
                    error.failure is Failure.ACCESS_DENIED
                    and self.clock.time() < self.permissions_settle_at
                ):
                    self.pause(_PERMISSION_PAUSE, error)
                elif error.failure is Failure.TRANSIENT:
                    raise StillWaiting(str(error), shared=False) from error
                else:
                    error.repeated = repeats > 0
                    raise
            else:
                pace.answered(self.clock.time(), sent=sent)
                return answer

    def call_each(
        self, region: str, operation: str, items: Iterable[_T], send: Callable[[_T], None]
    ) -> Generator[tuple[_T, CallError | StillWaiting | None]]:
        """Make a call of *operation* for each item, overlapping where that fills the quota.

        :param items: taken one by one, when there is room for another call.
        :param send: makes the call for one item, by :meth:`call`.
        :returns: the items with what :meth:`call` raised, in the order of the answers.
        """
        pace = self.paces.of(region, operation)
        return overlapped(items, send, width=lambda: pace.width, clock=self.clock)

    def _wait(self, pace: Pace, operation: str, subject: str, last: CallError | None) -> None:
        while True:
            now = self.clock.time()
            pause = pace.reserve(now, patience=min(self.patience, self.deadline - now))
            if pause is None:
                raise StillWaiting(
                    str(last) if last else f"{operation} ({subject}) waits for its turn: throttled"
                )
            if not pause:
                return
            self.clock.sleep(pause)
            if not pace.is_void(now):
                return

    def pause(self, seconds: float, reason: object) -> None:
        """Let *seconds* pass because of *reason*.

        :raises StillWaiting: this invocation has no time for that.
        """
        if seconds > self.patience or self.clock.time() + seconds > self.deadline:
            raise StillWaiting(str(reason))
        self.clock.sleep(seconds)
