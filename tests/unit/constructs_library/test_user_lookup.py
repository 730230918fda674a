from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest

from connect_associations import (
    InvalidAssociationError,
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
    UserLookup,
)
from synthesis import (
    GROUP,
    INSTANCE,
    arn,
    evaluate,
    new_stack,
    of_type,
    only,
    properties,
    statements,
    synthesize,
)

if TYPE_CHECKING:
    from pathlib import Path

LOOKUP = "Custom::ConnectUserLookup"
MEMBERSHIP = "Custom::ConnectTrafficDistributionGroupMembership"


def membership(stack: cdk.Stack, user_ids: list[str]) -> None:
    TrafficDistributionGroupMembership(
        stack,
        "Members",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_ids=user_ids,
    )


def test_one_user_by_name(tmp_path: Path) -> None:
    stack = new_stack(tmp_path)
    ann = UserLookup.from_username(stack, "Ann", instance_id=INSTANCE, username="ann@example.com")
    TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_id=ann.user_id,
    )
    template = synthesize(stack)
    declared = properties(template, LOOKUP)
    assert (declared["InstanceId"], declared["Usernames"]) == (INSTANCE, ["ann@example.com"])
    assert "Region" not in declared
    (logical_id,) = of_type(template, LOOKUP)
    agent = properties(template, "Custom::ConnectTrafficDistributionGroupUser")
    assert agent["UserId"] == {"Fn::GetAtt": [logical_id, "UserIds"]}


def test_many_names_take_several_resources_and_stay_one_list(tmp_path: Path) -> None:
    stack = new_stack(tmp_path)
    lookup = UserLookup(
        stack, "Agents", instance_id=INSTANCE, usernames=[f"agent{n:02}" for n in range(100)]
    )
    membership(stack, lookup.user_ids)
    template = synthesize(stack)
    resources = of_type(template, LOOKUP)
    assert sorted(len(each["Properties"]["Usernames"]) for each in resources.values()) == [
        20, 40, 40,
    ]  # fmt: skip
    attributes = {
        f"{logical_id}.UserIds": ",".join(
            f"id-of-{name}" for name in resource["Properties"]["Usernames"]
        )
        for logical_id, resource in resources.items()
    }
    users = evaluate(properties(template, MEMBERSHIP)["UserIds"], attributes)
    assert users == [f"id-of-agent{n:02}" for n in range(100)]


def test_the_order_of_the_names_does_not_matter(tmp_path: Path) -> None:
    templates = []
    for number, names in enumerate((["bob", "Ann"], ["Ann", "bob"])):
        stack = new_stack(tmp_path / str(number))
        UserLookup(stack, "Agents", instance_id=INSTANCE, usernames=names)
        templates.append(properties(synthesize(stack), LOOKUP)["Usernames"])
    assert templates == [["Ann", "bob"], ["Ann", "bob"]]


def test_one_of_many(tmp_path: Path) -> None:
    stack = new_stack(tmp_path)
    lookup = UserLookup(stack, "Agents", instance_id=INSTANCE, usernames=["cyd", "ann", "Bob"])
    cdk.CfnOutput(stack, "Bob", value=lookup.user_id_of("bob"))
    template = synthesize(stack)
    (logical_id,) = of_type(template, LOOKUP)
    found = evaluate(template["Outputs"]["Bob"]["Value"], {f"{logical_id}.UserIds": "a,b,c"})
    assert found == "b"


def test_only_a_lookup_of_one_has_a_user_id(tmp_path: Path) -> None:
    lookup = UserLookup(
        new_stack(tmp_path), "Agents", instance_id=INSTANCE, usernames=["ann", "bob"]
    )
    with pytest.raises(ValueError, match=r"Agents looks up 2 names: use user_id_of"):
        _ = lookup.user_id
    with pytest.raises(ValueError, match="does not look up 'cyd'"):
        lookup.user_id_of("cyd")


def test_the_region_is_where_it_asks(tmp_path: Path) -> None:
    stack = new_stack(tmp_path)
    UserLookup(stack, "Ann", instance_id=INSTANCE, usernames=["ann"], region="us-west-2")
    template = synthesize(stack)
    assert properties(template, LOOKUP)["Region"] == "us-west-2"
    assert statements(template) == {
        (action, resource, "{}")
        for action, resource in (
            ("SearchUsers", f"instance/{INSTANCE}"),
            ("ListUserProficiencies", f"instance/{INSTANCE}"),
            ("ListUserProficiencies", f"instance/{INSTANCE}/agent/*"),
            ("DescribeUser", f"instance/{INSTANCE}/agent/*"),
        )
        for resource in (arn(resource, region="us-west-2"),)
    }


def test_it_outlives_its_policy(tmp_path: Path) -> None:
    stack = new_stack(tmp_path)
    UserLookup(stack, "Ann", instance_id=INSTANCE, usernames=["ann"])
    assert only(synthesize(stack), LOOKUP)["DependsOn"][0].startswith("ConnectUserNames")


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ([], r"usernames: expected a list of at least one name, got \[\]"),
        ("ann", "usernames: expected a list of at least one name, got 'ann'"),
        (["ann", ""], r"usernames\[1\]: expected a name of 1 to 100 characters, got ''"),
        (["a" * 101], r"usernames\[0\]: expected a name of 1 to 100 characters"),
        ([7], r"usernames\[0\]: expected a name of 1 to 100 characters, got 7"),
        (["ann", "ANN"], r"usernames\[1\]: 'ANN' is the same name as usernames\[0\]"),
        ([cdk.Token.as_string({"Ref": "Name"})], r"usernames\[0\]: must be known at synth"),
    ],
)
def test_bad_names(tmp_path: Path, names: Any, problem: str) -> None:
    with pytest.raises(InvalidAssociationError, match=problem):
        UserLookup(new_stack(tmp_path), "Ann", instance_id=INSTANCE, usernames=names)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidAssociationError) as raised:
        UserLookup(
            new_stack(tmp_path), "Ann", instance_id="none", usernames=[""], region="Atlantis"
        )
    assert all(name in str(raised.value) for name in ("instance_id", "usernames[0]", "region"))
