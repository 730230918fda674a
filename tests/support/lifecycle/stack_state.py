"""What CloudFormation knows of one stack, and how single resources come, change and go."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lifecycle.nested import NestedStacks
from lifecycle.requests import SERVICE_TOKEN, Requests
from lifecycle.stack_parts import NESTED, Operation, doom
from lifecycle.templates import as_strings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from lifecycle.cloudformation import Stack
    from lifecycle.framework import Event
    from lifecycle.stack_parts import Doomed, Resource, Surroundings
    from lifecycle.templates import Deployment

    Steps = Generator[None, None, None]

_CLEANUP_ATTEMPTS = 3


class StackState:
    """A stack; :class:`~lifecycle.cloudformation.Stack` says what can be done with it.

    :param make_nested: makes a nested stack of that name and seed.
    :ivar created_at: when its creation began.
    :ivar updated_at: when the last update began.
    :ivar shown: the template and parameters that the stack shows.
    :ivar left_behind: what clean-up phases gave up deleting.
    """

    def __init__(
        self,
        *,
        name: str,
        region: str,
        around: Surroundings,
        seed: int,
        parent: Stack | None,
        make_nested: Callable[[str, int], Stack],
    ) -> None:
        self._around = around
        self._settings = around.settings
        self.name = name
        self.region = region
        self.parent = parent
        self.nested = NestedStacks(
            make=lambda logical_id, number: make_nested(f"{name}-{logical_id}", number),
            answer=self._nested_answered,
        )
        self._requests = Requests(
            name=name,
            region=region,
            around=around,
            seed=f"{name} {seed}",
            nested=self.nested.start,
            cancelled=self._cancelled,
        )
        self.stack_id = self._requests.stack_id
        self.status = ""
        self.reason = ""
        self.created_at = around.scheduler.now
        self.updated_at: float | None = None
        self.shown: Deployment | None = None
        self.resources: dict[str, Resource] = {}
        self.left_behind: list[Doomed] = []
        self._previous: dict[str, Resource] = {}
        # Updates that a rollback has to take back, with the properties that they asked for.
        self._to_revert: dict[str, Mapping[str, Any]] = {}
        # What the next clean-up phase deletes.
        self._superseded: list[Doomed] = []
        # What a failed operation made and --no-rollback has kept.
        self._no_good: list[Doomed] = []

    @property
    def lists_deleted(self) -> bool:
        """Whether ListStackResources still shows what was deleted."""
        return self._settings.lists_deleted

    @property
    def root(self) -> StackState:
        """The stack at the top of those that it is nested in; itself at the top."""
        return self.parent.root if self.parent else self

    @property
    def events(self) -> list[Event]:
        """The events that the stack sent, oldest first."""
        return self._requests.events

    @property
    def given_up(self) -> set[str]:
        """The IDs of requests that were given up while in flight."""
        return self._requests.given_up

    @property
    def outputs(self) -> dict[str, Any]:
        """The values of the template's outputs, as a parent's ``Fn::GetAtt`` names them."""
        assert self.shown is not None
        declared: Mapping[str, Any] = self.shown.template.get("Outputs", {})
        return {
            f"Outputs.{name}": self._resolved(self.shown, output["Value"])
            for name, output in declared.items()
        }

    def _nested_answered(self, operation: Operation, response: Mapping[str, Any]) -> None:
        self._requests.answer(operation, response)

    # Asking for resources

    def _ask(
        self,
        operation: Operation,
        properties: Mapping[str, Any],
        *,
        old_properties: Mapping[str, Any] | None = None,
    ) -> None:
        """Ask for a Create or an Update of the operation's resource."""
        resource = self.resources[operation.logical_id]
        self._becomes(resource, f"{operation.kind.upper()}_IN_PROGRESS")
        operation.properties = resource.attempted = properties
        operation.answered = partial(self._answered, operation)
        self._requests.send(
            operation,
            type_=resource.type,
            body=resource.body,
            physical_id=resource.physical_id,
            old_properties=old_properties,
        )

    def _answered(self, operation: Operation, response: Mapping[str, Any]) -> None:
        resource = self.resources[operation.logical_id]
        succeeded = response["Status"] == "SUCCESS"
        self._because(response)
        if resource.physical_id not in (None, operation.physical_id) and not operation.reverts:
            self._supersede(resource)
        resource.physical_id = operation.physical_id
        resource.answered, resource.answered_body = operation.properties, resource.body
        outcome = "COMPLETE" if succeeded else "FAILED"
        self._becomes(resource, f"{operation.kind.upper()}_{outcome}")
        if succeeded:
            resource.properties = operation.properties
            resource.attributes = response.get("Data", {})

    def _supersede(self, resource: Resource) -> None:
        """Note that an ID of an attempt before, which is not the last good one, has to go."""
        previous = self._previous.get(resource.logical_id)
        if previous is None or previous.physical_id != resource.physical_id:
            self._superseded.append(
                doom(
                    resource,
                    whole=False,
                    properties=resource.answered,
                    body=resource.answered_body,
                )
            )

    def _cancelled(self, operation: Operation) -> None:
        resource = self.resources.get(operation.logical_id)
        if resource is None or operation.kind == "Delete":
            return
        self._becomes(resource, f"{operation.kind.upper()}_FAILED")
        if resource.type == NESTED:
            self.nested.abandon(resource)

    def _adopt_failures(self) -> None:
        """Give resources whose Create was cancelled the ID that CloudFormation makes up."""
        for key, resource in self.resources.items():
            if resource.physical_id is None:
                resource.physical_id = self._requests.made_up_id(key)

    # Deleting resources

    def _clean_up(self, doomed: Iterable[Doomed], deployment: Deployment) -> Steps:
        policies = ("Retain",) if "ROLLBACK" in self.status else ("Retain", "RetainExceptOnCreate")
        # Two that failed at once may have the same ID.
        unique = {(item.logical_id, item.physical_id): item for item in doomed}
        live = {(key, resource.physical_id) for key, resource in self.resources.items()}
        # The ID that an Update back answered again lives on.
        pending = [item for key, item in unique.items() if item.whole or key not in live]
        for attempt in range(_CLEANUP_ATTEMPTS):
            operations = self._deletions(pending, deployment, retained=policies)
            yield from self._requests.run([o for _, o in operations], stop=False)
            pending = [item for item, o in operations if o.state != "succeeded"]
            if not pending:
                break
            self._note(f"clean-up attempt {attempt + 1} left {len(pending)}")
        # CloudFormation gives up on these and goes on.
        self.left_behind += pending
        for item in pending:
            if self._resource_of(item):
                del self.resources[item.logical_id]
        self._superseded = []

    def _delete_all(self, *, retained: tuple[str, ...]) -> Generator[None, None, bool]:
        assert self.shown is not None
        doomed = [
            doom(resource, whole=True)
            for resource in self.resources.values()
            if resource.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")
        ]
        replaced = [
            doom(previous, whole=False)
            for key, previous in self._previous.items()
            if key in self._to_revert
        ]
        seen = {(key, resource.physical_id) for key, resource in self.resources.items()}
        for item in (*self._superseded, *self._no_good, *replaced):
            if (item.logical_id, item.physical_id) not in seen:
                seen.add((item.logical_id, item.physical_id))
                doomed.append(item)
        operations = self._deletions(doomed, self.shown, retained=retained)
        succeeded = yield from self._requests.run([o for _, o in operations], stop=False)
        self._superseded = [
            item
            for item, operation in operations
            if operation.state != "succeeded" and not self._resource_of(item)
        ]
        self._no_good, self._to_revert = [], {}
        return succeeded

    def _deletions(
        self, doomed: Iterable[Doomed], deployment: Deployment, *, retained: tuple[str, ...]
    ) -> list[tuple[Doomed, Operation]]:
        """Return the operations for what is not retained."""
        operations = []
        for item in doomed:
            if item.is_retained(retained):
                self._note(f"{item.logical_id}: DELETE_SKIPPED {item.physical_id}")
                self._keep(item)
                continue
            operation = Operation(
                logical_id=item.logical_id,
                kind="Delete",
                after={
                    other
                    for other in deployment.resources
                    if item.logical_id in deployment.dependencies(other)
                },
                begin=partial(self._begin_delete, item),
                properties=item.properties,
            )
            operations.append((item, operation))
        return operations

    def _keep(self, item: Doomed) -> None:
        resource = self._resource_of(item)
        if resource and self.status in ("DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):
            resource.status = "DELETE_SKIPPED"
        elif resource:
            del self.resources[item.logical_id]

    def _begin_delete(self, item: Doomed, operation: Operation) -> None:
        resource = self._resource_of(item)
        if resource:
            self._becomes(resource, "DELETE_IN_PROGRESS")
            operation.answered = partial(self._deleted, resource)
        self._requests.send(
            operation, type_=item.type, body=item.body, physical_id=item.physical_id
        )

    def _deleted(self, resource: Resource, response: Mapping[str, Any]) -> None:
        succeeded = response["Status"] == "SUCCESS"
        self._because(response)
        self._becomes(resource, "DELETE_COMPLETE" if succeeded else "DELETE_FAILED")
        if succeeded and "UPDATE" in self.status:
            del self.resources[resource.logical_id]

    def _resource_of(self, item: Doomed) -> Resource | None:
        """Return the logical resource that goes with *item*, if one does."""
        resource = self.resources.get(item.logical_id)
        goes = item.whole and resource and resource.physical_id == item.physical_id
        return resource if goes else None

    # Small things

    def _properties(self, deployment: Deployment, body: Mapping[str, Any]) -> dict[str, Any]:
        properties = self._resolved(deployment, body.get("Properties", {}))
        if body["Type"].startswith("Custom::"):
            properties = {"ServiceToken": SERVICE_TOKEN, "ServiceTimeout": 3600, **properties}
        strings: dict[str, Any] = as_strings(properties)
        return strings

    def _resolved(self, deployment: Deployment, value: Any) -> Any:
        def get_att(logical_id: str, attribute: str) -> Any:
            resource = self.resources[logical_id]
            return resource.attributes.get(attribute, resource.physical_id)

        return deployment.resolve(
            value, ref=lambda name: self.resources[name].physical_id or "", get_att=get_att
        )

    def _because(self, response: Mapping[str, Any]) -> None:
        if response["Status"] != "SUCCESS" and not self.reason:
            self.reason = response["Reason"]

    def _becomes(self, resource: Resource, status: str) -> None:
        resource.status = status
        resource.changed_at = self._around.scheduler.now

    def _enter(self, status: str) -> None:
        if status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"):
            self.reason = ""
        self.status = status
        self._note(status)
        self._around.history.check()

    def _note(self, what: str) -> None:
        self._around.note(self.name, what)
