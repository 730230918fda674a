"""The first thing that a newcomer runs, on machines where something is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NO_HOST = "http://127.0.0.1:9"
"""Nothing listens on the discard port."""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "a clone"
    folder.mkdir()
    for name in ("Makefile", ".npmrc", "package.json", "package-lock.json", "tools"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    for name in ("requirements-dev.txt", "requirements-emulator.txt"):
        (folder / name).write_text("# nothing\n")
    return folder


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the program under test
        ["make", "--no-print-directory", *arguments],  # noqa: S607 - as people call it
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def complaint(result: subprocess.CompletedProcess[str]) -> str:
    """Return the one line of set-up, without make's own."""
    assert result.returncode
    lines = [line for line in result.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(lines) == 1, result.stderr
    return lines[0]


def fake_python(folder: Path, code: str) -> Path:
    """Return a Python that runs *code* first."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\nshift\nexec {sys.executable} -c '{code}' \"$@\"\n")
    path.chmod(0o755)
    return path


RUN_SCRIPT = (
    'import runpy; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name="__main__")'
)


def test_no_suitable_python(clone: Path) -> None:
    said = complaint(make(clone, "set-up", "PYTHON="))
    assert said.startswith("set-up: no Python 3.11 or newer was found")
    assert "make set-up PYTHON=" in said


def test_an_old_python(clone: Path) -> None:
    python = fake_python(clone, f"import sys; sys.version_info = (3, 9, 1); {RUN_SCRIPT}")
    said = complaint(make(clone, "set-up", f"PYTHON={python}"))
    assert "Python 3.11 or newer is needed" in said
    assert "3.9.1" in said


def test_no_venv_module(clone: Path) -> None:
    python = fake_python(clone, f'import sys; sys.modules["ensurepip"] = None; {RUN_SCRIPT}')
    said = complaint(make(clone, "set-up", f"PYTHON={python}"))
    assert "apt install python3-venv" in said


def test_no_network(clone: Path) -> None:
    pinned = "six==1.17.0 --hash=sha256:" + "0" * 64
    (clone / "requirements-dev.txt").write_text(pinned)
    said = complaint(
        make(
            clone,
            "set-up",
            f"PYTHON={sys.executable}",
            PIP_INDEX_URL=NO_HOST,
            PIP_CONFIG_FILE=os.devnull,
        )
    )
    assert said.startswith("set-up: Python packages could not be installed: the package registry")
    assert said.endswith("(log: .tools/.venv.log)")


def test_no_network_for_npm(clone: Path) -> None:
    # The real Node, so that only npm's own download is missing.
    npm = Path(sys.executable).with_name("npm")
    fake_bin = clone / ".venv" / "bin"
    first = make(clone, "set-up", f"PYTHON={sys.executable}", npm_config_registry=NO_HOST)
    assert first.returncode  # there is no npm in an empty virtual environment
    (fake_bin / "npm").symlink_to(npm)
    said = complaint(make(clone, "set-up", f"PYTHON={sys.executable}", npm_config_registry=NO_HOST))
    assert said.startswith("set-up: the CDK CLI could not be installed: the package registry")


def test_help_lists_every_target(clone: Path) -> None:
    listed = {line.split()[0] for line in make(clone, "help").stdout.splitlines()}
    phony = next(
        line.removeprefix(".PHONY: ")
        for line in (clone / "Makefile").read_text().splitlines()
        if line.startswith(".PHONY")
    )
    assert listed == set(phony.split())
