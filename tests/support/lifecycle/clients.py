"""Real boto3 clients whose requests are answered in this process.

A client is expensive to make and holds no state, so each service and Region has one for the whole
test run; who answers is looked up for every request.
"""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import botocore.endpoint
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.awsrequest import AWSPreparedRequest
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_connect.client import ConnectClient

    from lifecycle.clock import SimulatedClock

_ATTEMPTS = {
    # As in the Lambda functions: a failure of Connect reaches the provider at once.
    "connect": 1,
    "cloudformation": 5,
}


class Answerer(Protocol):
    """Stands in for AWS."""

    def answer(
        self, *, service: str, region: str, operation: str, request: AWSPreparedRequest
    ) -> AWSResponse:
        """Answer *request*, or raise what botocore's HTTP session might raise."""
        ...


class _Switchboard:
    """Whom the requests go to at the moment, and whose time passes between retries."""

    def __init__(self) -> None:
        self.answerer: Answerer | None = None
        self.clock: SimulatedClock | None = None

    def sleep(self, seconds: float) -> None:
        """Let botocore wait in simulated time."""
        assert self.clock is not None, "no world is connected"
        self.clock.sleep(seconds)


_switchboard = _Switchboard()


def connect_to(answerer: Answerer, clock: SimulatedClock) -> None:
    """Let *answerer* answer the requests of all clients from now on.

    botocore's pauses between its own retries pass on *clock*.
    """
    _switchboard.answerer = answerer
    _switchboard.clock = clock
    # botocore has no other way to tell it what waiting means; all it takes from time is sleep().
    botocore.endpoint.time = _switchboard  # type: ignore[attr-defined]


@functools.cache
def _client(service: str, region: str) -> Any:
    make: Any = boto3.client  # its overloads know literal names only
    client = make(
        service,
        region_name=region,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - nothing is sent anywhere
        config=Config(retries={"mode": "standard", "total_max_attempts": _ATTEMPTS[service]}),
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

    def connect(self, region: str) -> ConnectClient:
        """Return the Connect client for *region*."""
        client: ConnectClient = _client("connect", region)
        return client

    def cloudformation(self, region: str) -> CloudFormationClient:
        """Return the CloudFormation client for *region*."""
        client: CloudFormationClient = _client("cloudformation", region)
        return client


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
    """Return an error as Connect's protocol spells it."""
    return response(
        request, status, f'{{"Message": "{said}", "message": "{said}"}}', {"x-amzn-errortype": code}
    )
