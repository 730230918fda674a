"""Calls to AWS on behalf of a person: at the quota's pace, for as long as it takes."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from connect_associations.cli.errors import CommandError, explain
from connect_provider.connect.calls import Limits
from connect_provider.connect.client import Connect
from connect_provider.connect.quota import Paces
from connect_provider.errors import StillWaiting
from connect_provider.failures import CallError
from connect_provider.ledger.table import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

_A_DAY = 24 * 3600.0
_PATIENCE = 300.0
"""The longest pause before one call: more than any quota takes to fill again."""

# The provider's client paces and repeats calls to Connect itself.
_ATTEMPTS = {"connect": 1}
_DEFAULT_ATTEMPTS = 8

_TABLE = re.compile(
    r"(arn:[^:]+:dynamodb:(?P<region>[^:]+):[0-9]*:table/)?(?P<name>[A-Za-z0-9_.-]{3,255})"
)


class Table(NamedTuple):
    """A ledger's table and its Region."""

    name: str
    region: str


class PersonsConnect(Connect):
    """The provider's client for somebody who waits in front of a screen.

    Throttled calls are repeated for as long as it takes. A wrong Region or a broken network looks
    like a server that is away for a moment; nobody wants to wait for that until the time is up.

    :ivar after_call: called after every call that was answered.
    """

    after_call: Callable[[], None] | None = None

    def send(self, operation: str, **request: Any) -> Any:  # noqa: ANN401 - what the operation takes and answers
        """Call *operation* when its turn comes; see :meth:`Connect.send`.

        :raises CallError: it failed, or the service could not be reached again and again.
        """
        try:
            answer = super().send(operation, **request)
        except StillWaiting as waiting:
            if isinstance(waiting.__cause__, CallError):
                raise waiting.__cause__ from None
            raise
        if self.after_call:
            self.after_call()
        return answer


class Session:
    """The account and Region that a command works in.

    :param profile: the profile of the AWS configuration. Default: boto3's
    :param region: the Region of the stack. Default: boto3's
    :param clients: returns the client of a service in a Region. Default: boto3's
    :ivar after_call: called after every call of Connect that was answered.
    :raises CommandError: there is no such profile, or no Region.
    """

    def __init__(
        self,
        *,
        profile: str | None = None,
        region: str | None = None,
        clients: Callable[[str, str], Any] | None = None,
    ) -> None:
        try:
            self._boto = boto3.Session(profile_name=profile, region_name=region)
        except BotoCoreError as error:
            raise explain(error) from error
        found = region or self._boto.region_name
        if not found:
            raise CommandError("no Region is configured; choose one with --region")
        self.region: str = found
        self.after_call: Callable[[], None] | None = None
        self._make = clients or self._client
        self._clients: dict[tuple[str, str], Any] = {}
        self._paces = Paces()

    def client(self, service: str, region: str | None = None) -> Any:  # noqa: ANN401 - one of many generated classes
        """Return boto3's client of *service*. The stack's Region is the default."""
        key = service, region or self.region
        if key not in self._clients:
            self._clients[key] = self._make(*key)
        return self._clients[key]

    def connect(self, region: str, *, before_call: Callable[[], None] | None = None) -> Connect:
        """Return Connect in *region*.

        :param before_call: called before every request; may refuse by raising.
        """
        connect = PersonsConnect(
            self.client("connect", region),
            region,
            paces=self._paces,
            limits=Limits(deadline=time.time() + _A_DAY, patience=_PATIENCE),
            before_call=before_call or (lambda: None),
        )
        connect.after_call = self.after_call
        return connect

    def partition(self, region: str) -> str:
        """Return the partition of a Region; empty if it is not known."""
        try:
            return self._boto.get_partition_for_region(region)
        except BotoCoreError:
            return ""

    def table(self, ledger: str) -> Table:
        """Return the table that a person names.

        :param ledger: its name, which means the stack's Region, or its ARN.
        :raises CommandError: it is neither.
        """
        match = _TABLE.fullmatch(ledger.strip())
        if match is None:
            raise CommandError(f"--ledger is not the name or the ARN of a table: {ledger!r:.100}")
        return Table(name=match["name"], region=match["region"] or self.region)

    def ledger(self, table: Table) -> Ledger:
        """Return the ledger in *table*."""
        return Ledger(self.client("dynamodb", table.region), table.name)

    def _client(self, service: str, region: str) -> Any:  # noqa: ANN401 - one of many generated classes
        make: Any = self._boto.client  # its overloads know literal names only
        return make(
            service,
            region_name=region,
            config=Config(
                connect_timeout=5,
                read_timeout=20,
                retries={
                    "mode": "standard",
                    "total_max_attempts": _ATTEMPTS.get(service, _DEFAULT_ATTEMPTS),
                },
                user_agent_extra="cdk-connect-associations",
            ),
        )
