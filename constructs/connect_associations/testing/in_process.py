"""The emulation without a server: boto3's requests are answered in this process.

It goes with moto's ``mock_aws``: moto answers for the other services, the emulation for Connect.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.handlers import BUILTIN_HANDLERS
from moto.core.botocore_stubber import MockRawResponse

from connect_associations.testing.faults import ConnectionLostError
from connect_associations.testing.responses import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.awsrequest import AWSPreparedRequest

    from connect_associations.testing.emulation import ConnectEmulation

_active: list[ConnectEmulation] = []


@contextmanager
def mock_connect(emulation: ConnectEmulation) -> Iterator[ConnectEmulation]:
    """Let *emulation* answer Connect's clients of this process, inside ``mock_aws`` or without it.

    Of nested uses the innermost answers. As with moto, only clients of sessions made after this
    module was imported take part, and boto3 wants some credentials.
    """
    _active.append(emulation)
    try:
        yield emulation
    finally:
        _active.pop()


def _answer(*, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
    """Answer a request; None lets botocore go on to moto or to the network."""
    if not _active:
        return None
    parts = urlsplit(request.url)
    body = request.body or b""
    assert isinstance(body, (str, bytes, bytearray)), "Connect's operations stream no files"  # noqa: S101 - for the type checker
    asked = Request(
        method=str(request.method),
        target=f"{parts.path}?{parts.query}" if parts.query else parts.path,
        headers={
            name: value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        },
        body=body.encode() if isinstance(body, str) else bytes(body),
    )
    try:
        response = _active[-1].respond(asked)
    except ConnectionLostError as lost:
        if lost.fault.kind.is_time_out:
            raise ReadTimeoutError(endpoint_url=request.url) from lost
        raise ConnectionClosedError(endpoint_url=request.url) from lost
    return AWSResponse(
        request.url,
        response.status,
        HeadersDict({"Content-Type": "application/json", **response.headers}),  # type: ignore[arg-type] # the stubs mean a base class of it
        MockRawResponse(response.body),
    )


# Of the handlers for an event botocore asks the most specific first, so this one precedes moto's
# for "before-send".
BUILTIN_HANDLERS.append(("before-send.connect", _answer))
