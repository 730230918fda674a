"""What is installed and what is deployed is known to the last file."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from tools import audit, sbom

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
REQUIREMENTS = sorted(audit.LISTS)
NOWHERE = "http://127.0.0.1:9"
"""Nothing listens on the discard port."""


def entries(path: Path) -> list[str]:
    """Return the requirements, each with its hashes in one line."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_hashes(path: Path) -> None:
    assert entries(path)
    for entry in entries(path):
        requirement, *hashes = entry.split("--hash=")
        pins = list(Requirement(requirement.strip()).specifier)
        assert [pin.operator for pin in pins] == ["=="], entry
        assert "*" not in pins[0].version, entry
        assert hashes, entry
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", value) for value in hashes), entry


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_everything_that_is_asked_for_is_pinned_as_asked(path: Path) -> None:
    def read(name: Path) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in name.read_text(encoding="utf-8").splitlines():
            if line.startswith("-r "):
                found |= read(name.parent / line.removeprefix("-r "))
            elif line and not line.startswith("#"):
                requirement = Requirement(line)
                found[canonicalize_name(requirement.name)] = str(requirement.specifier)
        return found

    pinned = {
        canonicalize_name(requirement.name): str(requirement.specifier)
        for requirement in (
            Requirement(entry.split("--hash=")[0].strip()) for entry in entries(path)
        )
    }
    asked = read(path.with_suffix(".in"))
    assert asked
    assert asked.items() <= pinned.items()


def test_the_lowest_versions_that_are_tested_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    lowest = {
        canonicalize_name(requirement.name): specifier.version
        for text in itertools.chain(project["dependencies"], *extras)
        for requirement in (Requirement(text),)
        for specifier in requirement.specifier
        if specifier.operator == ">="
    }
    pinned = {
        canonicalize_name(requirement.name): Version(next(iter(requirement.specifier)).version)
        for entry in entries(ROOT / "requirements-lowest.txt")
        for requirement in (Requirement(entry.split("--hash=")[0].strip()),)
    }
    assert {name: pinned[name] for name in lowest} == {
        name: Version(version) for name, version in lowest.items()
    }


def test_no_lock_file_names_a_registry() -> None:
    for path in (*REQUIREMENTS, ROOT / "package-lock.json"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host", text), path
        assert "registry" not in text, path
        assert '"resolved"' not in text, path


def test_the_cdk_cli_is_pinned_by_integrity() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
    asked = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in asked.values())


def test_the_build_backend_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for requirement in project["build-system"]["requires"]:
        assert [pin.operator for pin in Requirement(requirement).specifier] == ["=="]


# What is deployed ---------------------------------------------------------------------------------


def listed(output: Path, *arguments: str) -> dict[str, Any]:
    sbom.main(["--output", str(output), *arguments])
    text = output.read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bom: dict[str, Any] = json.loads(text)
    return bom


def hashes(components: list[dict[str, Any]]) -> Mapping[str, str]:
    return {
        component["name"]: component["hashes"][0]["content"]
        for component in components
        if component["type"] == "file"
    }


def held(folder: Path) -> Mapping[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_list_is_our_files_and_nothing_else(tmp_path: Path) -> None:
    components = listed(tmp_path / "sbom.json")["components"]
    assert hashes(components) == held(sbom.synthesize(tmp_path / "out", bundle_sdk=False))
    assert len(hashes(components)) == len(components)
    assert hashes(components).keys() == {
        path.relative_to(ROOT / "lambda").as_posix() for path in (ROOT / "lambda").rglob("*.py")
    }


def test_the_same_code_gives_the_same_list(tmp_path: Path) -> None:
    one, other = (listed(tmp_path / name) for name in ("one.json", "other.json"))
    assert one["components"] == other["components"]
    assert one["serialNumber"] == other["serialNumber"]


def test_the_bundled_sdk_is_listed_with_its_versions(tmp_path: Path) -> None:
    components = listed(tmp_path / "sbom.json", "--bundle-sdk")["components"]
    libraries = [component for component in components if component["type"] == "library"]
    assert {library["name"]: library["version"] for library in libraries} == {
        name: metadata.version(name)
        for name in (
            "boto3",
            "botocore",
            "jmespath",
            "python-dateutil",
            "s3transfer",
            "six",
            "urllib3",
        )
    }
    assert all(library["purl"].startswith("pkg:pypi/") for library in libraries)
    everything = dict(hashes(components))
    for library in libraries:
        assert library["components"], library["name"]
        everything |= hashes(library["components"])
    assert everything == held(sbom.synthesize(tmp_path / "out", bundle_sdk=True))


def test_a_file_of_unknown_origin_is_refused(tmp_path: Path) -> None:
    (tmp_path / "connect_provider").mkdir()
    (tmp_path / "connect_provider" / "handler.py").touch()
    assert len(json.loads(sbom.describe(tmp_path))["components"]) == 1
    (tmp_path / "stranger.py").touch()
    with pytest.raises(ValueError, match=r"unknown origin: stranger\.py"):
        sbom.describe(tmp_path)


# What is known against it -------------------------------------------------------------------------


def test_an_audit_without_the_service_says_so_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.audit"],
        cwd=ROOT,
        env={
            **os.environ,
            "HTTPS_PROXY": NOWHERE,
            "https_proxy": NOWHERE,
            # pip-audit keeps what the service answered there.
            "PIP_CACHE_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == audit.NOT_ASKED == 3
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    first = REQUIREMENTS[0].relative_to(ROOT)
    assert line.startswith(f"audit: {first} was not audited: the vulnerability service")


def test_a_package_that_the_service_does_not_know_is_not_taken_for_safe() -> None:
    known = {"name": "six", "version": "1.0", "vulns": []}
    skipped = {"name": "boto3", "skip_reason": "not found"}
    with pytest.raises(audit.NotAskedError, match=r"nothing about 1 of 2 packages.*not found"):
        audit.vulnerabilities({"dependencies": [known, skipped]})


def test_what_is_known_is_told() -> None:
    vulns = [
        {"id": "PYSEC-1", "fix_versions": ["1.1", "2.0"]},
        {"id": "PYSEC-2", "fix_versions": []},
    ]
    report = {"dependencies": [{"name": "six", "version": "1.0", "vulns": vulns}]}
    assert audit.vulnerabilities(report) == [
        "six 1.0: PYSEC-1, fixed in 1.1, 2.0",
        "six 1.0: PYSEC-2, fixed in no version",
    ]
    assert audit.vulnerabilities({"dependencies": []}) == []


def test_the_audit_is_no_part_of_ci() -> None:
    assert "audit" not in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
