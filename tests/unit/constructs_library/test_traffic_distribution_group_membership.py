from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest

from connect_associations import InvalidAssociationError, TrafficDistributionGroupMembership
from synthesis import (
    GROUP,
    INSTANCE,
    MEMBERSHIP,
    OTHER_INSTANCE,
    new_stack,
    properties,
    synthesize,
    user,
    user_arn,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def declare(
    stack: cdk.Stack, user_ids: Sequence[str], *, exclusive: bool = False
) -> TrafficDistributionGroupMembership:
    return TrafficDistributionGroupMembership(
        stack,
        "Agents",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_ids=user_ids,
        exclusive=exclusive,
    )


def test_users_are_canonical_and_sorted(stack: cdk.Stack) -> None:
    declare(stack, [user(3), user_arn(user(1)), user(2).upper()])
    assert properties(synthesize(stack), MEMBERSHIP) == {
        "InstanceId": INSTANCE,
        "TrafficDistributionGroupId": GROUP,
        "UserIds": [user(1), user(2), user(3)],
    }


def test_order_does_not_matter_to_tokens_either(tmp_path: Path) -> None:
    templates = []
    for number, reverse in enumerate([False, True]):
        stack = new_stack(tmp_path / str(number))
        parameters = [cdk.CfnParameter(stack, name).value_as_string for name in ("B", "A")]
        declare(stack, sorted([*parameters, user(1)], reverse=reverse))
        templates.append(properties(synthesize(stack), MEMBERSHIP)["UserIds"])
    assert templates == [[user(1), {"Ref": "A"}, {"Ref": "B"}]] * 2


def test_exclusive_is_written_only_when_it_is_wanted(stack: cdk.Stack) -> None:
    declare(stack, [user(1)], exclusive=True)
    assert properties(synthesize(stack), MEMBERSHIP)["Exclusive"] is True


def test_a_list_may_be_one_token(stack: cdk.Stack) -> None:
    parameter = cdk.CfnParameter(stack, "Users", type="CommaDelimitedList")
    declare(stack, parameter.value_as_list)
    assert properties(synthesize(stack), MEMBERSHIP)["UserIds"] == {"Ref": "Users"}


def test_a_split_list_passes_through(stack: cdk.Stack) -> None:
    declare(stack, cdk.Fn.split(",", cdk.Fn.import_value("users")))
    assert properties(synthesize(stack), MEMBERSHIP)["UserIds"] == {
        "Fn::Split": [",", {"Fn::ImportValue": "users"}]
    }


def test_2500_users_are_served(stack: cdk.Stack) -> None:
    declare(stack, [user(number) for number in range(2500)])
    assert len(properties(synthesize(stack), MEMBERSHIP)["UserIds"]) == 2500


@pytest.mark.parametrize(
    ("user_ids", "message"),
    [
        ([], "user_ids: 0 users; expected 1 to 2,500"),
        ([user(n) for n in range(2501)], "user_ids: 2,501 users; expected 1 to 2,500, so split"),
        (user(1), "user_ids: expected a list of users, got"),
        (None, "users_matching: expected exactly one of them, none of them is given"),
        ([user(1), None], "user_ids[1]: expected the ID or the ARN of a user, got None"),
        ([user(1), "x"], "user_ids[1]: 'x' is not the ID of a user"),
        ([user_arn(user(1), instance=OTHER_INSTANCE)], "user_ids[0]: the user belongs to"),
        (
            [user(1), user(2), user_arn(user(1))],
            f"user_ids[2]: '{user_arn(user(1))}' is the same user as user_ids[0], '{user(1)}'",
        ),
        ([user(10).replace("0", "a"), user(10).replace("0", "A")], "is the same user"),
        (
            [user(1), *cdk.Fn.split(",", cdk.Fn.import_value("users"))],
            "user_ids[1]: a list that is only known at deploy time",
        ),
    ],
)
def test_wrong_lists(stack: cdk.Stack, user_ids: list[str], message: str) -> None:
    with pytest.raises(InvalidAssociationError) as error:
        declare(stack, user_ids)
    (problem,) = error.value.problems
    assert message in problem


def test_of_many_wrong_users_ten_are_told_and_a_count(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidAssociationError) as error:
        declare(stack, [f"agent{number}" for number in range(800)])
    assert len(error.value.problems) == 11
    assert error.value.problems[9].startswith("user_ids[9]: 'agent9' is not the ID of a user")
    assert error.value.problems[10] == "user_ids: 790 more problems like these"
    assert len(str(error.value)) < 5_000


def test_a_name_is_shown_the_way(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidAssociationError) as error:
        declare(stack, ["ann@example.com"])
    (problem,) = error.value.problems
    assert problem.endswith(
        "; for the name of a user there is UserLookup, and usernames of a membership"
    )


def test_the_same_token_twice_is_the_same_user(stack: cdk.Stack) -> None:
    parameter = cdk.CfnParameter(stack, "User").value_as_string
    with pytest.raises(InvalidAssociationError, match="is the same user as"):
        declare(stack, [parameter, parameter])


def test_exclusive_is_a_bool(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidAssociationError, match="exclusive: expected True or False"):
        declare(stack, [user(1)], exclusive="false")  # type: ignore[arg-type]  # wrong on purpose


def test_attributes_are_read_from_the_resource(stack: cdk.Stack) -> None:
    membership = declare(stack, [user(1)])
    attributes = {
        "TrafficDistributionGroupId": membership.traffic_distribution_group_id,
        "UserCount": membership.user_count,
        "Added": membership.added,
        "Removed": membership.removed,
    }
    for name, attribute in attributes.items():
        assert stack.resolve(attribute) == {"Fn::GetAtt": ["Agents", name]}
