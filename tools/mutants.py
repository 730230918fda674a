"""Mutation testing: break the provider's code in one place at a time, and see whether a test fails.

Run by ``make mutants``, as a rule at night. mutmut makes the mutants, all in a copy below
``.cache``, and runs the tests that reach a mutant: first unit tests, which are fast, for whom
survives the lifecycles, and at last the state machine. Left out are mutants of what people read:
errors' messages and log lines.
"""

# ruff: noqa: INP001, S603, T201 - a program that people watch, and that starts other programs

from __future__ import annotations

import argparse
import ast
import fnmatch
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
STAGE = ROOT / ".cache" / "mutants"

_PACKAGE = ROOT / "lambda" / "connect_provider"
_MUTATED = (
    "ledger/*.py",
    "groups/*.py",
    "contacts/*.py",
    "identifiers.py",
    "connect/quota.py",
)
_ROUNDS = {
    "unit": ("tests/unit/provider", "tests/unit/audit"),
    "lifecycle": (
        "tests/lifecycle/test_scenarios.py",
        "tests/lifecycle/test_ledger.py",
        "tests/lifecycle/test_refused_contacts.py",
    ),
    "machine": ("tests/lifecycle/test_machine.py",),
}
"""The tests to run, one group after the other."""
_COPIED = (
    "tests/conftest.py",
    "tests/lifecycle",
    "tests/support",
    "tests/unit/provider",
    "tests/unit/audit",
)
_REQUIRED = 0.9
_DONT = "  # pragma: no mutate"
_SAMPLE_SEED = 13
_NO_MUTANT = "none"

_SETTINGS = """\
[tool.pytest.ini_options]
addopts = ["--import-mode=importlib", "-p", "no:cacheprovider", "-m", "not soak and not deploy"]
pythonpath = ["tests/support", {constructs}, {root}]
markers = ["deploy: as in the repository", "soak: as in the repository"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = {mutated}
pytest_add_cli_args_test_selection = {tests}
timeout_multiplier = 3.0
timeout_constant = 5.0
use_git_change_detection = false
on_dependency_change = "ignore"
"""

_KILLED = frozenset((1, 3, -24, 24, 36, 152, 255, -9))
"""mutmut's exit codes of tests that failed, or did not end in time."""


def main() -> int:
    """Make the mutants and run the tests; return 1 if too many survive."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help="patterns of mutants, such as 'connect_provider.ledger.*'"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="only N of them, drawn at random")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="tests at the same time")
    parser.add_argument("--report", type=Path, help="where to write who survived, as Markdown")
    wanted = parser.parse_args()
    source = _copy()
    meant = list(wanted.names)
    outcomes: dict[str, int | None] = {}
    for number, (name, tests) in enumerate(_ROUNDS.items()):
        folder = _stage(source, STAGE / name, tests)
        if number == 0 and wanted.sample:
            # Before it looks for the named mutant it makes all, and finds which test reaches which.
            _mutmut(folder, "run", "--max-children", "1", _NO_MUTANT, check=False)
            made = sorted(_chosen(_outcomes(folder), meant))
            meant = random.Random(_SAMPLE_SEED).sample(made, min(wanted.sample, len(made)))  # noqa: S311 - nothing to protect
        print(f"\n{name}: {len(meant) or 'all'} mutants", flush=True)
        _mutmut(folder, "run", "--max-children", str(wanted.jobs), *meant)
        outcomes |= _chosen(_outcomes(folder), meant)
        meant = [mutant for mutant, code in outcomes.items() if code not in _KILLED]
        if not meant:
            break
    return _report(outcomes, wanted.report)


def _copy() -> Path:
    """Copy code and tests as they are now, and forget the last run."""
    shutil.rmtree(STAGE, ignore_errors=True)
    source = STAGE / "source"
    for copied in _COPIED:
        (source / copied).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / copied).is_dir():
            shutil.copytree(
                ROOT / copied, source / copied, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy2(ROOT / copied, source / copied)
    for path in sorted(_PACKAGE.rglob("*.py")):
        copy = source / "src" / path.relative_to(_PACKAGE.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(_without_texts(path.read_text(encoding="utf-8")), encoding="utf-8")
    return source


def _stage(source: Path, folder: Path, tests: Sequence[str]) -> Path:
    """Prepare a round, and return its folder."""
    shutil.copytree(source, folder)
    settings = _SETTINGS.format(
        constructs=json.dumps(str(ROOT / "constructs")),
        root=json.dumps(str(ROOT)),
        mutated=json.dumps([f"src/connect_provider/{pattern}" for pattern in _MUTATED]),
        tests=json.dumps(list(tests)),
    )
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    return folder


def _without_texts(source: str) -> str:
    """Mark the lines with texts for people, so that mutmut leaves them alone."""
    lines = source.splitlines()
    for number in sorted(_lines_of_texts(ast.parse(source))):
        lines[number - 1] += _DONT
    return "\n".join(lines) + "\n"


def _lines_of_texts(tree: ast.Module) -> set[int]:
    """Return the numbers of the lines with an error's message, a log line, or a type as text."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called.startswith("_LOGGER."):
            found |= _lines(node)
        if called == "cast":  # its type is for the type checker alone
            found |= _lines(node.args[0])
        if not called.endswith(("Error", "StillWaiting")):
            continue
        texts = [argument for argument in node.args if _is_text(argument)]
        if texts:
            found.add(node.lineno)
        for text in texts:
            found |= _lines(text)
    return found


def _lines(node: ast.expr) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))


def _is_text(node: ast.expr) -> bool:
    return any(
        isinstance(part, ast.JoinedStr)
        or (isinstance(part, ast.Constant) and isinstance(part.value, str))
        for part in ast.walk(node)
    )


def _mutmut(folder: Path, *arguments: str, check: bool = True) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "AWS_EC2_METADATA_DISABLED": "true"},
        stderr=None if check else subprocess.DEVNULL,
        check=False,
    )
    if done.returncode and check:
        raise SystemExit(done.returncode)


def _outcomes(folder: Path) -> dict[str, int | None]:
    """Return how the tests ended, by mutant; None where they have not run."""
    found: dict[str, int | None] = {}
    for path in sorted((folder / "mutants" / "src").rglob("*.meta")):
        found |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def _chosen(outcomes: dict[str, int | None], patterns: Sequence[str]) -> dict[str, int | None]:
    """Return the outcomes of the mutants that the patterns name; without patterns all."""
    names = set(patterns)
    return {
        name: code
        for name, code in outcomes.items()
        if not patterns
        or name in names
        or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns if "*" in pattern)
    }


def _report(outcomes: dict[str, int | None], path: Path | None) -> int:
    """Print the rate of every module, and the survivors; return the exit status."""
    made: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    survivors: list[str] = []
    for name, code in outcomes.items():
        module = name.rpartition(".")[0]
        made[module] += 1
        if code in _KILLED:
            killed[module] += 1
        else:
            survivors.append(name)
    lines = ["| module | mutants | killed |", "|---|--:|--:|"]
    lines += [
        f"| {module} | {made[module]} | {killed[module] / made[module]:.1%} |"
        for module in sorted(made)
    ]
    rate = killed.total() / made.total()
    lines += [f"| all | {made.total()} | {rate:.1%} |", ""]
    print("\n".join(lines))
    for name in survivors:
        shown = _show(name)
        print(f"{name}\n{shown}\n")
        lines += [f"- `{name}`", "", "```diff", shown, "```", ""]
    if path:
        path.write_text("\n".join(lines), encoding="utf-8")
    print(f"{rate:.1%} of {made.total()} mutants are killed, at least {_REQUIRED:.0%} must be.")
    return int(rate < _REQUIRED)


def _show(name: str) -> str:
    """Return what a mutant changes."""
    shown = subprocess.run(
        [sys.executable, "-m", "mutmut", "show", name],
        cwd=STAGE / next(iter(_ROUNDS)),
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    changed = [
        line
        for line in shown.splitlines()
        if line.startswith(("+", "-", "@@")) and not line.startswith(("+++", "---"))
    ]
    return "\n".join(changed)


if __name__ == "__main__":
    raise SystemExit(main())
