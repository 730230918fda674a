"""A simulated world: a clock, Connect, CloudFormation, the ledger, and the handlers under test."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol

from lifecycle import cast
from lifecycle.clients import SimulatedClients, connect_to
from lifecycle.clock import Scheduler, SimulatedClock
from lifecycle.cloudformation import Stack
from lifecycle.cloudformation_api import CloudFormationApi
from lifecycle.connect_world import ConnectState
from lifecycle.faults import LEDGER, FaultyServices, writes
from lifecycle.framework import FrameworkSettings, Handlers, ProviderFramework
from lifecycle.history import History
from lifecycle.ledger import Ledger, writes_ledger
from lifecycle.simulated_time import simulated_time
from lifecycle.stack_parts import MAIN, StackSettings, Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from lifecycle.connect_world import ConnectWorld
    from lifecycle.framework import Event

_START = 1_800_000_000.0
_SETTLE = 5400.0


class HandlersFactory(Protocol):
    """Starts a container."""

    def __call__(self, *, clients: SimulatedClients) -> Handlers:
        """Return the handlers in a fresh container."""
        ...


class World:
    """Everything that one test simulates: stacks by name that share Connect and one ledger.

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
        self.ledger = Ledger(self.clock, self.history)
        self.faulty = FaultyServices(
            clock=self.clock,
            scheduler=self.scheduler,
            history=self.history,
            backend=self.connect.answer,
            ledger=self.ledger,
        )
        self.cloudformation = CloudFormationApi(self.clock, self._find)
        self.clients = SimulatedClients()
        self.framework = ProviderFramework(
            clock=self.clock,
            scheduler=self.scheduler,
            history=self.history,
            settings=framework or FrameworkSettings(),
            new_handlers=lambda: handlers(clients=self.clients),
            inside=self.inside,
        )
        self._around = Surroundings(
            scheduler=self.scheduler,
            history=self.history,
            framework=self.framework,
            settings=stack or StackSettings(),
            extra_deliveries=self._extra_deliveries,
        )
        self._seed = seed
        self._stacks: list[Stack] = []
        self._current: dict[str, Stack] = {}
        self._repeats: Callable[[int], Iterable[float]] = lambda _number: ()
        self.repeated = 0
        self.on_event_writes: list[str] = []
        connect_to(self)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Be in this world: its time passes, and its AWS answers, until the block ends."""
        connect_to(self)
        with simulated_time(self.clock):
            yield

    def answer(
        self, *, service: str, region: str, operation: str, request: AWSPreparedRequest
    ) -> AWSResponse:
        """Stand in for AWS."""
        if service == "cloudformation":
            return self.cloudformation.answer(operation, request)
        changes = writes_ledger(operation) if service == LEDGER else writes(operation)
        if self.framework.running[-1:] == ["on_event"] and changes:
            self.on_event_writes.append(f"{service} {operation}")
        return self.faulty.answer(service, region, operation, request)

    # Stacks

    @property
    def stack(self) -> Stack:
        """The stack that most tests have only."""
        return self.stack_named(MAIN)

    def stack_named(self, name: str) -> Stack:
        """Return the stack of that name; it is made when first asked for."""
        return self._current.get(name) or self._new_stack(name)

    def child(self, *logical_ids: str, stack: str = MAIN) -> Stack:
        """Return a nested stack, by the logical IDs on the way to it."""
        found = self.stack_named(stack)
        for logical_id in logical_ids:
            found = found.nested.named(logical_id)
        return found

    def deploy(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, str] | None = None,
        *,
        stack: str = MAIN,
        rollback: bool = True,
    ) -> str:
        """Create or update a stack, and let everything come to rest.

        :param rollback: False is the CDK's ``--no-rollback``.
        """
        found = self._deployable(stack)
        deploy = found.update if found.status else found.create
        deploy(template, parameters, rollback=rollback)
        return self.settle(stack)

    def deploy_together(
        self,
        templates: Mapping[str, Mapping[str, Any]],
        parameters: Mapping[str, Mapping[str, str]] | None = None,
    ) -> dict[str, str]:
        """Deploy stacks at the same time, and let everything come to rest.

        :param templates: by the stacks' names; so are *parameters*.
        """
        for name, template in templates.items():
            stack = self._deployable(name)
            values = (parameters or {}).get(name)
            deploying = stack.updating if stack.status else stack.creating
            stack.begin(deploying(template, values))
        self.settle()
        return {name: self.stack_named(name).status for name in templates}

    def roll_back(self, stack: str = MAIN) -> str:
        """Roll back what ``--no-rollback`` has left, and let everything come to rest."""
        self.stack_named(stack).roll_back()
        return self.settle(stack)

    def continue_rollback(self, stack: str = MAIN) -> str:
        """Continue the failed rollback, and let everything come to rest."""
        self.stack_named(stack).continue_rollback()
        return self.settle(stack)

    def delete(self, stack: str = MAIN) -> str:
        """Delete a stack, and let everything come to rest."""
        self.stack_named(stack).delete()
        return self.settle(stack)

    def abandon_stack(self, stack: str = MAIN) -> None:
        """Go on with a new stack of that name."""
        self._new_stack(stack)

    def settle(self, stack: str = MAIN) -> str:
        """Let requests that nobody waits for any more run out; return the stack's status."""
        self.scheduler.run_for(_SETTLE)
        self.history.check()
        return self.stack_named(stack).status

    # What there is to see

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

    @property
    def events(self) -> list[Event]:
        """The events of all stacks, oldest first."""
        return self._around.events

    # What goes wrong

    def sabotage_next(
        self, *, seconds: Mapping[str, float], fails: AbstractSet[tuple[str, str]]
    ) -> None:
        """Set how long siblings take and which fail, from now on and in all stacks."""
        self._around.siblings.seconds = dict(seconds)
        self._around.siblings.fails = frozenset(fails)

    def repeat_events(self, delays: Callable[[int], Iterable[float]]) -> None:
        """Deliver events again: *delays* answers when, for an event's number in :attr:`events`."""
        self._repeats = delays

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

    def _deployable(self, name: str) -> Stack:
        stack = self.stack_named(name)
        return self._new_stack(name) if stack.status == "DELETE_COMPLETE" else stack

    def _new_stack(self, name: str) -> Stack:
        stack = Stack(
            name=name,
            region=cast.HOME,
            around=self._around,
            seed=self._seed + len(self._stacks),
        )
        self._stacks.append(stack)
        self._current[name] = stack
        return stack

    def _extra_deliveries(self, _event: Event) -> list[float]:
        delays = list(self._repeats(len(self.events) - 1))
        self.repeated += len(delays)
        return delays

    def _find(self, name: str) -> Stack | None:
        for stack in reversed(self._stacks):
            found = stack if name in (stack.name, stack.stack_id) else stack.nested.find(name)
            if found:
                return found
        return None
