"""A new user: the wheel, the README's first example, the emulator, and nothing of this clone.

Beside the wheel the user has a Node and a CDK CLI, as everybody has who writes CDK apps.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from embedded import toolchain

from connect_associations.testing import EmulationClient
from deployment import HURRY, hurry
from documents import smallest_example
from emulators import started
from wheels import ROOT, foreign_python, lend

if TYPE_CHECKING:
    from emulators import StartedEmulator

pytestmark = pytest.mark.deploy

IDS = {
    "instance_id": "instance us-east-1 and us-west-2",
    "traffic_distribution_group_id": "group East, us-east-1",
}
AGENTS = ("user ann", "user bob")


class User:
    """Somebody at a shell, in the folder of a CDK app.

    :ivar home: the home folder; all that is theirs is in it.
    :ivar project: the app's folder.
    :ivar env: the shell's environment.
    """

    def __init__(self, home: Path, *folders: Path) -> None:
        self.home = home
        self.project = home / "my agents"
        self.project.mkdir(parents=True)
        search_path = [*map(str, folders), os.defpath]
        self.env = {
            "HOME": str(home),
            "PATH": os.pathsep.join(search_path),
            "TMPDIR": str(home),
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(home / "jsii"),
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
            # A profile of their own, which is not to be touched.
            "AWS_PROFILE": "production",
            **hurry(home / HURRY.name),
        }
        lend(HURRY, home / HURRY.name)

    def paste(self, emulator: StartedEmulator) -> set[str]:
        """Write the README's example with IDs of the emulator's table, and return the users'."""
        code = smallest_example()
        for argument, name in IDS.items():
            code = re.sub(rf'{argument}="[^"]+"', f'{argument}="{emulator.ids[name]}"', code)
        agents = [emulator.ids[name] for name in AGENTS]
        code = re.sub(r"user_ids=\[.*?\]", f"user_ids={agents}", code, flags=re.DOTALL)
        (self.project / "app.py").write_text(code)
        (self.project / "cdk.json").write_text('{"app": "python app.py"}')
        return set(agents)

    def run(self, *command: str, status: int = 0) -> str:
        """Run a command as the shell would, and return what it said."""
        program = shutil.which(command[0], path=self.env["PATH"])
        assert program, f"{command[0]} is not on {self.env['PATH']}"
        done = subprocess.run(  # noqa: S603 - what the README says
            [program, *command[1:]],
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with what jsii unpacks on its first use, which takes 20 s."""
    folder = tmp_path_factory.mktemp("a home")
    unpacked = ROOT / ".cache" / "jsii"
    if unpacked.is_dir():
        lend(unpacked, folder / "jsii")
    return folder


def lend_node(folder: Path) -> Path:
    """Put a Node below *folder*, as an installer does, and return where it is."""
    (node, _) = toolchain.tools().folders
    lend(node / "node", folder / "bin" / "node")
    return folder / "bin"


def lend_cdk(folder: Path) -> Path:
    """Do what ``npm install aws-cdk`` does in *folder*, and return where the CLI is."""
    lend(ROOT / "node_modules" / "aws-cdk", folder / "node_modules" / "aws-cdk")
    programs = folder / "node_modules" / ".bin"
    programs.mkdir()
    (programs / "cdk").symlink_to("../aws-cdk/bin/cdk")
    return programs


def lend_ministack(user: User) -> None:
    """Do what the first start of the emulator does, without a network."""
    where = (
        "from connect_associations.testing.emulator import ministack_venv as it; print(it.folder())"
    )
    folder = Path(user.run("python", "-c", where).strip())
    assert folder.is_relative_to(user.home)
    lender = toolchain.tools().ministack_python
    foreign_python(folder, lenders=map(str, lender.parents[1].glob("lib/python*/site-packages")))
    (folder / "installed").touch()


def test_from_the_wheel_alone(python: Path, home: Path, tmp_path: Path) -> None:
    user = User(home / "wheel", python.parent, lend_node(home / "node"), lend_cdk(home / "npm"))
    user.env["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] = str(home / "jsii")
    lend_ministack(user)
    with started(
        [python.with_name("connect-associations"), "emulator"],
        cwd=user.project,
        environment=user.env,
        errors=tmp_path / "errors",
    ) as emulator:
        agents = user.paste(emulator)
        user.env = emulator.environment(user.env, cwd=user.project)
        assert not [name for name, value in user.env.items() if str(ROOT) in value]
        connect = EmulationClient(user.env["AWS_ENDPOINT_URL_CONNECT"])
        group = emulator.ids[IDS["traffic_distribution_group_id"]]

        assert "Custom::ConnectTrafficDistributionGroupMembership" in user.run("cdk", "synth")
        user.run("cdk", "deploy", "--require-approval", "never")
        assert connect.members(group) == agents
        assert "There were no differences" in user.run("cdk", "diff")
        user.run("connect-associations", "status", "Agents")
        connect.remove_member(group, min(agents))
        user.run("connect-associations", "status", "Agents", status=1)
        user.run("connect-associations", "repair", "Agents", "--yes")
        assert connect.members(group) == agents
        user.run("cdk", "destroy", "--force")
        assert not connect.members(group)

        assert emulator.stop() == 130
    assert (tmp_path / "errors").read_text().endswith("the emulator has stopped\n")


@pytest.mark.soak
def test_with_the_emulator_of_a_clone(python: Path, home: Path, tmp_path: Path) -> None:
    # Neither Node nor the CDK CLI: the clone lends them.
    user = User(home / "clone", python.parent)
    user.env["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] = str(home / "jsii")
    with started(
        [sys.executable, "-m", "embedded", "up"],
        cwd=ROOT,
        environment={**os.environ, "TMPDIR": str(home)},
        errors=tmp_path / "errors",
    ) as emulator:
        agents = user.paste(emulator)
        user.env = emulator.environment(user.env, cwd=user.project)
        assert shutil.which("python", path=user.env["PATH"]) == str(python)
        user.run("cdk", "deploy", "--require-approval", "never")
        connect = EmulationClient(user.env["AWS_ENDPOINT_URL_CONNECT"])
        assert connect.members(emulator.ids[IDS["traffic_distribution_group_id"]]) == agents
        user.run("cdk", "destroy", "--force")
