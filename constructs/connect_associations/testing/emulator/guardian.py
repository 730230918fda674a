"""Run a program for as long as the program that started this one lives.

``python guardian.py PROGRAM ARGUMENT…`` starts PROGRAM, and ends it with all that it started when
standard input is closed. The kernel closes it even when the parent is killed outright, so nothing
is left behind whichever way the parent ends. It has to lead a process group of its own; it uses
the standard library only, as it runs on any virtual environment's Python.
"""

# ruff: noqa: S603 - starting a program is what this is for

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

_PATIENCE_SECONDS = 5.0
"""How long the program may take to end on its own."""


def main() -> None:
    """Guard the program that the arguments name, and exit as it does."""
    if os.getpgid(0) != os.getpid():
        raise SystemExit("guardian.py has to be started in a session of its own")
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)

    def exit_with_child() -> None:
        status = child.wait()
        _end_group()
        os._exit(status if status >= 0 else 128 - status)

    threading.Thread(target=exit_with_child, daemon=True).start()
    # Ctrl-C and SIGTERM are for the parent, which closes standard input.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    child.terminate()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(0, signal.SIGKILL)


def _end_group() -> None:
    """Ask what the program left running to end; this process ignores the request."""
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    main()
