"""One CloudFormation stack: its order of events, its statuses, its rollbacks."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lifecycle.history import BrokenRule
from lifecycle.stack_parts import (
    NESTED,
    FailedCreate,
    OldProperties,
    Operation,
    Resource,
    Rollback,
    doom,
)
from lifecycle.stack_state import StackState
from lifecycle.templates import Deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from lifecycle.stack_parts import Surroundings

    Steps = Generator[None, None, None]

_MAX_STEPS = 100_000
_PAUSED = ("CREATE_FAILED", "UPDATE_FAILED")
_UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", *_PAUSED)


class Stack(StackState):
    """A stack and the operations that a user may ask of it; each returns the stack's status.

    The methods in *-ing* are the same operations for :meth:`begin`, which lets them run beside
    others.

    :param parent: the stack that this one is nested in.
    """

    def __init__(
        self,
        *,
        name: str,
        region: str,
        around: Surroundings,
        seed: int = 0,
        parent: Stack | None = None,
    ) -> None:
        super().__init__(
            name=name,
            region=region,
            around=around,
            seed=seed,
            parent=parent,
            make_nested=lambda nested_name, number: Stack(
                name=nested_name, region=region, around=around, seed=number, parent=self
            ),
        )
        self._deployed: Deployment | None = None
        self._task: Steps | None = None

    # What a user can ask for

    def create(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, str] | None = None,
        *,
        rollback: bool = True,
    ) -> str:
        """Create the stack; a failure is rolled back, unless ``--no-rollback`` was said."""
        return self._wait_for(self.creating(template, parameters, rollback=rollback))

    def update(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, str] | None = None,
        *,
        rollback: bool = True,
    ) -> str:
        """Update the stack; a failure is rolled back, unless ``--no-rollback`` was said."""
        return self._wait_for(self.updating(template, parameters, rollback=rollback))

    def roll_back(self) -> str:
        """Roll back a failed operation that ``--no-rollback`` has left as it was."""
        return self._wait_for(self.rolling_back())

    def continue_rollback(self) -> str:
        """Continue a failed rollback of an update."""
        return self._wait_for(self.continuing_rollback())

    def delete(self) -> str:
        """Delete the stack, or what is left of it."""
        return self._wait_for(self.deleting())

    def creating(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, str] | None = None,
        *,
        rollback: bool = True,
    ) -> Steps:
        """Create the stack, step by step."""
        deployment = self.shown = Deployment(template=template, parameters=parameters or {})
        self.created_at = self._around.scheduler.now
        self._enter("CREATE_IN_PROGRESS")
        if (yield from self._requests.run(self._forward(deployment))):
            self._deployed = deployment
            self._enter("CREATE_COMPLETE")
            return
        self._adopt_failures()
        if rollback and self._goes_back_by_itself:
            yield from self._rolling_back_create()
        else:
            self._enter("CREATE_FAILED")

    def updating(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, str] | None = None,
        *,
        rollback: bool = True,
    ) -> Steps:
        """Update the stack, step by step; after ``--no-rollback`` it is a retry."""
        assert self.status in _UPDATABLE, self.status
        paused = self.status in _PAUSED
        deployment = Deployment(template=template, parameters=parameters or {})
        self._requests.begin_deployment(retries=paused or "ROLLBACK" in self.status)
        if not paused:
            self._previous = {key: replace(value) for key, value in self.resources.items()}
        self.updated_at = self._around.scheduler.now
        self.shown = deployment
        self._enter("UPDATE_IN_PROGRESS")
        self._note_no_good(deployment)
        succeeded = True
        if self._settings.failed_create is FailedCreate.DELETED_FIRST:
            succeeded = yield from self._delete_no_good(deployment)
        self._make_room(deployment)
        succeeded = succeeded and (yield from self._requests.run(self._forward(deployment)))
        succeeded = succeeded and (yield from self._delete_no_good(deployment))
        if succeeded:
            yield from self._finishing_update(deployment)
            return
        self._adopt_failures()
        if rollback and self._goes_back_by_itself:
            yield from self._rolling_back_update()
        else:
            self._enter("UPDATE_FAILED")

    def rolling_back(self) -> Steps:
        """Roll back, step by step, what ``--no-rollback`` has left as it was."""
        assert self.status in _PAUSED, self.status
        if self._deployed is None:
            yield from self._rolling_back_create()
        else:
            yield from self._rolling_back_update()

    def continuing_rollback(self) -> Steps:
        """Continue a failed rollback of an update, step by step."""
        assert self.status == "UPDATE_ROLLBACK_FAILED", self.status
        yield from self._reverting()

    def deleting(self) -> Steps:
        """Delete the stack, or what is left of it, step by step."""
        self._requests.begin_deployment(retries=self.status == "DELETE_FAILED")
        self._enter("DELETE_IN_PROGRESS")
        gone = yield from self._delete_all(retained=("Retain", "RetainExceptOnCreate"))
        self._enter("DELETE_COMPLETE" if gone else "DELETE_FAILED")

    # What a parent asks for

    def cleaning_up(self) -> Steps:
        """Finish an update or its rollback, step by step, now that the parent has got so far."""
        if self.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
            yield from self._cleaning_up_update()
        elif self.status == "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS":
            yield from self._cleaning_up_rollback()

    def reverting(self) -> Steps:
        """Go back, step by step, to what was before the parent's update."""
        if self.status == "UPDATE_ROLLBACK_FAILED":
            yield from self._reverting()
        elif "ROLLBACK" not in self.status:
            yield from self._rolling_back_update()

    def abandon(self) -> None:
        """Give up what is in flight: the parent goes back."""
        if self._task:
            self._around.scheduler.drop(self._task)
        self._requests.cancel()
        self._adopt_failures()
        if self.status.startswith("UPDATE_ROLLBACK"):
            self._enter("UPDATE_ROLLBACK_FAILED")
        else:
            self._enter("UPDATE_FAILED" if self.status.startswith("UPDATE") else "CREATE_FAILED")

    def begin(self, steps: Steps, *, then: Callable[[], None] = lambda: None) -> None:
        """Begin an operation that goes on beside what else happens.

        :param then: called at its end.
        """

        def task() -> Steps:
            yield from steps
            then()

        self._task = task()
        self._around.scheduler.begin(self._task)

    # Going forward

    def _forward(self, deployment: Deployment) -> list[Operation]:
        for key, body in deployment.resources.items():
            if key in self.resources and self.resources[key].type != body["Type"]:
                raise ValueError(f"Update of resource type is not permitted: {key}")
        return [
            Operation(
                logical_id=key,
                kind="Update" if key in self.resources else "Create",
                after=deployment.dependencies(key),
                begin=partial(self._begin_forward, deployment),
            )
            for key in deployment.resources
        ]

    def _begin_forward(self, deployment: Deployment, operation: Operation) -> None:
        key = operation.logical_id
        body = deployment.resources[key]
        properties = self._properties(deployment, body)
        known = self.resources.get(key)
        if known is None:
            self.resources[key] = Resource(
                logical_id=key,
                type=body["Type"],
                status="",
                physical_id=None,
                properties=properties,
                attempted=properties,
                answered=properties,
                attributes={},
                body=body,
                answered_body=body,
                changed_at=self._around.scheduler.now,
            )
            self._ask(operation, properties)
            return
        known.body = body
        unchanged = properties == known.properties and known.status != "UPDATE_FAILED"
        if unchanged and known.type != NESTED:
            operation.state = "succeeded"
            return
        shows_attempt = self._settings.retry_shows is OldProperties.ATTEMPTED
        if key in self._previous:
            self._to_revert[key] = properties
        self._ask(
            operation,
            properties,
            old_properties=known.attempted if shows_attempt else known.properties,
        )

    def _finishing_update(self, deployment: Deployment) -> Steps:
        self._enter("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self._superseded += [
            doom(previous, whole=False)
            for key, previous in self._previous.items()
            if previous.physical_id != self.resources[key].physical_id
        ] + [
            doom(self.resources[key], whole=True)
            for key in self._previous
            if key not in deployment.resources
        ]
        if self.parent is None:
            yield from self._cleaning_up_update()

    def _cleaning_up_update(self) -> Steps:
        assert self.shown is not None
        yield from self.nested.clean_up(self.resources)
        yield from self._clean_up(self._superseded, self._deployed or self.shown)
        self._deployed = self.shown
        self._to_revert = {}
        self._enter("UPDATE_COMPLETE")

    def _note_no_good(self, deployment: Deployment) -> None:
        """Note what the failed operation made, if it failed or is not wanted any more."""
        known = {(item.logical_id, item.physical_id) for item in self._no_good}
        self._no_good += [
            doom(resource, whole=True)
            for key, resource in self.resources.items()
            if key not in self._previous
            and (resource.status == "CREATE_FAILED" or key not in deployment.resources)
            and (key, resource.physical_id) not in known
        ]

    def _make_room(self, deployment: Deployment) -> None:
        """Let what has no good state be created again."""
        for item in self._no_good:
            if item.logical_id in deployment.resources and self._resource_of(item):
                del self.resources[item.logical_id]

    def _delete_no_good(self, deployment: Deployment) -> Generator[None, None, bool]:
        # One that was made again with the same ID has a good state now.
        self._no_good = [
            item
            for item in self._no_good
            if (resource := self._resource_of(item)) is None
            or resource.status == "CREATE_FAILED"
            or item.logical_id not in deployment.resources
        ]
        operations = self._deletions(self._no_good, deployment, retained=("Retain",))
        succeeded = yield from self._requests.run([o for _, o in operations], stop=False)
        self._no_good = [item for item, o in operations if o.state != "succeeded"]
        return succeeded

    # Going back

    @property
    def _goes_back_by_itself(self) -> bool:
        return self.parent is None or self._settings.nested_rolls_back

    def _rolling_back_create(self) -> Steps:
        self._mark_rollback()
        self._enter("ROLLBACK_IN_PROGRESS")
        gone = yield from self._delete_all(retained=("Retain",))
        self._enter("ROLLBACK_COMPLETE" if gone else "ROLLBACK_FAILED")

    def _rolling_back_update(self) -> Steps:
        # What the clean-up would have deleted is wanted again.
        good = {(key, previous.physical_id) for key, previous in self._previous.items()}
        self._superseded = [
            item for item in self._superseded if (item.logical_id, item.physical_id) not in good
        ]
        self._superseded += self._no_good
        self._no_good = []
        for key, resource in self.resources.items():
            previous = self._previous.get(key)
            if previous is None:
                self._superseded.append(doom(resource, whole=True))
            elif (
                key in self._to_revert
                and resource.physical_id != previous.physical_id
                and self._settings.rollback is Rollback.DELETE_ONLY
            ):
                attempted = self._to_revert.pop(key)
                self._superseded.append(doom(resource, whole=False, properties=attempted))
                self.resources[key] = replace(previous)
                self._becomes(self.resources[key], "UPDATE_COMPLETE")
        self._mark_rollback()
        yield from self._reverting()

    def _reverting(self) -> Steps:
        assert self._deployed is not None
        self._enter("UPDATE_ROLLBACK_IN_PROGRESS")
        for key, resource in self.resources.items():
            if key in self._deployed.resources:
                resource.body = self._deployed.resources[key]
        operations = [
            Operation(
                logical_id=key,
                kind="Update",
                after=self._deployed.dependencies(key),
                begin=self._begin_revert,
                reverts=True,
            )
            for key in self._to_revert
        ]
        succeeded = yield from self._requests.run(operations, cancel=False)
        for operation in operations:
            if operation.state == "succeeded":
                del self._to_revert[operation.logical_id]
        if not succeeded:
            self._enter("UPDATE_ROLLBACK_FAILED")
            return
        self._enter("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        if self.parent is None:
            yield from self._cleaning_up_rollback()

    def _cleaning_up_rollback(self) -> Steps:
        assert self.shown is not None
        yield from self.nested.clean_up(self.resources)
        yield from self._clean_up(self._superseded, self.shown)
        self.shown = self._deployed
        self._enter("UPDATE_ROLLBACK_COMPLETE")

    def _begin_revert(self, operation: Operation) -> None:
        key = operation.logical_id
        resource, previous = self.resources[key], self._previous[key]
        attempted = self._to_revert[key]
        if resource.physical_id != previous.physical_id and not any(
            (item.logical_id, item.physical_id) == (key, resource.physical_id)
            for item in self._superseded
        ):
            self._superseded.append(doom(resource, whole=False, properties=attempted))
        self._ask(operation, previous.properties, old_properties=attempted)

    def _mark_rollback(self) -> None:
        self._requests.begin_rollback()
        if self._settings.updated_at_moves:
            self.updated_at = self._around.scheduler.now

    # Small things

    def _wait_for(self, steps: Steps) -> str:
        done: list[bool] = []
        self.begin(steps, then=lambda: done.append(True))
        for _ in range(_MAX_STEPS):
            if done:
                return self.status
            if not self._around.scheduler.step():
                raise BrokenRule(f"nothing will ever go on\n{self._around.history}")
        raise BrokenRule(f"the deployment does not end\n{self._around.history}")
