"""What goes wrong between the provider and Connect, at a chosen call."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from lifecycle.clients import json_error
from lifecycle.clock import LambdaKilled

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from lifecycle.clock import SimulatedClock
    from lifecycle.history import History

_LATENCY = 0.05


class Fault(Enum):
    """What may happen to one Connect call."""

    KILLED_BEFORE = "Lambda killed before the call"
    KILLED_AFTER = "Lambda killed after the call took effect"
    THROTTLED = "throttled"
    SERVER_ERROR = "5xx"
    CONNECTION_ERROR = "connection error before the call took effect"
    LOST_ANSWER = "time-out after the call took effect"
    INTERLEAVED = "another request runs in the middle"

    @property
    def kills(self) -> bool:
        """Whether the Lambda environment ends."""
        return self in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)


@dataclass(slots=True, kw_only=True)
class FaultPlan:
    """Which calls are hit.

    :ivar at: the fault of the n-th call from now on (0 is the next one).
    :ivar writes_only: count only calls that change something.
    :ivar denied_until: until then, in simulated seconds, every call is denied.
    """

    at: dict[int, Fault] = field(default_factory=dict)
    writes_only: bool = False
    denied_until: float = 0.0
    seen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that reached Connect."""

    time: float
    region: str
    operation: str
    body: str
    status: int

    @property
    def writes(self) -> bool:
        """Whether the operation changes something."""
        return writes(self.operation)


def writes(operation: str) -> bool:
    """Whether a Connect *operation* changes something."""
    return not operation.startswith(("Describe", "List", "Search", "Get"))


class FaultyConnect:
    """Passes calls on to *backend*, unless the plan says otherwise.

    :ivar plan: the faults to come; replace it between deployments.
    :ivar happened: how often which fault struck.
    :ivar calls: what reached the backend.
    """

    def __init__(
        self,
        *,
        clock: SimulatedClock,
        history: History,
        backend: Callable[[str, str, AWSPreparedRequest], AWSResponse],
        interleave: Callable[[], bool],
    ) -> None:
        self._clock = clock
        self._history = history
        self._backend = backend
        self._interleave = interleave
        self.plan = FaultPlan()
        self.happened: Counter[str] = Counter()
        self.calls: list[Call] = []

    def answer(self, region: str, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        """Answer one call.

        :raises LambdaKilled: the plan says so.
        """
        self._clock.sleep(_LATENCY)
        if self._clock.time() < self.plan.denied_until:
            self._struck("denied", operation)
            return json_error(request, 403, "AccessDeniedException", "not authorized yet")
        fault = self._next_fault(operation)
        if fault is None:
            return self._pass_on(region, operation, request)
        if fault is Fault.INTERLEAVED:
            if self._interleave():
                self._struck(fault.value, operation)
            return self._pass_on(region, operation, request)
        self._struck(fault.value, operation)
        match fault:
            case Fault.KILLED_BEFORE:
                raise LambdaKilled(fault.value)
            case Fault.KILLED_AFTER:
                self._pass_on(region, operation, request)
                raise LambdaKilled(fault.value)
            case Fault.THROTTLED:
                return json_error(request, 429, "ThrottlingException", "Rate exceeded")
            case Fault.SERVER_ERROR:
                return json_error(request, 500, "InternalServiceException", "try again")
            case Fault.CONNECTION_ERROR:
                raise EndpointConnectionError(endpoint_url=request.url)
            case Fault.LOST_ANSWER:
                self._pass_on(region, operation, request)
                raise ReadTimeoutError(endpoint_url=request.url)

    def writes_since(self, mark: int) -> list[Call]:
        """Return the calls after the first *mark* ones that changed something, or tried to."""
        return [call for call in self.calls[mark:] if call.writes]

    def _next_fault(self, operation: str) -> Fault | None:
        if self.plan.writes_only and not writes(operation):
            return None
        fault = self.plan.at.get(self.plan.seen)
        self.plan.seen += 1
        return fault

    def _struck(self, fault: str, operation: str) -> None:
        self.happened[fault] += 1
        self._history.note("fault", f"{operation}: {fault}")

    def _pass_on(self, region: str, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        answer = self._backend(region, operation, request)
        body = request.body or b""
        text = body.decode() if isinstance(body, bytes) else str(body)
        said = "" if answer.status_code < 400 else answer.headers.get("x-amzn-errortype", "")
        self._history.note(
            "connect",
            f"{region} {operation} {request.url.partition('.com')[2]} {text[:200]} "
            f"-> {answer.status_code} {said}",
        )
        self.calls.append(
            Call(
                time=self._clock.time(),
                region=region,
                operation=operation,
                body=text,
                status=answer.status_code,
            )
        )
        return answer
