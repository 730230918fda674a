"""The distributions of this project, and a Python that has nothing of the checkout."""

from __future__ import annotations

import site
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


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


def foreign_python(folder: Path, *, wheel: Path) -> Path:
    """Make a virtual environment with *wheel* in it, and return its Python.

    What the wheel depends on is lent by the virtual environment that runs the tests, through a
    ``.pth`` file: downloading 100 MB of aws-cdk-lib would take a minute and a network, and would
    show nothing about the wheel. That environment does not have this project installed, and the
    checkout is on nobody's path outside of pytest, so what is imported comes from the wheel.
    """
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    _run(
        [
            *(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"),
            *("--disable-pip-version-check", "--no-index", "--no-deps", str(wheel)),
        ]
    )
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(  # noqa: S603 - our own tools
        command, cwd="/", capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
