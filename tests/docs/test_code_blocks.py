"""Every Python block of the README and the documentation is run.

A block without a title, or titled ``app.py``, is an app: it is synthesized. If it makes no ``App``
of its own, it gets ``app`` and ``stack``. Any other title makes a file of the block, for the other
blocks of the page; files named ``test_*.py`` are run by pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest

from documents import ROOT, Block, blocks
from synthesis import new_stack

if TYPE_CHECKING:
    from aws_cdk.cx_api import CloudAssembly

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks_to_run(page: Path) -> list[Block]:
    """Return a page's blocks, but for those that show a file that is tested elsewhere."""
    return [
        block for block in blocks(page.read_text(encoding="utf-8")) if "--8<--" not in block.text
    ]


def is_app(block: Block) -> bool:
    return block.language == "python" and block.title in {"", "app.py"}


APPS = [
    pytest.param(page, block, id=f"{page.relative_to(ROOT)}:{block.line}")
    for page in PAGES
    for block in blocks_to_run(page)
    if is_app(block)
]
PAGES_WITH_TESTS = [
    pytest.param(page, id=str(page.relative_to(ROOT)))
    for page in PAGES
    if any(block.title.startswith("test_") for block in blocks_to_run(page))
]


def write_files(page: Path, folder: Path) -> list[str]:
    """Write the files that a page shows, and return the names of its modules."""
    files = [block for block in blocks_to_run(page) if block.title and not is_app(block)]
    for block in files:
        (folder / block.title).write_text(block.text, encoding="utf-8")
    return [block.title for block in files if block.language == "python"]


def run_app(block: Block, *, source: str, output: Path) -> CloudAssembly:
    """Run an app's code, and return what it synthesizes."""
    stack = new_stack(output)
    names = {"__name__": "__main__", "app": stack.node.root, "stack": stack}
    # Line numbers in a traceback are those of the page.
    code = compile("\n" * (block.line - 1) + block.text, source, "exec")
    exec(code, names)  # noqa: S102 - our own documentation
    app = names["app"]
    assert isinstance(app, cdk.App)
    return app.synth()


def test_there_are_apps() -> None:
    assert {page for page, _ in (each.values for each in APPS)} > {ROOT / "README.md"}


@pytest.mark.parametrize(("page", "block"), APPS)
def test_an_app_is_synthesized(
    page: Path, block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    assembly = run_app(block, source=str(page), output=tmp_path / "cdk.out")
    assert [
        errors
        for stack in assembly.stacks
        if (errors := [each for each in stack.messages if each.level.value == "error"])
    ] == []
    if "try_get_context" not in block.text:
        assert all(stack.template.get("Resources") for stack in assembly.stacks)


@pytest.mark.parametrize("page", PAGES_WITH_TESTS)
def test_the_tests_of_a_page_pass(page: Path, tmp_path: Path) -> None:
    modules = write_files(page, tmp_path)
    tests = [name for name in modules if name.startswith("test_")]
    done = subprocess.run(  # noqa: S603 - our own documentation
        [
            *(sys.executable, "-m", "pytest", "-p", "connect_associations.testing.pytest_plugin"),
            *("-p", "no:cacheprovider", "--rootdir", str(tmp_path), *tests),
        ],
        cwd=tmp_path,
        # What an installed wheel would be found by.
        env={**os.environ, "PYTHONPATH": str(ROOT / "constructs")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_module_is_tested_on_its_page(page: Path) -> None:
    shown = [block for block in blocks_to_run(page) if block.language == "python"]
    tests = "\n".join(block.text for block in shown if block.title.startswith("test_"))
    for block in shown:
        if not is_app(block) and not block.title.startswith("test_"):
            assert f"from {Path(block.title).stem} import" in tests


def test_an_app_that_does_not_work_is_found(tmp_path: Path) -> None:
    block = Block(
        line=7,
        language="python",
        title="",
        text=blocks((ROOT / "README.md").read_text(), "python")[0].text.replace(
            "user_ids", "users"
        ),
    )
    with pytest.raises(TypeError, match="users"):
        run_app(block, source="page", output=tmp_path)
