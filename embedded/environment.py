"""AWS and Amazon Connect on this machine, for the time of a ``with`` block."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

import boto3

from embedded import toolchain
from embedded.background import HOST, check_port, free_port
from embedded.cdk_cli import CdkCli
from embedded.connect import EmbeddedConnect
from embedded.errors import StartError
from embedded.ministack import ministack
from embedded.termination import sigterm_raises

if TYPE_CHECKING:
    from types import TracebackType

    from connect_associations.testing.throttle import ThrottleSettings
    from embedded.background import BackgroundServer

ACCOUNT = "123456789012"
"""The account that everything belongs to."""

REGION = "us-east-1"
"""The Region that is bootstrapped, where stacks go."""

ACCESS_KEY = "test"
"""Access key and secret; the emulators take any, and the CDK CLI wants some."""

_ATTEMPTS = 3
_KEPT = ("LANG", "LC_ALL", "TERM", "TZ", "SSL_CERT_FILE")
"""What the environment for tools takes over from this process's."""


class EmbeddedEnvironment:
    """An emulator of AWS and one of Amazon Connect, bootstrapped for the CDK CLI.

    Use it as a context manager. Whatever ends the block (its end, an exception, Ctrl-C, SIGTERM),
    and when starting fails, all that was started is stopped.

    :param aws_port: where AWS listens on loopback. Default: any free port
    :param connect_port: where Amazon Connect listens on loopback. Default: any free port
    :param throttle: the quotas of Amazon Connect. Default: none

    :ivar folder: what is written for the time of the block, the logs among it; it stays, and is
        named on standard error, when an exception ends the block.
    :ivar env: environment variables with which ``cdk``, boto3 and the AWS CLI work here.
    :ivar connect: the emulated Amazon Connect.
    :ivar cdk: the CDK CLI for the project in this repository.
    """

    folder: Path
    env: dict[str, str]
    connect: EmbeddedConnect
    cdk: CdkCli

    def __init__(
        self,
        *,
        aws_port: int | None = None,
        connect_port: int | None = None,
        throttle: ThrottleSettings | None = None,
    ) -> None:
        self._aws_port = aws_port
        self._throttle = throttle
        self._connect_port = connect_port
        self._aws: BackgroundServer | None = None
        self._exits = contextlib.ExitStack()

    @property
    def aws_url(self) -> str:
        """Where AWS listens."""
        if self._aws is None:
            raise RuntimeError("the embedded environment is not running")
        return self._aws.url

    def __enter__(self) -> Self:
        """Start everything, which takes about four seconds.

        :raises MissingToolError: if set-up was not run.
        :raises PortTakenError: if a port that was asked for is not free.
        :raises StartError: if an emulator does not start.
        :raises CdkError: if bootstrapping fails.
        """
        with contextlib.ExitStack() as exits:
            exits.enter_context(sigterm_raises())
            self.folder = Path(tempfile.mkdtemp(prefix="embedded-aws-"))
            exits.push(self._leave_folder)
            for port, what in ((self._aws_port, "AWS"), (self._connect_port, "Amazon Connect")):
                if port is not None:
                    check_port(port, what=what)
            self.connect = exits.enter_context(
                EmbeddedConnect(account=ACCOUNT, port=self._connect_port, throttle=self._throttle)
            )
            self._aws = self._start_aws()
            exits.callback(self._aws.stop)
            self.env = self._environment()
            self.cdk = CdkCli(environment=self.env, project=toolchain.ROOT)
            CdkCli(environment=self.env, project=self.folder).bootstrap(
                account=ACCOUNT, region=REGION
            )
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self._exits.__exit__(kind, error, traceback)

    def exports(self) -> dict[str, str]:
        """Return what of :attr:`env` a person's shell needs; the rest is for isolation."""
        isolation = {*_KEPT, "HOME", "TMPDIR"}
        return {name: value for name, value in self.env.items() if name not in isolation}

    def session(self, *, region: str = REGION) -> boto3.Session:
        """Return a boto3 session; its clients need ``endpoint_url=`` :attr:`aws_url`."""
        return boto3.Session(
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=ACCESS_KEY, region_name=region
        )

    def aws_log(self) -> str:
        """Return the end of the AWS emulator's log."""
        return self._aws.log_tail() if self._aws else ""

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

    def _start_aws(self) -> BackgroundServer:
        for attempt in range(1, _ATTEMPTS + 1):
            server = ministack(
                port=self._aws_port or free_port(),
                account=ACCOUNT,
                region=REGION,
                connect_url=self.connect.url,
                folder=self.folder,
            )
            try:
                server.start()
            except StartError:
                # Another program may have taken the free port in between.
                if self._aws_port is not None or attempt == _ATTEMPTS:
                    raise
            else:
                return server
        raise AssertionError("the last attempt returns or raises")

    def _environment(self) -> dict[str, str]:
        no_file = str(self.folder / "none")
        return {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "PATH": toolchain.search_path(),
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_ENDPOINT_URL_CONNECT": self.connect.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            # The machine's own profiles and proxies are not meant for what runs here.
            "AWS_CONFIG_FILE": no_file,
            "AWS_SHARED_CREDENTIALS_FILE": no_file,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": HOST,
            "no_proxy": HOST,
            # The CLI remembers there which account an access key belongs to.
            "CDK_HOME": str(self.folder / "cdk-home"),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            # Unpacking the CDK takes jsii 20 s; where $HOME is new each time it would do it anew.
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(toolchain.ROOT / ".cache" / "jsii"),
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "CONNECT_ASSOCIATIONS_EXAMPLE": json.dumps(self.connect.example_context()),
        }

    def _leave_folder(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        del error, traceback
        if kind is None or not issubclass(kind, Exception):
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            sys.stderr.write(f"The emulator's logs are in {self.folder}\n")
