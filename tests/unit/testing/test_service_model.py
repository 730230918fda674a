"""Which operations of Connect the library calls and the emulation offers, and their shapes."""

from __future__ import annotations

import ast
import difflib
from typing import TYPE_CHECKING

import botocore
import pytest
from packaging.version import Version
from tools import connect_model

from connect_associations.testing.service_model import OPERATIONS

if TYPE_CHECKING:
    from pathlib import Path

DESCRIBE = "DescribeTrafficDistributionGroup"
CODE = [
    path
    for folder in ("lambda", "constructs")
    for path in (connect_model.ROOT / folder).rglob("*.py")
]


def called() -> dict[str, Path]:
    """Return the operations of Connect that the library names, each with a file that does."""
    known = set(connect_model.model().operation_names)
    return {
        node.value: path
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in known
    }


def test_the_emulation_offers_what_the_library_calls() -> None:
    assert called().keys() - set(OPERATIONS) == set()
    assert "AssociateTrafficDistributionGroupUser" in called()


def test_the_operations_are_listed_in_order() -> None:
    assert list(OPERATIONS) == sorted(set(OPERATIONS))


def test_the_installed_botocore_has_the_shapes_that_are_relied_on() -> None:
    version, then = connect_model.relied_on()
    if Version(botocore.__version__) < Version(version):
        pytest.skip(f"the shapes are those of botocore {version}")
    now = connect_model.text(OPERATIONS).splitlines()
    changed = "\n".join(difflib.unified_diff(then, now, "relied on", "installed", lineterm="", n=0))
    assert not changed, f"see what it means for us, then: python -m tools.connect_model\n{changed}"


@pytest.mark.parametrize("name", ["MaxResults", "errors:", "TrafficDistributionGroup.IsDefault"])
def test_the_shapes_have_constraints_errors_and_nested_members(name: str) -> None:
    assert name in connect_model.text(["ListTrafficDistributionGroupUsers", DESCRIBE])
