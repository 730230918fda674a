"""What a person sees: data on standard output, everything else on standard error."""

from __future__ import annotations

import sys

from rich.console import Console

_PIPED_WIDTH = 1000
"""No line is broken where no terminal says how wide it is, so that tools find whole rows."""


def output() -> Console:
    """Return the console for data; rich leaves out colours where they are not wanted."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    return console


def warn(text: str) -> None:
    """Say something that is not data: one line on standard error."""
    sys.stderr.write(f"connect-associations: {' '.join(text.split())}\n")
