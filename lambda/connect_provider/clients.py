"""Where boto3 clients come from; everything else takes them as given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_connect.client import ConnectClient

_CONNECT = Config(
    connect_timeout=5,
    read_timeout=20,
    # The provider paces and repeats calls itself; see connect_provider.calls.
    retries={"mode": "standard", "total_max_attempts": 1},
    user_agent_extra="cdk-connect-associations",
)
_CLOUDFORMATION = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 5},
    user_agent_extra="cdk-connect-associations",
)


class Clients(Protocol):
    """Makes the clients that the provider talks through."""

    def connect(self, region: str) -> ConnectClient:
        """Return a Connect client for *region*."""
        ...

    def cloudformation(self, region: str) -> CloudFormationClient:
        """Return a CloudFormation client for *region*."""
        ...


class BotoClients:
    """boto3 clients, one for each service and Region, made when first asked for.

    They obey boto3's standard environment, ``AWS_ENDPOINT_URL_CONNECT`` for example.
    """

    def __init__(self) -> None:
        self._connect: dict[str, ConnectClient] = {}
        self._cloudformation: dict[str, CloudFormationClient] = {}

    def connect(self, region: str) -> ConnectClient:
        """Return the Connect client for *region*."""
        if region not in self._connect:
            self._connect[region] = boto3.client("connect", region_name=region, config=_CONNECT)
        return self._connect[region]

    def cloudformation(self, region: str) -> CloudFormationClient:
        """Return the CloudFormation client for *region*."""
        if region not in self._cloudformation:
            self._cloudformation[region] = boto3.client(
                "cloudformation", region_name=region, config=_CLOUDFORMATION
            )
        return self._cloudformation[region]
