"""Where the provider's code is: in a checkout beside the constructs, in a wheel within them."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder() -> Path:
    """Return the folder that holds the package ``connect_provider``."""
    installed = _PACKAGE / "_lambda"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "lambda"
