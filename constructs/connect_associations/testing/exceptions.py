"""The errors that the emulation answers with, on moto's own base for REST-JSON services.

Status codes are those of botocore's service model for Connect; `status_of` has them for every code.
"""

from __future__ import annotations

import functools

from moto.core.exceptions import JsonRESTError

from connect_associations.testing.service_model import service_model

_COMMON_STATUS = {
    # Connect's own, which older service models lack.
    "InvalidActiveRegionException": 400,
    # Not in Connect's model: any AWS service may answer with these.
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "UnrecognizedClientException": 403,
    "MissingAuthenticationTokenException": 403,
    "UnknownOperationException": 404,
    "RequestTimeoutException": 408,
    "InternalFailure": 500,
    "ServiceUnavailableException": 503,
}


@functools.cache
def _modelled_status() -> dict[str, int]:
    model = service_model()
    return {
        shape.name: shape.metadata["error"]["httpStatusCode"]
        for shape in model.error_shapes
        if "httpStatusCode" in shape.metadata.get("error", {})
    }


def status_of(code: str) -> int:
    """Return the HTTP status that comes with an error code.

    :raises ValueError: if neither Connect nor AWS services in general know the code.
    """
    status = _modelled_status().get(code) or _COMMON_STATUS.get(code)
    if status is None:
        raise ValueError(
            f"{code} is no error code of Amazon Connect; pass a status with it if it is meant"
        )
    return status


class ConnectError(JsonRESTError):
    """An error answer.

    :param code: the error code, for example ``ThrottlingException``.
    :param message: what the caller reads.
    :param status: the HTTP status. Default: the one that comes with the code.
    """

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(code, message)
        self.code = status_of(code) if status is None else status


class InvalidRequestError(ConnectError):
    """InvalidRequestException: the request cannot be carried out as things are."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidRequestException", message)


class InvalidParameterError(ConnectError):
    """InvalidParameterException: a member of the request is malformed."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidParameterException", message)


class ResourceNotFoundError(ConnectError):
    """ResourceNotFoundException: something that the request names is not there."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceNotFoundException", message)
