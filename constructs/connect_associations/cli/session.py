"""Calls to AWS on behalf of a person: at the quota's pace, for as long as it takes."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.exceptions import BotoCoreError

from connect_associations.cli.errors import CommandError, explain, unreadable
from connect_provider.caller import Caller, Paces
from connect_provider.calls import CallError, Failure, call
from connect_provider.clients import BotoClients
from connect_provider.clock import SystemClock
from connect_provider.connect import Connect
from connect_provider.errors import StillWaiting
from connect_provider.stack import Stack, StackUnknownError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from connect_provider.clients import Clients
    from connect_provider.clock import Clock

_T = TypeVar("_T")

_A_DAY = 24 * 3600.0
_PATIENCE = 300.0
"""The longest pause before one call: more than any quota takes to fill again."""

_TRIES = 5
"""How often a call may meet a server error or no server at all: about ten seconds of pauses."""


class PersonsCaller(Caller):
    """The provider's caller for somebody who waits in front of a screen.

    Throttled calls are repeated for as long as it takes. A wrong Region or a broken network looks
    like a server that is away for a moment; nobody wants to wait for that until the time is up.

    :ivar after_call: is told of every call that was answered.
    :ivar after_each: is told when one item of :meth:`call_each` has been dealt with.
    """

    after_call: Callable[[], None] | None = None
    after_each: Callable[[], None] | None = None

    def call(self, region: str, operation: str, subject: str, send: Callable[[], _T]) -> _T:
        """Run *send* when its turn comes; see :meth:`Caller.call`.

        :raises CommandError: the service could not be reached, or failed, again and again.
        """
        failures = 0

        def once() -> _T:
            nonlocal failures
            try:
                return call(operation, subject, send)
            except CallError as error:
                failures += error.failure is Failure.TRANSIENT
                if failures >= _TRIES:
                    raise explain(error) from error
                raise

        answer = super().call(region, operation, subject, once)
        if self.after_call:
            self.after_call()
        return answer

    def call_each(
        self, region: str, operation: str, items: Iterable[_T], send: Callable[[_T], None]
    ) -> Generator[tuple[_T, CallError | StillWaiting | None]]:
        """Make a call for each item; see :meth:`Caller.call_each`."""
        with closing(super().call_each(region, operation, items, send)) as outcomes:
            for outcome in outcomes:
                yield outcome
                if self.after_each:
                    self.after_each()


class Session:
    """The account and Region that a command works in.

    :param profile: the profile of the AWS configuration. Default: boto3's
    :param region: the Region of the stack. Default: boto3's
    :raises CommandError: there is no such profile, or no Region.
    """

    def __init__(
        self,
        *,
        profile: str | None = None,
        region: str | None = None,
        clients: Clients | None = None,
        clock: Clock | None = None,
    ) -> None:
        try:
            # The provider's clients come from boto3's default session.
            boto3.setup_default_session(profile_name=profile, region_name=region)
        except BotoCoreError as error:
            raise explain(error) from error
        found = region or boto3.DEFAULT_SESSION.region_name  # type: ignore[union-attr] # just set
        if not found:
            raise CommandError("no Region is configured; choose one with --region")
        self.region: str = found
        self.clock = clock or SystemClock()
        self._clients = clients or BotoClients()
        now = self.clock.time()
        self.caller = PersonsCaller(
            clock=self.clock,
            paces=Paces(),
            deadline=now + _A_DAY,
            patience=_PATIENCE,
            permissions_settle_at=now,
        )

    def connect(self, region: str) -> Connect:
        """Return Connect in *region*."""
        return Connect(client=self._clients.connect(region), region=region, caller=self.caller)

    def connect_client(self, region: str) -> Any:  # noqa: ANN401 - boto3's client, for calls that the provider does not make
        """Return boto3's client for Connect, for :meth:`ask`."""
        return self._clients.connect(region)

    def ask(self, region: str, operation: str, subject: str, send: Callable[[], _T]) -> _T:
        """Make a call of Connect that the provider does not make.

        :raises CallError: it failed.
        """
        return self.until_done(lambda: self.caller.call(region, operation, subject, send))

    def stack(self, name: str) -> Stack:
        """Return the stack of that name or ID.

        :raises CommandError: there is none, or CloudFormation would not say.
        """
        stack = Stack(client=self._clients.cloudformation(self.region), stack_id=name)
        try:
            exists = bool(stack.status.name)
        except StackUnknownError as error:
            raise unreadable(error) from error
        if not exists:
            raise CommandError(
                f"there is no stack {name!r} in {self.region}; check the name, --region and "
                "--profile"
            )
        return stack

    def until_done(self, work: Callable[[], _T]) -> _T:
        """Repeat *work* while the quota makes it wait.

        :raises CommandError: it has waited for a day.
        """
        while True:
            try:
                return work()
            except StillWaiting as waiting:
                if self.caller.out_of_time:
                    raise CommandError(f"gave up: {waiting}") from waiting
                self.clock.sleep(1.0)
