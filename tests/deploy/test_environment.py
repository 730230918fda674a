"""The embedded environment itself: it works for the plain CLI, and it leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.deploy

ROOT = Path(__file__).resolve().parents[2]


def _heed_ctrl_c() -> None:
    # Whoever runs the tests in the background may ignore SIGINT, and children inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with (
        (tmp_path / "errors").open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "embedded", "up"],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 - only resets a signal
        ) as process,
    ):
        yield process
        process.kill()


def listens(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_up_runs_until_it_is_told_to_end(
    up: subprocess.Popen[str], how: signal.Signals, tmp_path: Path
) -> None:
    assert up.stdout
    exported: dict[str, str] = {}
    while "AWS_ENDPOINT_URL_CONNECT" not in exported:
        line = up.stdout.readline()
        match = re.fullmatch(r"export (\w+)=(.*)\n", line)
        assert match, f"{line!r} {(tmp_path / 'errors').read_text()}"
        exported[match[1]] = match[2]
    urls = [exported["AWS_ENDPOINT_URL"], exported["AWS_ENDPOINT_URL_CONNECT"]]
    assert all(map(listens, urls))
    up.send_signal(how)
    assert up.wait(20) == 128 + how
    assert not any(map(listens, urls))
    assert not list(tmp_path.glob("embedded-aws-*"))


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = subprocess.run(  # noqa: S603 - the program under test
            [sys.executable, "-m", "embedded", "up", "--aws-port", str(port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    complaint = [line for line in result.stderr.splitlines() if line.startswith("embedded: ")]
    assert len(complaint) == 1
    assert f"port {port}" in complaint[0]
    assert "name another port" in complaint[0]
    assert "Traceback" not in result.stderr
