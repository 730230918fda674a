"""Calls to Amazon Connect at the quota's pace, repeated while repeating may help."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore import xform_name

from connect_provider.errors import StillWaiting, UnsupportedRuntimeError
from connect_provider.failures import CallError, Failure, call

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_connect.client import ConnectClient

    from connect_provider.connect.quota import Pace, Paces

_REPEATS = 3
_REPEAT_PAUSE = 0.5
_FIRST_BOTO3 = {
    "AssociateTrafficDistributionGroupUser": "1.28.24",
    "AssociateContactWithUser": "1.40.40",
}


class Limits(NamedTuple):
    """How long one invocation of the Lambda may go on.

    :ivar deadline: when it must stop, in seconds since the epoch.
    :ivar patience: the longest pause before one call, in seconds. Who can be polled again
        (``is_complete``) has little, so that no invocation sleeps for long; who cannot has much.
    """

    deadline: float
    patience: float

    @property
    def over(self) -> bool:
        """Whether this invocation should stop."""
        return time.time() >= self.deadline


class Calls:
    """Amazon Connect in one Region, operation by operation.

    :param client: boto3's client, with its own retries off.
    :param region: the Region of the client.
    :ivar region: the same.
    :param paces: shared with the invocations before and after.
    :param limits: the invocation's time.
    :param before_call: called before every request; may refuse by raising.
    """

    def __init__(
        self,
        client: ConnectClient,
        region: str,
        *,
        paces: Paces,
        limits: Limits,
        before_call: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self.region = region
        self._paces = paces
        self._limits = limits
        self._before_call = before_call

    def found(self, operation: str, **request: Any) -> Any:  # noqa: ANN401 - what the operation takes and answers
        """Call *operation*; None if what it asks for is not there."""
        try:
            return self.send(operation, **request)
        except CallError as error:
            if error.failure is Failure.NOT_FOUND:
                return None
            raise

    def send(self, operation: str, **request: Any) -> Any:  # noqa: ANN401 - what the operation takes and answers
        """Call *operation* when its turn comes.

        Throttled calls are repeated for as long as there is time, server errors and broken
        connections a few times.

        :raises CallError: the call failed for good.
        :raises StillWaiting: it may succeed later, but not within this invocation.
        """
        subject = ", ".join(
            f"{name.removesuffix('Id')} {value}"
            for name, value in request.items()
            if name.endswith("Id")
        )
        method = self._method(operation)
        pace = self.pace(operation)
        last: CallError | None = None
        repeats = 0
        while True:
            self._wait(pace, last or f"{operation} ({subject}) waits for its turn: throttled")
            self._before_call()
            sent = time.time()
            try:
                answer = call(operation, subject, lambda: method(**request))
            except CallError as error:
                last = error
                if error.failure is Failure.THROTTLED:
                    pace.refused(time.time(), sent=sent)
                    continue
                pace.answered(time.time(), sent=sent)
                if error.failure is not Failure.TRANSIENT:
                    error.repeated = repeats > 0
                    raise
                repeats += 1
                pause = _REPEAT_PAUSE * 2**repeats * random.uniform(0.5, 1)  # noqa: S311 - spreads callers, protects nothing
                if repeats > _REPEATS or time.time() + pause > self._limits.deadline:
                    raise StillWaiting(str(error), shared=False) from error
                time.sleep(pause)
            else:
                pace.answered(time.time(), sent=sent)
                return answer

    def _wait(self, pace: Pace, reason: object) -> None:
        while True:
            now = time.time()
            left = min(self._limits.patience, self._limits.deadline - now)
            pause = pace.reserve(now, patience=left)
            if pause is None:
                raise StillWaiting(str(reason))
            if not pause:
                return
            time.sleep(pause)
            if not pace.is_void(now):
                return

    def _method(self, operation: str) -> Callable[..., Any]:
        name = xform_name(operation)
        method: Callable[..., Any] | None = getattr(self._client, name, None)
        if method is None:
            raise UnsupportedRuntimeError(
                f"boto3 {boto3.__version__} in this Lambda runtime has no {name}: it came with "
                f"boto3 {_FIRST_BOTO3.get(operation, 'later')}. Pass ConnectAssociationProvider "
                "bundle_sdk=True, or a runtime or a layer with a newer boto3."
            )
        return method

    def pace(self, operation: str) -> Pace:
        """Return the pace of *operation*."""
        return self._paces.of(self.region, operation)
