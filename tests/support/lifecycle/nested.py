"""The nested stacks of a stack: resources of it that are stacks themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifecycle.stack_parts import NESTED

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from lifecycle.cloudformation import Stack
    from lifecycle.stack_parts import Operation, Resource

_GOOD = {
    "Create": ("CREATE_COMPLETE",),
    # Its clean-up waits until all other stacks below the same root have got so far.
    "Update": ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",),
    "Revert": ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",),
    "Delete": ("DELETE_COMPLETE",),
}


class NestedStacks:
    """Makes nested stacks, and lets them follow their parent.

    :param make: makes the stack of a logical ID; the number differs for each.
    :param answer: takes the outcome of an operation.
    """

    def __init__(
        self,
        *,
        make: Callable[[str, int], Stack],
        answer: Callable[[Operation, Mapping[str, Any]], None],
    ) -> None:
        self._make = make
        self._answer = answer
        self._stacks: list[tuple[str, Stack]] = []

    def named(self, logical_id: str) -> Stack:
        """Return the newest stack of that logical ID."""
        return next(stack for name, stack in reversed(self._stacks) if name == logical_id)

    def find(self, stack_id: str) -> Stack | None:
        """Return the stack of that ID, at any depth, whether it is deleted or not."""
        for _, stack in self._stacks:
            found = stack if stack.stack_id == stack_id else stack.nested.find(stack_id)
            if found:
                return found
        return None

    def start(self, operation: Operation, body: Mapping[str, Any], physical_id: str | None) -> None:
        """Start an operation on a nested stack."""
        if operation.kind == "Create":
            stack = self._make(operation.logical_id, len(self._stacks))
            self._stacks.append((operation.logical_id, stack))
        else:
            stack = self._existing(physical_id)
        template = body["Metadata"]["Template"]
        parameters = operation.properties.get("Parameters", {})
        if operation.kind == "Delete":
            steps = stack.deleting()
        elif operation.reverts:
            steps = stack.reverting()
        elif operation.kind == "Create":
            steps = stack.creating(template, parameters)
        else:
            steps = stack.updating(template, parameters)
        stack.begin(steps, then=lambda: self._report(operation, stack))

    def clean_up(self, resources: Mapping[str, Resource]) -> Generator[None, None, None]:
        """Finish the updates of nested stacks, or their rollbacks, step by step."""
        for resource in resources.values():
            if resource.type == NESTED and resource.physical_id:
                yield from self._existing(resource.physical_id).cleaning_up()

    def abandon(self, resource: Resource) -> None:
        """Give up what is in flight in a nested stack."""
        stack = (
            self._existing(resource.physical_id)
            if resource.physical_id
            else self.named(resource.logical_id)
        )
        resource.physical_id = stack.stack_id
        stack.abandon()

    def _existing(self, stack_id: str | None) -> Stack:
        return next(stack for _, stack in self._stacks if stack.stack_id == stack_id)

    def _report(self, operation: Operation, stack: Stack) -> None:
        good = stack.status in _GOOD["Revert" if operation.reverts else operation.kind]
        self._answer(
            operation,
            {
                "Status": "SUCCESS" if good else "FAILED",
                "Reason": "" if good else f"Embedded stack {stack.stack_id}: {stack.reason}",
                "PhysicalResourceId": stack.stack_id,
                "Data": stack.outputs if good and operation.kind != "Delete" else {},
            },
        )
