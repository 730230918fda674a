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
from typing import TYPE_CHECKING, Any

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
        """Serve a newly seeded emulation instead."""
        self.emulation = _seeded(self.emulation.account_id, self.emulation.throttle.settings)

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
    server: ConnectServer

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if self.path.startswith(_ADMIN):
            self._administer(self.path.removeprefix(_ADMIN), json.loads(body or b"{}"))
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

    def _administer(self, what: str, given: dict[str, Any]) -> None:
        emulation = self.server.emulation
        actions: dict[str, Callable[[], object]] = {
            "state": emulation.state,
            "calls": lambda: [call.as_dict() for call in emulation.recorder],
            "calls/clear": emulation.recorder.clear,
            "behaviour": lambda: emulation.behave(**given),
            "throttle": lambda: emulation.limit(ThrottleSettings.from_dict(given)),
            "fault": lambda: emulation.faults.add(Fault.from_dict(given)) and None,
            "group-status": lambda: emulation.set_group_status(**given),
            "put-member": lambda: emulation.put_member(**given),
            "remove-member": lambda: emulation.remove_member(**given),
            "reset": self.server.reset,
        }
        action = actions.get(what)
        if action is None:
            self._send(404, b"{}", {})
            return
        self._send(200, json.dumps(action(), default=str).encode(), {})

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


def _seeded(account_id: str, throttle: ThrottleSettings) -> ConnectEmulation:
    emulation = ConnectEmulation(account_id=account_id, throttle=throttle)
    seed(emulation)
    return emulation


def main(arguments: list[str] | None = None) -> int:
    """Serve a seeded emulation until SIGINT or SIGTERM.

    :returns: the exit code.
    """
    parser = argparse.ArgumentParser(prog="connect_associations.testing.server")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--account-id", default="123456789012")
    parser.add_argument("--no-throttle", action="store_true")
    parser.add_argument("--rate", type=float, default=2.0, help="requests a second")
    parser.add_argument("--burst", type=int, default=5)
    given = parser.parse_args(arguments)
    throttle = (
        ThrottleSettings.off()
        if given.no_throttle
        else ThrottleSettings.uniform(rate=given.rate, burst=given.burst)
    )
    try:
        server = ConnectServer(_seeded(given.account_id, throttle), port=given.port)
    except OSError as error:
        print(f"port {given.port} cannot be used: {error.strerror}", file=sys.stderr)  # noqa: T201 - a program's message
        return 2
    with server:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(
                number,
                lambda *_: threading.Thread(target=server.shutdown, daemon=True).start(),
            )
        print(server.url, flush=True)  # noqa: T201 - whoever starts the program waits for it
        server.serve_forever(0.05)
    return 0


if __name__ == "__main__":
    sys.exit(main())
