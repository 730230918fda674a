"""A simulated world: a clock, Connect, CloudFormation, and the handlers under test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from lifecycle import cast
from lifecycle.clients import SimulatedClients, connect_to
from lifecycle.clock import Scheduler, SimulatedClock
from lifecycle.cloudformation import Stack, StackSettings
from lifecycle.cloudformation_api import CloudFormationApi
from lifecycle.faults import FaultyConnect
from lifecycle.framework import FrameworkSettings, Handlers, ProviderFramework
from lifecycle.history import History

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from lifecycle.connect_world import ConnectWorld

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
        clients = SimulatedClients()
        self.framework = ProviderFramework(
            clock=self.clock,
            scheduler=self.scheduler,
            history=self.history,
            settings=framework or FrameworkSettings(),
            new_handlers=lambda: handlers(clients=clients, clock=self.clock),
        )
        self.stack = Stack(
            name="Test",
            region=cast.HOME,
            scheduler=self.scheduler,
            history=self.history,
            framework=self.framework,
            settings=stack or StackSettings(),
            seed=seed,
        )
        connect_to(self)

    def answer(
        self, *, service: str, region: str, operation: str, request: AWSPreparedRequest
    ) -> AWSResponse:
        """Stand in for AWS."""
        if service == "cloudformation":
            return self.cloudformation.answer(operation, request)
        return self.faulty.answer(region, operation, request)

    def deploy(
        self, template: Mapping[str, Any], parameters: Mapping[str, str] | None = None
    ) -> str:
        """Create or update the stack, and let everything come to rest."""
        if self.stack.status in ("", "DELETE_COMPLETE"):
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

    def story(self) -> str:
        """Return what happened, with names instead of IDs."""
        return cast.named(str(self.history))

    def _find(self, name: str) -> Stack | None:
        return self.stack if name in (self.stack.name, self.stack.stack_id) else None
