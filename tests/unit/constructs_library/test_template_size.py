from __future__ import annotations

from typing import TYPE_CHECKING

from connect_associations import (
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
)
from synthesis import GROUP, INSTANCE, new_stack, user, written_template

if TYPE_CHECKING:
    from pathlib import Path

SINGLE_BUDGET = 440
MEMBER_BUDGET = 45


def bytes_with_singles(outdir: Path, last: int) -> int:

    stack = new_stack(outdir)
    for number in range(10, last + 1):
        TrafficDistributionGroupUser(
            stack,
            f"Agent{number}",
            instance_id=INSTANCE,
            traffic_distribution_group_id=GROUP,
            user_id=user(number),
        )
    return len(written_template(stack).encode())


def test_bytes_of_a_single(tmp_path: Path) -> None:
    few = bytes_with_singles(tmp_path / "few", 16)
    more = bytes_with_singles(tmp_path / "more", 17)
    assert more - few <= SINGLE_BUDGET


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
