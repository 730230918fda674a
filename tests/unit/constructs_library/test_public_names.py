from __future__ import annotations

import subprocess
import sys

import pytest

import connect_associations


def test_every_public_name_can_be_imported() -> None:
    for name in connect_associations.__all__:
        assert getattr(connect_associations, name) is not None
        assert name in dir(connect_associations)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        getattr(connect_associations, "Nothing")  # noqa: B009 - the type checkers know better


def test_importing_the_package_starts_neither_the_cdk_nor_node() -> None:
    code = (
        "import sys, connect_associations, connect_associations.testing;"
        "sys.exit(bool({'aws_cdk', 'jsii', 'constructs'} & set(sys.modules)))"
    )
    path = f"import sys; sys.path[:0] = {sys.path!r};"
    subprocess.run([sys.executable, "-c", path + code], check=True)  # noqa: S603 - our own code
