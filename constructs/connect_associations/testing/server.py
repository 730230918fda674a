"""The emulation as a real HTTP server on loopback.

``python -m connect_associations.testing.server --port 0`` prints its address and serves until it
is told to end. Below ``/_emulation/`` other processes look at it and change it.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from connect_associations.testing.emulation import ConnectEmulation
from connect_associations.testing.faults import ConnectionLostError, Fault
from connect_associations.testing.responses import Request
from connect_associations.testing.seed import seed
from connect_associations.testing.throttle import ThrottleSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ADMIN = "/_emulation/"


class ConnectServer(ThreadingHTTPServer):
    """Serves one emulation on 127.0.0.1.

    :param emulation: what to serve.
    :param port: the port. Default: a free one.
    """

    daemon_threads = True

    def __init__(self, emulation: ConnectEmulation, *, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.emulation = emulation

    def reset(self) -> None:
        """Let the emulation go back to its start."""
        self.emulation.reset()

    @property
    def url(self) -> str:
        """The address to give boto3 as its endpoint."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving(emulation: ConnectEmulation, *, port: int = 0) -> Iterator[str]:
    """Serve *emulation* from a thread and yield its address."""
    with ConnectServer(emulation, port=port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ConnectServer  # pyright: ignore[reportIncompatibleVariableOverride] # the only server it has

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if self.path.startswith(_ADMIN):
            self._administer(self.path.removeprefix(_ADMIN), body)
            return
        request = Request(
            method=self.command, target=self.path, headers=dict(self.headers), body=body
        )
        try:
            response = self.server.emulation.respond(request)
        except ConnectionLostError as lost:
            if lost.fault.kind.is_time_out:
                threading.Event().wait(lost.fault.wait_seconds)
            self.close_connection = True
            return
        self._send(response.status, response.body, response.headers)

    do_GET = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815 - http.server's names

    def _administer(self, what: str, body: bytes) -> None:
        emulation = self.server.emulation
        looks: dict[str, Callable[[], object]] = {
            "state": emulation.state,
            "calls": lambda: [call.as_dict() for call in emulation.calls],
        }
        changes: dict[str, Callable[..., object]] = {
            "members": lambda **given: sorted(emulation.members(**given)),
            "calls/clear": emulation.recorder.clear,
            "behaviour": emulation.behave,
            "throttle": lambda **given: emulation.limit(ThrottleSettings.from_dict(given)),
            "fault": lambda **given: emulation.faults.add(Fault.from_dict(given)) and None,
            "add-instance": lambda **given: emulation.add_instance(**given).id,
            "add-user": lambda **given: emulation.add_user(**given).id,
            "add-users": lambda **given: [user.id for user in emulation.add_users(**given)],
            "add-group": lambda **given: emulation.add_group(**given).id,
            "add-queue": lambda **given: emulation.add_queue(**given).id,
            "add-contact-flow": lambda **given: emulation.add_contact_flow(**given).id,
            "add-contact": lambda **given: emulation.add_contact(**given).id,
            "group-status": emulation.set_group_status,
            "put-member": emulation.put_member,
            "remove-member": emulation.remove_member,
            "reset": self.server.reset,
        }
        if what not in looks and what not in changes:
            self._refuse(404, f"There is no {_ADMIN}{what}.")
            return
        method = "GET" if what in looks else "POST"
        if self.command != method:
            self._refuse(405, f"{_ADMIN}{what} takes {method}, not {self.command}.")
            return
        try:
            answer = looks[what]() if what in looks else changes[what](**json.loads(body or b"{}"))
        except (TypeError, ValueError) as error:
            self._refuse(400, str(error))
        else:
            self._send(200, json.dumps(answer, default=str).encode(), {})

    def _refuse(self, status: int, message: str) -> None:
        self._send(status, json.dumps({"message": message}).encode(), {})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Keep quiet: the recorder knows every call."""


def _throttle(*, off: bool, rate: float | None, burst: int | None) -> ThrottleSettings:
    if off:
        return ThrottleSettings.off()
    own = ThrottleSettings()
    if rate is None and burst is None:
        return own
    return ThrottleSettings.uniform(
        rate=own.default.rate if rate is None else rate,
        burst=own.default.burst if burst is None else burst,
    )


def main(arguments: list[str] | None = None) -> int:
    """Serve a seeded emulation until SIGINT or SIGTERM.

    :returns: the exit code.
    """
    parser = argparse.ArgumentParser(prog="connect_associations.testing.server")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--account-id", default="123456789012")
    parser.add_argument("--no-throttle", action="store_true")
    parser.add_argument(
        "--rate", type=float, help="requests per second for every operation; default: Connect's own"
    )
    parser.add_argument(
        "--burst", type=int, help="requests at once after a pause; default: Connect's own"
    )
    given = parser.parse_args(arguments)
    try:
        throttle = _throttle(off=given.no_throttle, rate=given.rate, burst=given.burst)
    except ValueError as error:
        parser.error(str(error))
    try:
        server = ConnectServer(
            ConnectEmulation(account_id=given.account_id, throttle=throttle, seed=seed),
            port=given.port,
        )
    except OSError as error:
        print(f"port {given.port} cannot be used: {error.strerror}", file=sys.stderr)  # noqa: T201 - a program's message
        return 2
    with server:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(
                number,
                lambda *_: threading.Thread(target=server.shutdown, daemon=True).start(),
            )
        print(server.url, flush=True)  # noqa: T201 - the starting program waits for it
        server.serve_forever(0.05)
    return 0


if __name__ == "__main__":
    sys.exit(main())
