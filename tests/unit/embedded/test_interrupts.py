"""Ctrl-C in the tests, and tests that a script started with ``&``."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[3]

WAITS = """
import pathlib, time
import aws_cdk as cdk

def test_waits():
    cdk.App()
    pathlib.Path("started").touch()
    time.sleep(600)
"""
HEEDS_CTRL_C = """
import signal, subprocess, sys

def test_heeds_ctrl_c():
    program = subprocess.Popen(
        [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(600)"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    with program:
        program.stdout.readline()
        program.send_signal(signal.SIGINT)
        assert program.wait(timeout=30) == -signal.SIGINT
"""


@contextlib.contextmanager
def started(
    folder: Path, test: str, *, with_sigint: signal.Handlers, more: list[str]
) -> Iterator[subprocess.Popen[str]]:
    """Start a test of another folder, with what all tests of this repository have."""
    (folder / "test_it.py").write_text(test)

    def set_up() -> None:
        signal.signal(signal.SIGINT, with_sigint)

    sources = [ROOT / "tests", ROOT / "tests" / "support", ROOT / "constructs", ROOT / "lambda"]
    process = subprocess.Popen(  # noqa: S603 - our own code
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider"),
            *("--rootdir", str(folder), *more, "test_it.py"),
        ],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if "PYTEST_XDIST" not in name},
            "PYTHONPATH": os.pathsep.join(map(str, sources)),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=set_up,  # noqa: PLW1509 - only sets a signal
    )
    with process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("more", [[], ["-n", "1"]], ids=["alone", "by a worker"])
def test_ctrl_c_ends_the_tests_in_a_few_lines(tmp_path: Path, more: list[str]) -> None:
    with started(tmp_path, WAITS, with_sigint=signal.SIG_DFL, more=more) as running:
        wait_for((tmp_path / "started").exists, running)
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does
        said, _ = running.communicate(timeout=40)
    assert running.returncode == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) < 12, said


def test_what_a_test_interrupts_ends_though_sigint_was_ignored(tmp_path: Path) -> None:
    with started(tmp_path, HEEDS_CTRL_C, with_sigint=signal.SIG_IGN, more=[]) as running:
        said, _ = running.communicate(timeout=40)
    assert running.returncode == 0, said


def wait_for(done: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
