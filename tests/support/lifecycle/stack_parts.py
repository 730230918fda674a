"""What a simulated stack is made of: its settings, resources and operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from lifecycle.clock import Scheduler
    from lifecycle.framework import Event, ProviderFramework
    from lifecycle.history import History

ACCOUNT = "123456789012"
NESTED = "AWS::CloudFormation::Stack"
MAIN = "Test"
"""The name of the stack that most tests have only."""


class Rollback(Enum):
    """What a rolled-back replacement gets: both are seen in the field."""

    UPDATE_BACK = "an Update back of the new ID, then its Delete"
    DELETE_ONLY = "only the Delete of the new ID"


class InFlight(Enum):
    """What happens to requests that are unanswered when another resource fails."""

    CANCEL = "given up: rolled back at once, a Create with an ID that CloudFormation made up"
    AWAIT = "their answers are awaited before the rollback starts"


class OldProperties(Enum):
    """What a retried Update names as the old properties, after ``--no-rollback``: undocumented."""

    LAST_GOOD = "those of the last Update that succeeded"
    ATTEMPTED = "those of the Update that failed"


class FailedCreate(Enum):
    """When a retry deletes what ``--no-rollback`` left CREATE_FAILED: undocumented."""

    DELETED_FIRST = "before it is created again"
    DELETED_LAST = "after everything else, still before the clean-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """The variants of CloudFormation's behaviour.

    :ivar lists_deleted: whether ListStackResources still shows what was deleted.
    :ivar updated_at_moves: whether LastUpdatedTime moves when a rollback begins.
    :ivar reuses_request_ids: whether the retry of a failed deployment has the same request IDs.
    :ivar nested_rolls_back: whether a nested stack that fails goes back before its parent does.
    """

    rollback: Rollback = Rollback.UPDATE_BACK
    in_flight: InFlight = InFlight.CANCEL
    lists_deleted: bool = True
    updated_at_moves: bool = False
    reuses_request_ids: bool = False
    retry_shows: OldProperties = OldProperties.LAST_GOOD
    failed_create: FailedCreate = FailedCreate.DELETED_FIRST
    nested_rolls_back: bool = False


@dataclass(slots=True, kw_only=True)
class Siblings:
    """How resources do that are not custom.

    :ivar seconds: how long they take, by logical ID.
    :ivar fails: ``(logical ID, "Create" | "Update" | "Revert" | "Delete")`` of those that fail;
        Revert is the Update back of a rollback.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    fails: AbstractSet[tuple[str, str]] = frozenset()


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """What all stacks of a world share.

    :ivar events: every event that was sent, oldest first.
    :ivar extra_deliveries: asked for every event; answers the delays, in seconds, after which the
        same event is delivered again.
    """

    scheduler: Scheduler
    history: History
    framework: ProviderFramework
    settings: StackSettings
    siblings: Siblings = field(default_factory=Siblings)
    events: list[Event] = field(default_factory=list)
    extra_deliveries: Callable[[Event], Iterable[float]] = lambda _event: ()

    def note(self, stack_name: str, what: str) -> None:
        """Write a line of a stack's history."""
        self.history.note("stack", what if stack_name == MAIN else f"{stack_name}: {what}")


@dataclass(slots=True, kw_only=True)
class Resource:
    """A resource of the stack, as CloudFormation remembers it.

    :ivar properties: of the last Create or Update that succeeded.
    :ivar attempted: of the last one that was asked for.
    :ivar answered: of the one that answered the physical ID of now.
    :ivar body: in the template of now; *answered_body* in that of the physical ID of now.
    """

    logical_id: str
    type: str
    status: str
    physical_id: str | None
    properties: Mapping[str, Any]
    attempted: Mapping[str, Any]
    answered: Mapping[str, Any]
    attributes: Mapping[str, Any]
    body: Mapping[str, Any]
    answered_body: Mapping[str, Any]
    changed_at: float


@dataclass(slots=True, kw_only=True, eq=False)
class Operation:
    """One request for one resource, from its start to its answer.

    :ivar after: the logical IDs of the operations that must have succeeded before.
    :ivar begin: called to start it.
    :ivar answered: called with CloudFormation's view of the answer.
    """

    logical_id: str
    kind: str
    after: set[str]
    begin: Callable[[Operation], None]
    reverts: bool = False
    state: str = "waiting"
    request_id: str = ""
    reason: str = ""
    physical_id: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    answered: Callable[[Mapping[str, Any]], None] = lambda _response: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """A physical resource that will be deleted.

    :ivar whole: whether the logical resource goes with it.
    """

    logical_id: str
    type: str
    physical_id: str
    properties: Mapping[str, Any]
    body: Mapping[str, Any]
    whole: bool

    def is_retained(self, policies: tuple[str, ...]) -> bool:
        """Whether the template says so, in one of these words."""
        name = "DeletionPolicy" if self.whole else "UpdateReplacePolicy"
        return self.body.get(name, "Delete") in policies


def doom(
    resource: Resource,
    *,
    whole: bool,
    properties: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
) -> Doomed:
    """Return what has to be deleted when *resource* goes, or only its physical ID of now.

    :param properties: those of the Delete; so is *body*, whose policies count. Default: the
        resource's
    """
    return Doomed(
        logical_id=resource.logical_id,
        type=resource.type,
        physical_id=resource.physical_id or "",
        properties=resource.properties if properties is None else properties,
        body=resource.body if body is None else body,
        whole=whole,
    )
