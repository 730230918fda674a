"""The emulator with the tools of this clone, for the demo, the tests and the benchmarks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3

from connect_associations.testing import seed
from connect_associations.testing.emulator.environment import ACCESS_KEY, ACCOUNT, REGION, Emulator
from connect_associations.testing.entities import Channel
from embedded import toolchain
from embedded.cdk_cli import CdkCli

if TYPE_CHECKING:
    from connect_associations.testing.throttle import ThrottleSettings

__all__ = ["ACCOUNT", "REGION", "EmbeddedEnvironment"]


class EmbeddedEnvironment(Emulator):
    """AWS and Amazon Connect on this machine, with the CDK CLI for the app in this repository.

    The parameters are those of :class:`Emulator`.
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        connect_port: int | None = None,
        throttle: ThrottleSettings | None = None,
    ) -> None:
        super().__init__(
            tools=toolchain.tools, port=port, connect_port=connect_port, throttle=throttle
        )

    @property
    def env(self) -> dict[str, str]:
        """A whole environment for programs, this Python and the example's context among it."""
        return {
            **super().env,
            "PATH": toolchain.search_path(),
            # Unpacking the CDK takes jsii 20 s; where $HOME is new each time it would do it anew.
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(toolchain.ROOT / ".cache" / "jsii"),
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
            **self.example(),
        }

    @property
    def cdk(self) -> CdkCli:
        """The CDK CLI for the app in this repository."""
        return CdkCli(environment=self.env, project=toolchain.ROOT)

    def example(self) -> dict[str, str]:
        """Return the variable from which ``app.py`` takes context that holds here."""
        context = {
            "instance_id": seed.INSTANCE_ID,
            "traffic_distribution_group_id": self.connect.arn(
                f"traffic-distribution-group/{seed.GROUP_ID}"
            ),
            "user_ids": f"{seed.USERS['ann']},{seed.USERS['bob']}",
            "contact_id": seed.CONTACTS[Channel.TASK][0],
            "contact_user_id": seed.USERS["ann"],
            "contact_release": "transfer_to_queue",
            "contact_flow_id": seed.CONTACT_FLOW_ID,
        }
        return {"CONNECT_ASSOCIATIONS_EXAMPLE": json.dumps(context)}

    def session(self, *, region: str = REGION) -> boto3.Session:
        """Return a boto3 session; its clients need ``endpoint_url=`` :attr:`aws_url`."""
        return boto3.Session(
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=ACCESS_KEY, region_name=region
        )

    def lambda_log(self, *, lines: int = 40) -> str:
        """Return the end of what the Python functions logged, oldest first.

        The functions of the Provider framework are left out: they log every event at length.
        """
        functions = self.session().client("lambda", endpoint_url=self.aws_url)
        logs = self.session().client("logs", endpoint_url=self.aws_url)
        groups = {
            function.get("LoggingConfig", {}).get("LogGroup")
            or f"/aws/lambda/{function['FunctionName']}"
            for page in functions.get_paginator("list_functions").paginate()
            for function in page["Functions"]
            if function.get("Runtime", "").startswith("python")
        }
        existing = {
            group["logGroupName"]
            for page in logs.get_paginator("describe_log_groups").paginate()
            for group in page["logGroups"]
        }
        events = [
            event
            for group in groups & existing
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            for event in page["events"]
        ]
        events.sort(key=lambda event: event["timestamp"])
        return "\n".join([event["message"].rstrip() for event in events][-lines:])
