"""`make release`, on a repository of its own."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tools import release

from connect_associations import __version__

if TYPE_CHECKING:
    from pathlib import Path

NEXT = "1000.0.0"
IDENTITY = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(  # noqa: S603 - the machine's git
        ["git", *IDENTITY, *arguments],  # noqa: S607 - as above
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def replace(path: Path, pattern: str, by: str) -> None:
    text, count = re.subn(
        pattern, by, path.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE
    )
    assert count == 1, path
    path.write_text(text, encoding="utf-8")


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Prepare")


@pytest.fixture
def repository(unpacked_sdist: Path, tmp_path: Path) -> Path:
    """This repository, ready for a release, with checks that always pass."""
    folder = tmp_path / "repository"
    shutil.copytree(unpacked_sdist, folder, ignore=shutil.ignore_patterns("PKG-INFO", "tests"))
    replace(
        folder / "pyproject.toml", '^repository = ".*"', 'repository = "https://github.com/a/b"'
    )
    replace(folder / "SECURITY.md", "SECURITY-CONTACT|$(?!\\n)", "security@example.com")
    replace(
        folder / "CHANGELOG.md", r"^## \[Unreleased\]\n", "## [Unreleased]\n\n- Something new.\n"
    )
    replace(folder / "docs" / "upgrading.md", r"^## ", f"## {NEXT}\n\nNothing to do.\n\n## ")
    (folder / ".ci" / "run").write_text("#!/bin/sh\n", encoding="utf-8")
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own tool
        [sys.executable, "-m", "tools.release", *arguments],
        cwd=folder,
        env={
            **os.environ,
            "GIT_AUTHOR_NAME": "Somebody",
            "GIT_AUTHOR_EMAIL": "somebody@example.com",
            "GIT_COMMITTER_NAME": "Somebody",
            "GIT_COMMITTER_EMAIL": "somebody@example.com",
            "GIT_CONFIG_GLOBAL": os.devnull,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_release_is_changed_built_committed_and_tagged(repository: Path) -> None:
    done = make(repository, NEXT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "log", "-1", "--format=%s") == f"Release {NEXT}"
    assert git(repository, "rev-parse", f"v{NEXT}^{{commit}}") == git(
        repository, "rev-parse", "HEAD"
    )
    assert "- Something new." in git(
        repository, "tag", "--list", "--format=%(contents)", f"v{NEXT}"
    )
    changelog = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    assert release.section(changelog, "Unreleased") == ""
    assert "- Something new." in release.section(changelog, NEXT)
    built = {path.name for path in (repository / "dist").iterdir()}
    assert built == {
        f"cdk_connect_associations-{NEXT}-py3-none-any.whl",
        f"cdk_connect_associations-{NEXT}.tar.gz",
    }
    last_command = [line for line in done.stdout.splitlines() if line.startswith("    ")][-1]
    assert "twine upload" in last_command
    assert all(f"dist/{name}" in last_command for name in built)


def test_everything_that_is_missing_is_told_at_once(repository: Path) -> None:
    replace(repository / "pyproject.toml", '^repository = ".*"', 'repository = ""')
    replace(repository / "SECURITY.md", "security@example.com", release.UNSET_CONTACT)
    replace(repository / "docs" / "upgrading.md", f"^## {NEXT}$", "## Later")
    replace(repository / "CHANGELOG.md", r"^- Something new.\n", f"## [{NEXT}]\n")
    git(repository, "tag", f"v{NEXT}")
    done = make(repository, NEXT)
    assert done.returncode == 1
    problems = [line for line in done.stderr.splitlines() if line.startswith("  - ")]
    for about in (
        "does not come after",
        "docs/upgrading.md",
        "nothing under Unreleased",
        "not committed",
        "does not name the repository",
        "SECURITY.md",
    ):
        assert len([problem for problem in problems if about in problem]) == 1, about
    assert len(problems) == 6


@pytest.mark.parametrize("version", ["", "1.2", "v1.2.3", "1.2.3rc1", "01.2.3"])
def test_what_is_no_version_is_refused(repository: Path, version: str) -> None:
    done = make(repository, *([version] if version else []))
    assert done.returncode == 1
    assert f"{version!r} is not a version: make release VERSION=1.2.3" in done.stderr


@pytest.mark.parametrize("broken", ["checks", "build"])
def test_a_release_that_fails_leaves_everything_as_it_was(repository: Path, broken: str) -> None:
    if broken == "checks":
        (repository / ".ci" / "run").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    else:
        (repository / "hatch_build.py").write_text("raise SystemExit(1)\n", encoding="utf-8")
    commit(repository)
    before = git(repository, "rev-parse", "HEAD")
    done = make(repository, NEXT)
    assert done.returncode == 1
    assert "release: not made:" in done.stderr
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "rev-parse", "HEAD") == before
    assert git(repository, "tag") == ""


def test_checks_that_have_passed_are_not_run_again(repository: Path) -> None:
    (repository / ".ci" / "run").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    commit(repository)
    assert make(repository, NEXT, "--checked").returncode == 0


def test_this_version_is_described() -> None:
    changelog = release.CHANGELOG.read_text(encoding="utf-8")
    assert release.section(changelog, __version__)
    assert f"\n## {__version__}\n" in release.UPGRADING.read_text(encoding="utf-8")


def test_a_section_ends_where_the_next_one_begins() -> None:
    changelog = "# Changes\n\n## [Unreleased]\n\n- b\n\n## [1.0.0] - 2026-01-01\n\n- a\n"
    assert release.section(changelog, "Unreleased") == "- b"
    assert release.section(changelog, "1.0.0") == "- a"
    assert release.section(changelog, "1.0") == ""
    after = release.released(changelog, version="1.1.0", date=dt.date(2026, 2, 3))
    assert release.section(after, "Unreleased") == ""
    assert release.section(after, "1.1.0") == "- b"
    assert "## [1.1.0] - 2026-02-03\n" in after
