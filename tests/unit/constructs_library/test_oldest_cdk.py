"""The oldest CDK that pyproject.toml allows; all other tests run on the newest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from tools import cdk_floor

from connect_associations import _cdk_version

ROOT = Path(__file__).parents[3]
FLOOR = _cdk_version.FLOOR
USUAL = (
    "tests/unit/constructs_library/test_contact_user_assignment.py",
    "tests/unit/constructs_library/test_traffic_distribution_group_membership.py",
    "tests/unit/constructs_library/test_traffic_distribution_group_user.py",
)
"""Each construct."""
MORE = (
    "tests/unit/constructs_library/test_ledger.py",
    "tests/security/test_governance.py",
    "tests/unit/constructs_library/test_connect_association_provider.py",
    "tests/unit/constructs_library/test_customized_roles.py",
    "tests/unit/constructs_library/test_declarations.py",
    "tests/unit/constructs_library/test_references.py",
    "tests/unit/constructs_library/test_references_to_other_stacks.py",
    "tests/unit/constructs_library/test_rosters.py",
    "tests/unit/constructs_library/test_user_lookup.py",
    *(
        f"tests/unit/constructs_library/test_values_to_come.py::{name}"
        for name in (
            "test_lazy_values_are_asked_at_synth",
            "test_the_first_pass_of_synth_goes_through",
            "test_two_tokens_for_one_group_share_a_policy",
            "test_what_the_refusal_advises_works",
            "test_what_was_looked_up_is_read_like_anything_else",
        )
    ),
)
PROGRAM = """
import sys
from importlib import metadata

import aws_cdk
import pytest

print("aws-cdk-lib", metadata.version("aws-cdk-lib"), "of", aws_cdk.__file__)
sys.exit(pytest.main(sys.argv[1:]))
"""


def run(*arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with what is in *path* before everything that is installed."""
    environment = {**os.environ, "PYTHONPATH": str(path)}
    return subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(
    metadata.version("aws-cdk-lib") == FLOOR, reason="this is the run on the oldest CDK"
)
@pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="a source distribution is tested without a network"
)
@pytest.mark.parametrize(
    ("tests", "at_least"),
    [
        pytest.param(USUAL, 30, id="usual"),
        pytest.param(MORE, 120, id="more", marks=pytest.mark.soak),
    ],
)
def test_the_constructs_work_with_the_oldest_cdk(tests: tuple[str, ...], at_least: int) -> None:
    try:
        folder = cdk_floor.install()
    except RuntimeError as error:
        pytest.fail(str(error), pytrace=False)
    # Old versions warn of a Python and a Node that are newer than they are.
    options = ("-q", "-p", "no:cacheprovider", "-W", "ignore")
    done = run("-c", PROGRAM, *options, *tests, path=folder)
    assert done.stdout.startswith(f"aws-cdk-lib {FLOOR} of {folder}")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) >= at_least


def test_the_floor_stands_in_every_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (allowed,) = (line for line in project["dependencies"] if line.startswith("aws-cdk-lib"))
    assert allowed == f"aws-cdk-lib>={FLOOR},<3"
    pinned = (ROOT / "requirements-floor.in").read_text(encoding="utf-8")
    assert f"aws-cdk-lib=={FLOOR}\n" in pinned


@pytest.mark.parametrize("version", ["2.179.0", "2.9.0", "1.204.0"])
def test_an_older_cdk_ends_in_one_line_that_names_the_floor(tmp_path: Path, version: str) -> None:
    folder = tmp_path / f"aws_cdk_lib-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: aws-cdk-lib\nVersion: {version}\n"
    )
    done = run(
        "-c",
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "try:\n"
        "    from connect_associations import TrafficDistributionGroupUser\n"
        "except ImportError as error:\n"
        "    print(error)\n",
        path=ROOT / "constructs",
    )
    assert done.stdout == (
        f"cdk-connect-associations needs aws-cdk-lib {FLOOR} or newer, and {version} is installed; "
        f"run: pip install 'aws-cdk-lib>={FLOOR}'\n"
    )


def test_a_cdk_without_metadata_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", unknown)
    _cdk_version.check()
