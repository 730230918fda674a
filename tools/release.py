"""Make a release: check, change the changelog and the version, build, commit and tag.

Nothing leaves this machine. The last lines say how to publish, which is a command of its own. If a
check or the build fails, the two files are as they were, and there is no commit and no tag.
"""

# ruff: noqa: INP001, S603, T201 - a program that people watch, and that starts other programs

from __future__ import annotations

import argparse
import datetime as dt
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHANGELOG = ROOT / "CHANGELOG.md"
VERSION = ROOT / "constructs" / "connect_associations" / "_version.py"
UPGRADING = ROOT / "docs" / "upgrading.md"
SECURITY = ROOT / "SECURITY.md"
OUTPUT = ROOT / "dist"

UNRELEASED = "## [Unreleased]\n"
UNSET_CONTACT = "SECURITY-CONTACT"
"""What stands in SECURITY.md until somebody puts an address there."""

_NUMBERS = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_SECTION = re.compile(r"^## \[", re.MULTILINE)


class ReleaseError(Exception):
    """What is in the way of the release, one line each."""


def main(arguments: list[str] | None = None) -> int:
    """Make the release, and return the exit status."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("version", nargs="?", default="", help="such as 1.2.3")
    parser.add_argument(
        "--checked", action="store_true", help="CI has passed for this commit: do not run it again"
    )
    given = parser.parse_args(arguments)
    problems = find_problems(given.version)
    try:
        _refuse(problems)
        if not given.checked:
            _run(".ci/run", problem="the checks failed")
        distributions = _build(given.version)
        _commit(given.version)
    except ReleaseError as error:
        print(f"release: not made:\n{error}", file=sys.stderr)
        return 1
    print(
        f"\n{given.version} is built, committed and tagged. Nothing is published yet. Either push, "
        f"and let the workflow publish:\n\n    git push origin HEAD v{given.version}\n\n"
        f"or upload by hand:\n\n    .venv/bin/python -m twine upload {' '.join(distributions)}\n"
    )
    return 0


def find_problems(version: str) -> list[str]:
    """Return what is in the way before anything is done, a sentence each."""
    problems = []
    if not _NUMBERS.fullmatch(version):
        problems.append(f"{version!r} is not a version: make release VERSION=1.2.3")
    else:
        tags = [tag.removeprefix("v") for tag in _git("tag", "--list", "v*").splitlines()]
        newest = max(filter(_NUMBERS.fullmatch, tags), key=_order, default=None)
        if newest and _order(version) <= _order(newest):
            problems.append(f"{version} does not come after {newest}, which is tagged")
        if not re.search(
            rf"^## {re.escape(version)}$", UPGRADING.read_text(encoding="utf-8"), re.MULTILINE
        ):
            problems.append(
                f"docs/upgrading.md has no section '## {version}': write what to do, or that there "
                "is nothing to do"
            )
    if not section(CHANGELOG.read_text(encoding="utf-8"), "Unreleased"):
        problems.append("CHANGELOG.md has nothing under Unreleased")
    if _git("status", "--porcelain"):
        problems.append("there are changes that are not committed")
    if not repository():
        problems.append("pyproject.toml does not name the repository: fill in `repository`")
    if UNSET_CONTACT in SECURITY.read_text(encoding="utf-8"):
        problems.append(f"SECURITY.md has no address yet: replace {UNSET_CONTACT}")
    return problems


def repository() -> str:
    """Return the address of the repository, or nothing."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(settings["tool"]["hatch"]["metadata"]["hooks"]["custom"]["repository"])


def section(changelog: str, name: str) -> str:
    """Return what the changelog says under the heading of *name*, without the heading.

    :param changelog: its Markdown.
    :param name: a version, or ``Unreleased``.
    """
    found = re.search(rf"^## \[{re.escape(name)}\].*$", changelog, re.MULTILINE)
    if not found:
        return ""
    text = changelog[found.end() :]
    following = _SECTION.search(text)
    return text[: following.start() if following else None].strip()


def released(changelog: str, *, version: str, date: dt.date) -> str:
    """Return the changelog with what was unreleased under *version*, and nothing unreleased."""
    return changelog.replace(UNRELEASED, f"{UNRELEASED}\n## [{version}] - {date.isoformat()}\n", 1)


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ReleaseError("\n".join(f"  - {problem}" for problem in problems))


def _build(version: str) -> list[str]:
    """Change the two files, and build; put them back if that fails."""
    before = {path: path.read_text(encoding="utf-8") for path in (CHANGELOG, VERSION)}
    today = dt.datetime.now(dt.UTC).date()
    CHANGELOG.write_text(released(before[CHANGELOG], version=version, date=today), encoding="utf-8")
    VERSION.write_text(
        re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', before[VERSION]),
        encoding="utf-8",
    )
    try:
        shutil.rmtree(OUTPUT, ignore_errors=True)
        _run(
            *(sys.executable, "-m", "build", "--no-isolation"),
            *("--outdir", str(OUTPUT), str(ROOT)),
            problem="it cannot be built",
        )
        built = sorted(str(path.relative_to(ROOT)) for path in OUTPUT.iterdir())
        _run(
            *(sys.executable, "-m", "twine", "check", "--strict", *built),
            problem="PyPI would refuse it",
        )
        _refuse([f"{name} is not {version}" for name in built if f"-{version}" not in name])
    except BaseException:
        for path, content in before.items():
            path.write_text(content, encoding="utf-8")
        raise
    return built


def _commit(version: str) -> None:
    files = (str(path.relative_to(ROOT)) for path in (CHANGELOG, VERSION))
    _run(
        *("git", "commit", "--quiet", "-m", f"Release {version}", "--", *files),
        problem="git refuses to commit",
    )
    notes = section(CHANGELOG.read_text(encoding="utf-8"), version)
    # Headings begin with the sign that git takes for a comment.
    _run(
        *("git", "tag", "--annotate", "--cleanup=whitespace"),
        *("-m", f"{version}\n\n{notes}", f"v{version}"),
        problem="it is committed, and git refuses to tag it",
    )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments],  # noqa: S607 - the machine's git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def _run(*command: str, problem: str) -> None:
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise ReleaseError(f"  - {problem}: {' '.join(command)}")


if __name__ == "__main__":
    raise SystemExit(main())
