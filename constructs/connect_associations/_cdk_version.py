"""The oldest aws-cdk-lib that the constructs work with."""

from __future__ import annotations

import re
from importlib import metadata

FLOOR = "2.180.0"
"""pyproject.toml asks for it too; ``test_oldest_cdk.py`` runs the constructs on it."""


def check() -> None:
    """Stop where the constructs are imported, before something fails for no apparent reason.

    :raises ImportError: an older version is installed.
    """
    try:
        version = metadata.version("aws-cdk-lib")
    except metadata.PackageNotFoundError:
        # Vendored without its metadata: anybody who does that knows the version.
        return
    if _parts(version) < _parts(FLOOR):
        raise ImportError(
            f"cdk-connect-associations needs aws-cdk-lib {FLOOR} or newer, and {version} is "
            f"installed; run: pip install 'aws-cdk-lib>={FLOOR}'"
        )


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
