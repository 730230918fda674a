"""What PyPI shows of the project."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import hatch_build
import pytest
from packaging.metadata import Metadata, parse_email

from wheels import ROOT, build

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
REPOSITORY = "https://github.com/example/cdk-connect-associations"

_TARGET = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")


def metadata(unpacked_sdist: Path) -> Metadata:
    """Return the metadata, checked against the standard."""
    raw, unknown = parse_email((unpacked_sdist / "PKG-INFO").read_bytes())
    assert not unknown
    return Metadata.from_raw(raw)


def targets(markdown: str) -> dict[str, str]:
    """Return the targets of links and images, with ``!`` for an image."""
    return {target: mark for mark, target in _TARGET.findall(markdown)}


@pytest.fixture(scope="module")
def published(unpacked_sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Both distributions, as they are once the repository's address is filled in."""
    settings = unpacked_sdist / "pyproject.toml"
    before = settings.read_text(encoding="utf-8")
    given, count = re.subn(
        r'^repository = ".*"', f'repository = "{REPOSITORY}"', before, flags=re.MULTILINE
    )
    assert count == 1
    settings.write_text(given, encoding="utf-8")
    try:
        return [
            build(what, source=unpacked_sdist, output=tmp_path_factory.mktemp(f"published-{what}"))
            for what in ("wheel", "sdist")
        ]
    finally:
        settings.write_text(before, encoding="utf-8")


def test_pypi_accepts_and_renders_both(wheel: Path, sdist: Path, published: list[Path]) -> None:
    done = subprocess.run(  # noqa: S603 - our own distributions
        [sys.executable, "-m", "twine", "check", "--strict", wheel, sdist, *published],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_on_pypi_leads_to_the_release(unpacked_sdist: Path) -> None:
    text = hatch_build.absolute(README, repository=REPOSITORY, version="1.2.3")
    local = targets(README)
    assert any(local.values())
    for target, mark in local.items():
        assert target.startswith("https://") or (unpacked_sdist / target.split("#")[0]).exists()
        if not target.startswith("https://"):
            view = "raw" if mark else "blob"
            assert targets(text)[f"{REPOSITORY}/{view}/v1.2.3/{target}"] == mark


def test_without_a_repository_no_link_leads_nowhere() -> None:
    text = hatch_build.absolute(README, repository="", version="1.2.3")
    assert all(target.startswith("https://") for target in targets(text))
    assert hatch_build.absolute(
        "a ![b](c.svg) [d](e.md#f) [g](#h)", repository="", version="1"
    ) == ("a  d [g](#h)")


def test_every_url_comes_from_one_setting(unpacked_sdist: Path) -> None:
    urls = hatch_build.urls(REPOSITORY)
    assert {"Source", "Documentation", "Changelog", "Issues"} <= urls.keys()
    assert all(url.startswith(REPOSITORY) for url in urls.values())
    assert hatch_build.urls("") == {}
    setting = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["custom"]["repository"]
    assert (metadata(unpacked_sdist).project_urls or {}) == hatch_build.urls(setting)


def test_every_python_that_is_supported_is_named() -> None:
    classifiers = PROJECT["project"]["classifiers"]
    named = [each for each in classifiers if re.search(r":: 3\.\d+$", each)]
    assert named == [f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 15)]
    assert PROJECT["project"]["requires-python"] == ">=3.11"
    assert PROJECT["project"]["authors"]
