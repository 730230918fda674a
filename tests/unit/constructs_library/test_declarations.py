from __future__ import annotations

import aws_cdk as cdk
import pytest

from connect_associations import (
    ContactRelease,
    ContactUserAssignment,
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
)
from synthesis import (
    CONTACT,
    GROUP,
    INSTANCE,
    OTHER_GROUP,
    arn,
    group_arn,
    synthesize,
    user,
    user_arn,
)


def single(
    stack: cdk.Stack, construct_id: str, user_id: str, group: str = GROUP
) -> cdk.CfnResource:
    association = TrafficDistributionGroupUser(
        stack,
        construct_id,
        instance_id=INSTANCE,
        traffic_distribution_group_id=group,
        user_id=user_id,
    )
    resource = association.node.default_child
    assert isinstance(resource, cdk.CfnResource)
    return resource


def membership(
    stack: cdk.Stack, construct_id: str, *numbers: int, group: str = GROUP, exclusive: bool = False
) -> None:
    TrafficDistributionGroupMembership(
        stack,
        construct_id,
        instance_id=INSTANCE,
        traffic_distribution_group_id=group,
        user_ids=[user(number) for number in numbers],
        exclusive=exclusive,
    )


def assignment(stack: cdk.Stack, construct_id: str, contact_id: str, number: int) -> None:
    ContactUserAssignment(
        stack,
        construct_id,
        instance_id=INSTANCE,
        contact_id=contact_id,
        user_id=user(number),
        release=ContactRelease.retain(),
    )


def test_different_users_groups_and_contacts_get_along(stack: cdk.Stack) -> None:
    single(stack, "A", user(1))
    single(stack, "B", user(1), group=OTHER_GROUP)
    membership(stack, "C", 2, 3)
    membership(stack, "D", 4)
    assignment(stack, "E", CONTACT, 1)
    assignment(stack, "F", user(9), 1)
    synthesize(stack)


def test_a_user_declared_twice_names_both_constructs(stack: cdk.Stack) -> None:
    single(stack, "A", user(1))
    single(stack, "B", user_arn(user(1).upper()), group=group_arn())
    with pytest.raises(RuntimeError, match=rf"Stack/A and Stack/B declare .*{user(1)}"):
        synthesize(stack)


def test_a_single_and_a_membership_may_not_share_users(stack: cdk.Stack) -> None:
    membership(stack, "Agents", *range(20))
    for number in range(10):
        single(stack, f"Agent{number}", user(number))
    with pytest.raises(RuntimeError, match="Stack/Agent7 and Stack/Agents declare"):
        synthesize(stack)


def test_many_shared_users_are_counted(stack: cdk.Stack) -> None:
    membership(stack, "A", *range(20))
    membership(stack, "B", *range(20))
    with pytest.raises(RuntimeError, match=rf"{user(4)} and 15 more"):
        synthesize(stack)


def test_a_shared_token_is_a_shared_user(stack: cdk.Stack) -> None:
    parameter = cdk.CfnParameter(stack, "Parameter").value_as_string
    single(stack, "A", parameter)
    single(stack, "B", parameter)
    with pytest.raises(RuntimeError, match="Stack/A and Stack/B declare"):
        synthesize(stack)


def test_rivals_under_a_condition_are_let_through(stack: cdk.Stack) -> None:
    condition = cdk.CfnCondition(stack, "Condition", expression=cdk.Fn.condition_equals("a", "a"))
    single(stack, "A", user(1))
    single(stack, "B", user(1)).cfn_options.condition = condition
    synthesize(stack)


@pytest.mark.parametrize("both", [False, True])
def test_exclusive_leaves_no_room_for_others(stack: cdk.Stack, *, both: bool) -> None:
    membership(stack, "A", 1, exclusive=True)
    membership(stack, "B", 2, exclusive=both)
    with pytest.raises(RuntimeError) as error:
        synthesize(stack)
    assert str(error.value).count("is exclusive, but") == 1
    assert "Stack/A is exclusive, but Stack/B declares members" in str(error.value)


def test_a_contact_is_assigned_once(stack: cdk.Stack) -> None:
    assignment(stack, "A", CONTACT, 1)
    assignment(stack, "B", arn(f"instance/{INSTANCE}/contact/{CONTACT}"), 2)
    with pytest.raises(RuntimeError, match="Stack/A and Stack/B assign the same contact"):
        synthesize(stack)


def test_a_removed_construct_declares_nothing(stack: cdk.Stack) -> None:
    single(stack, "A", user(1))
    stack.node.try_remove_child("A")
    single(stack, "B", user(1))
    synthesize(stack)
