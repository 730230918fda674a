"""Calls whose answer is the observation: one attempt each, with the error's code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

SUCCEEDS = "Succeeds"

_PAUSE = 0.5
_ATTEMPTS = 240
_SERVER_ERROR = 500
_TOO_MANY_REQUESTS = 429
_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "UnrecognizedClientException"}
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


@dataclass(frozen=True, slots=True)
class Reply:
    """How a call ended.

    :ivar code: :data:`SUCCEEDS`, or the error's code.
    :ivar answer: what was answered; empty for an error.
    :ivar throttled: whether it was more than the quota allows.
    """

    code: str
    answer: dict[str, Any] = field(default_factory=dict)
    throttled: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether it did what it was asked for."""
        return self.code == SUCCEEDS


class CannotTellError(Exception):
    """An experiment cannot settle what it is for; the text says why."""


class NotAllowedError(CannotTellError):
    """A permission is missing.

    :ivar action: the IAM action.
    """

    def __init__(self, action: str) -> None:
        super().__init__(f"{action} is not allowed")
        self.action = action


class SessionOverError(Exception):
    """The credentials have expired: no call works any more."""


class Callers(Protocol):
    """Returns what calls a service in a Region."""

    def __call__(self, region: str, service: str = "connect") -> Caller:
        """Return it."""
        ...


class Caller:
    """Calls one service in one Region.

    :param client: boto3's client, which does not retry.
    :param service: its name in IAM, for example ``connect``.
    :param sleep: waits for as many seconds.
    :param before_call: is told of every call before it is made.
    :ivar region: the Region.
    """

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - one of many generated classes
        *,
        service: str,
        sleep: Callable[[float], None],
        before_call: Callable[[str], None],
    ) -> None:
        self._client = client
        self._service = service
        self._sleep = sleep
        self._before_call = before_call
        self.region: str = client.meta.region_name

    def ask(self, operation: str, **request: object) -> Reply:
        """Make one call and return how it ended; a throttled one is made again.

        :raises NotAllowedError: the permission is missing.
        :raises SessionOverError: the credentials have expired.
        :raises CannotTellError: there was no answer, or boto3 does not know the operation.
        """
        for _ in range(_ATTEMPTS):
            reply = self.ask_once(operation, **request)
            if not reply.throttled:
                return reply
            self._sleep(_PAUSE)
        raise CannotTellError(f"{operation} was throttled {_ATTEMPTS} times in a row")

    def ask_once(self, operation: str, **request: object) -> Reply:
        """Make one call and return how it ended, throttled or not.

        :raises NotAllowedError: as :meth:`ask`.
        :raises SessionOverError: as :meth:`ask`.
        :raises CannotTellError: as :meth:`ask`.
        """
        method = getattr(self._client, xform_name(operation), None)
        if method is None:
            raise CannotTellError(f"this boto3 does not know {operation}: install a newer one")
        self._before_call(operation)
        try:
            return Reply(SUCCEEDS, method(**request))
        except ClientError as error:
            return self._refused(operation, error)
        except BotoCoreError as error:
            raise CannotTellError(f"{operation} got no answer: {type(error).__name__}") from error

    def must(self, operation: str, **request: object) -> dict[str, Any]:
        """Make a call that the experiment builds on, and return its answer.

        :raises CannotTellError: it failed.
        """
        reply = self.ask(operation, **request)
        if not reply.succeeded:
            raise CannotTellError(f"{operation} answered {reply.code}")
        return reply.answer

    def _refused(self, operation: str, error: ClientError) -> Reply:
        code = error.response.get("Error", {}).get("Code", "Unknown")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _EXPIRED:
            raise SessionOverError(f"{operation} answered {code}") from error
        if code in _DENIED:
            raise NotAllowedError(f"{self._service}:{operation}") from error
        if status >= _SERVER_ERROR:
            raise CannotTellError(f"{operation} answered {code}") from error
        return Reply(code, throttled=status == _TOO_MANY_REQUESTS or "Throttling" in code)
