"""The emulator as a program: what it says, and that it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from connect_associations.testing.emulator.background import free_port
from emulators import started

pytestmark = pytest.mark.deploy

ROOT = Path(__file__).resolve().parents[2]
UP = [sys.executable, "-m", "embedded", "up"]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_until_it_is_told_to_end(how: signal.Signals, tmp_path: Path) -> None:
    aws, connect = free_port(), free_port()
    with started(
        [*UP, "--port", str(aws), "--connect-port", str(connect)],
        cwd=ROOT,
        environment={**os.environ, "TMPDIR": str(tmp_path)},
        errors=tmp_path / "errors",
    ) as emulator:
        mine = {"PATH": "/my/own/bin:/usr/bin:/bin", "NO_PROXY": "example.com", "AWS_PROFILE": "x"}
        shell = emulator.environment(mine, cwd=tmp_path)
        assert shell["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{aws}"
        assert shell["AWS_ENDPOINT_URL_CONNECT"] == f"http://127.0.0.1:{connect}"
        assert (shell["NO_PROXY"], shell["no_proxy"]) == ("example.com,127.0.0.1", "127.0.0.1")
        assert "AWS_PROFILE" not in shell
        first, *lent = shell["PATH"].removeprefix(mine["PATH"]).split(":")
        assert not first, "what was on the PATH stays first"
        assert {program.name for folder in lent for program in Path(folder).iterdir()} == {
            *("node", "npm", "npx", "corepack", "cdk")
        }
        assert listens(aws)
        assert listens(connect)
        assert emulator.stop(how) == 128 + how
    assert not listens(aws)
    assert not listens(connect)
    assert not list(tmp_path.glob("emulated-aws-*"))


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = subprocess.run(  # noqa: S603 - the program under test
            [*UP, "--port", str(port)], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert result.returncode == 1
    complaint = [line for line in result.stderr.splitlines() if line.startswith("emulator: ")]
    assert len(complaint) == 1
    assert f"port {port}" in complaint[0]
    assert "name another port" in complaint[0]
    assert "Traceback" not in result.stderr
