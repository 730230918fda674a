"""The wheel and the source distribution, looked at without installing them."""

from __future__ import annotations

import email
import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from configparser import ConfigParser
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

import connect_associations
from connect_associations import ConnectAssociationProvider
from synthesis import new_stack, of_type, synthesize
from wheels import ROOT

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path
    from typing import Any

VERSION = connect_associations.__version__
DIST_INFO = f"cdk_connect_associations-{VERSION}.dist-info"


def content(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata(wheel: Path) -> Message:
    return email.message_from_bytes(content(wheel)[f"{DIST_INFO}/METADATA"])


def checked_out(folder: str) -> set[str]:
    """Return the files of a source root, but for caches."""
    root = ROOT / folder
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.parts)
    }


def test_the_wheel_has_one_package_and_its_metadata(wheel: Path) -> None:
    top = {PurePosixPath(name).parts[0] for name in content(wheel)}
    assert top == {"connect_associations", DIST_INFO}


def test_the_wheel_has_all_of_the_package_and_of_the_lambda_and_nothing_else(wheel: Path) -> None:
    code = {name for name in content(wheel) if not name.startswith(DIST_INFO)}
    assert code == checked_out("constructs") | {
        f"connect_associations/_lambda/{name}" for name in checked_out("lambda")
    }


def test_type_checkers_find_the_types(wheel: Path) -> None:
    assert "connect_associations/py.typed" in content(wheel)
    assert "Typing :: Typed" in metadata(wheel).get_all("Classifier", [])


def test_the_wheel_has_no_tests_and_neither_distribution_has_caches(
    wheel: Path, sdist: Path
) -> None:
    with tarfile.open(sdist) as archive:
        names = {*content(wheel), *archive.getnames()}
    assert not [name for name in content(wheel) if "tests" in PurePosixPath(name).parts]
    assert not [name for name in names if "__pycache__" in PurePosixPath(name).parts]
    assert not [name for name in names if name.endswith((".pyc", ".so"))]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is a source distribution itself")
def test_the_source_distribution_is_the_repository(sdist: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the machine's git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    with tarfile.open(sdist) as archive:
        held = {
            PurePosixPath(*PurePosixPath(each.name).parts[1:]).as_posix()
            for each in archive.getmembers()
            if each.isfile()
        }
    assert held - {"PKG-INFO"} == {name for name in listed.split("\0") if (ROOT / name).is_file()}


def test_the_tests_run_from_the_source_distribution(unpacked_sdist: Path) -> None:
    """A packager's way: no clone, and nothing installed but what the tests import."""
    done = subprocess.run(  # noqa: S603 - our own tests
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("tests/unit/provider/test_identifiers.py", "tests/lifecycle/test_simulation.py"),
        ],
        cwd=unpacked_sdist,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_the_source_distribution_gives_the_same_wheel(wheel: Path, wheel_from_sdist: Path) -> None:
    assert wheel_from_sdist.name == wheel.name
    assert content(wheel_from_sdist) == content(wheel)


def test_the_version_stands_in_one_place(wheel: Path, sdist: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"]
    assert "version" not in project
    assert metadata(wheel)["Version"] == VERSION
    assert wheel.name == f"cdk_connect_associations-{VERSION}-py3-none-any.whl"
    assert sdist.name == f"cdk_connect_associations-{VERSION}.tar.gz"


def test_the_licence_comes_along(wheel: Path) -> None:
    assert metadata(wheel)["License-Expression"] == "Apache-2.0"
    assert content(wheel)[f"{DIST_INFO}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_pytest_finds_the_fixture(wheel: Path) -> None:
    entries = ConfigParser()
    entries.read_string(content(wheel)[f"{DIST_INFO}/entry_points.txt"].decode())
    module = entries["pytest11"]["connect_associations"]
    assert f"{module.replace('.', '/')}.py" in content(wheel)


def test_the_lambda_asset_is_that_of_the_checkout(wheel: Path, tmp_path: Path) -> None:
    stack = new_stack(tmp_path / "checkout")
    ConnectAssociationProvider(stack, "Provider")
    of_checkout = handler_asset(synthesize(stack))

    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)  # noqa: S202 - we have just built it
    program = (
        "import aws_cdk as cdk, connect_associations as library\n"
        f"assert library.__file__.startswith({str(installed)!r}), library.__file__\n"
        "app = cdk.App()\n"
        "library.ConnectAssociationProvider(cdk.Stack(app, 'Stack'), 'Provider')\n"
        "app.synth()\n"
        "import sys\n"
        "assert not {'boto3', 'connect_provider'} & {*sys.modules}, 'the grammar comes alone'\n"
    )
    output = tmp_path / "wheel"
    subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed), "CDK_OUTDIR": str(output)},
        check=True,
    )
    template = json.loads((output / "Stack.template.json").read_text())
    assert handler_asset(template) == of_checkout


def handler_asset(template: dict[str, Any]) -> str:
    """Return the name of the handlers' asset, which holds its hash."""
    (key,) = {
        function["Properties"]["Code"]["S3Key"]
        for function in of_type(template, "AWS::Lambda::Function").values()
        if function["Properties"]["Handler"].startswith("connect_provider.")
    }
    return str(key)
