"""Puts the proposal into a copy of the installed moto and runs its tests there.

``python moto_proposal/check.py`` says whether it fits; ``--patch FILE`` also writes what a pull
request of moto would be: one patch, for ``git apply`` in a clone.
"""

# ruff: noqa: INP001 - a program that people run

from __future__ import annotations

import argparse
import difflib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import moto

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
INSTALLED = Path(moto.__file__).resolve().parent
_SERVICE = "connect"


def overlay(folder: Path) -> None:
    """Make a moto of the installed one, with the proposal in it, and its tests beside it.

    :raises subprocess.CalledProcessError: the patch does not fit the installed moto.
    """
    package = folder / "moto"
    package.mkdir()
    for entry in INSTALLED.iterdir():
        if entry.name not in (_SERVICE, "__pycache__"):
            (package / entry.name).symlink_to(entry)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(INSTALLED / _SERVICE, package / _SERVICE, ignore=ignore)
    subprocess.run(  # noqa: S603 - our own patch
        ["git", "apply", "--unidiff-zero", str(HERE / "connect.patch")],  # noqa: S607 - the one on the path
        cwd=folder,
        check=True,
    )
    shutil.copytree(HERE / "moto", package, dirs_exist_ok=True, ignore=ignore)
    shutil.copytree(HERE / "tests", folder / "tests", ignore=ignore)


def patch(folder: Path) -> Iterator[str]:
    """Yield the whole proposal as a patch of moto's repository."""
    theirs = INSTALLED.parent
    for new in sorted(
        [*(folder / "moto" / _SERVICE).rglob("*.py"), *(folder / "tests").rglob("*.py")]
    ):
        name = new.relative_to(folder)
        old = theirs / name if name.parts[0] == "moto" else Path(os.devnull)
        is_new = not old.is_file()
        if is_new and not new.stat().st_size:
            continue  # moto's own folders of tests have these
        yield from difflib.unified_diff(
            [] if is_new else old.read_text(encoding="utf-8").splitlines(keepends=True),
            new.read_text(encoding="utf-8").splitlines(keepends=True),
            os.devnull if is_new else f"a/{name}",
            f"b/{name}",
        )


def main(arguments: list[str] | None = None) -> int:
    """Check the proposal, and return the exit code."""
    parser = argparse.ArgumentParser(prog="check", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--patch", type=Path, help="where to write the whole patch")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        overlay(folder)
        if given.patch:
            given.patch.write_text("".join(patch(folder)), encoding="utf-8")
        tests = folder / "tests" / "test_connect"
        done = subprocess.run(  # noqa: S603 - our own tests
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)),
                *("--rootdir", name, "-c", os.devnull),
            ],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": name,
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing",
            },
            check=False,
        )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
