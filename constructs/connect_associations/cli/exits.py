"""Exit codes, which scripts rely on."""

from __future__ import annotations

DRIFT = 1
"""Something is not as declared, or is to be changed."""
FAILURE = 2
"""The command could not do its work."""
REFUSED = 3
"""A deployment would fail: the provider or Connect would refuse something."""
INTERRUPTED = 130
"""Ctrl-C, as shells count it."""
