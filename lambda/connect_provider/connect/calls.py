"""Calls to Amazon Connect at the quota's pace: repeated while that may help, several at once."""

from __future__ import annotations

import random
import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import boto3
from botocore import xform_name

from connect_provider.errors import StillWaiting, UnsupportedRuntimeError
from connect_provider.failures import CallError, Failure, call

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from mypy_boto3_connect.client import ConnectClient

    from connect_provider.connect.quota import Paces

_T = TypeVar("_T")
_Outcome = CallError | StillWaiting | None  # what went wrong

_WIDEST = 10  # as many connections as botocore keeps
_REPEATS = 3
_REPEAT_PAUSE = 0.5
_FIRST_BOTO3 = {
    "AssociateTrafficDistributionGroupUser": "1.28.24",
    "AssociateContactWithUser": "1.40.40",
}


class Limits(NamedTuple):
    """How long one invocation of the Lambda may go on.

    :ivar deadline: when it must stop, in seconds since the epoch.
    :ivar patience: the longest pause before one call, in seconds. A function that is polled again
        (``is_complete``) has little, so that no invocation sleeps for long; one that is not has
        much.
    """

    deadline: float
    patience: float

    @property
    def over(self) -> bool:
        """Whether this invocation should stop."""
        return time.time() >= self.deadline


class Calls(NamedTuple):
    """Amazon Connect in one Region, operation by operation.

    :ivar client: boto3's client, with its own retries off.
    :ivar region: the Region of the client.
    :ivar paces: shared with the invocations before and after.
    :ivar limits: the invocation's time.
    :ivar before_call: called before every request; may refuse by raising.
    """

    client: ConnectClient
    region: str
    paces: Paces
    limits: Limits
    before_call: Callable[[], None] = lambda: None

    def found(self, operation: str, **request: Any) -> Any:  # noqa: ANN401 - what the operation takes and answers
        """Call *operation*; None if what it asks for is not there."""
        try:
            return self.send(operation, **request)
        except CallError as error:
            if error.failure is Failure.NOT_FOUND:
                return None
            raise

    def send(self, operation: str, **request: Any) -> Any:  # noqa: ANN401, C901 - what the operation takes and answers, and all that may go wrong
        """Call *operation* when its turn comes.

        Throttled calls are repeated for as long as there is time, server errors and broken
        connections a few times.

        :raises CallError: the call failed, and repeating it would not help.
        :raises StillWaiting: it may succeed later, but not within this invocation.
        """
        name = xform_name(operation)
        method = getattr(self.client, name, None)
        if method is None:
            raise UnsupportedRuntimeError(
                f"boto3 {boto3.__version__} has no {name}: it came with "
                f"boto3 {_FIRST_BOTO3.get(operation, 'later')}. On the command line, upgrade "
                "boto3; in Lambda, pass ConnectAssociationProvider bundle_sdk=True, or a runtime "
                "or a layer with a newer boto3."
            )
        subject = ", ".join(
            f"{name.removesuffix('Id')} {value}"
            for name, value in request.items()
            if name.endswith("Id")
        )
        pace = self.paces[self.region, operation]
        reason = f"{operation} ({subject}) waits for its turn: throttled"
        repeats = 0
        while True:
            now = time.time()
            left = min(self.limits.patience, self.limits.deadline - now)
            pause = pace.reserve(now, patience=left)
            if pause is None:
                raise StillWaiting(reason)
            if pause:
                time.sleep(pause)
                if pace.is_void(now):
                    continue
            self.before_call()
            sent = time.time()
            try:
                answer = call(operation, subject, lambda: method(**request))
            except CallError as error:
                reason = str(error)
                if error.failure is Failure.THROTTLED:
                    pace.refused(time.time(), sent=sent)
                    continue
                pace.answered(time.time(), sent=sent)
                if error.failure is not Failure.TRANSIENT:
                    error.repeated = repeats > 0
                    raise
                repeats += 1
                pause = _REPEAT_PAUSE * 2**repeats * random.uniform(0.5, 1)  # noqa: S311 - spreads callers, protects nothing
                if repeats > _REPEATS or time.time() + pause > self.limits.deadline:
                    raise StillWaiting(reason, shared=False) from error
                time.sleep(pause)
            else:
                pace.answered(time.time(), sent=sent)
                return answer


def overlapped(
    items: Iterable[_T], send: Callable[[_T], None], *, width: Callable[[], int]
) -> Generator[tuple[_T, _Outcome]]:
    """Send every item, and yield each with what went wrong, in the order of the answers.

    The answers are not waited for one after the other where that would be too slow. An item is
    taken only when it can be sent at once, so *items* may end early because of an outcome that was
    yielded. What is under way by then is still waited for and yielded. A caller who stops earlier
    closes the generator, which also waits. No thread is started unless needed.

    :param items: what to send; only the caller's thread iterates over it.
    :param send: sends one item; called from several threads.
    :param width: how many should be under way at once, asked again and again; ten at most are.
    :raises Exception: what *send* raised besides the two.
    """

    def answered() -> Iterator[tuple[_T, _Outcome]]:
        for future in wait(sent, return_when=FIRST_COMPLETED).done:
            yield sent.pop(future), future.result()

    sent: dict[Future[_Outcome], _T] = {}
    try:
        for item in items:
            if not sent and width() == 1:
                yield item, _outcome(send, item)
                continue
            sent[start(partial(_outcome, send, item))] = item
            while len(sent) >= min(width(), _WIDEST):
                yield from answered()
        while sent:
            yield from answered()
    finally:
        while sent:
            for future in wait(sent, return_when=FIRST_COMPLETED).done:
                del sent[future]


def _outcome(send: Callable[[_T], None], item: _T) -> _Outcome:
    try:
        send(item)
    except (CallError, StillWaiting) as error:
        return error
    return None


def start(work: Callable[[], _T]) -> Future[_T]:
    """Do *work* in a thread of its own, which costs nothing next to a call over the network."""
    future: Future[_T] = Future()

    def fulfil() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            future.set_exception(error)

    # A daemon, so that nobody who presses Ctrl-C waits for a call that waits for its turn.
    Thread(target=fulfil, daemon=True).start()
    return future
