"""The emulator's programs where the library is installed, and no clone."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from connect_associations.cli import commands
from connect_associations.testing.emulator import ministack_venv, tools
from connect_associations.testing.emulator.errors import EmulatorError, MissingToolError

if TYPE_CHECKING:
    from pathlib import Path

NO_HOST = "http://127.0.0.1:9"
"""Nothing listens on the discard port."""


def program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty folder on the PATH, where somebody stands in a project's folder."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = tmp_path / "home" / "project"
    project.mkdir(parents=True)
    monkeypatch.chdir(project)
    return tmp_path


@pytest.fixture
def with_ministack(machine: Path) -> Path:
    """The same, after the first start."""
    folder = ministack_venv.folder()
    program(folder / "bin", "python")
    (folder / "installed").touch()
    return machine


def test_without_node_it_says_what_to_install(machine: Path) -> None:
    program(machine / "bin", "cdk")
    with pytest.raises(MissingToolError, match="Node is not on the PATH: install it"):
        tools.installed()


def test_without_the_cdk_cli_it_says_what_to_install(machine: Path) -> None:
    program(machine / "bin", "node")
    with pytest.raises(MissingToolError, match=r"the CDK CLI is neither .* `npm install aws-cdk`"):
        tools.installed()


def test_the_cdk_cli_may_be_the_projects_own(with_ministack: Path) -> None:
    node = program(with_ministack / "bin", "node")
    cdk = program(with_ministack / "home" / "node_modules" / ".bin", "cdk")
    found = tools.installed()
    assert (found.cdk, found.folders) == (cdk, (node.parent, cdk.parent))
    assert found.ministack_python == ministack_venv.folder() / "bin" / "python"
    first = with_ministack / "first"
    assert found.search_path(first).split(os.pathsep)[:3] == [
        *map(str, (first, node.parent, cdk.parent))
    ]


def test_of_two_cdk_clis_that_on_the_path_is_taken(with_ministack: Path) -> None:
    program(with_ministack / "bin", "node")
    program(with_ministack / "home" / "node_modules" / ".bin", "cdk")
    mine = program(with_ministack / "bin", "cdk")
    assert tools.installed().cdk == mine


def test_without_a_network_the_first_start_says_so_in_one_line(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", NO_HOST)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(EmulatorError, match="check the network") as told:
        ministack_venv.python()
    assert "\n" not in str(told.value)
    assert not list((machine / "cache").glob("*/*")), "the next start begins anew"


def test_a_cache_that_cannot_be_written_to_is_named(machine: Path) -> None:
    (machine / "cache").write_text("in the way")
    with pytest.raises(EmulatorError, match=r"cannot be made .*: .*XDG_CACHE_HOME"):
        ministack_venv.python()


@pytest.mark.usefixtures("machine")
def test_the_command_says_in_one_line_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run(["emulator"]) == 2
    assert "Node is not on the PATH" in capsys.readouterr().err.splitlines()[-1]


def test_the_command_says_which_extra_it_needs() -> None:
    code = (
        "import sys; sys.modules['moto'] = None\n"
        "from connect_associations.cli import commands; sys.exit(commands.run(['emulator']))"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'cdk-connect-associations[testing]'" in done.stderr
