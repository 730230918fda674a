from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connect_associations import (
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
)
from synthesis import GROUP, INSTANCE, new_stack, synthesize, user, written_template

if TYPE_CHECKING:
    from pathlib import Path

SINGLE_BUDGET = 420
MEMBER_BUDGET = 45


def bytes_with_singles(outdir: Path, last: int, context: dict[str, object]) -> int:
    stack = new_stack(outdir, context=context)
    for number in range(10, last + 1):
        TrafficDistributionGroupUser(
            stack,
            f"Agent{number}",
            instance_id=INSTANCE,
            traffic_distribution_group_id=GROUP,
            user_id=user(number),
        )
    return len(written_template(stack).encode())


@pytest.mark.parametrize("path_metadata", [False, True])
def test_bytes_of_a_single(tmp_path: Path, *, path_metadata: bool) -> None:
    context: dict[str, object] = {"aws:cdk:enable-path-metadata": path_metadata}
    few = bytes_with_singles(tmp_path / "few", 16, context)
    more = bytes_with_singles(tmp_path / "more", 17, context)
    assert more - few <= SINGLE_BUDGET


def test_only_associations_go_without_path_metadata(tmp_path: Path) -> None:
    stack = new_stack(tmp_path, context={"aws:cdk:enable-path-metadata": True})
    TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_id=user(1),
    )
    without = {
        resource["Type"]
        for resource in synthesize(stack)["Resources"].values()
        if "aws:cdk:path" not in resource.get("Metadata", {})
        and resource["Type"] != "AWS::CDK::Metadata"
    }
    assert without == {"Custom::ConnectTrafficDistributionGroupUser"}


def test_bytes_of_a_member(tmp_path: Path) -> None:
    sizes = []
    for count in (100, 200):
        stack = new_stack(tmp_path / str(count))
        TrafficDistributionGroupMembership(
            stack,
            "Agents",
            instance_id=INSTANCE,
            traffic_distribution_group_id=GROUP,
            user_ids=[user(number) for number in range(count)],
        )
        sizes.append(len(written_template(stack).encode()))
    assert (sizes[1] - sizes[0]) / 100 <= MEMBER_BUDGET
