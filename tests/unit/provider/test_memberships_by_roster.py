"""Memberships whose users are given by name or by rule, from Create to Delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lifecycle.cast import (
    ANN,
    BLUE,
    BOB,
    CYD,
    DAN,
    GROUP_MEMBERSHIP,
    INSTANCE,
    RED,
    membership,
    sibling,
    stack_of,
)
from lifecycle.seen import seen_world

if TYPE_CHECKING:
    from connect_associations.testing import ConnectEmulation
    from lifecycle.cast import Thing
    from lifecycle.world import World

EAST = [{"Tags": {"team": "east"}}]


def roster(group: Thing, **properties: Any) -> dict[str, Any]:
    """Declare users of a group by ``Usernames`` or ``UsersMatching``."""
    return {
        "Type": GROUP_MEMBERSHIP,
        "Properties": {
            "InstanceId": INSTANCE.id,
            "TrafficDistributionGroupId": group.id,
            **properties,
        },
    }


def named(*usernames: str, group: Thing = RED, **more: Any) -> dict[str, Any]:
    return stack_of(M=roster(group, Usernames=list(usernames), **more))


def tag(emulation: ConnectEmulation, *users: Thing, team: str = "east") -> None:
    for user in users:
        emulation.world.users[user.id].tags = {"team": team}


def version(world: World) -> str | None:
    return world.stack.resources["M"].physical_id


# -- by name ---------------------------------------------------------------------------------------


def test_whoever_is_named_is_a_member_until_the_end() -> None:
    world, _ = seen_world()
    assert world.deploy(named("ann", "BOB")) == "CREATE_COMPLETE"
    assert world.members(RED) == {"ann", "bob"}
    assert world.stack.resources["M"].attributes["UserCount"] == 2
    assert world.deploy(named("bob", "cyd")) == "UPDATE_COMPLETE"
    assert world.members(RED) == {"bob", "cyd"}
    assert world.stack.resources["M"].attributes["Added"] == 1
    world.delete()
    assert world.members(RED) == set()


def test_every_unknown_name_is_told_after_a_minute_and_nothing_is_changed() -> None:
    world, _ = seen_world()
    began = world.clock.time()
    names = ["ann", *(f"agent{number}" for number in range(12))]
    assert world.stack.create(named(*names)) == "ROLLBACK_COMPLETE"
    assert world.stack.reason.count("nobody is named") == 10
    assert "and 2 more of 13 names" in world.stack.reason
    assert world.clock.time() - began >= 60
    assert world.members(RED) == set()
    assert world.ledger.claims() == []


def test_a_user_who_gets_another_name_in_connect_stays() -> None:
    world, _ = seen_world()
    world.deploy(named("ann", "bob"))
    before, calls = version(world), len(world.faulty.calls)
    world.connect.rename(ANN, "anna")
    assert world.deploy(named("ann", "bob", ServiceTimeout="600")) == "UPDATE_COMPLETE"
    assert version(world) == before
    assert world.members(RED) == {"ann", "bob"}
    assert len(world.faulty.calls) == calls, "nobody is asked"


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(named("anna", "bob"), id="another name of the same user"),
        pytest.param(named("BOB", "ann"), id="another order and case"),
        pytest.param(stack_of(M=membership(RED, ANN, BOB)), id="their IDs"),
    ],
)
def test_the_same_users_in_other_words_change_nothing(again: dict[str, Any]) -> None:
    world, _ = seen_world()
    world.deploy(named("ann", "bob"))
    before, writes = version(world), len(world.ledger.writes_since(0))
    if "anna" in str(again):
        world.connect.rename(ANN, "anna")
    assert world.deploy(again) == "UPDATE_COMPLETE"
    assert version(world) == before
    assert len(world.ledger.writes_since(0)) == writes
    assert world.members(RED) == {"ann", "bob"}


def test_a_rollback_goes_back_to_names_that_nobody_has_any_more() -> None:
    world, _ = seen_world()
    world.deploy(named("ann", "bob"))
    before = version(world)
    world.connect.rename(ANN, "anna")
    failing = failing_with_group_gone(named("bob", "cyd"))
    assert world.deploy(failing) == "UPDATE_ROLLBACK_COMPLETE", world.story()
    assert version(world) == before
    assert world.members(RED) == {"ann", "bob"}


def failing_with_group_gone(template: dict[str, Any]) -> dict[str, Any]:
    """Return a template with one more membership, which cannot come about."""
    nowhere = {**roster(RED, UserIds=[ANN.id])}
    nowhere["Properties"]["TrafficDistributionGroupId"] = "99999999-0000-4000-8000-000000000000"
    template["Resources"]["Fails"] = {**nowhere, "DependsOn": ["M"]}
    return template


# -- by rule ---------------------------------------------------------------------------------------


def test_whoever_matches_is_claimed_with_the_rule() -> None:
    world, emulation = seen_world()
    tag(emulation, ANN, BOB)
    world.connect.join(RED, BOB)
    rule = stack_of(M=roster(RED, UsersMatching=EAST))
    assert world.deploy(rule) == "CREATE_COMPLETE"
    assert world.members(RED) == {"ann", "bob"}
    assert world.stack.resources["M"].attributes["UserCount"] == 2
    (claim,) = world.ledger.claims()
    assert claim["rule"] == '[{"Tags":{"team":"east"}}]'
    world.delete()
    assert world.members(RED) == set()


def test_the_same_rule_is_not_evaluated_again_but_resync_does() -> None:
    world, emulation = seen_world()
    tag(emulation, ANN, BOB)
    world.deploy(stack_of(M=roster(RED, UsersMatching=EAST)))
    before = version(world)
    tag(emulation, CYD)
    tag(emulation, ANN, team="west")
    other = stack_of(M=roster(RED, UsersMatching=EAST), Other=sibling())
    assert world.deploy(other) == "UPDATE_COMPLETE"
    assert version(world) == before
    assert world.members(RED) == {"ann", "bob"}
    assert world.deploy(stack_of(M=roster(RED, UsersMatching=EAST, Resync="1"))) == (
        "UPDATE_COMPLETE"
    )
    assert version(world) != before
    assert world.members(RED) == {"bob", "cyd"}


def test_another_rule_for_the_same_users_replaces_the_claim() -> None:
    world, emulation = seen_world()
    tag(emulation, ANN, BOB)
    emulation.world.users[ANN.id].hierarchy_path = (BLUE.id,)
    emulation.world.users[BOB.id].hierarchy_path = (BLUE.id,)
    world.deploy(stack_of(M=roster(RED, UsersMatching=EAST)))
    before = version(world)
    group = [{"HierarchyGroupIds": [BLUE.id]}]
    assert world.deploy(stack_of(M=roster(RED, UsersMatching=group))) == "UPDATE_COMPLETE"
    assert version(world) != before
    assert world.members(RED) == {"ann", "bob"}
    live = [claim for claim in world.ledger.claims() if claim["phase"] == "LIVE"]
    assert [claim["rule"] for claim in live] == [f'[{{"HierarchyGroupIds":["{BLUE.id}"]}}]']


def test_a_rule_that_nobody_meets_is_an_error() -> None:
    world, _ = seen_world()
    assert world.stack.create(stack_of(M=roster(RED, UsersMatching=EAST))) == "ROLLBACK_COMPLETE"
    assert 'nobody matches [{"Tags":{"team":"east"}}]' in world.stack.reason
    assert world.ledger.claims() == []


def test_a_rollback_goes_back_to_a_rule_that_stands_for_others_by_now() -> None:
    world, emulation = seen_world()
    tag(emulation, ANN, BOB)
    world.deploy(stack_of(M=roster(RED, UsersMatching=EAST)))
    before = version(world)
    tag(emulation, ANN, BOB, team="west")
    failing = failing_with_group_gone(stack_of(M=membership(RED, DAN)))
    assert world.deploy(failing) == "UPDATE_ROLLBACK_COMPLETE", world.story()
    assert version(world) == before
    assert world.members(RED) == {"ann", "bob"}


def test_one_membership_has_one_kind_of_roster() -> None:
    world, _ = seen_world()
    both = stack_of(M=roster(RED, Usernames=["ann"], UsersMatching=EAST))
    assert world.stack.create(both) == "ROLLBACK_COMPLETE"
    assert "Usernames and UsersMatching are given together" in world.stack.reason
