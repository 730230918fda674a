"""AWS as one invocation of the Lambda sees it: clients, the ledger, and the time that is left."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from connect_provider import deployment
from connect_provider.connect.client import Connect
from connect_provider.errors import LedgerError
from connect_provider.ledger.table import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_cloudformation.client import CloudFormationClient

    from connect_provider.connect.calls import Limits
    from connect_provider.connect.quota import Paces
    from connect_provider.deployment import Deployment

_TABLE_VARIABLE = "LEDGER_TABLE_NAME"
# The provider paces and repeats calls to Connect itself; see connect_provider.connect.client.
_ATTEMPTS = {"connect": 1}
_DEFAULT_ATTEMPTS = 4


def boto_client(service: str, region: str) -> Any:  # noqa: ANN401 - one of many generated classes
    """Return a boto3 client, which obeys boto3's standard environment."""
    make: Any = boto3.client  # its overloads know literal names only
    return make(
        service,
        region_name=region,
        config=Config(
            connect_timeout=3,
            read_timeout=10,
            retries={
                "mode": "standard",
                "total_max_attempts": _ATTEMPTS.get(service, _DEFAULT_ATTEMPTS),
            },
            user_agent_extra="cdk-connect-associations",
        ),
    )


class Aws:
    """What one invocation calls.

    :param client: returns the client of a service in a Region.
    :param region: the stack's Region, where its ledger is too.
    :param paces: shared with the invocations before and after.
    :param limits: the invocation's time.
    """

    def __init__(
        self,
        client: Callable[[str, str], Any],
        *,
        region: str,
        paces: Paces,
        limits: Limits,
    ) -> None:
        self._client = client
        self._region = region
        self._paces = paces
        self.limits = limits

    @cached_property
    def ledger(self) -> Ledger:
        """The table of claims.

        :raises LedgerError: the environment does not name it.
        """
        table = os.environ.get(_TABLE_VARIABLE)
        if not table:
            raise LedgerError(
                f"the environment variable {_TABLE_VARIABLE} is missing: it names the DynamoDB "
                "table of claims, and ConnectAssociationProvider sets it. Nothing was changed."
            )
        return Ledger(self._client("dynamodb", self._region), table)

    @property
    def cloudformation(self) -> CloudFormationClient:
        """CloudFormation in the stack's Region."""
        client: CloudFormationClient = self._client("cloudformation", self._region)
        return client

    def deployment(self, stack_id: str) -> Deployment:
        """Return the deployment that the stack is in, as it is now."""
        return deployment.read(self.cloudformation, stack_id)

    def connect(self, region: str, before_call: Callable[[], None] = lambda: None) -> Connect:
        """Return Amazon Connect in *region*."""
        return Connect(
            self._client("connect", region),
            region,
            paces=self._paces,
            limits=self.limits,
            before_call=before_call,
        )
