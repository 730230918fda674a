"""Memberships by name and by rule, as the template holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connect_associations import (
    InvalidAssociationError,
    TrafficDistributionGroupMembership,
    UserFilter,
)
from synthesis import GROUP, INSTANCE, MEMBERSHIP, properties, synthesize, user

if TYPE_CHECKING:
    import aws_cdk as cdk


def declare(stack: cdk.Stack, **who: Any) -> None:
    TrafficDistributionGroupMembership(
        stack, "Agents", instance_id=INSTANCE, traffic_distribution_group_id=GROUP, **who
    )


def test_names_are_sorted_and_kept_as_they_are(stack: cdk.Stack) -> None:
    declare(stack, usernames=(name for name in ("cyd", "Ann", "bob")))
    assert properties(synthesize(stack), MEMBERSHIP) == {
        "InstanceId": INSTANCE,
        "TrafficDistributionGroupId": GROUP,
        "Usernames": ["Ann", "bob", "cyd"],
    }


def test_a_rule_stands_in_the_template(stack: cdk.Stack) -> None:
    declare(stack, users_matching=UserFilter(tags={"team": "east"}), exclusive=True)
    assert properties(synthesize(stack), MEMBERSHIP) == {
        "InstanceId": INSTANCE,
        "TrafficDistributionGroupId": GROUP,
        "UsersMatching": [{"Tags": {"team": "east"}}],
        "Exclusive": True,
    }


@pytest.mark.parametrize(
    ("who", "problem"),
    [
        ({}, "expected exactly one of them, none of them is given"),
        (
            {"user_ids": [user(1)], "usernames": ["ann"]},
            "expected exactly one of them, got user_ids and usernames",
        ),
        ({"usernames": []}, "usernames: expected a list of at least one name"),
        ({"usernames": "ann"}, "usernames: expected a list of at least one name, got 'ann'"),
        ({"usernames": ["ann", " bob"]}, "usernames[1]: ' bob' begins or ends with white space"),
        ({"usernames": ["ann", "ANN"]}, "usernames[1]: 'ANN' is the same name as usernames[0]"),
        ({"usernames": ["x" * 101]}, "usernames[0]: expected a name of 1 to 100 characters"),
        (
            {"usernames": [f"n{number}" for number in range(2501)]},
            "usernames: 2,501 users; expected 1 to 2,500, so split them",
        ),
        (
            {"usernames": [f"{number:0100d}" for number in range(1000)]},
            "usernames: together they are longer than 97,500 characters",
        ),
        ({"users_matching": UserFilter()}, "users_matching: has no condition"),
        ({"users_matching": "team=east"}, "users_matching: expected a UserFilter"),
    ],
)
def test_what_cannot_be_deployed(stack: cdk.Stack, who: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidAssociationError) as refused:
        declare(stack, **who)
    assert any(problem in each for each in refused.value.problems), refused.value.problems


def test_800_wrong_names_are_told_of_in_ten_and_a_count(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidAssociationError) as refused:
        declare(stack, usernames=[f"agent{number} " for number in range(800)])
    assert len(refused.value.problems) == 11
    assert "790 more" in refused.value.problems[-1]
