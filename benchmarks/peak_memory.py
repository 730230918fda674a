"""The most memory that this process has held."""

from __future__ import annotations

import resource
from pathlib import Path


def read() -> int:
    """Return the peak of the resident memory in bytes.

    Linux hands ``ru_maxrss`` down from the parent process, so the kernel's own account is read
    where there is one.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
