"""Install what is pinned, into this folder only; do nothing when that is done already.

Run by ``make`` with the machine's own Python, so it uses the standard library only. Whatever goes
wrong ends in one line that says what to do.
"""

# ruff: noqa: INP001, S603, T201 - a program that people watch, and that starts other programs

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".tools"
VENV = ROOT / ".venv"
EMULATOR_VENV = ROOT / ".venv-emulator"
NODE_MODULES = ROOT / "node_modules"

_STAMP = ".set-up"
"""The file in an installed folder that says from what it was installed."""

_SETTINGS_THAT_LEAD_ELSEWHERE = {
    "NODE_ENV",
    "NODE_OPTIONS",
    "NODE_PATH",
    "NPM_CONFIG_PREFIX",
    "PIP_PREFIX",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_TARGET",
    "PIP_USER",
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
}

_CAUSES = {
    r"No space left on device|ENOSPC": "the disk is full: make room, then run the same again",
    r"THESE PACKAGES DO NOT MATCH THE HASHES|EINTEGRITY": (
        "a downloaded package is not the pinned one: ask whoever runs the package mirror"
    ),
    r"CERTIFICATE_VERIFY_FAILED|SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY)": (
        "the registry's certificate is not trusted here: set PIP_CERT and NODE_EXTRA_CA_CERTS"
    ),
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError"
    r"|No matching distribution|Temporary failure in name resolution"
    r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH": (
        "the package registry cannot be reached: check the network and the proxy settings, "
        "then run the same again"
    ),
}


class SetUpError(Exception):
    """What went wrong, and what to do, in one line."""


def main() -> int:
    """Install what is missing, and return the exit status."""
    try:
        check_python()
        python_packages(VENV, "requirements-dev.txt", what="Python packages")
        python_packages(EMULATOR_VENV, "requirements-emulator.txt", what="the AWS emulator")
        node_packages()
    except SetUpError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up: interrupted; run the same again to go on", file=sys.stderr)
        return 130
    return 0


def check_python() -> None:
    """Fail if this Python is too old, or lacks what makes virtual environments."""
    if sys.version_info < (3, 11):  # noqa: UP036 - make PYTHON=… may name any Python
        found = ".".join(str(part) for part in sys.version_info[:3])
        raise SetUpError(
            f"Python 3.11 or newer is needed, and {sys.executable} is {found}: "
            "name a newer one with make PYTHON=/path/to/python3.11"
        )
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian packs it apart from Python
        import venv  # noqa: F401, PLC0415 - likewise
    except ImportError:
        raise SetUpError(
            f"{sys.executable} cannot make virtual environments: "
            "install its venv module (on Debian and Ubuntu: apt install python3-venv)"
        ) from None


def python_packages(folder: Path, requirements: str, *, what: str) -> None:
    """Install pinned requirements into a virtual environment, which is made if it is not there."""
    stamp = _stamp(ROOT / requirements, f"{sys.version_info[:2]}")
    if _is_installed(folder, stamp):
        return
    print(f"Installing {what} into {folder.name} …", flush=True)
    python = folder / "bin" / "python"
    if not _works(python):
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)], log=f"{folder.name}.log", what=what)
    _run(
        [
            *(str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"),
            *("--retries", "2", "--progress-bar", "off", "--require-hashes"),
            *("--requirement", requirements),
        ],
        log=f"{folder.name}.log",
        what=what,
    )
    (folder / _STAMP).write_text(stamp, encoding="utf-8")


def node_packages() -> None:
    """Install the pinned CDK CLI, with the Node of the virtual environment."""
    stamp = _stamp(ROOT / "package-lock.json", "")
    if _is_installed(NODE_MODULES, stamp):
        return
    print(f"Installing the CDK CLI into {NODE_MODULES.name} …", flush=True)
    _run(
        [
            *(str(VENV / "bin" / "npm"), "ci", "--include=dev"),
            *("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=2"),
            *("--fetch-retry-mintimeout=1000", "--loglevel=error"),
        ],
        log=f"{NODE_MODULES.name}.log",
        what="the CDK CLI",
    )
    (NODE_MODULES / _STAMP).write_text(stamp, encoding="utf-8")


def _stamp(pins: Path, more: str) -> str:
    # Virtual environments hold absolute paths: one that was moved is made anew.
    text = f"{pins.read_text(encoding='utf-8')}\n{ROOT}\n{more}\n"
    return hashlib.sha256(text.encode()).hexdigest()


def _is_installed(folder: Path, stamp: str) -> bool:
    try:
        return (folder / _STAMP).read_text(encoding="utf-8") == stamp
    except OSError:
        return False


def _works(python: Path) -> bool:
    """Return whether there is a virtual environment made by this Python, here."""
    script = python.parent / "pip"
    try:
        made_here = str(python.parent) in script.read_text(encoding="utf-8").split("\n", 2)[0]
        version = subprocess.run(
            [str(python), "-c", "import sys, pip; print(sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return False
    return made_here and version == str(sys.version_info[:2])


def _run(command: list[str], *, log: str, what: str) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in _SETTINGS_THAT_LEAD_ELSEWHERE
    }
    environment["PATH"] = os.pathsep.join([str(VENV / "bin"), environment.get("PATH", os.defpath)])
    LOGS.mkdir(exist_ok=True)
    path = LOGS / log
    with path.open("w", encoding="utf-8") as output:
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        except OSError as error:
            raise SetUpError(
                f"{what} could not be installed: {command[0]}: {error.strerror}; "
                "run `make clean`, then the same again"
            ) from None
    if done.returncode:
        told = path.read_text(encoding="utf-8", errors="replace")
        cause = next((hint for pattern, hint in _CAUSES.items() if re.search(pattern, told)), None)
        raise SetUpError(
            f"{what} could not be installed: {cause or 'the reason is in the log'} "
            f"(log: {path.relative_to(ROOT)})"
        )


if __name__ == "__main__":
    raise SystemExit(main())
