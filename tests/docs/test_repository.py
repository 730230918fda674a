"""What the README and its neighbours promise about the repository."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped] # its stubs are no dependency of ours

from documents import ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path

README = (ROOT / "README.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
IN_THE_ROOT = [
    ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
]
WRITTEN = [*IN_THE_ROOT, ROOT / "examples" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_TARGET = re.compile(r"^([a-z][a-z-]*):(?!=)", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
_PATH = re.compile(
    r"`((?:constructs|lambda|tests|embedded|tools|docs|examples|benchmarks)/[\w./-]*\w/?)`"
)


def relative(page: Path) -> str:
    return str(page.relative_to(ROOT))


def targets() -> set[str]:
    return set(_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))


def commands(text: str) -> list[str]:
    return [
        line
        for block in blocks(text, "console")
        for line in block.text.splitlines()
        if line.strip()
    ]


def test_the_readme_has_just_these_commands() -> None:
    """Each is run: pip by tests/packaging, the other targets by CI, the help below."""
    assert commands(README) == [
        "pip install cdk-connect-associations",
        "make build",
        "pip install dist/*.whl",
        "make demo",
        "make test",
        "make help",
    ]


@pytest.mark.parametrize("target", ["build", "demo", "test"])
def test_ci_runs_what_the_readme_says(target: str) -> None:
    assert re.search(rf"^(step|make [a-z-]*|.*make .*) {target}\b", CI, re.MULTILINE)


def test_help_has_a_line_for_every_target() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"],  # noqa: S607 - the machine's make
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    assert listed == targets()
    assert all(line.split(maxsplit=1)[1].endswith(".") for line in done.stdout.splitlines())


@pytest.mark.parametrize("page", WRITTEN, ids=relative)
def test_targets_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`make ([a-z][a-z-]*)", text)
    named += [line.split()[1] for line in commands(text) if re.match(r"make [a-z]", line)]
    assert set(named) <= targets()


@pytest.mark.parametrize("page", WRITTEN, ids=relative)
def test_files_that_are_named_exist(page: Path) -> None:
    named = _PATH.findall(page.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", [*IN_THE_ROOT, ROOT / "examples" / "README.md"], ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    """The pages in docs/ are checked by ``mkdocs build --strict``."""
    for path, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / path if path else page
        assert target.exists(), path
        if anchor:
            assert anchor in anchors(target), f"{path}#{anchor}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def test_links_are_found() -> None:
    assert ("docs/promise.md", "") in _LINK.findall(README)


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_hooks_are_local_and_the_same_checks_as_in_ci() -> None:
    config = read_yaml(ROOT / ".pre-commit-config.yaml")
    assert {repository["repo"] for repository in config["repos"]} == {"local"}
    entries = [hook["entry"] for repository in config["repos"] for hook in repository["hooks"]]
    checked = {entry.split()[-1] for entry in entries}
    assert all(entry.startswith("make ") for entry in entries)
    assert checked == {"lint", "types"}
    assert all(re.search(rf"^step {target}$", CI, re.MULTILINE) for target in checked)


def test_pre_commit_accepts_its_configuration() -> None:
    subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", ".pre-commit-config.yaml"],
        cwd=ROOT,
        check=True,
    )


@pytest.mark.parametrize("name", ["problem", "idea"])
def test_issue_templates_have_what_a_form_needs(name: str) -> None:
    form = read_yaml(ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml")
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    identifiers = [field["id"] for field in fields]
    assert len(set(identifiers)) == len(identifiers) > 0
    assert all(field["attributes"]["label"] for field in fields)


# -- workflows -------------------------------------------------------------------------------------

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in read_yaml(workflow)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=relative)
def test_workflows_call_targets_that_exist(workflow: Path) -> None:
    run = "\n".join(step["run"] for step in steps(workflow) if "run" in step)
    called = re.findall(r"^make ([a-z-]+)", run, re.MULTILINE)
    assert called
    assert set(called) <= targets()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=relative)
def test_workflows_pin_what_they_use_and_may_do_little(workflow: Path) -> None:
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []
    assert read_yaml(workflow)["permissions"] == {"contents": "read"}
    for job in read_yaml(workflow)["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 180


def test_workflows_check_all_that_ci_checks_on_every_python() -> None:
    checks = ROOT / ".github" / "workflows" / "checks.yml"
    called = {step["run"].removeprefix("make ") for step in steps(checks) if "run" in step}
    assert called >= set(re.findall(r"^step ([a-z-]+)", CI, re.MULTILINE)) | {"test", "docs"}
    pythons = read_yaml(checks)["jobs"]["test"]["strategy"]["matrix"]["python"]
    classifiers = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PROJECT)
    assert pythons == classifiers


def test_only_publishing_may_ask_for_an_identity() -> None:
    may = {
        name: job["permissions"]
        for workflow in WORKFLOWS
        for name, job in read_yaml(workflow)["jobs"].items()
        if "permissions" in job
    }
    assert may == {
        "publish": {"contents": "read", "id-token": "write"},
        "docs": {"contents": "write"},
    }
