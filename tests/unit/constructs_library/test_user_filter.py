"""From filters as users write them to the conditions in the template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest

from connect_associations import user_filter
from connect_associations._grammar import Kind
from connect_associations._identifiers import Reader
from connect_associations.user_filter import UserFilter
from synthesis import ACCOUNT, INSTANCE, OTHER_INSTANCE, REGION, arn, new_stack

if TYPE_CHECKING:
    from pathlib import Path

SITE, SALES, CARE, AGENT, SUPERVISOR = (
    f"77777777-aaaa-4aaa-8aaa-{number:012d}" for number in range(5)
)
EAST, WEST = {"team": "east"}, {"team": "west"}


@pytest.fixture
def stack(tmp_path: Path) -> cdk.Stack:
    return new_stack(tmp_path, env=cdk.Environment(account=ACCOUNT, region=REGION))


def read(stack: cdk.Stack, value: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the conditions, and what is wrong."""
    reader = Reader(stack)
    instance = reader.identifier(INSTANCE, kind=Kind.INSTANCE, name="instance_id")
    found = user_filter.read(reader, value, instance=instance, name="users_matching")
    return found, reader.problems


def conditions(stack: cdk.Stack, value: UserFilter) -> list[dict[str, Any]]:
    found, problems = read(stack, value)
    assert not problems
    return found


def test_what_is_given_together_is_met_together(stack: cdk.Stack) -> None:
    group = arn(f"instance/{INSTANCE}/agent-group/{SITE.upper()}")
    everything = UserFilter(
        tags={"team": "east", "shift": "late"},
        hierarchy_group_id=group,
        routing_profile_id=SALES,
        security_profile_id=SUPERVISOR,
    )
    assert conditions(stack, everything) == [
        {
            "Tags": {"shift": "late", "team": "east"},
            "HierarchyGroupIds": [SITE],
            "RoutingProfileIds": [SALES],
            "SecurityProfileIds": [SUPERVISOR],
        }
    ]


def test_all_of_and_any_of_become_alternatives(stack: cdk.Stack) -> None:
    either = UserFilter(
        hierarchy_group_id=SITE,
        any_of=[UserFilter(tags=EAST), UserFilter(routing_profile_id=SALES)],
        all_of=[
            UserFilter(security_profile_id=SUPERVISOR),
            UserFilter(security_profile_id=AGENT),
        ],
    )
    both = {"HierarchyGroupIds": [SITE], "SecurityProfileIds": sorted([AGENT, SUPERVISOR])}
    found = conditions(stack, either)
    assert len(found) == 2
    assert {**both, "Tags": EAST} in found
    assert {**both, "RoutingProfileIds": [SALES]} in found


def test_the_order_in_which_filters_are_given_does_not_matter(stack: cdk.Stack) -> None:
    one = [UserFilter(tags=EAST), UserFilter(tags=WEST), UserFilter(tags=EAST)]
    assert conditions(stack, UserFilter(any_of=one)) == conditions(
        stack, UserFilter(any_of=one[1::-1])
    )


def test_alternatives_that_nobody_can_meet_are_left_out(stack: cdk.Stack) -> None:
    two = [UserFilter(routing_profile_id=each) for each in (SALES, CARE)]
    one = [UserFilter(routing_profile_id=SALES), UserFilter(tags=EAST)]
    found = conditions(stack, UserFilter(all_of=[UserFilter(any_of=two), UserFilter(any_of=one)]))
    assert {"RoutingProfileIds": [SALES]} in found
    assert {"RoutingProfileIds": [CARE], "Tags": EAST} in found
    assert {"RoutingProfileIds": [SALES], "Tags": EAST} in found
    assert len(found) == 3


def test_tokens_pass_through(stack: cdk.Stack) -> None:
    profile = cdk.CfnParameter(stack, "Profile").value_as_string
    team = cdk.CfnParameter(stack, "Team").value_as_string
    (found,) = conditions(stack, UserFilter(routing_profile_id=profile, tags={"team": team}))
    assert stack.resolve(found) == {
        "RoutingProfileIds": [{"Ref": "Profile"}],
        "Tags": {"team": {"Ref": "Team"}},
    }


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"tags": EAST}, "users_matching: expected a UserFilter, got {'tags'"),
        (UserFilter(), "users_matching: has no condition"),
        (UserFilter(any_of=[UserFilter()]), "users_matching.any_of[0]: has no condition"),
        (
            UserFilter(any_of=UserFilter(tags=EAST)),  # type: ignore[arg-type]
            "users_matching.any_of: expected a list",
        ),
        (UserFilter(tags={}), "users_matching.tags: expected values by key"),
        (UserFilter(tags={"aws:x": "1"}), "users_matching.tags: 'aws:x' cannot be the key"),
        (UserFilter(tags={"a": 1}), "users_matching.tags['a']: expected a string"),  # type: ignore[dict-item]
        (UserFilter(tags={"a": "x" * 257}), "at most 256 characters"),
        (
            UserFilter(routing_profile_id="sales"),
            "users_matching.routing_profile_id: 'sales' is not the ID of a routing profile",
        ),
        (
            UserFilter(hierarchy_group_id=arn(f"instance/{OTHER_INSTANCE}/agent-group/{SITE}")),
            f"belongs to instance '{OTHER_INSTANCE}'",
        ),
        (
            UserFilter(all_of=[UserFilter(tags=EAST), UserFilter(tags=WEST)]),
            "users_matching: no user can meet all of it",
        ),
        (
            UserFilter(any_of=[UserFilter(tags={"n": str(number)}) for number in range(21)]),
            "more than 20 alternatives",
        ),
        (
            UserFilter(tags={f"k{number}": "" for number in range(26)}),
            "more than 25 tags",
        ),
    ],
)
def test_filters_that_cannot_be_used(stack: cdk.Stack, value: object, problem: str) -> None:
    _, problems = read(stack, value)
    assert problem in problems[0]


def test_a_filter_of_filters_is_read_quickly(stack: cdk.Stack) -> None:
    """As many alternatives as 2 to the 30th would take for ever."""
    pairs = [
        UserFilter(any_of=[UserFilter(tags={f"k{number}": each}) for each in "ab"])
        for number in range(30)
    ]
    _, problems = read(stack, UserFilter(all_of=pairs))
    assert any("more than 20 alternatives" in problem for problem in problems)
