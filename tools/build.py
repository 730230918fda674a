"""Build the wheel and the source distribution into ``dist/``; install only what that needs.

Run by ``make`` with the machine's own Python, as ``set_up.py`` is.
"""

# ruff: noqa: INP001, S603, T201 - a program that people watch, and that starts other programs

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

# Python leaves out the folder of the program when it is isolated.
sys.path.insert(0, str(Path(__file__).resolve().parent))

import set_up

VENV = set_up.ROOT / ".venv-build"
OUTPUT = set_up.ROOT / "dist"


def main() -> int:
    """Build, and return the exit status."""
    try:
        set_up.check_python()
        set_up.python_packages(VENV, "requirements-build.txt", what="what builds packages")
    except set_up.SetUpError as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    # What was built before is not to be uploaded by mistake.
    shutil.rmtree(OUTPUT, ignore_errors=True)
    command = [str(VENV / "bin" / "python"), "-m", "build", "--no-isolation"]
    return subprocess.run(
        [*command, "--outdir", str(OUTPUT), str(set_up.ROOT)], check=False
    ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
