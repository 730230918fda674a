"""AWS as one invocation of the Lambda sees it: clients, the ledger, and the time that is left."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, cast

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


def boto_client(service: str, region: str) -> Any:  # noqa: ANN401 - one of many generated classes
    """Return a boto3 client, which obeys boto3's standard environment."""
    make: Any = boto3.client  # its overloads know literal names only
    # The provider paces and repeats calls to Connect itself; see connect_provider.connect.calls.
    attempts = 1 if service == "connect" else 4
    config = Config(
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": attempts},
        user_agent_extra="cdk-connect-associations",
    )
    return make(service, region_name=region, config=config)


class Aws(NamedTuple):
    """What one invocation calls.

    :ivar client: returns the client of a service in a Region.
    :ivar region: the stack's Region, where its ledger is too.
    :ivar paces: shared with the invocations before and after.
    :ivar limits: the invocation's time.
    """

    client: Callable[[str, str], Any]
    region: str
    paces: Paces
    limits: Limits

    @property
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
        return Ledger(self.client("dynamodb", self.region), table)

    @property
    def cloudformation(self) -> CloudFormationClient:
        """CloudFormation in the stack's Region."""
        return cast("CloudFormationClient", self.client("cloudformation", self.region))

    def deployment(self, stack_id: str) -> Deployment:
        """Return the deployment that the stack is in, as it is now."""
        return deployment.read(self.cloudformation, stack_id)

    def connect(self, region: str, before_call: Callable[[], None] = lambda: None) -> Connect:
        """Return Amazon Connect in *region*."""
        return Connect(self.client("connect", region), region, self.paces, self.limits, before_call)
