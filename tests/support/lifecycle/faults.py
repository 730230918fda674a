"""What goes wrong between the provider and AWS, at a chosen call."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from lifecycle.clients import json_error
from lifecycle.clock import LambdaKilled
from lifecycle.ledger import writes_ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from lifecycle.clock import Scheduler, SimulatedClock
    from lifecycle.history import History
    from lifecycle.ledger import Ledger

CONNECT, LEDGER = "connect", "dynamodb"
_STALL = 45.0
_SOON = 5.0


class Fault(Enum):
    """What may happen to one call."""

    KILLED_BEFORE = "Lambda killed before the call"
    KILLED_AFTER = "Lambda killed after the call took effect"
    THROTTLED = "throttled"
    SERVER_ERROR = "5xx"
    CONNECTION_ERROR = "connection error before the call took effect"
    LOST_ANSWER = "time-out after the call took effect"
    INTERLEAVED = "another request runs in the middle"
    STALLED = "the Lambda environment sleeps after the call, longer than a lease lasts"

    @property
    def kills(self) -> bool:
        """Whether the Lambda environment ends."""
        return self in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)


class LedgerFault(Enum):
    """Why the table is out of reach for a while: HTTP status, code and what DynamoDB says."""

    DENIED = (400, "AccessDeniedException", "not authorized to perform dynamodb")
    THROTTLED = (400, "ThrottlingException", "Throughput exceeds the current limits")
    UNREACHABLE = (0, "", "there is no endpoint in the VPC")


@dataclass(slots=True, kw_only=True)
class FaultPlan:
    """Which calls are hit.

    :ivar at: the fault of the n-th call from now on (0 is the next one).
    :ivar services: whose calls are counted.
    :ivar writes_only: count only calls that change something; those of Connect, unless *services*
        names the ledger alone.
    :ivar denied_until: until then, in simulated seconds, every call of Connect is denied.
    :ivar ledger: what keeps the table out of reach, from *ledger_from* until *ledger_until*.
    """

    at: dict[int, Fault] = field(default_factory=dict)
    services: frozenset[str] = frozenset((CONNECT, LEDGER))
    writes_only: bool = False
    denied_until: float = 0.0
    ledger: LedgerFault | None = None
    ledger_from: float = 0.0
    ledger_until: float = math.inf
    seen: int = 0

    def counts(self, service: str, operation: str) -> bool:
        """Whether a call is counted."""
        if service not in self.services:
            return False
        if not self.writes_only:
            return True
        if service == LEDGER:
            return self.services == {LEDGER} and writes_ledger(operation)
        return writes(operation)

    def hits_ledger(self, now: float) -> bool:
        """Whether the table is out of reach."""
        return self.ledger is not None and self.ledger_from <= now < self.ledger_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that reached Connect."""

    time: float
    region: str
    operation: str
    path: str
    body: str
    status: int

    @property
    def writes(self) -> bool:
        """Whether the operation changes something."""
        return writes(self.operation)


def writes(operation: str) -> bool:
    """Whether a Connect *operation* changes something."""
    return not operation.startswith(("Describe", "List", "Search", "Get"))


class FaultyServices:
    """Passes calls on to Connect and to the ledger, unless the plan says otherwise.

    :param backend: answers for Connect.
    :param ledger: answers for DynamoDB.
    :ivar plan: the faults to come; replace it between deployments.
    :ivar latency: how long a call takes, in seconds, by service.
    :ivar happened: how often which fault struck.
    :ivar calls: what reached Connect.
    """

    def __init__(
        self,
        *,
        clock: SimulatedClock,
        scheduler: Scheduler,
        history: History,
        backend: Callable[[str, str, AWSPreparedRequest], AWSResponse],
        ledger: Ledger,
    ) -> None:
        self._clock = clock
        self._scheduler = scheduler
        self._history = history
        self._backend = backend
        self._ledger = ledger
        self.plan = FaultPlan()
        self.latency = {CONNECT: 0.05, LEDGER: 0.01}
        self.happened: Counter[str] = Counter()
        self.calls: list[Call] = []

    def answer(
        self, service: str, region: str, operation: str, request: AWSPreparedRequest
    ) -> AWSResponse:
        """Answer one call.

        :raises LambdaKilled: the plan says so.
        """
        self._clock.sleep(self.latency[service])
        if service == CONNECT and self._clock.time() < self.plan.denied_until:
            self._struck("denied", operation)
            return json_error(request, 403, "AccessDeniedException", "not authorized yet")
        if service == LEDGER and self.plan.hits_ledger(self._clock.time()):
            return self._out_of_reach(operation, request)
        fault = self._next_fault(service, operation)
        if fault is None:
            return self._pass_on(service, region, operation, request)
        if fault is Fault.INTERLEAVED:
            if self._scheduler.step_within(_SOON):
                self._struck(fault.value, operation)
            return self._pass_on(service, region, operation, request)
        self._struck(fault.value, operation)
        match fault:
            case Fault.KILLED_BEFORE:
                raise LambdaKilled(fault.value)
            case Fault.KILLED_AFTER:
                self._pass_on(service, region, operation, request)
                raise LambdaKilled(fault.value)
            case Fault.THROTTLED:
                return json_error(request, 400, "ThrottlingException", "Rate exceeded")
            case Fault.SERVER_ERROR:
                code = "InternalServiceException" if service == CONNECT else "InternalServerError"
                return json_error(request, 500, code, "try again")
            case Fault.CONNECTION_ERROR:
                raise EndpointConnectionError(endpoint_url=request.url)
            case Fault.LOST_ANSWER:
                self._pass_on(service, region, operation, request)
                raise ReadTimeoutError(endpoint_url=request.url)
            case Fault.STALLED:
                answer = self._pass_on(service, region, operation, request)
                self._stall()
                return answer

    def writes_since(self, mark: int) -> list[Call]:
        """Return the calls after the first *mark* ones that changed something, or tried to."""
        return [call for call in self.calls[mark:] if call.writes]

    def _stall(self) -> None:
        end = self._clock.time() + _STALL
        while self._scheduler.step_within(end - self._clock.time()):
            pass
        self._clock.sleep(end - self._clock.time())

    def _out_of_reach(self, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        assert self.plan.ledger is not None
        self._struck(f"ledger {self.plan.ledger.name.lower()}", operation)
        status, code, said = self.plan.ledger.value
        if not status:
            raise EndpointConnectionError(endpoint_url=request.url)
        return json_error(request, status, code, said)

    def _next_fault(self, service: str, operation: str) -> Fault | None:
        if not self.plan.counts(service, operation):
            return None
        fault = self.plan.at.get(self.plan.seen)
        self.plan.seen += 1
        return fault

    def _struck(self, fault: str, operation: str) -> None:
        self.happened[fault] += 1
        self._history.note("fault", f"{operation}: {fault}")

    def _pass_on(
        self, service: str, region: str, operation: str, request: AWSPreparedRequest
    ) -> AWSResponse:
        if service == LEDGER:
            return self._ledger.answer(operation, request)
        answer = self._backend(region, operation, request)
        body = request.body or b""
        text = body.decode() if isinstance(body, bytes) else str(body)
        path = request.url.partition(".com")[2]
        said = "" if answer.status_code < 400 else answer.headers.get("x-amzn-errortype", "")
        self._history.note(
            "connect",
            f"{region} {operation} {path} {text[:200]} -> {answer.status_code} {said}",
        )
        self.calls.append(
            Call(
                time=self._clock.time(),
                region=region,
                operation=operation,
                path=path,
                body=text,
                status=answer.status_code,
            )
        )
        return answer
