"""What the README says about installing, before the package is on PyPI."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from connect_associations import __version__
from wheels import ROOT

if TYPE_CHECKING:
    from pathlib import Path

README = (ROOT / "README.md").read_text(encoding="utf-8")


def install(what: str, target: Path) -> set[str]:
    """Install without a network, and return what is in the folder then.

    What the package depends on is left out. What builds it comes from this Python: pip would
    download it otherwise.
    """
    subprocess.run(  # noqa: S603 - our own package
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-index", "--no-deps", "--no-build-isolation", "--target", str(target), what),
        ],
        env={**os.environ, "PIP_NO_WARN_CONFLICTS": "1"},
        check=True,
    )
    return {path.name for path in target.iterdir()}


def test_the_wheel_that_make_build_leaves(wheel: Path, tmp_path: Path) -> None:
    assert "pip install dist/*.whl" in README
    installed = install(str(wheel), tmp_path / "site")
    assert {
        "connect_associations",
        f"cdk_connect_associations-{__version__}.dist-info",
    } <= installed


@pytest.mark.parametrize(
    "command", ["git+REPOSITORY", "cdk-connect-associations[cli] @ git+REPOSITORY"]
)
def test_a_git_url(unpacked_sdist: Path, tmp_path: Path, command: str) -> None:
    assert f'pip install "{command}"' in README
    git = ["git", "-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    repository = tmp_path / "repository"
    for arguments in (
        ("init", "--quiet", str(repository)),
        ("--work-tree", str(unpacked_sdist), "add", "--all"),
        ("--work-tree", str(unpacked_sdist), "commit", "--quiet", "--message", "All of it"),
    ):
        repository.mkdir(exist_ok=True)
        subprocess.run([*git, *arguments], cwd=repository, check=True)  # noqa: S603 - the machine's git
    installed = install(command.replace("REPOSITORY", repository.as_uri()), tmp_path / "site")
    assert {"connect_associations", "bin"} <= installed
