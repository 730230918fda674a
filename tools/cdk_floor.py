"""Install the oldest CDK that the constructs work with, next to the one for development.

The folder is no virtual environment: it goes before the others on Python's path.
"""

# ruff: noqa: INP001, S603 - a program that starts another one, with arguments of its own

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_REQUIREMENTS = _ROOT / "requirements-floor.txt"
_STAMP = ".installed"


def install() -> Path:
    """Return the folder with the oldest CDK; install it if it is not there, once.

    :raises RuntimeError: pip failed; the message is one line.
    """
    wanted = f"{_REQUIREMENTS.read_text(encoding='utf-8')}{sys.version_info[:2]}"
    folder = _ROOT / ".cache" / f"cdk-floor-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if (folder / _STAMP).exists():
        return folder
    for older in folder.parent.glob("cdk-floor-*"):
        shutil.rmtree(older)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"),
            *("--quiet", "--progress-bar", "off", "--require-hashes", "--target", str(folder)),
            *("--requirement", str(_REQUIREMENTS)),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"pip ended with {done.returncode}"]
        raise RuntimeError(
            f"the oldest CDK could not be installed into {folder.relative_to(_ROOT)}, which needs "
            f"the package registry once: {said[-1]}"
        )
    (folder / _STAMP).touch()
    return folder


if __name__ == "__main__":
    install()
