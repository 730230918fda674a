"""A stack for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from synthesis import new_stack

if TYPE_CHECKING:
    from pathlib import Path

    import aws_cdk as cdk


@pytest.fixture
def stack(tmp_path: Path) -> cdk.Stack:
    return new_stack(tmp_path / "cdk.out")
