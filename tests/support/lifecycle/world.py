"""A simulated world: a clock, Connect, CloudFormation, and the handlers under test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from lifecycle import cast
from lifecycle.clients import SimulatedClients, connect_to
from lifecycle.clock import Scheduler, SimulatedClock
from lifecycle.cloudformation import Stack, StackSettings
from lifecycle.cloudformation_api import CloudFormationApi
from lifecycle.connect_world import ConnectState
from lifecycle.faults import FaultyConnect, writes
from lifecycle.framework import FrameworkSettings, Handlers, ProviderFramework
from lifecycle.history import History

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from lifecycle.connect_world import ConnectWorld
    from lifecycle.framework import Event

_START = 1_800_000_000.0
_SETTLE = 5400.0


class HandlersFactory(Protocol):
    """Starts a container."""

    def __call__(self, *, clients: SimulatedClients, clock: SimulatedClock) -> Handlers:
        """Return the handlers in a fresh container."""
        ...


class World:
    """Everything that one test simulates.

    :param handlers: starts a container with the handlers under test.
    :param connect: makes the Connect that they talk to.
    :ivar on_event_writes: what ``on_event`` changed, though it must not.
    """

    def __init__(
        self,
        *,
        handlers: HandlersFactory,
        connect: Callable[[SimulatedClock], ConnectWorld],
        stack: StackSettings | None = None,
        framework: FrameworkSettings | None = None,
        seed: int = 0,
    ) -> None:
        self.clock = SimulatedClock(start=_START)
        self.scheduler = Scheduler(self.clock)
        self.history = History(self.clock)
        self.connect = connect(self.clock)
        self.faulty = FaultyConnect(
            clock=self.clock,
            history=self.history,
            backend=self.connect.answer,
            interleave=lambda: self.scheduler.step_within(30.0),
        )
        self.cloudformation = CloudFormationApi(self._find)
        self.clients = SimulatedClients()
        self.framework = ProviderFramework(
            clock=self.clock,
            scheduler=self.scheduler,
            history=self.history,
            settings=framework or FrameworkSettings(),
            new_handlers=lambda: handlers(clients=self.clients, clock=self.clock),
        )
        self._settings = stack or StackSettings()
        self._seed = seed
        self._stacks: list[Stack] = []
        self._repeats: Callable[[int], Iterable[float]] = lambda _number: ()
        self.seconds: Mapping[str, float] = {}
        self.fails: AbstractSet[tuple[str, str]] = frozenset()
        self.repeated = 0
        self.on_event_writes: list[str] = []
        self.stack = self._new_stack()
        connect_to(self, self.clock)

    def answer(
        self, *, service: str, region: str, operation: str, request: AWSPreparedRequest
    ) -> AWSResponse:
        """Stand in for AWS."""
        if service == "cloudformation":
            return self.cloudformation.answer(operation, request)
        if self.framework.running[-1:] == ["on_event"] and writes(operation):
            self.on_event_writes.append(operation)
        return self.faulty.answer(region, operation, request)

    def deploy(
        self, template: Mapping[str, Any], parameters: Mapping[str, str] | None = None
    ) -> str:
        """Create or update the stack, and let everything come to rest."""
        if self.stack.status == "DELETE_COMPLETE":
            self.abandon_stack()
        self.sabotage_next(seconds=self.seconds, fails=self.fails)
        if not self.stack.status:
            self.stack.create(template, parameters)
        else:
            self.stack.update(template, parameters)
        return self.settle()

    def delete(self) -> str:
        """Delete the stack, and let everything come to rest."""
        self.stack.delete()
        return self.settle()

    def continue_rollback(self) -> str:
        """Continue the failed rollback, and let everything come to rest."""
        self.stack.continue_rollback()
        return self.settle()

    def settle(self) -> str:
        """Let requests that nobody waits for any more run out; return the stack's status."""
        self.scheduler.run_for(_SETTLE)
        self.history.check()
        return self.stack.status

    def members(self, group: cast.Thing) -> set[str]:
        """Return the names of the group's users."""
        return {
            cast.NAMES[user_id]
            for group_id, user_id in self.connect.memberships()
            if group_id == group.id
        }

    def state(self) -> ConnectState:
        """Return all that the provider may have changed in Connect."""
        return ConnectState(
            pairs=self.connect.memberships(),
            contacts={contact.id: self.connect.contact(contact) for contact in cast.CONTACTS},
        )

    def story(self) -> str:
        """Return what happened, with names instead of IDs."""
        return cast.named(str(self.history))

    def abandon_stack(self) -> None:
        """Go on with a new stack."""
        self.stack = self._new_stack()

    def sabotage_next(
        self, *, seconds: Mapping[str, float], fails: AbstractSet[tuple[str, str]]
    ) -> None:
        """Set how long siblings take and which fail, now and in stacks to come."""
        self.seconds, self.fails = dict(seconds), set(fails)
        self.stack.seconds, self.stack.sabotage = dict(seconds), set(fails)

    def repeat_events(self, delays: Callable[[int], Iterable[float]]) -> None:
        """Deliver events again: *delays* answers when, for an event's number in :attr:`events`."""
        self._repeats = delays

    @property
    def events(self) -> list[Event]:
        """The events of all stacks, oldest first."""
        return [event for stack in self._stacks for event in stack.events]

    def deliver_stale(self, event: Event, *, delay: float) -> None:
        """Deliver an event of an earlier operation again while the next one runs."""
        self.framework.deliver(event, lambda _answer: None, delay=delay)

    def deliver_again(self, event: Event) -> Mapping[str, Any]:
        """Deliver an event that was answered long ago; return what the handlers answer now."""
        answers: list[Mapping[str, Any]] = []
        self.history.note("fault", f"{event['RequestType']} {event['LogicalResourceId']} again")
        self.framework.deliver(event, answers.append, delay=0.0)
        self.settle()
        return answers[0]

    def _new_stack(self) -> Stack:
        stack = Stack(
            name="Test",
            region=cast.HOME,
            scheduler=self.scheduler,
            history=self.history,
            framework=self.framework,
            settings=self._settings,
            seed=self._seed + len(self._stacks),
        )
        stack.extra_deliveries = self._extra_deliveries
        self._stacks.append(stack)
        return stack

    def _extra_deliveries(self, _event: Event) -> list[float]:
        delays = list(self._repeats(len(self.events) - 1))
        self.repeated += len(delays)
        return delays

    def _find(self, name: str) -> Stack | None:
        for stack in reversed(self._stacks):
            if name in (stack.name, stack.stack_id):
                return stack
        return None
