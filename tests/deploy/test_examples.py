"""Examples on the emulator, by the CDK CLI in their own folders.

The emulator has no ``AWS::Connect`` resources: of ``one_stack`` the membership is deployed, in a
contact centre that is there already, and not the creation of that centre.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from embedded.cdk_cli import CdkCli

from connect_associations.testing.seed import GROUP_ID, INSTANCE_ID, USERS
from documents import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation

pytestmark = pytest.mark.deploy

NIGHT = {USERS["ann"], USERS["bob"]}
BOTH_TEAMS = {USERS["ann"], USERS["bob"], USERS["cyd"]}
THERE = {
    "instance_id": INSTANCE_ID,
    "traffic_distribution_group_id": GROUP_ID,
    "user_ids": ",".join(sorted(NIGHT)),
}


@pytest.mark.parametrize(
    ("name", "context", "members"),
    [
        pytest.param("one_stack", THERE, NIGHT, marks=pytest.mark.soak),
        pytest.param("agents_from_csv", {}, NIGHT, marks=pytest.mark.soak),
        ("shared_ledger", {}, BOTH_TEAMS),
    ],
    ids=["one_stack", "agents_from_csv", "shared_ledger"],
)
def test_it_deploys_and_leaves_nothing(
    *,
    name: str,
    context: dict[str, str],
    members: set[str],
    environment: EmbeddedEnvironment,
    connect: ConnectEmulation,
    tmp_path: Path,
) -> None:
    cdk = CdkCli(environment=environment.env, project=ROOT / "examples" / name)
    cdk.deploy(context=context, output=tmp_path)
    assert connect.members(GROUP_ID) == members
    cdk.destroy(app=tmp_path)
    assert not connect.members(GROUP_ID)
