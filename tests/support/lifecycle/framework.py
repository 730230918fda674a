"""The Provider framework of aws-cdk-lib, as far as handlers can tell.

Written after ``custom-resources/lib/provider-framework/runtime`` of aws-cdk-lib 2.275: what
``on_event`` returns is merged over the event; a failed ``on_event`` of a Create answers a marker ID
and swallows the Delete that follows; any other failure answers the ID known so far; the waiter is
an unnamed Step Functions execution for every delivery.
"""

from __future__ import annotations

import contextlib
import json
import traceback
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from lifecycle.clock import LambdaKilled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet
    from contextlib import AbstractContextManager

    from lifecycle.clock import Scheduler, SimulatedClock
    from lifecycle.history import History

CREATE_FAILED_MARKER = "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED"
MAX_PHYSICAL_ID_BYTES = 1024
MAX_RESPONSE_BYTES = 4096
MAX_MESSAGE_CHARACTERS = 1500
MAX_EXECUTION_INPUT_BYTES = 256 * 1024
_STACK_TRACE = "\n\nLogs: /aws/lambda/Stack-ProviderframeworkonEvent0123456789-0123456789ab\n" + (
    "    at invokeUserFunction (/var/task/framework.js:2:6)\n" * 6
)

_MISTAKES = (
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    NotImplementedError,
    TypeError,
)

Event = dict[str, Any]
Respond = "Callable[[Mapping[str, Any]], None]"


class Handlers(Protocol):
    """What the project's Lambda functions do."""

    def on_event(self, event: Event, context: Any) -> Any:
        """Plan."""
        ...

    def is_complete(self, event: Event, context: Any) -> Any:
        """Converge."""
        ...


class AfterKill(Enum):
    """What becomes of a request when the Lambda function dies: both are seen."""

    FAILS = "the framework sees a FunctionError and answers FAILED"
    RETRIED = "the framework died with it and is invoked again"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkSettings:
    """How the framework is deployed; times in seconds.

    :ivar always_cold: every invocation finds a new container.
    """

    query_interval: float = 10.0
    total_timeout: float = 700.0
    on_event_timeout: float = 900.0
    is_complete_timeout: float = 600.0
    after_kill: AfterKill = AfterKill.FAILS
    always_cold: bool = False


class FunctionError(Exception):
    """A handler raised or its Lambda environment died."""


@dataclass(frozen=True, slots=True)
class _Context:
    clock: SimulatedClock
    deadline: float

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - self.clock.time()) * 1000))


class ProviderFramework:
    """Runs the handlers for the events that CloudFormation delivers.

    :param new_handlers: starts a container; called once for each, so module state is lost with it.
    :param inside: what surrounds every invocation of a handler.
    :ivar twice: the numbers of invocations from now on, 0 being the next, that the framework makes
        twice: while a function is being updated, the first one may seem to have failed.
    :ivar running: the handlers that run now, innermost last.
    :ivar killed: the IDs of requests during which a Lambda function was killed.
    """

    def __init__(
        self,
        *,
        clock: SimulatedClock,
        scheduler: Scheduler,
        history: History,
        settings: FrameworkSettings,
        new_handlers: Callable[[], Handlers],
        inside: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._clock = clock
        self._scheduler = scheduler
        self._history = history
        self._settings = settings
        self._new_handlers = new_handlers
        self._inside = inside
        self._twice: frozenset[int] = frozenset()
        self._invoked = 0
        self.killed: set[str] = set()
        self.running: list[str] = []
        self._idle: dict[str, list[Handlers]] = {"on_event": [], "is_complete": []}

    @property
    def twice(self) -> frozenset[int]:
        """The numbers of the invocations that are made twice."""
        return self._twice

    @twice.setter
    def twice(self, numbers: AbstractSet[int]) -> None:
        self._twice = frozenset(numbers)
        self._invoked = 0

    def deliver(
        self, event: Event, respond: Callable[[Mapping[str, Any]], None], *, delay: float
    ) -> None:
        """Invoke the framework's ``onEvent`` with *event* after *delay* seconds."""
        self._scheduler.after(delay, lambda: self._on_event(_copy(event), respond))

    def forget_containers(self) -> None:
        """Let the next invocations find new containers."""
        for idle in self._idle.values():
            idle.clear()

    def _on_event(self, event: Event, respond: Callable[[Mapping[str, Any]], None]) -> None:
        if event["RequestType"] == "Delete" and event["PhysicalResourceId"] == CREATE_FAILED_MARKER:
            self._submit("SUCCESS", event, respond)
            return
        try:
            result: Event = self._invoke("on_event", event, self._settings.on_event_timeout) or {}
        except LambdaKilled:
            # Only if the framework died too: Lambda repeats its asynchronous invocation.
            self._scheduler.after(60.0, lambda: self._on_event(event, respond))
            return
        except FunctionError as error:
            failed = dict(event)
            if not failed.get("PhysicalResourceId"):
                failed["PhysicalResourceId"] = CREATE_FAILED_MARKER
            self._submit("FAILED", failed, respond, reason=str(error))
            return
        chosen = result.get("PhysicalResourceId") or event.get("PhysicalResourceId")
        if chosen is None:
            chosen = event["RequestId"]
        if event["RequestType"] == "Delete" and chosen != event["PhysicalResourceId"]:
            self._history.broken("a Delete changed the physical resource ID")
            chosen = event["PhysicalResourceId"]
        request = {**event, **result, "PhysicalResourceId": chosen}
        size = len(json.dumps(request).encode())
        if size > MAX_EXECUTION_INPUT_BYTES:
            self._history.broken(f"the waiter's input is {size} bytes, more than 256 KB")
        give_up = self._clock.time() + self._settings.total_timeout
        self._scheduler.after(0.3, lambda: self._is_complete(request, respond, give_up))

    def _is_complete(
        self, event: Event, respond: Callable[[Mapping[str, Any]], None], give_up: float
    ) -> None:
        try:
            result: Event = (
                self._invoke("is_complete", event, self._settings.is_complete_timeout) or {}
            )
        except FunctionError as error:
            self._submit("FAILED", event, respond, reason=str(error))
            return
        except LambdaKilled:
            result = {"IsComplete": False}
        if result.get("IsComplete"):
            data: Event = {**event.get("Data", {}), **result.get("Data", {})}
            self._submit("SUCCESS", {**event, **result, "Data": data}, respond)
            return
        if result.get("Data"):
            self._history.broken('"Data" is not allowed if "IsComplete" is "False"')
        if self._clock.time() + self._settings.query_interval > give_up:
            self._submit("FAILED", event, respond, reason="Operation timed out")
            return
        self._scheduler.after(
            self._settings.query_interval, lambda: self._is_complete(event, respond, give_up)
        )

    def _invoke(self, function: str, event: Event, timeout: float) -> Any:
        number, self._invoked = self._invoked, self._invoked + 1
        if number in self._twice:
            # What the first one answers is never seen, nor whether it died.
            with contextlib.suppress(FunctionError, LambdaKilled):
                self._invoke_once(function, event, timeout)
        return self._invoke_once(function, event, timeout)

    def _invoke_once(self, function: str, event: Event, timeout: float) -> Any:
        deadline = self._clock.time() + timeout
        idle = self._idle[function]
        self.running.append(function)
        label = f"{function} {event['RequestType']} {event['LogicalResourceId']}"
        try:
            with self._inside():
                fresh = self._settings.always_cold or not idle
                handlers = self._new_handlers() if fresh else idle.pop()
                survives = True
                self._clock.deadlines.append(deadline)
                try:
                    handle = getattr(handlers, function)
                    answer = _copy(handle(_copy(event), _Context(self._clock, deadline)))
                except LambdaKilled:
                    survives = False
                    raise
                finally:
                    self._clock.deadlines.pop()
                    if survives:
                        idle.append(handlers)
        except LambdaKilled as killed:
            self.killed.add(event["RequestId"])
            self._history.note("lambda", f"{label}: killed ({killed})")
            if self._settings.after_kill is AfterKill.RETRIED:
                raise
            raise FunctionError(f"RequestId: 0123 Error: {killed}") from None
        except Exception as error:
            message = str(error)
            if isinstance(error, _MISTAKES):
                self._history.broken(f"a handler has a mistake: {traceback.format_exc()}")
            self._history.note("lambda", f"{label}: {type(error).__name__}: {message}")
            if len(message) > MAX_MESSAGE_CHARACTERS:
                self._history.broken(f"an error message has {len(message)} characters")
            raise FunctionError(message) from error
        finally:
            self.running.pop()
        self._history.note("lambda", f"{label}: {json.dumps(answer)[:400]}")
        return answer

    def _submit(
        self,
        status: str,
        event: Mapping[str, Any],
        respond: Callable[[Mapping[str, Any]], None],
        *,
        reason: str | None = None,
    ) -> None:
        response = {
            "Status": status,
            "Reason": status if reason is None else reason + _STACK_TRACE,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "PhysicalResourceId": event["PhysicalResourceId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "Data": event.get("Data", {}),
        }
        size = len(json.dumps(response).encode())
        if size > MAX_RESPONSE_BYTES:
            self._history.broken(f"a response body has {size} bytes, more than 4,096")
        if len(response["PhysicalResourceId"].encode()) > MAX_PHYSICAL_ID_BYTES:
            self._history.broken("a physical resource ID has more than 1,024 bytes")
        respond(response)


def _copy(value: Any) -> Any:
    """Return what is left of *value* after a trip through JSON, as between Lambda functions."""
    return json.loads(json.dumps(value))
