from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import mypy.api
import pytest

import connect_associations

PACKAGE = Path(connect_associations.__file__).parent

MISSPELLED = """
from connect_associations import TrafficDistributionGroupUsr
from connect_associations.testing import ConnectEmulatoin
import connect_associations

connect_associations.UserLokup
"""


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


@pytest.fixture
def misspelled(tmp_path: Path) -> Path:
    module = tmp_path / "misspelled.py"
    module.write_text(MISSPELLED)
    return module


def test_mypy_finds_a_misspelled_name(misspelled: Path) -> None:
    packages = [PACKAGE / "__init__.py", PACKAGE / "testing" / "__init__.py"]
    # What else the packages import is taken for granted, so that this takes no minute.
    output, _, status = mypy.api.run(
        [
            *("--config-file=", "--follow-imports=skip", "--cache-dir", str(misspelled.parent)),
            *map(str, [*packages, misspelled]),
        ]
    )
    assert status == 1
    for name in ("TrafficDistributionGroupUsr", "ConnectEmulatoin", "UserLokup"):
        assert f'has no attribute "{name}"' in output


def test_pyright_finds_a_misspelled_name(misspelled: Path) -> None:
    settings = misspelled.with_name("pyrightconfig.json")
    settings.write_text(json.dumps({"extraPaths": [str(PACKAGE.parent)]}))
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-m", "pyright", "--project", str(settings), str(misspelled)],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert '"TrafficDistributionGroupUsr" is unknown import symbol' in done.stdout
    assert '"ConnectEmulatoin" is unknown import symbol' in done.stdout
    assert '"UserLokup" is not a known attribute' in done.stdout
