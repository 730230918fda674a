"""One call to AWS, and what its failure means.

botocore serializes, signs, sends and paginates. Its retries are switched off for Connect: the
provider's own pace (:mod:`connect_provider.connect.quota`) shares one estimate of the quota among
all calls of an operation, and a retry that it does not see would spoil the estimate.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
)
from botocore.exceptions import (
    ConnectionError as BotocoreConnectionError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

_SERVER_ERROR = 500
_TOO_MANY_REQUESTS = 429
_MAX_SAID = 400


class Failure(Enum):
    """Why a call failed, as far as it decides what to do next."""

    THROTTLED = "throttled"
    TRANSIENT = "transient"
    ACCESS_DENIED = "access denied"
    NOT_FOUND = "not found"
    CONFLICT = "conflict"
    INVALID = "invalid"
    OTHER = "other"


_BY_CODE = {
    "ThrottlingException": Failure.THROTTLED,
    "Throttling": Failure.THROTTLED,
    "TooManyRequestsException": Failure.THROTTLED,
    "RequestLimitExceeded": Failure.THROTTLED,
    "ProvisionedThroughputExceededException": Failure.THROTTLED,
    "InternalServiceException": Failure.TRANSIENT,
    "InternalServerException": Failure.TRANSIENT,
    "InternalFailure": Failure.TRANSIENT,
    "ServiceUnavailable": Failure.TRANSIENT,
    "ServiceUnavailableException": Failure.TRANSIENT,
    "RequestTimeout": Failure.TRANSIENT,
    "AccessDeniedException": Failure.ACCESS_DENIED,
    "AccessDenied": Failure.ACCESS_DENIED,
    "UnrecognizedClientException": Failure.ACCESS_DENIED,
    "ResourceNotFoundException": Failure.NOT_FOUND,
    "ContactNotFoundException": Failure.NOT_FOUND,
    "ResourceConflictException": Failure.CONFLICT,
    "InvalidRequestException": Failure.INVALID,
    "InvalidParameterException": Failure.INVALID,
    "ValidationException": Failure.INVALID,
}


class CallError(Exception):
    """A call failed: which one, on what, and what AWS said.

    :ivar failure: what kind of failure it is.
    :ivar code: the error's code, for example ``ResourceNotFoundException``.
    :ivar repeated: whether the same call may have taken effect before without an answer.
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
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "Unknown")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        said = error.response.get("Error", {}).get("Message", "")
        raise CallError(
            operation=operation,
            subject=subject,
            failure=_classify(code, status),
            code=code,
            said=said[:_MAX_SAID] or "no message",
        ) from error
    except (BotocoreConnectionError, HTTPClientError) as error:
        failure, name, said = Failure.TRANSIENT, type(error).__name__, str(error)
    except BotoCoreError as error:
        failure, name, said = Failure.OTHER, type(error).__name__, str(error)
    raise CallError(
        operation=operation, subject=subject, failure=failure, code=name, said=said[:_MAX_SAID]
    )


def _classify(code: str, status: int) -> Failure:
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status == _TOO_MANY_REQUESTS:
        return Failure.THROTTLED
    return Failure.TRANSIENT if status >= _SERVER_ERROR else Failure.OTHER
