"""Programs that run in the background for as long as they are needed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from connect_associations.testing.emulator.errors import PortTakenError, StartError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOST = "127.0.0.1"
"""Where everything listens: no other machine can reach it."""

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_LOG_TAIL_LINES = 25


def free_port() -> int:
    """Return a port on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def check_port(port: int, *, what: str) -> None:
    """Fail if another program listens on the port.

    :raises PortTakenError: naming the port and what to do.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTakenError(
                f"port {port} cannot be used for {what} ({error.strerror}): "
                "end the program that uses it, or name another port"
            ) from None


class BackgroundServer:
    """A program that serves HTTP on loopback, and ends with this process at the latest.

    :param name: what people call it.
    :param command: the program and its arguments.
    :param environment: all of its environment.
    :param port: where it is going to listen.
    :param ready_path: what answers 200 once it is up.
    :param log: the file that gets its output.
    """

    def __init__(  # noqa: PLR0913 - each says one thing about the program
        self,
        *,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        port: int,
        ready_path: str,
        log: Path,
    ) -> None:
        self.name = name
        self.port = port
        self.log = log
        self._command = command
        self._environment = environment
        self._ready_path = ready_path
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start the program and wait until it answers.

        :raises StartError: if it ends, or does not answer within a minute.
        """
        guardian = Path(__file__).with_name("guardian.py")
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [sys.executable, "-I", str(guardian), *self._command],
                env=dict(self._environment),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None:
                self.stop()
                raise StartError(f"{self.name} ended while starting:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                self.stop()
                raise StartError(
                    f"{self.name} did not answer within {_START_SECONDS:.0f} s:\n{self.log_tail()}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """End the program and all that it started; do nothing if it has ended."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(_STOP_SECONDS)

    def log_tail(self) -> str:
        """Return the end of its output."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-_LOG_TAIL_LINES:])

    def _answers(self) -> bool:
        connection = HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", self._ready_path)
            status = connection.getresponse().status
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
        return status == HTTPStatus.OK
