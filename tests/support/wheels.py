"""The distributions of this project, and a Python that has nothing of the checkout."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pytest

ROOT = Path(__file__).resolve().parents[2]


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Path]) -> Path:
    """Return what *make* makes of an empty folder, once for all workers of a run.

    :param name: tells it from what else is made.
    """
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = shared / f"{name}.path"
    with FileLock(shared / f"{name}.lock"):
        if not made.exists():
            folder = shared / name
            folder.mkdir()
            made.write_text(str(make(folder)), encoding="utf-8")
    return Path(made.read_text(encoding="utf-8"))


def wheel_of_checkout(factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of the checkout, which is built once."""
    return once(factory, "wheel", lambda folder: build("wheel", source=ROOT, output=folder))


def build(what: str, *, source: Path, output: Path) -> Path:
    """Build a distribution as ``make build`` does, and return its file.

    :param what: ``wheel`` or ``sdist``.
    :param source: the checkout, or an unpacked source distribution.
    :param output: an empty folder for the file.
    """
    _run(
        [
            *(sys.executable, "-m", "build", f"--{what}", "--no-isolation"),
            *("--outdir", str(output), str(source)),
        ]
    )
    (built,) = output.iterdir()
    return built


def foreign_python(
    folder: Path, *, wheel: Path | None = None, lenders: Iterable[str] | None = None
) -> Path:
    """Make a virtual environment with *wheel* in it, and return its Python.

    What the wheel depends on is lent by the virtual environment that runs the tests, through a
    ``.pth`` file: downloading 100 MB of aws-cdk-lib would take a minute and a network, and would
    show nothing about the wheel. That environment does not have this project installed, and the
    checkout is on nobody's path outside of pytest, so what is imported comes from the wheel.

    :param wheel: what to install. Default: nothing.
    :param lenders: whose packages to lend. Default: those of this virtual environment.
    """
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    if wheel is not None:
        _run(
            [
                *(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"),
                *("--disable-pip-version-check", "--no-index", "--no-deps", str(wheel)),
            ]
        )
    (packages,) = folder.glob("lib/python*/site-packages")
    lent = site.getsitepackages() if lenders is None else lenders
    (packages / "dependencies.pth").write_text("\n".join(lent) + "\n")
    return python


def lend(source: Path, target: Path) -> None:
    """Put a file or a folder at another place, without a copy where the disk can do that."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link, symlinks=True)
    else:
        _link(str(source), str(target))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _run(command: list[str]) -> None:
    done = subprocess.run(  # noqa: S603 - our own tools
        command, cwd="/", capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
