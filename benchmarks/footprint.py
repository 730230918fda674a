"""What the Lambda functions weigh: cold start, memory and the size of their code."""

from __future__ import annotations

import compileall
import io
import shutil
import statistics
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import aws, children, subjects
from benchmarks.figures import Figure, Limit, Section

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROUNDS = 11
_USERS = 2500
_COLD_START = Limit(most=1.10, of="ratio")
_MEMORY = Limit(most=1.10, of="ratio")
_ASSET = Limit(most=32 * 1024)

_COLD_START_NOTE = (
    "The difference to the bare client is the time to compile and run our modules. Named tuples "
    "instead of frozen dataclasses helped, and are in. Leaving out docstrings gains nothing. "
    "Including bytecode helps, as the next row shows, but it fits one version of Python only."
)
_ASSET_NOTE = (
    "The source is deployed as it is; "
    "[decision 6](decisions/0006-deploy-the-source-as-it-is.md) says what was tried, and why."
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
from connect_provider.aws import boto_client
boto_client("connect", "us-east-1")
"""
_BARE_ALL = """
import boto3
for service in ("connect", "cloudformation", "dynamodb"):
    boto3.client(service)
"""
_OURS_ALL = """
import connect_provider.handler
from connect_provider.aws import boto_client
for service in ("connect", "cloudformation", "dynamodb"):
    boto_client(service, "us-east-1")
"""
_FIRST_REQUEST = """
from benchmarks import lambda_run
lambda_run.associate({number}, 1)
"""
_MANY_USERS = f"""
from benchmarks import lambda_run
lambda_run.associate({_ROUNDS + 1}, {_USERS})
"""


def measure() -> list[Section]:
    """Start fresh processes in turns, so that other load on the machine affects all alike."""
    with tempfile.TemporaryDirectory() as folder:
        sources, compiled = Path(folder) / "sources", Path(folder) / "compiled"
        for copy in (sources, compiled):
            shutil.copytree(_LAMBDA, copy, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(compiled, quiet=1)
        programs = {
            "bare": (_BARE, sources),
            "ours": (_OURS, sources),
            "compiled": (_OURS, compiled),
            "bare, all": (_BARE_ALL, sources),
            "ours, all": (_OURS_ALL, sources),
            "first request": (_FIRST_REQUEST, sources),
        }
        seconds: dict[str, list[float]] = {name: [] for name in programs}
        memory: dict[str, list[float]] = {name: [] for name in programs}
        with aws.serving(subjects.agents(_ROUNDS + 1 + _USERS)) as served:
            for number in range(_ROUNDS + 1):
                for name, (statements, path) in programs.items():
                    answer = _start(statements.format(number=number), path, served.environment)
                    if number:  # the first one reads from a cold disk
                        seconds[name].append(answer["seconds"] * 1000)
                        memory[name].append(answer["bytes"] / 1e6)
            working = _start(_MANY_USERS, sources, served.environment)["bytes"] / 1e6
    cold = {name: statistics.median(values) for name, values in seconds.items()}
    peak = {name: statistics.median(values) for name, values in memory.items()}
    return [
        Section(
            title="The Lambda functions",
            against='`import boto3; boto3.client("connect")`',
            method=(
                f"The median of {_ROUNDS} fresh processes each, in turns, in CPU time because "
                "other work shares the machine. As in Lambda, our modules come without bytecode, "
                "because their folder is read-only, and boto3 comes with it. The ratio of one run "
                "is still up to a tenth off: runs of the same code gave 1.01 to 1.32. "
                "A request also needs the clients of CloudFormation and DynamoDB, so it is "
                "compared with these three clients without our modules. The first request is a "
                "single user's Create, planned and carried out over HTTP in one new process; in "
                "Lambda, each handler has its own. "
                f"The memory is the process's peak; the {_USERS:,} users are planned and "
                "associated over HTTP, with all three clients."
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
                    name="cold start, with our bytecode: ms",
                    ours=cold["compiled"],
                    other=cold["bare"],
                ),
                Figure(
                    name="cold start, all three clients: ms",
                    ours=cold["ours, all"],
                    other=cold["bare, all"],
                ),
                Figure(
                    name="cold start and first request: ms",
                    ours=cold["first request"],
                    other=cold["bare, all"],
                ),
                Figure(
                    name="peak memory, modules and client: MB",
                    ours=peak["ours"],
                    other=peak["bare"],
                    limit=_MEMORY,
                ),
                Figure(
                    name=f"peak memory, {_USERS:,} users and all three clients: MB",
                    ours=working,
                    other=peak["bare, all"],
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
