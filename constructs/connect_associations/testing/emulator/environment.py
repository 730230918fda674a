"""AWS and Amazon Connect on this machine, for the time of a ``with`` block."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from connect_associations.testing.emulator import processes
from connect_associations.testing.emulator.background import HOST, check_port, free_port
from connect_associations.testing.emulator.connect import EmulatedConnect
from connect_associations.testing.emulator.errors import EmulatorError, StartError
from connect_associations.testing.emulator.ministack import ministack
from connect_associations.testing.emulator.termination import sigterm_raises

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from connect_associations.testing.emulator.background import BackgroundServer
    from connect_associations.testing.emulator.tools import Tools
    from connect_associations.testing.throttle import ThrottleSettings

ACCOUNT = "123456789012"
"""The account that everything belongs to."""

REGION = "us-east-1"
"""The Region that is bootstrapped, where stacks go."""

ACCESS_KEY = "test"
"""Access key and secret; the emulators take any, and the CDK CLI wants some."""

_ATTEMPTS = 3
_BOOTSTRAP_SECONDS = 120.0
_KEPT = ("LANG", "LC_ALL", "TERM", "TZ", "SSL_CERT_FILE")
"""What the environment for tools takes over from this process's."""


class Emulator:
    """An emulator of AWS and one of Amazon Connect, bootstrapped for the CDK CLI.

    Use it as a context manager. Whatever ends the block (its end, an exception, Ctrl-C, SIGTERM),
    and when starting fails, all that was started is stopped.

    :param tools: finds the programs that it needs.
    :param port: where AWS listens on loopback. Default: any free port
    :param connect_port: where Amazon Connect listens on loopback. Default: any free port
    :param throttle: the quotas of Amazon Connect. Default: none

    :ivar folder: what is written for the time of the block, the logs among it; it stays, and is
        named on standard error, when an exception ends the block.
    :ivar tools: the programs that it uses.
    :ivar connect: the emulated Amazon Connect.
    """

    folder: Path
    tools: Tools
    connect: EmulatedConnect

    def __init__(
        self,
        *,
        tools: Callable[[], Tools],
        port: int | None = None,
        connect_port: int | None = None,
        throttle: ThrottleSettings | None = None,
    ) -> None:
        self._find_tools = tools
        self._port = port
        self._throttle = throttle
        self._connect_port = connect_port
        self._aws: BackgroundServer | None = None
        self._exits = contextlib.ExitStack()

    @property
    def aws_url(self) -> str:
        """Where AWS listens."""
        if self._aws is None:
            raise RuntimeError("the emulator is not running")
        return self._aws.url

    def __enter__(self) -> Self:
        """Start everything, which takes about four seconds.

        :raises MissingToolError: if a program is not there.
        :raises PortTakenError: if a port that was asked for is not free.
        :raises StartError: if an emulator does not start.
        :raises EmulatorError: if bootstrapping fails.
        """
        with contextlib.ExitStack() as exits:
            exits.enter_context(sigterm_raises())
            self.tools = self._find_tools()
            self.folder = Path(tempfile.mkdtemp(prefix="emulated-aws-"))
            exits.push(self._leave_folder)
            for port, what in ((self._port, "AWS"), (self._connect_port, "Amazon Connect")):
                if port is not None:
                    check_port(port, what=what)
            self.connect = exits.enter_context(
                EmulatedConnect(account=ACCOUNT, port=self._connect_port, throttle=self._throttle)
            )
            self._aws = self._start_aws()
            exits.callback(self._aws.stop)
            self._bootstrap()
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

    @property
    def aws(self) -> dict[str, str]:
        """The environment variables that lead the CDK CLI, boto3 and the AWS CLI here."""
        no_file = str(self.folder / "none")
        return {
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_ENDPOINT_URL_CONNECT": self.connect.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            # The machine's own profiles are not meant for what runs here.
            "AWS_CONFIG_FILE": no_file,
            "AWS_SHARED_CREDENTIALS_FILE": no_file,
            "AWS_EC2_METADATA_DISABLED": "true",
            # The CLI remembers there which account an access key belongs to.
            "CDK_HOME": str(self.folder / "cdk-home"),
        }

    @property
    def env(self) -> dict[str, str]:
        """A whole environment for programs that are to see nothing but this one."""
        return {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "PATH": self.tools.search_path(),
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            # A proxy could not reach this machine's loopback.
            "NO_PROXY": HOST,
            "no_proxy": HOST,
            **self.aws,
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def aws_log(self) -> str:
        """Return the end of the AWS emulator's log."""
        return self._aws.log_tail() if self._aws else ""

    def _start_aws(self) -> BackgroundServer:
        for attempt in range(1, _ATTEMPTS + 1):
            server = ministack(
                port=self._port or free_port(),
                account=ACCOUNT,
                region=REGION,
                connect_url=self.connect.url,
                tools=self.tools,
                folder=self.folder,
            )
            try:
                server.start()
            except StartError:
                # Another program may have taken the free port in between.
                if self._port is not None or attempt == _ATTEMPTS:
                    raise
            else:
                return server
        raise AssertionError("the last attempt returns or raises")

    def _bootstrap(self) -> None:
        """Bootstrap the Region, as the CDK CLI wants it."""
        status, output = processes.run(
            [str(self.tools.cdk), "bootstrap", f"aws://{ACCOUNT}/{REGION}", "--no-notices"],
            cwd=self.folder,
            environment=self.env,
            timeout=_BOOTSTRAP_SECONDS,
        )
        if status:
            raise EmulatorError(f"`cdk bootstrap` failed on the emulator:\n{output}")

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
