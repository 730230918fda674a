"""Calls that do not wait for each other's answers, where one after the other would be too slow."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from connect_provider.errors import StillWaiting
from connect_provider.failures import CallError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

_T = TypeVar("_T")

_WIDEST = 10  # as many connections as botocore keeps


def overlapped(
    items: Iterable[_T], send: Callable[[_T], None], *, width: Callable[[], int]
) -> Generator[tuple[_T, CallError | StillWaiting | None]]:
    """Send every item, and yield each with what went wrong, in the order of the answers.

    An item is taken only when it can be sent at once, so that *items* may end early because of an
    outcome that was yielded; what is under way by then is still waited for and yielded. Whoever
    stops earlier closes the generator, which waits too. Without need nothing is started beside.

    :param items: what to send; only the caller's thread iterates over it.
    :param send: sends one item; called from several threads.
    :param width: how many should be under way at once, asked again and again; ten at most are.
    :raises Exception: what *send* raised besides the two.
    """
    sent: dict[Future[CallError | StillWaiting | None], _T] = {}
    try:
        for item in items:
            if not sent and width() == 1:
                yield item, _outcome(send, item)
                continue
            sent[start(partial(_outcome, send, item))] = item
            while len(sent) >= min(width(), _WIDEST):
                yield from _answered(sent)
        while sent:
            yield from _answered(sent)
    finally:
        while sent:
            for future in wait(sent, return_when=FIRST_COMPLETED).done:
                del sent[future]


def start(work: Callable[[], _T]) -> Future[_T]:
    """Do *work* in a thread of its own, which costs nothing beside a call over the network."""
    future: Future[_T] = Future()

    def fulfil() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again by who asks for the result
            future.set_exception(error)

    # A daemon, so that nobody who presses Ctrl-C waits for a call that waits for its turn.
    Thread(target=fulfil, daemon=True).start()
    return future


def _answered(
    sent: dict[Future[CallError | StillWaiting | None], _T],
) -> Iterator[tuple[_T, CallError | StillWaiting | None]]:
    for future in wait(sent, return_when=FIRST_COMPLETED).done:
        yield sent.pop(future), future.result()


def _outcome(send: Callable[[_T], None], item: _T) -> CallError | StillWaiting | None:
    try:
        send(item)
    except (CallError, StillWaiting) as error:
        return error
    return None
