"""AWS over HTTP, as the handlers find it: Connect without quotas, one stack, and a ledger."""

from __future__ import annotations

import logging
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from unittest.mock import patch

import boto3
from moto.server import ThreadedMotoServer

from benchmarks import subjects
from connect_associations.testing import ConnectEmulation
from connect_associations.testing.seed import HOME_REGION, INSTANCE_ID, seed
from connect_associations.testing.server import serving as serving_connect
from tables import LEDGER_KEYS, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TABLE = "ledger"
_CREDENTIALS = {
    "AWS_DEFAULT_REGION": HOME_REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
}


@dataclass(kw_only=True)
class Stack:
    """What DescribeStacks answers.

    :ivar status: the stack's status.
    :ivar updates: how many updates have begun.
    """

    status: str = "CREATE_IN_PROGRESS"
    updates: int = 0

    def described(self) -> bytes:
        """Return the answer."""
        updated = (
            f"<LastUpdatedTime>2026-01-02T00:00:{self.updates:02}Z</LastUpdatedTime>"
            if self.updates
            else ""
        )
        return (
            '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">'
            "<DescribeStacksResult><Stacks><member><StackName>Benchmark</StackName>"
            f"<CreationTime>2026-01-01T00:00:00Z</CreationTime>{updated}"
            f"<StackStatus>{self.status}</StackStatus></member></Stacks>"
            "</DescribeStacksResult></DescribeStacksResponse>"
        ).encode()


@dataclass(frozen=True, kw_only=True)
class Aws:
    """Where AWS is.

    :ivar environment: variables with which boto3 and the handlers find it.
    :ivar stack: the stack that CloudFormation knows.
    """

    environment: dict[str, str]
    stack: Stack

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let this process use it."""
        with patch.dict(os.environ, self.environment):
            yield


@contextmanager
def serving(users: Sequence[str]) -> Iterator[Aws]:
    """Serve a Connect with *users*, a stack and an empty ledger."""
    emulation = ConnectEmulation(account_id=subjects.ACCOUNT)
    seed(emulation)
    instance = emulation.world.instances[INSTANCE_ID]
    for number, user_id in enumerate(users):
        emulation.add_user(instance, user_id=user_id, username=f"agent{number}")
    stack = Stack()
    with (
        serving_connect(emulation) as connect,
        _serving_stack(stack) as cloudformation,
        _serving_table() as dynamodb,
    ):
        yield Aws(
            environment={
                **_CREDENTIALS,
                "AWS_ENDPOINT_URL_CONNECT": connect,
                "AWS_ENDPOINT_URL_CLOUDFORMATION": cloudformation,
                "AWS_ENDPOINT_URL_DYNAMODB": dynamodb,
                "LEDGER_TABLE_NAME": TABLE,
            },
            stack=stack,
        )


@contextmanager
def _serving_table() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it tells every request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        client = boto3.client(
            "dynamodb",
            endpoint_url=url,
            region_name=HOME_REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the emulation takes any
        )
        make_table(client, TABLE, *LEDGER_KEYS)
        yield url
        # Every server of this process has the same tables.
        client.delete_table(TableName=TABLE)
    finally:
        server.stop()


@contextmanager
def _serving_stack(stack: Stack) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = stack.described()
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
