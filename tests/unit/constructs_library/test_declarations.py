from __future__ import annotations

from typing import cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb

from connect_associations import (
    ConnectAssociationProvider,
    ContactRelease,
    ContactUserAssignment,
    InvalidAssociationError,
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
)
from synthesis import (
    ACCOUNT,
    CONTACT,
    GROUP,
    INSTANCE,
    OTHER_GROUP,
    REGION,
    arn,
    group_arn,
    synthesize,
    user,
    user_arn,
)

AT = f"{REGION}:{ACCOUNT}"
IN_GROUP = "in the same traffic distribution group"


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


def test_one_type_stands_for_what_is_wrong_with_one_construct_and_with_two(
    stack: cdk.Stack,
) -> None:
    """The CDK turns what a validation finds into an error of its own."""
    with pytest.raises(RuntimeError) as of_one:
        single(stack, "Wrong", "nobody")
    assert isinstance(of_one.value, InvalidAssociationError)
    single(stack, "A", user(1))
    single(stack, "B", user(1))
    with pytest.raises(RuntimeError, match="Stack/A and Stack/B"):
        synthesize(stack)


def warnings(stack: cdk.Stack) -> list[str]:
    assembly = cast("cdk.App", stack.node.root).synth()
    return [
        str(message.entry.data)
        for artifact in assembly.stacks
        for message in artifact.messages
        if "no ledger in common" in str(message.entry.data)
    ]


def second_stack(stack: cdk.Stack) -> cdk.Stack:
    return cdk.Stack(cast("cdk.App", stack.node.root), "Second")


def test_two_stacks_with_a_ledger_each_may_not_share_a_user(stack: cdk.Stack) -> None:
    single(stack, "A", user(1))
    membership(second_stack(stack), "B", 1, 2)
    (warning,) = warnings(stack)
    assert f"Second/B and Stack/A declare the same user {IN_GROUP}: {user(1)}." in warning
    assert "connect-associations:noCommonLedger" in warning


def test_the_warning_can_be_acknowledged(stack: cdk.Stack) -> None:
    single(stack, "A", user(1))
    second = second_stack(stack)
    membership(second, "B", 1)
    cdk.Annotations.of(second).acknowledge_warning("connect-associations:noCommonLedger", "known")
    assert warnings(stack) == []


@pytest.mark.parametrize("how", ["the same", "by its name", "by its ARN"])
def test_two_stacks_with_one_ledger_may_share_a_user(stack: cdk.Stack, how: str) -> None:
    second = second_stack(stack)
    if how == "the same":
        shared = ConnectAssociationProvider(stack, "Provider").ledger
    else:
        import_table, name = {
            "by its name": (dynamodb.Table.from_table_name, "Shared"),
            "by its ARN": (dynamodb.Table.from_table_arn, f"arn:aws:dynamodb:{AT}:table/Shared"),
        }[how]
        own = import_table(stack, "Ledger", name)
        ConnectAssociationProvider(stack, "Provider", ledger=own)
        shared = import_table(second, "Ledger", name)
    single(stack, "A", user(1))
    ConnectAssociationProvider(second, "Second", ledger=shared)
    single(second, "B", user(1))
    assert warnings(stack) == []


def test_two_stacks_may_declare_different_users_of_a_group(stack: cdk.Stack) -> None:
    single(stack, "A", user(1))
    single(second_stack(stack), "B", user(2))
    assert warnings(stack) == []


@pytest.mark.parametrize("exclusive", ["Stack", "Second"])
def test_an_exclusive_membership_needs_to_know_of_other_stacks(
    stack: cdk.Stack, exclusive: str
) -> None:
    membership(stack, "A", 1, exclusive=exclusive == "Stack")
    membership(second_stack(stack), "B", 2, exclusive=exclusive == "Second")
    (warning,) = warnings(stack)
    owner, other = ("Stack/A", "Second/B") if exclusive == "Stack" else ("Second/B", "Stack/A")
    assert f"{owner} is exclusive, and {other} declares members" in warning


def test_tokens_of_two_stacks_are_two_things(stack: cdk.Stack) -> None:
    second = second_stack(stack)
    for each in (stack, second):
        single(each, "A", cdk.CfnParameter(each, "User").value_as_string)
    assert warnings(stack) == []


def test_a_reference_to_another_stack_is_the_thing_itself(stack: cdk.Stack) -> None:
    token = cdk.CfnParameter(stack, "User").value_as_string
    single(stack, "A", token)
    single(second_stack(stack), "B", token)
    (warning,) = warnings(stack)
    assert "Second/B and Stack/A declare the same user" in warning


def test_rivals_in_other_stacks_under_a_condition_are_let_through(stack: cdk.Stack) -> None:
    condition = cdk.CfnCondition(stack, "Condition", expression=cdk.Fn.condition_equals("a", "a"))
    single(stack, "A", user(1)).cfn_options.condition = condition
    single(second_stack(stack), "B", user(1))
    assert warnings(stack) == []


def test_stages_are_looked_at_as_well(stack: cdk.Stack) -> None:
    single(stack, "A", user(1))
    stage = cdk.Stage(cast("cdk.App", stack.node.root), "Stage")
    single(cdk.Stack(stage, "Inner"), "B", user(1))
    cast("cdk.App", stack.node.root).synth()
    inner = stage.synth().stacks[0]
    assert any("Stage/Inner/B and Stack/A" in str(message.entry.data) for message in inner.messages)
