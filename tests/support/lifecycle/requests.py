"""How a stack asks for its resources: the events, their answers, and several in order.

Custom resources go to the Provider framework. Every other type is a *sibling* that is played here:
it takes the time and fails at the moments that a test asks for. A sibling's physical ID is
``Metadata.PhysicalId`` of its template body, and the answer to any ``Fn::GetAtt``.
"""

from __future__ import annotations

import random
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from lifecycle.stack_parts import ACCOUNT, NESTED, InFlight

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from lifecycle.framework import Event
    from lifecycle.stack_parts import Operation, Surroundings

SERVICE_TOKEN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:framework-onEvent"
_SERVICE_TIMEOUT = 3600.0


class Requests:
    """The requests of one stack.

    :param nested: starts an operation on a nested stack, and answers it later.
    :param cancelled: told of each operation that is given up.
    :ivar stack_id: the stack's ARN.
    :ivar events: what was sent to the framework, oldest first.
    :ivar given_up: the IDs of requests that were given up while in flight.
    """

    def __init__(
        self,
        *,
        name: str,
        region: str,
        around: Surroundings,
        seed: str,
        nested: Callable[[Operation, Mapping[str, Any], str | None], None],
        cancelled: Callable[[Operation], None],
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311 - reproducible, protects nothing
        self._around = around
        self._name = name
        self._nested = nested
        self._cancelled = cancelled
        self.stack_id = f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{name}/{self._uuid()}"
        self.events: list[Event] = []
        self.given_up: set[str] = set()
        self._ids: dict[tuple[str, str], str] = {}
        self._reused: dict[tuple[str, str], str] = {}
        self._goes_forward = True
        self._running: list[Operation] = []

    def begin_deployment(self, *, retries: bool) -> None:
        """Forget the last deployment's requests.

        :param retries: it failed: this one may have the same request IDs.
        """
        reuses = retries and self._around.settings.reuses_request_ids
        self._reused = self._ids if reuses else {}
        self._ids = {}
        self._goes_forward = True

    def begin_rollback(self) -> None:
        """From now on requests are those of a rollback, which no retry repeats."""
        self._reused = {}
        self._goes_forward = False

    def made_up_id(self, logical_id: str) -> str:
        """Return the physical ID of a resource whose Create was given up."""
        return f"{self._name}-{logical_id}-{self._random.getrandbits(48):X}"

    def run(
        self, operations: Sequence[Operation], *, stop: bool = True, cancel: bool = True
    ) -> Generator[None, None, bool]:
        """Run the operations, each after those that it depends on; return whether all succeeded.

        :param stop: the first failure ends it; else only what depends on the failure is left out.
        :param cancel: whether a failure may cancel what is in flight.
        """
        by_key = {operation.logical_id: operation for operation in operations}
        cancel = cancel and stop and self._around.settings.in_flight is InFlight.CANCEL
        self._running = list(operations)
        while True:
            self._around.history.check()
            failed = any(operation.state == "failed" for operation in operations)
            began = False
            for operation in () if failed and stop else operations:
                if operation.state == "waiting" and all(
                    by_key[key].state == "succeeded" for key in operation.after & by_key.keys()
                ):
                    operation.state = "running"
                    operation.begin(operation)
                    began = began or operation.state != "running"
            if began:
                continue
            if failed and cancel:
                self.cancel()
            if not any(operation.state == "running" for operation in operations):
                return all(operation.state == "succeeded" for operation in operations)
            yield

    def cancel(self) -> None:
        """Give up what is in flight."""
        for operation in self._running:
            if operation.state == "running":
                operation.state = "cancelled"
                self.given_up.add(operation.request_id)
                self._note(f"{operation.logical_id}: resource {operation.kind} cancelled")
                self._cancelled(operation)

    def send(
        self,
        operation: Operation,
        *,
        type_: str,
        body: Mapping[str, Any],
        physical_id: str | None = None,
        old_properties: Mapping[str, Any] | None = None,
    ) -> None:
        """Ask for *operation*."""
        key = (operation.logical_id, operation.kind)
        operation.request_id = self._reused.pop(key, "") or self._uuid()
        if self._goes_forward:
            self._ids.setdefault(key, operation.request_id)
        self._note(
            f"{operation.logical_id}: {operation.kind} ({operation.request_id[:8]}) "
            f"{physical_id or ''}"
        )
        if type_ == NESTED:
            self._nested(operation, body, physical_id)
        elif not type_.startswith("Custom::"):
            self._play(operation, body, physical_id)
        else:
            self._deliver(operation, type_, physical_id, old_properties)

    def answer(self, operation: Operation, response: Mapping[str, Any]) -> None:
        """Take an answer; the first one for an operation wins."""
        if operation.state != "running":
            return
        succeeded = response["Status"] == "SUCCESS"
        operation.state = "succeeded" if succeeded else "failed"
        operation.reason = response["Reason"]
        operation.physical_id = response["PhysicalResourceId"]
        outcome = "COMPLETE" if succeeded else "FAILED"
        self._note(
            f"{operation.logical_id}: {operation.kind.upper()}_{outcome} {operation.physical_id}"
            + ("" if succeeded else f" because {operation.reason[:300]!r}")
        )
        operation.answered(response)
        self._around.scheduler.wake()

    def _deliver(
        self,
        operation: Operation,
        type_: str,
        physical_id: str | None,
        old_properties: Mapping[str, Any] | None,
    ) -> None:
        event: Event = {
            "RequestType": operation.kind,
            "ResponseURL": f"https://responses.example/{operation.request_id}",
            "StackId": self.stack_id,
            "RequestId": operation.request_id,
            "LogicalResourceId": operation.logical_id,
            "ResourceType": type_,
            "ServiceToken": SERVICE_TOKEN,
            "ResourceProperties": dict(operation.properties),
        }
        if physical_id is not None:
            event["PhysicalResourceId"] = physical_id
        if old_properties is not None:
            event["OldResourceProperties"] = dict(old_properties)
        self.events.append(event)
        self._around.events.append(event)
        respond = partial(self.answer, operation)
        for delay in (0.0, *self._around.extra_deliveries(event)):
            self._around.framework.deliver(event, respond, delay=delay)
        timed_out = {
            "Status": "FAILED",
            "Reason": "CloudFormation did not receive a response from your Custom Resource",
            "PhysicalResourceId": physical_id,
        }
        self._around.scheduler.after(_SERVICE_TIMEOUT, lambda: respond(timed_out))

    def _play(self, operation: Operation, body: Mapping[str, Any], physical_id: str | None) -> None:
        key, siblings = operation.logical_id, self._around.siblings
        chosen = physical_id or body.get("Metadata", {}).get("PhysicalId")
        fails = (key, "Revert" if operation.reverts else operation.kind) in siblings.fails
        answer: dict[str, Any] = {
            "Status": "FAILED" if fails else "SUCCESS",
            "Reason": "the test wants it to fail" if fails else "",
            "PhysicalResourceId": chosen or f"{self._name}-{key}",
        }
        self._around.scheduler.after(
            siblings.seconds.get(key, 1.0), lambda: self.answer(operation, answer)
        )

    def _note(self, what: str) -> None:
        self._around.note(self._name, what)

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
