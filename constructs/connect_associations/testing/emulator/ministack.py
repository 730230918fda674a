"""The emulator of AWS: CloudFormation, Lambda, Step Functions, IAM and S3, without Connect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from connect_associations.testing.emulator.background import HOST, BackgroundServer

if TYPE_CHECKING:
    from connect_associations.testing.emulator.tools import Tools

_PROGRAM = Path(__file__).with_name("patched_ministack.py")

_WAIT_SCALE = "0.1"
"""Pauses of Step Functions take a tenth of their time: the provider's waiter polls often."""


def ministack(  # noqa: PLR0913 - each says one thing about the emulated account
    *, port: int, account: str, region: str, connect_url: str, tools: Tools, folder: Path
) -> BackgroundServer:
    """Return the emulator, ready to start.

    Its environment holds only what is needed, because every Lambda function inherits it.

    :param port: where it listens.
    :param account: its account.
    :param region: its Region where a request names none.
    :param connect_url: where Lambda functions find Connect.
    :param tools: the Python that has it, and Node for Lambda functions.
    :param folder: where it may write; its log is there.
    """
    scratch = folder / "ministack"
    scratch.mkdir(exist_ok=True)
    python = tools.ministack_python
    return BackgroundServer(
        name="the AWS emulator",
        # -P: the program's folder has a module of the emulator's name.
        command=[str(python), "-P", str(_PROGRAM)],
        environment={
            "PATH": tools.search_path(python.parent),
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": HOST,
            "MINISTACK_ACCOUNT_ID": account,
            "MINISTACK_REGION": region,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "SFN_WAIT_SCALE": _WAIT_SCALE,
            "LAMBDA_EXECUTOR": "local",
            "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
            "AWS_ENDPOINT_URL_CONNECT": connect_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": HOST,
            "no_proxy": HOST,
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        port=port,
        ready_path="/_ministack/ready",
        log=folder / "ministack.log",
    )
