"""A foreign project that has the wheel and nothing of the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from embedded.cdk_cli import CdkCli

from connect_associations.testing.seed import HOME_REGION
from documents import smallest_example
from wheels import ROOT, build, foreign_python

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation

pytestmark = pytest.mark.deploy

INSTANCE = "11111111-2222-4333-8444-555555555555"
GROUP = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
USERS = {"12345678-1111-4111-8111-111111111111", "12345678-2222-4222-8222-222222222222"}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a virtual environment outside of the checkout, with the wheel."""
    wheel = build("wheel", source=ROOT, output=tmp_path_factory.mktemp("wheel"))
    return foreign_python(tmp_path_factory.mktemp("foreign") / "venv", wheel=wheel)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with what the README says."""
    (tmp_path / "app.py").write_text(smallest_example())
    (tmp_path / "cdk.json").write_text('{"app": "python app.py"}')
    return tmp_path


def run(*command: str | Path, cwd: Path) -> str:
    """Run a tool without what leads it to the checkout, and return what it said."""
    done = subprocess.run(  # noqa: S603 - our own tools
        [str(part) for part in command],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tool(name: str) -> Path:
    return Path(sys.executable).with_name(name)


def test_the_library_comes_from_the_wheel(python: Path, project: Path) -> None:
    where = "import connect_associations; print(connect_associations.__file__)"
    library = Path(run(python, "-c", where, cwd=project).strip())
    assert library.is_relative_to(python.parents[1])


def test_the_smallest_example_deploys_drifts_heals_and_leaves_nothing(
    python: Path, project: Path, environment: EmbeddedEnvironment, connect: ConnectEmulation
) -> None:
    instance = connect.add_instance(instance_id=INSTANCE, region=HOME_REGION)
    connect.add_group(instance, group_id=GROUP, region=HOME_REGION)
    for number, user in enumerate(sorted(USERS)):
        connect.add_user(instance, user_id=user, username=f"agent-{number}")
    search_path = os.pathsep.join([str(python.parent), environment.env["PATH"]])
    cdk = CdkCli(environment={**environment.env, "PATH": search_path}, project=project)

    cdk.deploy()
    assert connect.members(GROUP) == USERS

    def command_line(*arguments: str) -> int:
        program = python.with_name("connect-associations")
        return subprocess.run(  # noqa: S603 - the program under test
            [str(program), *arguments, "--stack", "Agents"],
            cwd=project,
            env=environment.env,
            check=False,
        ).returncode

    assert command_line("status") == 0
    connect.remove_member(GROUP, min(USERS))
    assert command_line("status") == 1
    assert command_line("repair", "--yes") == 0
    assert connect.members(GROUP) == USERS

    cdk.destroy()
    assert not connect.members(GROUP)


def check_with_mypy(python: Path, project: Path) -> None:
    # Reading aws-cdk-lib takes mypy minutes; `make types`, which CI runs first, has done it.
    cache = project / "cache"
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", cache)
    (project / "mypy.ini").write_text("[mypy]\nstrict = true\npython_version = 3.11\n")
    run(tool("mypy"), "--python-executable", python, "--cache-dir", cache, "app.py", cwd=project)


def check_with_pyright(python: Path, project: Path) -> None:
    settings = {"typeCheckingMode": "strict", "include": ["app.py"]}
    (project / "pyrightconfig.json").write_text(json.dumps(settings))
    run(tool("pyright"), "--pythonpath", python, "--project", project, cwd=project)


@pytest.mark.parametrize("check", [check_with_mypy, check_with_pyright])
def test_type_checkers_accept_the_smallest_example(
    python: Path, project: Path, check: Callable[[Path, Path], None]
) -> None:
    check(python, project)


@pytest.mark.parametrize("check", [check_with_mypy, check_with_pyright])
def test_type_checkers_see_the_types(
    python: Path, project: Path, check: Callable[[Path, Path], None]
) -> None:
    wrong = smallest_example().replace('"NightShift",', '"NightShift",\n    exclusive="yes",')
    assert "exclusive" in wrong
    (project / "app.py").write_text(wrong)
    with pytest.raises(AssertionError, match="exclusive"):
        check(python, project)


def test_the_fixture_is_there_without_being_asked_for(python: Path, project: Path) -> None:
    (project / "test_agents.py").write_text(
        "import boto3\n"
        "from connect_associations.testing import ConnectEmulation, seed\n"
        "def test_one(connect_emulation: ConnectEmulation) -> None:\n"
        "    boto3.client('connect').describe_user(\n"
        "        InstanceId=seed.INSTANCE_ID, UserId=seed.USERS['ann'])\n"
        "    assert len(connect_emulation.calls) == 1\n"
    )
    assert "1 passed" in run(python, "-m", "pytest", "-p", "no:cacheprovider", cwd=project)
