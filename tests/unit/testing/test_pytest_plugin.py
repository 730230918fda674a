from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from connect_associations.testing import pytest_plugin
from connect_associations.testing.pytest_plugin import (
    connect_emulation,  # noqa: F401 - the fixture under test, which an installed wheel registers
)
from connect_associations.testing.seed import GROUP_ID, HOME_REGION, INSTANCE_ID, USERS

if TYPE_CHECKING:
    from connect_associations.testing import ConnectEmulation

ROOT = Path(__file__).resolve().parents[3]


def join(user_id: str) -> None:
    boto3.client("connect").associate_traffic_distribution_group_user(
        TrafficDistributionGroupId=GROUP_ID, UserId=user_id, InstanceId=INSTANCE_ID
    )


@pytest.fixture
def somebody_elses_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "production")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")


@pytest.mark.usefixtures("somebody_elses_settings")
def test_boto3_reaches_it_whatever_is_set_outside(
    connect_emulation: ConnectEmulation,  # noqa: F811 - the fixture's name
) -> None:
    join(USERS["ann"])
    assert connect_emulation.members(GROUP_ID) == {USERS["ann"]}
    assert connect_emulation.calls[0].region == HOME_REGION


def test_the_next_test_starts_anew(
    connect_emulation: ConnectEmulation,  # noqa: F811 - the fixture's name
) -> None:
    assert not connect_emulation.members(GROUP_ID)
    assert not connect_emulation.calls


def test_other_processes_reach_it(
    connect_emulation: ConnectEmulation,  # noqa: F811 - the fixture's name
) -> None:
    script = (
        "import boto3; boto3.client('connect').associate_traffic_distribution_group_user("
        f"TrafficDistributionGroupId={GROUP_ID!r}, UserId={USERS['bob']!r}, "
        f"InstanceId={INSTANCE_ID!r})"
    )
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603 - our own code
    assert connect_emulation.members(GROUP_ID) == {USERS["bob"]}


def test_it_answers_with_connects_errors(
    connect_emulation: ConnectEmulation,  # noqa: F811 - the fixture's name
) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        join("99999999-9999-4999-8999-999999999999")
    assert len(connect_emulation.calls) == 1


def test_the_project_registers_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (plugin,) = project["entry-points"]["pytest11"].items()
    entry = EntryPoint(name=plugin[0], value=plugin[1], group="pytest11")
    assert entry.load() is pytest_plugin


def run_pytest(folder: Path, test: str, *, hidden: str = "") -> subprocess.CompletedProcess[str]:
    """Run a test of a foreign project, in which the module *hidden* is not installed."""
    (folder / "test_foreign.py").write_text(test)
    program = (
        "import sys\n"
        f"sys.modules.update({{{hidden!r}: None}} if {hidden!r} else {{}})\n"
        "import pytest\n"
        "sys.exit(pytest.main(['-p', 'connect_associations.testing.pytest_plugin',"
        " '-p', 'no:cacheprovider']))"
    )
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "constructs")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_extra_other_tests_run(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "def test_nothing(): pass\n", hidden="moto")
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_the_extra_the_fixture_says_what_to_install(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "def test_one(connect_emulation): pass\n", hidden="moto")
    assert done.returncode != 0
    assert "pip install 'cdk-connect-associations[testing]'" in done.stdout


def test_the_plugin_imports_neither_moto_nor_boto3_until_a_test_wants_it() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'constructs')!r});"
        "import connect_associations.testing.pytest_plugin;"
        "sys.exit(bool({'moto', 'boto3', 'aws_cdk', 'jsii'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own code
