"""One CloudFormation stack: its order of events, its statuses, its rollbacks.

Custom resources go to the Provider framework. Every other type is a *sibling* that this module
plays itself: it takes the time and fails at the moments that a test asks for. A sibling's physical
ID is ``Metadata.PhysicalId`` of its template body, and the answer to any ``Fn::GetAtt``.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from lifecycle.history import BrokenRule
from lifecycle.templates import Deployment, as_strings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lifecycle.clock import Scheduler
    from lifecycle.framework import Event, ProviderFramework
    from lifecycle.history import History

ACCOUNT = "123456789012"
_SERVICE_TOKEN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:framework-onEvent"
_SERVICE_TIMEOUT = 3600.0
_CLEANUP_ATTEMPTS = 3
_MAX_STEPS = 20_000


class Rollback(Enum):
    """What a rolled-back replacement gets: both are seen in the field."""

    UPDATE_BACK = "an Update back of the new ID, then its Delete"
    DELETE_ONLY = "only the Delete of the new ID"


class InFlight(Enum):
    """What happens to requests that are unanswered when another resource fails."""

    CANCEL = "given up: rolled back at once, a Create with an ID that CloudFormation made up"
    AWAIT = "their answers are awaited before the rollback starts"


class FailedTemplate(Enum):
    """How long GetTemplate answers the template that failed: documented nowhere."""

    UNTIL_ROLLBACK = "until the rollback of the update starts"
    UNTIL_CLEANUP = "until everything is reverted"
    UNTIL_THE_END = "until what the update had made is deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """The variants of CloudFormation's behaviour.

    :ivar lists_deleted: whether ListStackResources still shows what was deleted.
    """

    rollback: Rollback = Rollback.UPDATE_BACK
    in_flight: InFlight = InFlight.CANCEL
    failed_template: FailedTemplate = FailedTemplate.UNTIL_ROLLBACK
    lists_deleted: bool = True


@dataclass(slots=True, kw_only=True)
class Resource:
    """A resource of the stack, as CloudFormation remembers it."""

    logical_id: str
    type: str
    status: str
    physical_id: str | None
    properties: Mapping[str, Any]
    attributes: Mapping[str, Any]
    body: Mapping[str, Any]
    changed_at: float

    @property
    def is_custom(self) -> bool:
        """Whether the Provider framework answers for it."""
        return self.type.startswith("Custom::")


@dataclass(slots=True, kw_only=True)
class _Operation:
    """One request for one resource, from its start to its answer."""

    logical_id: str
    kind: str
    after: set[str]
    begin: Callable[[_Operation], None]
    state: str = "waiting"
    request_id: str = ""
    reason: str = ""
    physical_id: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    sent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """A physical resource that a clean-up phase will delete."""

    logical_id: str
    type: str
    physical_id: str
    properties: Mapping[str, Any]
    policy: str
    whole: bool


class Stack:
    """A stack and the operations that a user may ask of it; each returns the stack's status.

    :ivar sabotage: ``(logical ID, "Create" | "Update" | "Revert" | "Delete")`` of siblings that
        fail; Revert is the Update back of a rollback.
    :ivar seconds: how long siblings take, by logical ID.
    :ivar updated_at: when the last update began.
    :ivar left_behind: what clean-up phases gave up deleting.
    :ivar cancelled: the IDs of requests that were given up while in flight.
    :ivar extra_deliveries: asked for every event; answers the delays, in seconds, after which the
        same event is delivered again.
    """

    def __init__(
        self,
        *,
        name: str,
        region: str,
        scheduler: Scheduler,
        history: History,
        framework: ProviderFramework,
        settings: StackSettings,
        seed: int = 0,
    ) -> None:
        self._random = random.Random(f"{name} {seed}")  # noqa: S311 - reproducible, protects nothing
        self._scheduler = scheduler
        self._history = history
        self._framework = framework
        self._settings = settings
        self.name = name
        self.region = region
        self.stack_id = f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{name}/{self._uuid()}"
        self.status = ""
        self.reason = ""
        self.updated_at: float | None = None
        self.shown: Deployment | None = None
        self.resources: dict[str, Resource] = {}
        self.sabotage: set[tuple[str, str]] = set()
        self.seconds: dict[str, float] = {}
        self.extra_deliveries: Callable[[Event], Iterable[float]] = lambda _event: ()
        self.events: list[Event] = []
        self.left_behind: list[Doomed] = []
        self.cancelled: set[str] = set()
        self._deployed: Deployment | None = None
        self._failed_deployment: Deployment | None = None
        self._previous: dict[str, Resource] = {}
        self._to_revert: dict[str, _Operation] = {}
        self._doomed: list[Doomed] = []
        self._answers: dict[str, Callable[[Mapping[str, Any]], None]] = {}

    @property
    def lists_deleted(self) -> bool:
        """Whether ListStackResources still shows what was deleted."""
        return self._settings.lists_deleted

    # What a user can ask for

    def create(
        self, template: Mapping[str, Any], parameters: Mapping[str, str] | None = None
    ) -> str:
        """Create the stack; a failure is rolled back."""
        deployment = Deployment(template=template, parameters=parameters or {})
        self._show(deployment)
        self._enter("CREATE_IN_PROGRESS")
        operations = self._forward(deployment)
        if self._run(operations):
            self._deployed = deployment
            return self._enter("CREATE_COMPLETE")
        self._enter("ROLLBACK_IN_PROGRESS")
        self._adopt_failures(operations)
        retained = ("Retain",)
        gone = self._delete_all(retained=retained)
        return self._enter("ROLLBACK_COMPLETE" if gone else "ROLLBACK_FAILED")

    def update(
        self, template: Mapping[str, Any], parameters: Mapping[str, str] | None = None
    ) -> str:
        """Update the stack; a failure is rolled back."""
        assert self.status in (
            "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE",
        ), self.status  # fmt: skip
        assert self._deployed is not None
        deployment = Deployment(template=template, parameters=parameters or {})
        self._previous = {key: replace(value) for key, value in self.resources.items()}
        self._failed_deployment = deployment
        self.updated_at = self._scheduler.now
        self._show(deployment)
        self._enter("UPDATE_IN_PROGRESS")
        operations = self._forward(deployment)
        if not self._run(operations):
            return self._roll_back(operations)
        self._enter("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        old = self._deployed
        self._deployed = deployment
        doomed = [
            self._doom(previous, whole=False)
            for key, previous in self._previous.items()
            if key in deployment.resources
            and previous.physical_id != self.resources[key].physical_id
        ] + [
            self._doom(self.resources[key], whole=True)
            for key in self._previous
            if key not in deployment.resources
        ]
        self._clean_up(doomed, old)
        return self._enter("UPDATE_COMPLETE")

    def continue_rollback(self) -> str:
        """Continue a failed rollback of an update."""
        assert self.status == "UPDATE_ROLLBACK_FAILED", self.status
        return self._revert()

    def delete(self) -> str:
        """Delete the stack, or what is left of it."""
        self._enter("DELETE_IN_PROGRESS")
        gone = self._delete_all(retained=("Retain", "RetainExceptOnCreate"))
        return self._enter("DELETE_COMPLETE" if gone else "DELETE_FAILED")

    # Going forward

    def _forward(self, deployment: Deployment) -> list[_Operation]:
        operations = []
        for key in deployment.resources:
            known = self.resources.get(key)
            if known and known.type != deployment.resources[key]["Type"]:
                raise ValueError(f"Update of resource type is not permitted: {key}")
            operations.append(
                _Operation(
                    logical_id=key,
                    kind="Update" if known else "Create",
                    after=deployment.dependencies(key),
                    begin=partial(self._begin_forward, deployment),
                )
            )
        return operations

    def _begin_forward(self, deployment: Deployment, operation: _Operation) -> None:
        key = operation.logical_id
        body = deployment.resources[key]
        properties = self._resolved(deployment, body)
        known = self.resources.get(key)
        if known is None:
            self.resources[key] = Resource(
                logical_id=key,
                type=body["Type"],
                status="CREATE_IN_PROGRESS",
                physical_id=None,
                properties=properties,
                attributes={},
                body=body,
                changed_at=self._scheduler.now,
            )
            self._request(operation, "Create", properties=properties)
            return
        known.body = body
        if properties == known.properties:
            operation.state = "succeeded"
            return
        self._becomes(known, "UPDATE_IN_PROGRESS")
        self._request(
            operation,
            "Update",
            physical_id=known.physical_id,
            properties=properties,
            old_properties=known.properties,
        )

    def _adopt_failures(self, operations: Sequence[_Operation]) -> None:
        """Give resources whose Create was cancelled the ID that CloudFormation makes up."""
        for operation in operations:
            resource = self.resources.get(operation.logical_id)
            if operation.kind == "Create" and resource and resource.physical_id is None:
                resource.physical_id = (
                    f"{self.name}-{operation.logical_id}-{self._random.getrandbits(48):X}"
                )

    # Going back

    def _roll_back(self, operations: Sequence[_Operation]) -> str:
        self._adopt_failures(operations)
        self._to_revert = {}
        self._doomed = []
        for operation in operations:
            key = operation.logical_id
            if key not in self._previous:
                if key in self.resources:
                    self._doomed.append(self._doom(self.resources[key], whole=True))
            elif operation.sent:
                current, previous = self.resources[key], self._previous[key]
                if (
                    current.physical_id != previous.physical_id
                    and self._settings.rollback is Rollback.DELETE_ONLY
                ):
                    doomed = replace(current, properties=operation.properties)
                    self._doomed.append(self._doom(doomed, whole=False))
                    self.resources[key] = replace(previous)
                    self._becomes(self.resources[key], "UPDATE_COMPLETE")
                else:
                    self._to_revert[key] = operation
        return self._revert()

    def _revert(self) -> str:
        assert self._deployed is not None
        if self._settings.failed_template is FailedTemplate.UNTIL_ROLLBACK:
            self._show(self._deployed)
        self._enter("UPDATE_ROLLBACK_IN_PROGRESS")
        for key, resource in self.resources.items():
            if key in self._deployed.resources:
                resource.body = self._deployed.resources[key]
        operations = [
            _Operation(
                logical_id=key,
                kind="Update",
                after=self._deployed.dependencies(key),
                begin=self._begin_revert,
            )
            for key in self._to_revert
        ]
        succeeded = self._run(operations, cancel=False)
        for operation in operations:
            if operation.state == "succeeded":
                del self._to_revert[operation.logical_id]
        if not succeeded:
            return self._enter("UPDATE_ROLLBACK_FAILED")
        if self._settings.failed_template is FailedTemplate.UNTIL_CLEANUP:
            self._show(self._deployed)
        self._enter("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        assert self._failed_deployment is not None
        self._clean_up(self._doomed, self._failed_deployment)
        self._show(self._deployed)
        return self._enter("UPDATE_ROLLBACK_COMPLETE")

    def _begin_revert(self, operation: _Operation) -> None:
        key = operation.logical_id
        resource, previous = self.resources[key], self._previous[key]
        attempted = self._to_revert[key].properties
        if resource.physical_id != previous.physical_id and not any(
            doomed.logical_id == key and doomed.physical_id == resource.physical_id
            for doomed in self._doomed
        ):
            self._doomed.append(self._doom(replace(resource, properties=attempted), whole=False))
        self._becomes(resource, "UPDATE_IN_PROGRESS")
        self._request(
            operation,
            "Update",
            physical_id=resource.physical_id,
            properties=previous.properties,
            old_properties=attempted,
        )

    # Deleting

    def _doom(self, resource: Resource, *, whole: bool) -> Doomed:
        policy = "DeletionPolicy" if whole else "UpdateReplacePolicy"
        return Doomed(
            logical_id=resource.logical_id,
            type=resource.type,
            physical_id=resource.physical_id or "",
            properties=resource.properties,
            policy=resource.body.get(policy, "Delete"),
            whole=whole,
        )

    def _clean_up(self, doomed: Sequence[Doomed], deployment: Deployment) -> None:
        rolls_back = "ROLLBACK" in self.status
        pending = [
            item
            for item in doomed
            # The ID that an Update back answered again lives on.
            if item.whole or self.resources[item.logical_id].physical_id != item.physical_id
        ]
        for attempt in range(_CLEANUP_ATTEMPTS):
            operations: list[_Operation] = []
            by_operation: dict[int, Doomed] = {}
            for item in pending:
                if item.policy == "Retain" or (
                    item.policy == "RetainExceptOnCreate" and not (rolls_back and item.whole)
                ):
                    self._history.note("stack", f"{item.logical_id}: DELETE_SKIPPED")
                    if item.whole:
                        self.resources.pop(item.logical_id, None)
                    continue
                operation = _Operation(
                    logical_id=item.logical_id,
                    kind="Delete",
                    after=self._dependents(deployment, item.logical_id),
                    begin=partial(self._begin_delete, item),
                )
                by_operation[id(operation)] = item
                operations.append(operation)
            self._run(operations, stop=False)
            pending = [by_operation[id(op)] for op in operations if op.state != "succeeded"]
            if not pending:
                return
            self._history.note("stack", f"clean-up attempt {attempt + 1} left {len(pending)}")
        # CloudFormation gives up on these and goes on.
        for item in pending:
            self.left_behind.append(item)
            if item.whole:
                self.resources.pop(item.logical_id, None)

    def _delete_all(self, *, retained: tuple[str, ...]) -> bool:
        assert self.shown is not None
        operations = []
        for key, resource in self.resources.items():
            if resource.status == "DELETE_COMPLETE":
                continue
            if resource.body.get("DeletionPolicy", "Delete") in retained:
                resource.status = "DELETE_SKIPPED"
                self._history.note("stack", f"{key}: DELETE_SKIPPED")
                continue
            operations.append(
                _Operation(
                    logical_id=key,
                    kind="Delete",
                    after=self._dependents(self.shown, key),
                    begin=partial(self._begin_delete, self._doom(resource, whole=True)),
                )
            )
        return self._run(operations, stop=False)

    def _begin_delete(self, item: Doomed, operation: _Operation) -> None:
        if item.whole:
            self._becomes(self.resources[item.logical_id], "DELETE_IN_PROGRESS")
        self._request(
            operation, "Delete", physical_id=item.physical_id, properties=item.properties,
            type_=item.type, whole=item.whole,
        )  # fmt: skip

    @staticmethod
    def _dependents(deployment: Deployment, logical_id: str) -> set[str]:
        return {
            other for other in deployment.resources if logical_id in deployment.dependencies(other)
        }

    # Requests and answers

    def _run(
        self, operations: Sequence[_Operation], *, stop: bool = True, cancel: bool = True
    ) -> bool:
        """Run the operations, each after those that it depends on.

        :param stop: the first failure ends it; else only what depends on the failure is left out.
        :param cancel: whether a failure may cancel what is in flight.
        """
        by_key = {operation.logical_id: operation for operation in operations}
        for _ in range(_MAX_STEPS):
            self._history.check()
            failed = any(operation.state == "failed" for operation in operations)
            if not (failed and stop):
                for operation in operations:
                    if operation.state == "waiting" and all(
                        by_key[key].state == "succeeded" for key in operation.after if key in by_key
                    ):
                        operation.state = "running"
                        operation.begin(operation)
            running = [operation for operation in operations if operation.state == "running"]
            if failed and stop and cancel and self._settings.in_flight is InFlight.CANCEL:
                for operation in running:
                    self._cancel(operation)
                running = []
            if not running:
                if any(
                    operation.state == "waiting"
                    and all(
                        by_key[key].state == "succeeded" for key in operation.after & by_key.keys()
                    )
                    for operation in operations
                ) and not (failed and stop):
                    continue
                return all(operation.state == "succeeded" for operation in operations)
            if not self._scheduler.step():
                raise BrokenRule(
                    f"nothing will ever answer {running[0].logical_id}\n{self._history}"
                )
        raise BrokenRule(f"the deployment does not end\n{self._history}")

    def _cancel(self, operation: _Operation) -> None:
        operation.state = "cancelled"
        self.cancelled.add(operation.request_id)
        self._answers.pop(operation.request_id, None)
        resource = self.resources[operation.logical_id]
        self._becomes(resource, f"{operation.kind.upper()}_FAILED")
        self._history.note("stack", f"{operation.logical_id}: resource {operation.kind} cancelled")

    def _request(
        self,
        operation: _Operation,
        kind: str,
        *,
        properties: Mapping[str, Any],
        physical_id: str | None = None,
        old_properties: Mapping[str, Any] | None = None,
        type_: str | None = None,
        whole: bool = True,
    ) -> None:
        key = operation.logical_id
        operation.sent = True
        operation.kind = kind
        operation.properties = properties
        operation.request_id = self._uuid()
        resource_type = type_ or self.resources[key].type
        self._answers[operation.request_id] = partial(self._answered, operation, whole)
        self._history.note(
            "stack", f"{key}: {kind} ({operation.request_id[:8]}) {physical_id or ''}"
        )
        if not resource_type.startswith("Custom::"):
            self._play_sibling(operation, physical_id)
            return
        event: Event = {
            "RequestType": kind,
            "ResponseURL": f"https://responses.example/{operation.request_id}",
            "StackId": self.stack_id,
            "RequestId": operation.request_id,
            "LogicalResourceId": key,
            "ResourceType": resource_type,
            "ServiceToken": _SERVICE_TOKEN,
            "ResourceProperties": dict(properties),
        }
        if physical_id is not None:
            event["PhysicalResourceId"] = physical_id
        if old_properties is not None:
            event["OldResourceProperties"] = dict(old_properties)
        self.events.append(event)
        for delay in (0.0, *self.extra_deliveries(event)):
            self._framework.deliver(event, self._receive, delay=delay)
        timed_out = {
            "Status": "FAILED",
            "Reason": "CloudFormation did not receive a response from your Custom Resource",
            "RequestId": operation.request_id,
            "PhysicalResourceId": physical_id,
        }
        self._scheduler.after(_SERVICE_TIMEOUT, lambda: self._receive(timed_out))

    def _play_sibling(self, operation: _Operation, physical_id: str | None) -> None:
        key = operation.logical_id
        body = self.resources[key].body
        chosen = physical_id or body.get("Metadata", {}).get("PhysicalId")
        kind = "Revert" if self.status == "UPDATE_ROLLBACK_IN_PROGRESS" else operation.kind
        fails = (key, kind) in self.sabotage
        answer: dict[str, Any] = {
            "Status": "FAILED" if fails else "SUCCESS",
            "Reason": "the test wants it to fail" if fails else "",
            "RequestId": operation.request_id,
            "PhysicalResourceId": chosen or f"{self.name}-{key}",
            "Data": {},
        }
        self._scheduler.after(self.seconds.get(key, 1.0), lambda: self._receive(answer))

    def _receive(self, response: Mapping[str, Any]) -> None:
        """Take an answer; the first one for a request wins."""
        answered = self._answers.pop(response["RequestId"], None)
        if answered:
            answered(response)

    def _answered(
        self,
        operation: _Operation,
        whole: bool,  # noqa: FBT001 - a callback's parameter
        response: Mapping[str, Any],
    ) -> None:
        key = operation.logical_id
        succeeded = response["Status"] == "SUCCESS"
        operation.state = "succeeded" if succeeded else "failed"
        operation.reason = response["Reason"]
        operation.physical_id = response["PhysicalResourceId"]
        outcome = "COMPLETE" if succeeded else "FAILED"
        self._history.note(
            "stack",
            f"{key}: {operation.kind.upper()}_{outcome} {operation.physical_id}"
            + ("" if succeeded else f" because {operation.reason[:300]!r}"),
        )
        if not succeeded and not self.reason:
            self.reason = operation.reason
        resource = self.resources.get(key)
        if resource is None or (operation.kind == "Delete" and not whole):
            return
        self._becomes(resource, f"{operation.kind.upper()}_{outcome}")
        if operation.kind == "Delete":
            if succeeded and "UPDATE" in self.status:
                del self.resources[key]
            return
        resource.physical_id = operation.physical_id
        if succeeded:
            resource.properties = operation.properties
            resource.attributes = response.get("Data", {})

    # Small things

    def _resolved(self, deployment: Deployment, body: Mapping[str, Any]) -> dict[str, Any]:
        def get_att(logical_id: str, attribute: str) -> Any:
            resource = self.resources[logical_id]
            return resource.attributes[attribute] if resource.is_custom else resource.physical_id

        properties = deployment.resolve(
            body.get("Properties", {}),
            ref=lambda name: self.resources[name].physical_id or "",
            get_att=get_att,
        )
        if body["Type"].startswith("Custom::"):
            properties = {"ServiceToken": _SERVICE_TOKEN, "ServiceTimeout": 3600, **properties}
        resolved: dict[str, Any] = as_strings(properties)
        return resolved

    def _becomes(self, resource: Resource, status: str) -> None:
        resource.status = status
        resource.changed_at = self._scheduler.now

    def _show(self, deployment: Deployment) -> None:
        self.shown = deployment

    def _enter(self, status: str) -> str:
        if status.endswith("IN_PROGRESS") and "CLEANUP" not in status and "ROLLBACK" not in status:
            self.reason = ""
        self.status = status
        self._history.note("stack", status)
        self._history.check()
        return status

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
