"""Custom resources from a template that is written by hand, with another stack's provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from embedded.cdk_cli import CdkCli

from connect_associations.testing.seed import GROUP_ID, USERS
from documents import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation

pytestmark = pytest.mark.deploy

EXAMPLE = ROOT / "examples" / "plain_template"
ANN, BOB, CYD = (USERS[name] for name in ("ann", "bob", "cyd"))


def test_members_come_change_and_go(
    environment: EmbeddedEnvironment, connect: ConnectEmulation, tmp_path: Path
) -> None:
    cdk = CdkCli(environment=environment.env, project=EXAMPLE)
    cdk.deploy(output=tmp_path)
    cloudformation = environment.session().client(
        "cloudformation", endpoint_url=environment.aws_url
    )
    template = (EXAMPLE / "members.yaml").read_text(encoding="utf-8")

    cloudformation.create_stack(StackName="Members", TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="Members", WaiterConfig={"Delay": 1}
    )
    assert connect.members(GROUP_ID) == {ANN, BOB}
    (stack,) = cloudformation.describe_stacks(StackName="Members")["Stacks"]
    (output,) = stack.get("Outputs", [])
    assert (output.get("OutputKey"), output.get("OutputValue")) == ("Members", "2")

    cloudformation.update_stack(StackName="Members", TemplateBody=template.replace(BOB, CYD))
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName="Members", WaiterConfig={"Delay": 1}
    )
    assert connect.members(GROUP_ID) == {ANN, CYD}

    cloudformation.delete_stack(StackName="Members")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="Members", WaiterConfig={"Delay": 1}
    )
    assert not connect.members(GROUP_ID)
    cdk.destroy(app=tmp_path)
