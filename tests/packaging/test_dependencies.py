"""What the installed code imports is what its metadata asks for."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from wheels import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LIBRARY = ROOT / "constructs" / "connect_associations"
EXTRAS = ["cli", "testing"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

OWN = {"connect_associations", "connect_provider"}
COMES_WITH = {
    "aws-cdk-lib": {"aws_cdk", "jsii"},
    "constructs": {"constructs"},
    "boto3": {"boto3", "botocore"},
    "moto": {"moto"},
    "rich": {"rich"},
    "typer": {"typer"},
}
"""The packages of a requirement, those that it brings for its users to import among them."""


def sources(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.py") if path.name != "pytest_plugin.py"]


def imported(*nodes: ast.AST) -> Iterator[str]:
    """Return the top-level names that are imported at run time, wherever in the code."""
    for node in nodes:
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield from imported(*node.orelse)
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
            case _:
                yield from imported(*ast.iter_child_nodes(node))


def third_party(files: Iterable[Path]) -> set[str]:
    names = {name for file in files for name in imported(ast.parse(file.read_text("utf-8")))}
    return names - set(sys.stdlib_module_names) - OWN


def brought(requirements: list[str]) -> set[str]:
    names = [re.split(r"[^\w-]", requirement, maxsplit=1)[0] for requirement in requirements]
    return {package for name in names for package in COMES_WITH.get(name, set())}


def test_the_library_imports_only_what_it_depends_on() -> None:
    files = sources(LIBRARY)
    assert third_party(files) == brought(PROJECT["dependencies"])


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_installs_what_its_package_imports(extra: str) -> None:
    files = sources(LIBRARY / extra)
    assert third_party(files)
    assert third_party(files) <= brought(PROJECT["optional-dependencies"][extra])


def test_the_fixture_imports_nothing_more_but_pytest_which_loads_it() -> None:
    extra = brought(PROJECT["optional-dependencies"]["testing"])
    assert third_party([LIBRARY / "testing" / "pytest_plugin.py"]) <= extra | {"pytest"}


def test_the_lambda_imports_only_what_its_runtime_has() -> None:
    files = list((ROOT / "lambda" / "connect_provider").glob("*.py"))
    assert third_party(files) == {"boto3", "botocore"}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import a.b", {"a"}),
        ("def f():\n    from a import b", {"a"}),
        ("if TYPE_CHECKING:\n    import a\nelse:\n    import b", {"b"}),
        ("from . import a", set()),
    ],
)
def test_imports_are_found(code: str, names: set[str]) -> None:
    assert set(imported(ast.parse(code))) == names
