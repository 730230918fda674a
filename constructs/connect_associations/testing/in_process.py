"""The emulation without a server: boto3's requests are answered in this process.

It goes with moto's ``mock_aws``: moto answers for the other services, the emulation for Connect.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlsplit

import botocore.session
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.core.base_backend import BackendDict
from moto.core.botocore_stubber import MockRawResponse

from connect_associations.testing.emulation import ConnectEmulation
from connect_associations.testing.faults import ConnectionLostError
from connect_associations.testing.responses import Request
from connect_associations.testing.seed import seed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.awsrequest import AWSPreparedRequest

_active: list[ConnectEmulation] = []


@contextmanager
def mock_connect(emulation: ConnectEmulation | None = None) -> Iterator[ConnectEmulation]:
    """Let an emulation answer Connect's clients of this process, inside ``mock_aws`` or without it.

    Clients that are made inside the block take part, whatever made their session. Of nested blocks
    the innermost answers. When ``mock_aws`` starts or ends within the block, it resets the
    emulation with all that is moto's. Outside of the block nothing is changed. boto3 wants some
    credentials; ``mock_aws`` sets them.

    :param emulation: what answers. Default: a new one with the small contact centre of ``seed``.
    """
    answering = emulation or ConnectEmulation(seed=seed)
    with ExitStack() as patches:
        patches.enter_context(
            patch.object(botocore.session.Session, "create_client", _taking_part())
        )
        patches.enter_context(patch.object(BackendDict, "reset", _resetting(answering)))
        _active.append(answering)
        patches.callback(_active.pop)
        yield answering


def _taking_part() -> Any:  # noqa: ANN401 - the signature is botocore's
    create_client = botocore.session.Session.create_client

    def create(session: botocore.session.Session, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as above
        client = create_client(session, *arguments, **named)
        # Of the handlers for an event botocore asks the most specific first, so this one precedes
        # moto's for "before-send".
        events: Any = client.meta.events  # the stubs know no handler that answers
        events.register("before-send.connect", _answer, unique_id="mock_connect")
        return client

    return create


def _resetting(emulation: ConnectEmulation) -> Any:  # noqa: ANN401 - a class method of moto's
    reset = BackendDict.reset

    def reset_all() -> None:
        reset()
        emulation.reset()

    return reset_all


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
