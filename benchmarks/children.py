"""Measurements in a fresh Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
SOURCES = (ROOT, ROOT / "constructs", ROOT / "lambda")

_TIMEOUT_SECONDS = 120.0


def run(
    *arguments: str,
    path: Sequence[Path] = SOURCES,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run Python and return the JSON object that it prints last.

    :param arguments: what comes after the interpreter.
    :param path: where it finds modules in addition to its own. Default: this repository
    :param environment: variables in addition to those of this process.
    :raises subprocess.CalledProcessError: it failed; what it said is on standard error.
    """
    done = subprocess.run(  # noqa: S603 - our own programs
        [sys.executable, *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            **(environment or {}),
        },
        stdout=subprocess.PIPE,
        timeout=_TIMEOUT_SECONDS,
        check=True,
        text=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
