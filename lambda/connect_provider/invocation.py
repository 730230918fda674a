"""One run of the Lambda: its time, its clients and the stack it works for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connect_provider.claims import is_declared
from connect_provider.connect import Connect
from connect_provider.request import RequestType
from connect_provider.stack import Stack, StackUnknownError

if TYPE_CHECKING:
    from connect_provider.caller import Caller
    from connect_provider.clients import Clients
    from connect_provider.clock import Clock
    from connect_provider.request import Request


class Invocation(NamedTuple):
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

    def rolls_back(self) -> bool | None:
        """Whether an Update is itself part of a rollback; a Create never is.

        To be asked when the request begins. None where CloudFormation would not say.
        """
        if self.request.type is not RequestType.UPDATE:
            return False
        try:
            return self.stack.status.reverts and not self._comes_late()
        except StackUnknownError:
            return None

    def _comes_late(self) -> bool:
        """Whether the Update belongs to the deployment that is being rolled back.

        Lambda may deliver an event again. Such a one asks for what is not declared any more, of a
        version that is not there any more; either sign alone may deceive.
        """
        resource = self.stack.resources.get(self.request.logical_id)
        return (
            resource is not None
            and resource.physical_id != self.request.physical_id
            and is_declared(self.request, self.stack) is False
        )

    def comes_too_late(self) -> bool:
        """Whether a Create or Update begins when nobody waits for it any more.

        The stack goes away, or is at rest with the resource in it: the event was delivered again.
        """
        try:
            status = self.stack.status
            if status.goes_away or not status.is_at_rest:
                return bool(status.name) and status.goes_away
            resource = self.stack.resources.get(self.request.logical_id)
        except StackUnknownError:
            return False
        return resource is not None and resource.is_complete

    def begins_at_rest(self) -> bool:
        """Whether nothing is under way in the stack; False where CloudFormation would not say."""
        try:
            return self.stack.status.is_at_rest
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
            if status.goes_away:
                return bool(status.name)
            if not status.shows_template:
                return self._is_given_up()
            return status.is_complete and is_declared(self.request, self.stack) is False
        except StackUnknownError:
            return False

    def _is_given_up(self) -> bool:
        """Whether a rollback has nothing to do with the request; False where that is not known.

        An event may be on its way to Lambda while another resource fails. Then it comes during the
        rollback, and looks like the Update back of its resource until that one is complete.
        """
        rolls_back = self.request.plan.get("RollsBack")
        if not rolls_back:
            return rolls_back is False
        resource = self.stack.resources.get(self.request.logical_id)
        return resource is not None and (
            resource.status == "UPDATE_FAILED"
            or (resource.is_complete and resource.physical_id != self.request.physical_id)
        )

    def is_answered(self) -> bool:
        """Whether CloudFormation knows the version that the request makes.

        Then that version is what it shall be, or a Delete will come for it.

        :raises StackUnknownError: CloudFormation would not say.
        """
        resource = self.stack.resources.get(self.request.logical_id)
        return resource is not None and resource.physical_id == self.request.physical_id

    def refreshed(self) -> Invocation:
        """Return the invocation with the stack still to be read."""
        return self._replace(stack=_stack(self.request, self.clients))


def _stack(request: Request, clients: Clients) -> Stack:
    return Stack(client=clients.cloudformation(request.owner.region), stack_id=request.stack_id)
