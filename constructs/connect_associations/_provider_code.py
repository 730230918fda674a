"""Where the provider's code is: next to the constructs in a checkout, inside them in a wheel."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import Traversable


def folder() -> Traversable:
    """Return the folder that holds the package ``connect_provider``.

    It may lie in an archive, or be made of symbolic links: of an installed library nothing but
    the name of its package is known. A checkout is where this file really is.
    """
    installed = resources.files("connect_associations") / "_lambda"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[2] / "lambda"
