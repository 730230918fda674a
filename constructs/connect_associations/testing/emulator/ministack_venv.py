"""A virtual environment for ministack, which cannot share one: it pins botocore.

It is made once, below the user's cache folder, from pins with hashes that come with the library.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from connect_associations.testing.emulator.errors import EmulatorError

_PINS = Path(__file__).with_name("requirements.txt")
_DONE = "installed"
"""The file that says that the installation came to its end."""


def python() -> Path:
    """Return the Python that has ministack, after installing it if need be.

    :raises EmulatorError: it cannot be installed; the message says what to do.
    """
    where = folder()
    found = where / "bin" / "python"
    if not ((where / _DONE).exists() and found.exists()):
        sys.stderr.write(f"Installing the AWS emulator into {where}, once …\n")
        _install(where)
    return found


def folder() -> Path:
    """Return the virtual environment for these pins and this Python."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    made_from = f"{_PINS.read_text(encoding='utf-8')}{sys.version}{sys.base_prefix}"
    digest = hashlib.sha256(made_from.encode()).hexdigest()[:12]
    return cache / "cdk-connect-associations" / f"ministack-{digest}"


def _install(where: Path) -> None:
    try:
        venv.create(where, clear=True, symlinks=True)
    except OSError as error:
        raise EmulatorError(
            f"{where} cannot be made ({error.strerror}): make room, or name a folder that can be "
            "written to in XDG_CACHE_HOME"
        ) from None
    done = subprocess.run(  # noqa: S603 - our own command line
        [
            *(sys.executable, "-m", "pip", "--python", str(where / "bin" / "python"), "install"),
            *("--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--quiet"),
            *("--require-hashes", "--requirement", str(_PINS)),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(where, ignore_errors=True)
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        last = (said or done.stderr.splitlines() or ["pip said nothing"])[-1]
        todo = "make room" if "No space left" in last else "check the network and pip's settings"
        raise EmulatorError(f"the AWS emulator cannot be installed: {todo} ({last})")
    (where / _DONE).touch()
