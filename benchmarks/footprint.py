"""What the Lambda functions weigh: cold start, memory and the size of their code."""

from __future__ import annotations

import compileall
import io
import shutil
import statistics
import tempfile
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import children, subjects
from benchmarks.figures import Figure, Limit, Section
from connect_associations.testing import ConnectEmulation
from connect_associations.testing.seed import INSTANCE_ID, seed
from connect_associations.testing.server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROUNDS = 11
_USERS = 2500
_COLD_START = Limit(most=1.10, of="ratio")
_MEMORY = Limit(most=1.10, of="ratio")
_ASSET = Limit(most=30_000)

_COLD_START_NOTE = (
    "What is above the bare client is compiling our modules, and then running them. Tried: named "
    "tuples instead of frozen dataclasses, which are in; leaving the docstrings out, which gains "
    "nothing; taking bytecode along, which the next row shows, and which fits one Python only."
)
_ASSET_NOTE = (
    "The source is deployed as it is; "
    "[decision 6](decisions/0006-deploy-the-source-as-it-is.md) has what was tried, and why."
)
_LAMBDA = children.ROOT / "lambda"

_MEASURE = """
import time
started = time.process_time()
{statements}
seconds = time.process_time() - started
from benchmarks import peak_memory
import json
print(json.dumps({{"seconds": seconds, "bytes": peak_memory.read()}}))
"""
_BARE = """
import boto3
boto3.client("connect")
"""
_OURS = """
import connect_provider.handler
from connect_provider.clients import BotoClients
BotoClients().connect("us-east-1")
"""
_ASSOCIATE = f"""
from benchmarks import lambda_run
lambda_run.associate({_USERS})
"""


def measure() -> list[Section]:
    """Start fresh processes in turns, so that what else the machine does hits all."""
    with tempfile.TemporaryDirectory() as folder:
        sources, compiled = Path(folder) / "sources", Path(folder) / "compiled"
        for copy in (sources, compiled):
            shutil.copytree(_LAMBDA, copy, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(compiled, quiet=1)
        programs = {
            "bare": (_BARE, sources),
            "ours": (_OURS, sources),
            "compiled": (_OURS, compiled),
        }
        seconds: dict[str, list[float]] = {name: [] for name in programs}
        memory: dict[str, list[float]] = {name: [] for name in programs}
        for number in range(_ROUNDS + 1):
            for name, (statements, path) in programs.items():
                answer = _start(statements, path)
                if number:  # the first one reads from a cold disk
                    seconds[name].append(answer["seconds"] * 1000)
                    memory[name].append(answer["bytes"] / 1e6)
        with _aws() as environment:
            working = _start(_ASSOCIATE, sources, environment)["bytes"] / 1e6
    cold = {name: statistics.median(values) for name, values in seconds.items()}
    peak = {name: statistics.median(values) for name, values in memory.items()}
    return [
        Section(
            title="The Lambda functions",
            against='`import boto3; boto3.client("connect")`',
            method=(
                f"Median of {_ROUNDS} fresh processes each, in turns, in CPU time because others "
                "use the machine. As in Lambda, our modules come without bytecode, which the "
                "folder that they are in could not keep, and boto3 comes with it. Even so the "
                "ratio of one run is a tenth off, either way: runs of the same code gave 1.01 to "
                "1.32. "
                f"The memory is the process's peak; the {_USERS:,} users are planned and "
                "associated over HTTP."
            ),
            figures=(
                Figure(
                    name="cold start, modules and client: ms",
                    ours=cold["ours"],
                    other=cold["bare"],
                    limit=_COLD_START,
                    note=_COLD_START_NOTE,
                ),
                Figure(
                    name="cold start, if our bytecode came along: ms",
                    ours=cold["compiled"],
                    other=cold["bare"],
                ),
                Figure(
                    name="peak memory, modules and client: MB",
                    ours=peak["ours"],
                    other=peak["bare"],
                    limit=_MEMORY,
                ),
                Figure(
                    name=f"peak memory, {_USERS:,} users: MB",
                    ours=working,
                    other=peak["bare"],
                    limit=_MEMORY,
                ),
                Figure(
                    name="the code, zipped: bytes", ours=_zipped(), limit=_ASSET, note=_ASSET_NOTE
                ),
            ),
        )
    ]


def _start(
    statements: str, path: Path, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    return children.run(
        # -B: what one round compiles must not help the next.
        "-B",
        "-c",
        _MEASURE.format(statements=statements),
        path=[path, children.ROOT],
        environment=environment,
    )


def _zipped() -> int:
    """Return the size of the functions' code."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for path in sorted(_LAMBDA.rglob("*.py")):
            file.write(path, path.relative_to(_LAMBDA))
    return len(archive.getvalue())


@contextmanager
def _aws() -> Iterator[dict[str, str]]:
    """Serve a Connect without quotas and a CloudFormation, and yield where they are."""
    emulation = ConnectEmulation(account_id=subjects.ACCOUNT)
    seed(emulation)
    instance = emulation.world.instances[INSTANCE_ID]
    for number, user_id in enumerate(subjects.agents(_USERS)):
        emulation.add_user(instance, user_id=user_id, username=f"agent{number}")
    with serving(emulation) as connect, ThreadingHTTPServer(("127.0.0.1", 0), _Stack) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield {
                "AWS_ENDPOINT_URL_CONNECT": connect,
                "AWS_ENDPOINT_URL_CLOUDFORMATION": f"http://127.0.0.1:{server.server_address[1]}",
            }
        finally:
            server.shutdown()


class _Stack(BaseHTTPRequestHandler):
    """Answers DescribeStacks, which is all that a Create asks for."""

    def do_POST(self) -> None:
        """Say that the stack is being created."""
        self.rfile.read(int(self.headers["Content-Length"]))
        body = (
            b'<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">'
            b"<DescribeStacksResult><Stacks><member><StackName>Benchmark</StackName>"
            b"<CreationTime>2026-01-01T00:00:00Z</CreationTime>"
            b"<StackStatus>CREATE_IN_PROGRESS</StackStatus></member></Stacks>"
            b"</DescribeStacksResult></DescribeStacksResponse>"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Keep quiet."""
