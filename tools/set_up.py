"""Install what is pinned, into this folder only; do nothing when that is done already.

Run by ``make`` with the machine's own Python, so it uses the standard library only. Whatever goes
wrong ends in one line that says what to do.
"""

# ruff: noqa: INP001, S603, T201 - a program that people watch, and that starts other programs

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".tools"
VENV = ROOT / ".venv"
EMULATOR_VENV = ROOT / ".venv-emulator"
EMULATOR_PINS = "constructs/connect_associations/testing/emulator/requirements.txt"
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

_FULL = "the disk is full: make room, then run the same again"
_CAUSES = {
    r"No space left on device|ENOSPC": _FULL,
    r"THESE PACKAGES DO NOT MATCH THE HASHES|EINTEGRITY": (
        "a downloaded package is not the pinned one: ask the owner of the package mirror"
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


_HARDLY_ANYTHING = 1_000_000
"""Bytes."""

_TICK_SECONDS = 1.0
"""How often a terminal shows how far it is."""

_LINE_SECONDS = 30.0
"""How often a log does."""


class SetUpError(Exception):
    """What went wrong, and what to do, in one line."""


def main() -> int:
    """Install what is missing, and return the exit status."""
    try:
        check_python()
        python_packages(VENV, "requirements-dev.txt", what="Python packages")
        python_packages(EMULATOR_VENV, EMULATOR_PINS, what="the AWS emulator")
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


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """Tell people what keeps this program from writing.

    :raises SetUpError: the block raised OSError.
    """
    try:
        yield
    except OSError as error:
        cause = (
            _FULL
            if error.errno == errno.ENOSPC
            else f"{error.filename or 'a program'}: {error.strerror}; make sure that you may write "
            f"in {ROOT}, run `make clean`, then the same again"
        )
        raise SetUpError(f"{what} could not be installed: {cause}") from None


@_explained("Python packages")
def python_packages(folder: Path, requirements: str, *, what: str) -> None:
    """Install pinned requirements into a virtual environment, which is made if it is not there.

    :raises SetUpError: that failed; the message says what to do.
    """
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
        steps=(ROOT / requirements).read_text(encoding="utf-8").count("=="),
    )
    (folder / _STAMP).write_text(stamp, encoding="utf-8")


@_explained("the CDK CLI")
def node_packages() -> None:
    """Install the pinned CDK CLI, with the Node of the virtual environment.

    :raises SetUpError: that failed; the message says what to do.
    """
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
    # Virtual environments hold absolute paths: one that was moved is created again.
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


def _run(command: list[str], *, log: str, what: str, steps: int = 0) -> None:
    """Run a program to its end, and say now and then how far it is.

    :param steps: how many packages it collects. Default: nobody knows.
    :raises SetUpError: it failed.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in _SETTINGS_THAT_LEAD_ELSEWHERE
    }
    environment["PATH"] = os.pathsep.join([str(VENV / "bin"), environment.get("PATH", os.defpath)])
    # Otherwise npm needs a home folder that it can write to.
    environment["npm_config_cache"] = str(ROOT / ".cache" / "npm")
    environment["PYTHONUNBUFFERED"] = "1"
    path = LOGS / log
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _watch(process, path, steps=steps)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode:
        told = path.read_text(encoding="utf-8", errors="replace")
        cause = next((hint for pattern, hint in _CAUSES.items() if re.search(pattern, told)), None)
        if shutil.disk_usage(ROOT).free < _HARDLY_ANYTHING:
            cause = _FULL  # the log had no room to say so
        raise SetUpError(
            f"{what} could not be installed: {cause or 'the reason is in the log'} "
            f"(log: {path.relative_to(ROOT)})"
        )


def _watch(process: subprocess.Popen[bytes], path: Path, *, steps: int) -> None:
    """Wait for the end of a program, and say how far it is: on a terminal all the time."""
    terminal = sys.stdout.isatty()
    started = time.monotonic()
    while True:
        try:
            process.wait(_TICK_SECONDS if terminal else _LINE_SECONDS)
        except subprocess.TimeoutExpired:
            far = f"  {time.monotonic() - started:.0f} s"
            if steps:
                collected = path.read_text(encoding="utf-8", errors="replace").count("Collecting ")
                far += f", {min(collected, steps)} of {steps} packages"
            print(f"\r{far}" if terminal else far, end="" if terminal else "\n", flush=True)
        else:
            break
    if terminal:
        print("\r\033[K", end="", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
