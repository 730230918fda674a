"""Ask a vulnerability service about every pinned package, by pip-audit.

Exit status: 0 when nothing is known against any of them, 1 when something is, 3 when the service
could not be asked, so that nobody takes silence for good news.
"""

# ruff: noqa: INP001, S603, T201 - a program that people run, and that starts another one

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LISTS = [
    *ROOT.glob("requirements*.txt"),
    ROOT / "constructs" / "connect_associations" / "testing" / "emulator" / "requirements.txt",
]
"""What is pinned: for the library, the tools, and the emulator of AWS."""
VULNERABLE = 1
NOT_ASKED = 3

_MOST_SAID = 200


class NotAskedError(Exception):
    """The service did not tell; the text says why, in one line."""


def main() -> int:
    """Audit one list of requirements after the other, and return the exit status."""
    known: list[str] = []
    for requirements in sorted(LISTS):
        try:
            known += vulnerabilities(_ask(requirements))
        except NotAskedError as error:
            print(
                f"audit: {requirements.relative_to(ROOT)} was not audited: {error}", file=sys.stderr
            )
            return NOT_ASKED
    for each in sorted(set(known)):
        print(each)
    print(f"audit: {len(set(known)) or 'no'} known vulnerabilities", file=sys.stderr)
    return VULNERABLE if known else 0


def vulnerabilities(report: dict[str, Any]) -> list[str]:
    """Return what pip-audit knows against packages, a line each.

    :param report: what it wrote.
    :raises NotAskedError: it skipped a package, which it does when the service does not know it.
    """
    skipped = [each for each in report["dependencies"] if "skip_reason" in each]
    if skipped:
        raise NotAskedError(
            f"the vulnerability service tells nothing about {len(skipped)} of "
            f"{len(report['dependencies'])} packages, as a mirror without such data would: "
            f"{skipped[0]['skip_reason']}"
        )
    return [
        f"{package['name']} {package['version']}: {known['id']}, fixed in "
        f"{', '.join(known['fix_versions']) or 'no version'}"
        for package in report["dependencies"]
        for known in package["vulns"]
    ]


def _ask(requirements: Path) -> dict[str, Any]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"),
            # What is pinned with hashes is complete: nothing has to be resolved or downloaded.
            *("--require-hashes", "--disable-pip", "--requirement", str(requirements)),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        said = done.stderr.strip().splitlines() or [f"pip-audit ended with {done.returncode}"]
        raise NotAskedError(
            f"the vulnerability service cannot be reached: {said[-1][:_MOST_SAID]}"
        ) from None
    return report


if __name__ == "__main__":
    raise SystemExit(main())
