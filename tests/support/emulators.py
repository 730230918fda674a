"""The emulator as a person starts it: a program in a shell, whose output says what to do."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_STOP_SECONDS = 20.0


class StartedEmulator:
    """An emulator that has said how to use it.

    :ivar output: all that it said.
    :ivar process: the program.
    """

    def __init__(self, process: subprocess.Popen[str], output: str) -> None:
        self.process = process
        self.output = output

    @property
    def ids(self) -> dict[str, str]:
        """The IDs of its table, by kind and name: ``user ann``, for example."""
        cells = re.findall(r"^ (\w+) +(\S.*?) +([0-9a-f-]{36}) *$", self.output, re.MULTILINE)
        return {f"{kind} {name}": thing for kind, name, thing in reversed(cells)}

    def environment(self, mine: Mapping[str, str], *, cwd: Path) -> dict[str, str]:
        """Return what a shell with *mine* has after the line that people are to paste."""
        (source,) = re.findall(r"^ +(source .*)$", self.output, re.MULTILINE)
        printed = subprocess.run(  # noqa: S603 - what the emulator said
            ["/bin/bash", "-c", f"{source} && env -0"],
            cwd=cwd,
            env=dict(mine),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return dict(line.split("=", 1) for line in printed.split("\0") if line)

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """End it as a terminal or a supervisor does, and return its exit code."""
        self.process.send_signal(how)
        return self.process.wait(_STOP_SECONDS)


@contextlib.contextmanager
def started(
    command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str], errors: Path
) -> Iterator[StartedEmulator]:
    """Start an emulator, wait until it says how to use it, and end it with the block.

    :param errors: the file that gets what it writes to standard error.
    """
    with (
        errors.open("w") as stderr,
        subprocess.Popen(  # noqa: S603 - the program under test
            [str(part) for part in command],
            cwd=cwd,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if line.startswith("Ctrl-C"):
                    break
            else:
                raise AssertionError(f"the emulator did not start:\n{said}{errors.read_text()}")
            yield StartedEmulator(process, said)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_STOP_SECONDS)
                process.kill()
