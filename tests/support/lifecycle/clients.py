"""Real boto3 clients whose requests are answered in this process.

A client is expensive to make and holds no state, so each service and Region has one for the whole
test run; who answers is looked up for every request.
"""

from __future__ import annotations

import functools
import io
import json
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.awsrequest import AWSPreparedRequest

_ATTEMPTS = {"connect": 1}
_DEFAULT_ATTEMPTS = 4
"""As in the Lambda functions: a failure of Connect reaches the provider at once."""


class Answerer(Protocol):
    """Stands in for AWS."""

    def answer(
        self, *, service: str, region: str, operation: str, request: AWSPreparedRequest
    ) -> AWSResponse:
        """Answer *request*, or raise what botocore's HTTP session might raise."""
        ...


class _Switchboard:
    """Whom the requests go to at the moment."""

    answerer: Answerer | None = None


_switchboard = _Switchboard()


def connect_to(answerer: Answerer) -> None:
    """Let *answerer* answer the requests of all clients from now on."""
    _switchboard.answerer = answerer


@functools.cache
def _client(service: str, region: str) -> Any:
    make: Any = boto3.client  # its overloads know literal names only
    attempts = _ATTEMPTS.get(service, _DEFAULT_ATTEMPTS)
    # Only the emulation of Connect looks at the signature, and nobody at the client's name: both
    # take much of a call's time.
    signature = None if service == "connect" else UNSIGNED
    client = make(
        service,
        region_name=region,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - nothing is sent anywhere
        config=Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            signature_version=signature,
            user_agent="simulated",
        ),
    )

    def answer(*, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        assert _switchboard.answerer is not None, "no world is connected"
        return _switchboard.answerer.answer(
            service=service,
            region=region,
            operation=event_name.rpartition(".")[2],
            request=request,
        )

    client.meta.events.register_last(f"before-send.{service}.*", answer)
    return client


class SimulatedClients:
    """What the provider takes as its ``clients``."""

    def __call__(self, service: str, region: str) -> Any:
        """Return the client of *service* for *region*."""
        return _client(service, region)


class _Raw(io.BytesIO):
    """What botocore reads a response's body from."""

    def stream(self, **_: object) -> list[bytes]:
        return [self.read()]


def response(
    request: AWSPreparedRequest, status: int, body: str, headers: Mapping[str, str]
) -> AWSResponse:
    """Return an HTTP response."""
    return AWSResponse(
        request.url,
        status,
        HeadersDict(headers),  # type: ignore[arg-type] # the stubs mean a base class of it
        _Raw(body.encode()),
    )


def json_error(request: AWSPreparedRequest, status: int, code: str, said: str) -> AWSResponse:
    """Return an error as the protocols of Connect and DynamoDB spell it."""
    body = {"__type": code, "Message": said, "message": said}
    return response(request, status, json.dumps(body), {"x-amzn-errortype": code})
