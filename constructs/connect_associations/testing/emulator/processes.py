"""Programs that run to their end in the foreground."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float,
) -> tuple[int, str]:
    """Run a program to its end, and return its exit status and output.

    Whatever ends the wait early (Ctrl-C, SIGTERM, the time-out) ends the program with all that it
    started.

    :param timeout: seconds.
    :raises subprocess.TimeoutExpired: if it takes longer.
    """
    process = subprocess.Popen(  # noqa: S603 - our own command line
        command,
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=timeout)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, output
