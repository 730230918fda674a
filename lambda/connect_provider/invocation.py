"""One run of the Lambda: its time, its clients and the stack it works for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connect_provider.claims import is_declared
from connect_provider.connect import Connect
from connect_provider.request import RequestType
from connect_provider.stack import Stack, StackUnknownError

if TYPE_CHECKING:
    from connect_provider.caller import Caller
    from connect_provider.clients import Clients
    from connect_provider.clock import Clock
    from connect_provider.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What planning and convergence work with.

    :ivar started_at: when the request began, in seconds since the epoch.
    :ivar stack: the stack as CloudFormation shows it, read when first needed.
    """

    request: Request
    clients: Clients
    caller: Caller
    started_at: float
    stack: Stack

    @classmethod
    def begin(
        cls, *, request: Request, clients: Clients, caller: Caller, started_at: float
    ) -> Invocation:
        """Start an invocation for *request*."""
        return cls(
            request=request,
            clients=clients,
            caller=caller,
            started_at=started_at,
            stack=_stack(request, clients),
        )

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.caller.clock

    def connect(self, region: str) -> Connect:
        """Return Amazon Connect in *region*."""
        return Connect(client=self.clients.connect(region), region=region, caller=self.caller)

    def rolls_back(self) -> bool:
        """Whether an Update is itself part of a rollback; a Create never is.

        False where CloudFormation would not say.
        """
        if self.request.type is not RequestType.UPDATE:
            return False
        try:
            return (
                self.stack.status.rolls_back and is_declared(self.request, self.stack) is not False
            )
        except StackUnknownError:
            return False

    def is_cancelled(self) -> bool:
        """Whether a Create or Update has outlived its deployment.

        CloudFormation gives up what is still under way when something else fails. It then sends a
        Delete with an ID of its own making, or none at all, so nobody else can undo what the
        request has done so far. And Lambda may deliver an event again, long after.
        """
        if self.request.type is RequestType.DELETE:
            return False
        try:
            status = self.stack.status
            if not status.name or not (status.is_settled or status.goes_away):
                return False
            return status.goes_away or is_declared(self.request, self.stack) is False
        except StackUnknownError:
            return False

    def refreshed(self) -> Invocation:
        """Return the invocation with the stack still to be read."""
        return replace(self, stack=_stack(self.request, self.clients))


def _stack(request: Request, clients: Clients) -> Stack:
    return Stack(client=clients.cloudformation(request.owner.region), stack_id=request.stack_id)
