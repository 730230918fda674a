"""One call to AWS, and what its failure means.

botocore serializes, signs, sends and paginates. Its retries are switched off for Connect: the
provider's own pace (:mod:`connect_provider.connect.quota`) shares one estimate of the quota among
all calls of an operation, and a retry that it does not see would spoil the estimate.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from botocore import exceptions

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

_SERVER_ERROR = 500
_TOO_MANY_REQUESTS = 429
_MAX_SAID = 400


class Failure(Enum):
    """Why a call failed, as far as it decides what to do next, with the codes that say so.

    Where no code does, 429 is THROTTLED and a server's error TRANSIENT.
    """

    THROTTLED = (
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceededException",
    )
    TRANSIENT = ("RequestTimeout",)
    ACCESS_DENIED = ("AccessDeniedException", "AccessDenied", "UnrecognizedClientException")
    NOT_FOUND = ("ResourceNotFoundException", "ContactNotFoundException")
    CONFLICT = ("ResourceConflictException",)
    INVALID = ("InvalidRequestException", "InvalidParameterException", "ValidationException")
    OTHER = ()


class CallError(Exception):
    """A call failed: which one, on what, and what AWS said.

    :ivar failure: what kind of failure it is.
    :ivar code: the error's code, for example ``ResourceNotFoundException``.
    :ivar repeated: whether an earlier, unanswered attempt of the same call may have taken effect.
    """

    def __init__(
        self, *, operation: str, subject: str, failure: Failure, code: str, said: str
    ) -> None:
        super().__init__(f"{operation} ({subject}) failed: {code}: {said.rstrip('.')}")
        self.operation = operation
        self.failure = failure
        self.code = code
        self.repeated = False

    @property
    def heals(self) -> bool:
        """Whether the same call may simply succeed later."""
        return self.failure in (Failure.THROTTLED, Failure.TRANSIENT)


def call(operation: str, subject: str, send: Callable[[], _T]) -> _T:
    """Run *send* and turn what botocore raises into a :class:`CallError`.

    :param operation: the API's name of the operation.
    :param subject: whom or what the call is about, for the message.
    :raises CallError: the call failed.
    """
    try:
        return send()
    except exceptions.ClientError as error:
        told = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code, said = told.get("Code", "Unknown"), told.get("Message") or "no message"
        by_status = Failure.TRANSIENT if status >= _SERVER_ERROR else Failure.OTHER
        if status == _TOO_MANY_REQUESTS:
            by_status = Failure.THROTTLED
        failure = next((each for each in Failure if code in each.value), by_status)
    except exceptions.BotoCoreError as error:
        code, said, failure = type(error).__name__, str(error), Failure.OTHER
        if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
            failure = Failure.TRANSIENT
    raise CallError(
        operation=operation, subject=subject, failure=failure, code=code, said=said[:_MAX_SAID]
    )
