"""The AWS SDK for JavaScript, which Lambda brings along and the emulator of AWS does not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from embedded import toolchain

from connect_associations.testing.emulator import processes

_FOLDER = Path(__file__).resolve().parent
_TIMEOUT_SECONDS = 300.0


class InstallationError(Exception):
    """The packages could not be installed; the message says what npm said."""


def install() -> Path:
    """Install what ``package-lock.json`` pins, unless that is done, and return the folder.

    :raises InstallationError: npm failed.
    """
    folder = _FOLDER / "node_modules"
    lock = _FOLDER / "package-lock.json"
    done = folder / ".set-up"
    if done.exists() and done.read_bytes() == lock.read_bytes():
        return folder
    sys.stderr.write("Installing what AwsCustomResource needs …\n")
    npm = str(Path(sys.executable).with_name("npm"))
    status, output = processes.run(
        [npm, "ci", "--include=dev", "--ignore-scripts", "--loglevel=error"],
        cwd=_FOLDER,
        environment={**os.environ, "PATH": toolchain.search_path()},
        timeout=_TIMEOUT_SECONDS,
    )
    if status:
        raise InstallationError(f"npm could not install benchmarks/package-lock.json:\n{output}")
    done.write_bytes(lock.read_bytes())
    return folder
