"""How the modules depend on each other when they are imported."""

from __future__ import annotations

import ast
import graphlib
from typing import TYPE_CHECKING

import pytest

from documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCES = {"connect_associations": ROOT / "constructs", "connect_provider": ROOT / "lambda"}


def name_of(module: Path, source: Path) -> str:
    parts = module.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield what is imported at run time, as far as it may be a module."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for each in node.orelse:
                yield from imported(ast.Module([each], []), package)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        else:
            yield from imported(node, package)


def dependencies(name: str) -> dict[str, set[str]]:
    source = SOURCES[name]
    files = {name_of(file, source): file for file in (source / name).rglob("*.py")}
    found = {}
    for module, file in files.items():
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        names = set(imported(ast.parse(file.read_text(encoding="utf-8")), package))
        # A package is imported before its modules anyway; what counts is what is asked of them.
        found[module] = {other for other in names & files.keys() if not module.startswith(other)}
    return found


@pytest.mark.parametrize("name", SOURCES)
def test_no_module_imports_itself_through_others(name: str) -> None:
    found = dependencies(name)
    assert len(found) > 20
    assert sum(map(len, found.values())) > 40
    graphlib.TopologicalSorter(found).prepare()


def test_a_cycle_is_found() -> None:
    tree = ast.parse("from . import b\nif TYPE_CHECKING:\n    import c\nelse:\n    import d")
    names = set(imported(tree, "a"))
    assert names == {"a", "a.b", "d"}
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter({"a.b": {"a.c"}, "a.c": {"a.b"}}).prepare()
