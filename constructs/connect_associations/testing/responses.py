"""The wire: requests in, through signature, faults, quota and validation, and answers out.

Requests are taken apart by botocore's own service model, so that every operation of the backend is
served with the paths, members and types that boto3 sends.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore import xform_name

from connect_associations.testing.exceptions import (
    ConnectError,
    InvalidRequestError,
)
from connect_associations.testing.faults import ConnectionLostError
from connect_associations.testing.models import EmulatedConnectBackend
from connect_associations.testing.recorder import DROPPED, SUCCEEDED, TIMED_OUT, Call
from connect_associations.testing.service_model import OPERATIONS, service_model
from connect_associations.testing.validation import problems

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import OperationModel

    from connect_associations.testing.faults import Fault, Faults
    from connect_associations.testing.recorder import Recorder
    from connect_associations.testing.throttle import Throttle
    from connect_associations.testing.world import World

_TOO_MANY_REQUESTS = 429
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/connect/")


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """An HTTP request as it arrived.

    :ivar target: path and query.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Route:
    method: str
    path: re.Pattern[str]
    operation: OperationModel


@functools.cache
def _routes() -> tuple[_Route, ...]:
    model = service_model()
    known = set(model.operation_names)
    return tuple(_route(model.operation_model(name)) for name in OPERATIONS if name in known)


def _route(operation: OperationModel) -> _Route:
    path = operation.http["requestUri"].split("?")[0]
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
    return _Route(
        method=operation.http["method"],
        path=re.compile(rf"{pattern}/?"),
        operation=operation,
    )


class Wire:
    """Requests to one account, from signature to answer.

    :param account_id: the account.
    :param world: the state that all Regions share.
    :param recorder: is told what was called.
    :param faults: the failures on order.
    :param throttle: the quotas.
    """

    def __init__(
        self,
        *,
        account_id: str,
        world: World,
        recorder: Recorder,
        faults: Faults,
        throttle: Throttle,
    ) -> None:
        self._account_id = account_id
        self._world = world
        self._recorder = recorder
        self._faults = faults
        self._throttle = throttle
        self._backends: dict[str, EmulatedConnectBackend] = {}

    def backend(self, region: str) -> EmulatedConnectBackend:
        """Return the Region's backend."""
        if region not in self._backends:
            self._backends[region] = EmulatedConnectBackend(
                region, self._account_id, world=self._world
            )
        return self._backends[region]

    def respond(self, request: Request) -> Response:
        """Answer one request.

        :raises ConnectionLostError: a fault wants the connection to be closed without an answer.
        """
        parts = urlsplit(request.target)
        for route in _routes():
            match = route.path.fullmatch(parts.path)
            if match and route.method == request.method:
                break
        else:
            return _error(
                ConnectError(
                    "UnknownOperationException", f"{request.method} {parts.path} is not emulated."
                )
            )
        # HTTP leaves the case of a header's name open, and the AWS SDKs differ.
        headers = {name.lower(): value for name, value in request.headers.items()}
        credential = _CREDENTIAL.search(headers.get("authorization", ""))
        if credential is None:
            return _error(
                ConnectError("MissingAuthenticationTokenException", "The request is not signed.")
            )
        operation = route.operation
        call = Call(
            number=self._recorder.next_number(),
            operation=operation.name,
            region=credential["region"],
            access_key=credential["key"],
            parameters=_parameters(operation, match.groupdict(), parts.query, request.body),
            timestamp=self._world.now(),
        )
        return self._carry_out(operation, call)

    def _carry_out(self, operation: OperationModel, call: Call) -> Response:
        fault = self._faults.next(call)
        if fault is not None and not fault.kind.after_effect:
            if not fault.kind.is_error:
                self._lose(call, ConnectionLostError(fault), took_effect=False)
            return self._refused(call, _ordered(fault, call))
        try:
            self._admit(call)
            wrong = problems(call.parameters, operation)
            if wrong:
                raise InvalidRequestError(" ".join(wrong))
            answer = getattr(self.backend(call.region), xform_name(operation.name))(
                **{xform_name(name): value for name, value in call.parameters.items()}
            )
        except ConnectError as error:
            return self._refused(call, error)
        if fault is not None:
            if not fault.kind.is_error:
                self._lose(call, ConnectionLostError(fault), took_effect=True)
            self._recorder.record(call.ended(outcome=fault.code, took_effect=True))
            return _error(_ordered(fault, call))
        self._recorder.record(call.ended(outcome=SUCCEEDED, took_effect=True))
        return Response(status=200, body=json.dumps(_without_none(answer or {})).encode())

    def _admit(self, call: Call) -> None:
        if not self._throttle.admit(
            operation=call.operation, account_id=self._account_id, region=call.region
        ):
            code = self._world.behaviour.throttling_error.value
            raise ConnectError(code, "Rate exceeded", status=_TOO_MANY_REQUESTS)

    def _lose(self, call: Call, error: ConnectionLostError, *, took_effect: bool) -> None:
        outcome = TIMED_OUT if error.fault.kind.is_time_out else DROPPED
        self._recorder.record(call.ended(outcome=outcome, took_effect=took_effect))
        raise error

    def _refused(self, call: Call, error: ConnectError) -> Response:
        self._recorder.record(call.ended(outcome=error.error_type, took_effect=False))
        return _error(error)


def _ordered(fault: Fault, call: Call) -> ConnectError:
    message = fault.message or f"{fault.code} was ordered for {call.operation}."
    return ConnectError(fault.code, message, status=fault.status)


def _error(error: ConnectError) -> Response:
    return Response(
        status=int(error.code),  # pyright: ignore[reportArgumentType] # moto's type allows None; a ConnectError always has one
        body=json.dumps({"Message": error.message, "message": error.message}).encode(),
        headers={"x-amzn-ErrorType": error.error_type},
    )


def _parameters(
    operation: OperationModel, path: Mapping[str, str], query: str, body: bytes
) -> dict[str, Any]:
    shape = operation.input_shape
    if shape is None:
        return {}
    queried = parse_qs(query)
    try:
        sent = json.loads(body) if body else {}
    except ValueError:
        sent = {}
    parameters: dict[str, Any] = {}
    for name, member in shape.members.items():
        where = member.serialization.get("location")
        wire_name = member.serialization.get("name", name)
        if where == "uri" and wire_name in path:
            parameters[name] = unquote(path[wire_name])
        elif where == "querystring" and wire_name in queried:
            (value,) = queried[wire_name][:1]
            parameters[name] = int(value) if member.type_name == "integer" else value
        elif where is None and wire_name in sent:
            parameters[name] = sent[wire_name]
    return parameters


def _without_none(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {name: _without_none(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return value
