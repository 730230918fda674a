"""`verify` on the emulator: the experiment on CloudFormation, with a stack of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from embedded import toolchain
from embedded.environment import REGION

from connect_associations.testing.seed import INSTANCE_ID

if TYPE_CHECKING:
    from pathlib import Path

    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation

pytestmark = pytest.mark.deploy

PREFIX = "connect-associations-verify"


def command(environment: EmbeddedEnvironment, folder: Path, *arguments: str) -> Any:
    files = ("--journal", str(folder / "journal.json"), "--report", str(folder / "report"))
    return subprocess.Popen(  # noqa: S603 - our own command
        [
            *(sys.executable, "-m", "connect_associations.cli", "verify", "--yes"),
            *(*files, *arguments),
        ],
        env={**environment.env, "PYTHONPATH": str(toolchain.ROOT / "constructs")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def stacks(environment: EmbeddedEnvironment) -> list[str]:
    """Return the names of the stacks that verify made and that are still there."""
    client = environment.session(region=REGION).client(
        "cloudformation", endpoint_url=environment.aws_url
    )
    return [
        stack["StackName"]
        for page in client.get_paginator("describe_stacks").paginate()
        for stack in page["Stacks"]
        if stack["StackName"].startswith(PREFIX) and stack["StackStatus"] != "DELETE_COMPLETE"
    ]


@pytest.mark.soak
def test_what_cloudformation_does_is_observed_and_its_stack_is_deleted(
    environment: EmbeddedEnvironment, connect: ConnectEmulation, tmp_path: Path
) -> None:
    with command(
        environment, tmp_path, "--instance-id", INSTANCE_ID, "--cloudformation"
    ) as process:
        said = process.communicate(timeout=300)[0]
    report = json.loads((tmp_path / "report.json").read_text())
    seen = {name: each[0]["value"] for name, each in report["observed"].items()}
    assert {name: seen.get(name) for name in EMULATED} == EMULATED, said
    assert stacks(environment) == []
    assert not (tmp_path / "journal.json").exists()
    assert connect.writes == []


@pytest.mark.soak
def test_a_stack_that_is_left_behind_is_deleted_by_the_next_run(
    environment: EmbeddedEnvironment, connect: ConnectEmulation, tmp_path: Path
) -> None:
    del connect  # only has to be there
    with command(
        environment, tmp_path, "--instance-id", INSTANCE_ID, "--cloudformation"
    ) as process:
        deadline = time.monotonic() + 120
        while not stacks(environment) and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(3)
        process.kill()
    assert process.returncode == -9
    assert stacks(environment)
    with command(environment, tmp_path, "--clean-up") as process:
        said = process.communicate(timeout=300)[0]
    assert process.returncode == 0, said
    assert stacks(environment) == []


EMULATED = {
    "template_during_update": "new",
    "template_during_update_rollback": "new",
    "last_updated_time_in_rollback": "kept",
    "last_operations": "none",
    "rollback_of_replacement": "Delete",
    "request_id_on_retry": "another",
    "delete_of_given_up_create": "none sent",
    "new_physical_id_without_rollback": "accepted",
    "removed_resource_in_cleanup": "complete",
    "deleted_resource_listed": "no",
}
"""What the emulator does; where it differs from CloudFormation, the observation does too."""
