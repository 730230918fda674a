"""The first thing that a newcomer runs, on machines where something is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tools import set_up

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
    for name in ("requirements-dev.txt", set_up.EMULATOR_PINS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
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


@pytest.fixture
def here(clone: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone that set-up works on in this process."""
    for name, path in {"ROOT": ".", "LOGS": ".tools"}.items():
        monkeypatch.setattr(set_up, name, clone / path)
    monkeypatch.setattr(set_up, "_LINE_SECONDS", 0.2)
    return clone


def test_no_network_for_npm(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The real Node, so that only npm's own download is missing.
    monkeypatch.setattr(set_up, "VENV", Path(sys.prefix))
    monkeypatch.setattr(set_up, "NODE_MODULES", here / "node_modules")
    monkeypatch.setenv("npm_config_registry", NO_HOST)
    # A home folder that npm can neither read nor write.
    monkeypatch.setenv("HOME", "/dev/null/home")
    said = "the CDK CLI could not be installed: the package registry"
    with pytest.raises(set_up.SetUpError, match=f"^{said}"):
        set_up.node_packages()
    assert (here / ".cache" / "npm").is_dir()


def install(program: str, *, steps: int = 0) -> None:
    with set_up._explained("it"):  # noqa: SLF001 - what both steps of set-up go through
        set_up._run([sys.executable, "-c", program], log="log", what="it", steps=steps)  # noqa: SLF001 - as above


@pytest.mark.usefixtures("here")
def test_a_disk_that_is_full_for_the_program() -> None:
    with pytest.raises(set_up.SetUpError, match="it could not be installed: the disk is full"):
        install("import errno, os; raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))")


@pytest.mark.usefixtures("here")
def test_a_disk_that_is_full_for_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(set_up.SetUpError, match="it could not be installed: the disk is full"):
        install("raise SystemExit(1)")


def test_a_folder_that_cannot_be_written_to(here: Path) -> None:
    (here / ".tools").write_text("in the way")
    with pytest.raises(
        set_up.SetUpError, match=r"^it could .*/\.tools: File exists; make sure that"
    ):
        install("")


@pytest.mark.usefixtures("here")
def test_a_slow_step_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    install("import time; print('Collecting a'); print('Collecting b'); time.sleep(1)", steps=7)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "  1 s, 2 of 7 packages"


@pytest.mark.usefixtures("here")
def test_a_step_that_is_interrupted_leaves_no_program_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = []

    def interrupt(process: subprocess.Popen[bytes], *_: object, **__: object) -> None:
        started.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(set_up, "_watch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        install("import time; time.sleep(600)")
    assert started[0].returncode


def test_help_lists_every_target(clone: Path) -> None:
    listed = {line.split()[0] for line in make(clone, "help").stdout.splitlines()}
    phony = next(
        line.removeprefix(".PHONY: ")
        for line in (clone / "Makefile").read_text().splitlines()
        if line.startswith(".PHONY")
    )
    assert listed == set(phony.split())
