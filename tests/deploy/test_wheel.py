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

from documents import smallest_example
from wheels import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.deploy


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


def mypy(python: Path, project: Path) -> list[str | Path]:
    # Reading aws-cdk-lib takes mypy minutes: the first run takes over what `make types` read, and
    # every run what the one before did.
    cache = ROOT / ".cache" / "mypy"
    if not cache.exists() and (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", cache, dirs_exist_ok=True)
    (project / "mypy.ini").write_text("[mypy]\nstrict = true\npython_version = 3.11\n")
    return [
        *(tool("mypy"), "--python-executable", python),
        "--cache-dir",
        cache,
        "right.py",
        "wrong.py",
    ]


def pyright(python: Path, project: Path) -> list[str | Path]:
    settings = {"typeCheckingMode": "strict", "include": ["right.py", "wrong.py"]}
    (project / "pyrightconfig.json").write_text(json.dumps(settings))
    return [tool("pyright"), "--pythonpath", python, "--project", project]


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_type_checkers_accept_the_smallest_example_and_see_the_types(
    python: Path, tmp_path: Path, checker: Callable[[Path, Path], list[str | Path]]
) -> None:
    right = smallest_example()
    wrong = right.replace('"NightShift",', '"NightShift",\n    exclusive="yes",')
    assert wrong != right
    (tmp_path / "right.py").write_text(right)
    (tmp_path / "wrong.py").write_text(wrong)
    with pytest.raises(AssertionError, match="exclusive") as refused:
        run(*checker(python, tmp_path), cwd=tmp_path)
    complaints = [line for line in str(refused.value).splitlines() if "error:" in line]
    assert len(complaints) == 1, complaints
    assert "wrong.py" in complaints[0]


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
