from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from connect_provider.errors import (
    MAX_MESSAGE_LENGTH,
    AssociationFailedError,
    ProviderError,
    StillWaiting,
    shorten,
)
from connect_provider.failures import CallError, Failure, call

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://connect.us-east-1.amazonaws.com/"


def raising(error: Exception) -> Callable[[], NoReturn]:
    def send() -> NoReturn:
        raise error

    return send


def failed(error: Exception) -> CallError:
    with pytest.raises(CallError) as raised:
        call("DescribeUser", "User ann", raising(error))
    return raised.value


def answered(code: str, status: int = 400, said: str = "said") -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": said},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
                "HostId": "",
            },
        },
        "DescribeUser",
    )


@pytest.mark.parametrize(
    ("code", "status", "failure"),
    [
        ("ThrottlingException", 429, Failure.THROTTLED),
        ("Throttling", 400, Failure.THROTTLED),
        ("TooManyRequestsException", 400, Failure.THROTTLED),
        ("RequestLimitExceeded", 503, Failure.THROTTLED),
        ("ProvisionedThroughputExceededException", 400, Failure.THROTTLED),
        ("Whatever", 429, Failure.THROTTLED),
        ("InternalServiceException", 500, Failure.TRANSIENT),
        ("InternalServerException", 500, Failure.TRANSIENT),
        ("InternalFailure", 500, Failure.TRANSIENT),
        ("ServiceUnavailable", 503, Failure.TRANSIENT),
        ("ServiceUnavailableException", 503, Failure.TRANSIENT),
        ("RequestTimeout", 400, Failure.TRANSIENT),
        ("Whatever", 500, Failure.TRANSIENT),
        ("Whatever", 502, Failure.TRANSIENT),
        ("AccessDeniedException", 403, Failure.ACCESS_DENIED),
        ("AccessDenied", 403, Failure.ACCESS_DENIED),
        ("UnrecognizedClientException", 403, Failure.ACCESS_DENIED),
        ("ResourceNotFoundException", 404, Failure.NOT_FOUND),
        ("ContactNotFoundException", 410, Failure.NOT_FOUND),
        ("ResourceConflictException", 409, Failure.CONFLICT),
        ("InvalidRequestException", 400, Failure.INVALID),
        ("InvalidParameterException", 400, Failure.INVALID),
        ("ValidationException", 400, Failure.INVALID),
        ("Whatever", 499, Failure.OTHER),
        ("Whatever", 400, Failure.OTHER),
        ("InvalidRequestException", 503, Failure.INVALID),
    ],
)
def test_codes_are_told_apart(code: str, status: int, failure: Failure) -> None:
    error = failed(answered(code, status))
    assert error.failure is failure
    assert error.code == code
    assert error.operation == "DescribeUser"
    assert error.heals == (failure in (Failure.THROTTLED, Failure.TRANSIENT))
    assert not error.repeated
    assert str(error) == f"DescribeUser (User ann) failed: {code}: said"


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=URL),
        ConnectTimeoutError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
        ConnectionClosedError(endpoint_url=URL),
    ],
    ids=lambda error: type(error).__name__,
)
def test_broken_connections_may_heal(error: Exception) -> None:
    told = failed(error)
    assert told.failure is Failure.TRANSIENT
    assert told.code == type(error).__name__
    assert told.code in str(told)


@pytest.mark.parametrize(
    "error",
    [NoCredentialsError(), ParamValidationError(report="UserId: expected a string")],
    ids=lambda error: type(error).__name__,
)
def test_what_botocore_refuses_does_not_heal(error: Exception) -> None:
    told = failed(error)
    assert told.failure is Failure.OTHER
    assert not told.heals
    assert str(error)[:40] in str(told)


def test_what_is_no_failure_of_the_call_is_raised_as_it_is() -> None:
    with pytest.raises(KeyError):
        call("DescribeUser", "User ann", raising(KeyError("mistake")))


def test_an_answer_is_returned() -> None:
    assert call("DescribeUser", "User ann", lambda: 7) == 7


def test_messages_end_once_and_are_cut() -> None:
    assert str(failed(answered("Code", said="said."))).endswith("Code: said")
    assert str(failed(answered("Code", said=""))).endswith("Code: no message")
    assert len(str(failed(answered("Code", said="x" * 10_000)))) < 500


def test_errors_for_people_are_cut_visibly() -> None:
    assert str(AssociationFailedError("short")) == "short"
    assert str(ProviderError("x" * MAX_MESSAGE_LENGTH)) == "x" * MAX_MESSAGE_LENGTH
    cut = str(ProviderError("x" * (MAX_MESSAGE_LENGTH + 1)))
    assert len(cut) == MAX_MESSAGE_LENGTH
    assert cut.endswith("x…")
    assert shorten("abcdef", 3) == "ab…"
    assert StillWaiting("later").shared
    assert not StillWaiting("later", shared=False).shared
