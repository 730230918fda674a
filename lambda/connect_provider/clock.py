"""Time, and what happens at the same time, so that tests can let hours pass at once."""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from threading import Thread
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_T = TypeVar("_T")


class Clock(Protocol):
    """Where the time comes from."""

    def time(self) -> float:
        """Return the seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass."""
        ...

    def start(self, work: Callable[[], _T]) -> Future[_T]:
        """Do *work* while the caller goes on."""
        ...

    def wait_for_any(self, under_way: Collection[Future[_T]]) -> Collection[Future[_T]]:
        """Let time pass until something is done, and return all that is."""
        ...


class SystemClock:
    """The machine's clock, and its threads."""

    def time(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass."""
        time.sleep(seconds)

    def start(self, work: Callable[[], _T]) -> Future[_T]:
        """Do *work* in a thread of its own, which costs nothing beside a call over the network."""
        future: Future[_T] = Future()
        # A daemon, so that nobody who presses Ctrl-C waits for a call that waits for its turn.
        Thread(target=fulfil, args=(future, work), daemon=True).start()
        return future

    def wait_for_any(self, under_way: Collection[Future[_T]]) -> Collection[Future[_T]]:
        """Wait until something is done, and return all that is."""
        return wait(under_way, return_when=FIRST_COMPLETED).done


def fulfil(future: Future[_T], work: Callable[[], _T]) -> None:
    """Do *work*, and tell whoever waits for *future* what came of it."""
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - raised again by who asks for the result
        future.set_exception(error)
