"""Run tests with the lowest versions that ``pyproject.toml`` allows, of all extras.

The folder that they are installed into is a virtual environment of its own, made once.
"""

# ruff: noqa: INP001, S603 - a program that starts others, with arguments of its own

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_REQUIREMENTS = _ROOT / "requirements-lowest.txt"
_STAMP = ".installed"
_TESTS = ("tests/unit/testing", "tests/unit/cli")
"""What the extras are for. The oldest CDK has a test of its own among the others."""


def main() -> int:
    """Run the tests; what follows the program's name goes to pytest."""
    python = _install() / "bin" / "python"
    return subprocess.run(
        [
            *(str(python), "-m", "pytest", "-p", "no:cacheprovider"),
            # Old versions warn of each other.
            *("--override-ini", "filterwarnings=default"),
            *_TESTS,
            *sys.argv[1:],
        ],
        cwd=_ROOT,
        env={**os.environ, "JSII_NODE": str(Path(sys.executable).parent / "node")},
        check=False,
    ).returncode


def _install() -> Path:
    """Return the virtual environment; make it if it is not there."""
    wanted = f"{_REQUIREMENTS.read_text(encoding='utf-8')}{sys.version_info[:2]}"
    folder = _ROOT / ".cache" / f"lowest-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if (folder / _STAMP).exists():
        return folder
    for older in folder.parent.glob("lowest-*"):
        shutil.rmtree(older)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run(
        [
            *(str(folder / "bin" / "python"), "-m", "pip", "install"),
            *("--disable-pip-version-check", "--no-input", "--quiet", "--progress-bar", "off"),
            *("--require-hashes", "--requirement", str(_REQUIREMENTS)),
        ],
        check=True,
    )
    (folder / _STAMP).touch()
    return folder


if __name__ == "__main__":
    sys.exit(main())
