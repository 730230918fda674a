from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from connect_associations import (
    ConnectAssociationProvider,
    ContactRelease,
    ContactUserAssignment,
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
)
from connect_associations._stack_associations import StackAssociations
from synthesis import (
    ACCOUNT,
    ASSIGNMENT,
    CONTACT,
    FLOW,
    GROUP,
    INSTANCE,
    OTHER_GROUP,
    OTHER_INSTANCE,
    QUEUE,
    REGION,
    SINGLE,
    arn,
    evaluate,
    group_arn,
    new_stack,
    of_type,
    only,
    statements,
    synthesize,
    user,
    user_arn,
)

if TYPE_CHECKING:
    from pathlib import Path

LONDON = "eu-west-2"
NO_CONDITION = "{}"


def declare_single(stack: cdk.Stack, number: int = 1, **props: Any) -> None:
    TrafficDistributionGroupUser(
        stack,
        f"Agent{number}",
        **{
            "instance_id": INSTANCE,
            "traffic_distribution_group_id": GROUP,
            "user_id": user(number),
            **props,
        },
    )


def declare_contact(stack: cdk.Stack, **props: Any) -> None:
    ContactUserAssignment(
        stack,
        "Assignment",
        **{
            "instance_id": INSTANCE,
            "contact_id": CONTACT,
            "user_id": user(1),
            "release": ContactRelease.retain(),
            **props,
        },
    )


def for_group(
    group: str = GROUP, *, instance: str = INSTANCE, region: str = REGION
) -> set[tuple[str, str, str]]:
    """Return what members of a group need."""
    the_group = group_arn(group, region=region)
    the_instance = arn(f"instance/{instance}", region=region)
    agents = arn(f"instance/{instance}/agent/*", region=region)
    changes = (
        "AssociateTrafficDistributionGroupUser",
        "DisassociateTrafficDistributionGroupUser",
    )
    return {
        ("DescribeTrafficDistributionGroup", the_group, NO_CONDITION),
        ("ListTrafficDistributionGroupUsers", the_group, NO_CONDITION),
        ("ListReplicationFindings", the_instance, NO_CONDITION),
        ("SearchUsers", the_instance, NO_CONDITION),
        ("ListUserProficiencies", the_instance, NO_CONDITION),
        ("ListUserProficiencies", agents, NO_CONDITION),
        ("DescribeUser", agents, NO_CONDITION),
        *(
            (change, resource, NO_CONDITION)
            for change in changes
            for resource in (the_group, the_instance, agents)
        ),
    }


def for_contact(condition: str = NO_CONDITION) -> set[tuple[str, str, str]]:
    """Return what an assignment needs that retains its contact."""
    contact = arn(f"instance/{INSTANCE}/contact/{CONTACT}", region="*")
    return {
        ("AssociateContactWithUser", contact, condition),
        ("AssociateContactWithUser", arn(f"instance/{INSTANCE}", region="*"), condition),
        ("AssociateContactWithUser", user_arn(user(1), region="*"), condition),
        ("DescribeContact", contact, NO_CONDITION),
        ("DescribeUser", user_arn(user(1), region="*"), NO_CONDITION),
    }


def test_a_group_user(stack: cdk.Stack) -> None:
    declare_single(stack)
    assert statements(synthesize(stack)) == for_group()


def test_a_membership_needs_the_same_as_one_user(stack: cdk.Stack) -> None:
    TrafficDistributionGroupMembership(
        stack,
        "Agents",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_ids=[user(number) for number in range(100)],
    )
    assert statements(synthesize(stack)) == for_group()


def test_users_do_not_grow_the_policy(tmp_path: Path) -> None:
    policies = []
    for count in (1, 20):
        stack = new_stack(tmp_path / str(count))
        for number in range(count):
            declare_single(stack, number)
        policies.append(of_type(synthesize(stack), "AWS::IAM::Policy"))
    assert policies[0] == policies[1]


def test_groups_add_only_themselves(stack: cdk.Stack) -> None:
    declare_single(stack, 1)
    declare_single(stack, 2, traffic_distribution_group_id=OTHER_GROUP)
    declare_single(stack, 3, traffic_distribution_group_id=GROUP.upper())
    template = synthesize(stack)
    assert statements(template) == for_group() | for_group(OTHER_GROUP)
    assert len([name for name in template["Resources"] if name.startswith("ConnectUsers")]) == 1
    assert len([name for name in template["Resources"] if name.startswith("ConnectGroup")]) == 2


@pytest.mark.parametrize(
    "props",
    [
        {"region": LONDON},
        {"traffic_distribution_group_id": group_arn(region=LONDON)},
    ],
)
def test_group_permissions_are_for_the_home_region(stack: cdk.Stack, props: dict[str, Any]) -> None:
    declare_single(stack, **props)
    assert statements(synthesize(stack)) == for_group(region=LONDON)


@pytest.mark.parametrize("fallback", [None, LONDON])
@pytest.mark.parametrize("spelling", ["id", "arn"])
def test_tokens_may_be_ids_or_arns(
    stack: cdk.Stack, *, fallback: str | None, spelling: str
) -> None:
    instance = cdk.CfnParameter(stack, "Instance").value_as_string
    group = cdk.CfnParameter(stack, "Group").value_as_string
    declare_single(
        stack, instance_id=instance, traffic_distribution_group_id=group, region=fallback
    )
    template = synthesize(stack)
    if spelling == "id":
        values = {"Instance": INSTANCE, "Group": GROUP}
        home = fallback or REGION
    else:
        values = {
            "Instance": arn(f"instance/{INSTANCE}"),
            "Group": group_arn(region="us-west-2"),
        }
        home = "us-west-2"
    assert statements(template, values) == for_group(region=home)


def test_arn_attributes_are_used_as_they_are(stack: cdk.Stack) -> None:
    group = cdk.CfnResource(stack, "Group", type="AWS::Connect::TrafficDistributionGroup")
    declare_single(
        stack,
        traffic_distribution_group_id=group.get_att("TrafficDistributionGroupArn").to_string(),
    )
    template = synthesize(stack)
    (policy,) = [
        resource
        for name, resource in template["Resources"].items()
        if name.startswith("ConnectGroup")
    ]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Fn::GetAtt": ["Group", "TrafficDistributionGroupArn"]}


def test_a_retained_contact(stack: cdk.Stack) -> None:
    declare_contact(stack)
    assert statements(synthesize(stack)) == for_contact()


def test_a_stopped_contact(stack: cdk.Stack) -> None:
    declare_contact(stack, release=ContactRelease.stop())
    contact = arn(f"instance/{INSTANCE}/contact/{CONTACT}", region="*")
    assert statements(synthesize(stack)) == for_contact() | {("StopContact", contact, NO_CONDITION)}


@pytest.mark.parametrize("queue", [None, QUEUE])
def test_a_transferred_contact(stack: cdk.Stack, queue: str | None) -> None:
    declare_contact(
        stack,
        release=ContactRelease.transfer_to_queue(contact_flow_id=FLOW, queue_id=queue),
    )
    targets = [
        f"instance/{INSTANCE}",
        f"instance/{INSTANCE}/contact/{CONTACT}",
        f"instance/{INSTANCE}/contact-flow/{FLOW}",
    ]
    predecessors = arn(f"instance/{INSTANCE}/contact/*")
    assert statements(synthesize(stack)) == for_contact() | {
        ("DescribeContact", predecessors, NO_CONDITION),
        *(("TransferContact", arn(target, region="*"), NO_CONDITION) for target in targets),
    }


@pytest.mark.parametrize("stop", [False, True])
def test_the_preferred_user_is_a_condition(stack: cdk.Stack, *, stop: bool) -> None:
    release = ContactRelease.stop() if stop else ContactRelease.retain()
    declare_contact(stack, preferred_user_only=True, release=release)
    condition = f'{{"ArnLike": {{"connect:PreferredUserArn": "{user_arn(user(1), region="*")}"}}}}'
    contact = arn(f"instance/{INSTANCE}/contact/{CONTACT}", region="*")
    assert statements(synthesize(stack)) == for_contact(condition) | (
        {("StopContact", contact, NO_CONDITION)} if stop else set()
    )


@pytest.mark.parametrize("spelling", ["id", "arn"])
def test_tokens_of_contacts_may_be_ids_or_arns(stack: cdk.Stack, spelling: str) -> None:
    names = {
        "Instance": f"instance/{INSTANCE}",
        "Contact": f"instance/{INSTANCE}/contact/{CONTACT}",
        "User": f"instance/{INSTANCE}/agent/{user(1)}",
    }
    instance, contact, agent = (cdk.CfnParameter(stack, name).value_as_string for name in names)
    declare_contact(stack, instance_id=instance, contact_id=contact, user_id=agent)
    values = {
        name: arn(resource) if spelling == "arn" else resource.rpartition("/")[2]
        for name, resource in names.items()
    }
    assert statements(synthesize(stack), values) == for_contact()


def asked_of_cloudformation(template: dict[str, Any]) -> list[tuple[Any, Any]]:
    return [
        (statement["Action"], statement["Resource"])
        for policy in of_type(template, "AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "cloudformation:" in str(statement["Action"])
    ]


OF_OWN_STACK = [
    "cloudformation:DescribeStackResource",
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
]


def test_cloudformation_may_only_be_asked_about_the_own_stack(stack: cdk.Stack) -> None:
    ConnectAssociationProvider.get_or_create(stack)
    template = synthesize(stack)
    assert asked_of_cloudformation(template) == [(OF_OWN_STACK, {"Ref": "AWS::StackId"})]
    # Nothing of Connect is granted as long as nothing is declared.
    assert statements(template) == set()


@pytest.mark.parametrize("depth", [1, 3])
def test_a_nested_stack_may_ask_for_the_outermost_ones_status(tmp_path: Path, depth: int) -> None:
    """Its parent's rollback deletes it under an innocent status."""
    root = inner = new_stack(tmp_path)
    for level in range(depth):
        inner = cdk.NestedStack(inner, f"Level{level}")
    ConnectAssociationProvider.get_or_create(inner)
    template = synthesize(root)
    (file,) = (
        file
        for file in tmp_path.glob("*.nested.template.json")
        if "AWS::Lambda::Function" in file.read_text()
    )
    own, (actions, passed) = asked_of_cloudformation(json.loads(file.read_text()))
    assert own == (OF_OWN_STACK, {"Ref": "AWS::StackId"})
    assert actions == "cloudformation:DescribeStacks"
    # What the root passes down, from level to level.
    assert "AWSStackId" in passed["Ref"]
    handed = only(template, "AWS::CloudFormation::Stack")["Properties"]["Parameters"]
    assert {"Ref": "AWS::StackId"} in handed.values()


def test_an_update_leaves_the_policies_of_what_it_removes(tmp_path: Path) -> None:
    """A policy is updated before the resources that the new template lacks are deleted."""
    before = new_stack(tmp_path / "before")
    declare_single(before, 1)
    declare_single(before, 2, traffic_distribution_group_id=OTHER_GROUP)
    declare_contact(before, release=ContactRelease.stop())
    after = new_stack(tmp_path / "after")
    declare_single(after, 1)
    old, new = synthesize(before)["Resources"], synthesize(after)["Resources"]
    for name in old.keys() & new.keys():
        if old[name]["Type"] == "AWS::IAM::Policy":
            assert old[name] == new[name]
    for name in ("Agent2", "Assignment"):
        assert name not in new
        assert not set(old[name]["DependsOn"]) & new.keys()


def test_a_reassigned_contact_keeps_its_policy(tmp_path: Path) -> None:
    """A second policy would have to fit into the role beside the first."""
    policies = []
    for number in (1, 2):
        stack = new_stack(tmp_path / str(number))
        declare_contact(stack, user_id=user(number))
        policies.append(only(synthesize(stack), ASSIGNMENT)["DependsOn"])
    assert policies[0] == policies[1]


def test_rival_assignments_have_a_policy_each(stack: cdk.Stack) -> None:
    for number in (1, 2):
        assignment = ContactUserAssignment(
            stack,
            f"Assignment{number}",
            instance_id=INSTANCE,
            contact_id=CONTACT,
            user_id=user(number),
            release=ContactRelease.retain(),
        )
        resource = assignment.node.default_child
        assert isinstance(resource, cdk.CfnResource)
        resource.cfn_options.condition = cdk.CfnCondition(
            stack, f"If{number}", expression=cdk.Fn.condition_equals("a", str(number))
        )
    template = synthesize(stack)
    needed = [resource["DependsOn"] for resource in of_type(template, ASSIGNMENT).values()]
    assert needed[0] != needed[1]
    assert {user_arn(user(1), region="*"), user_arn(user(2), region="*")} <= {
        resource for _, resource, _ in statements(template)
    }


def depends_on(template: dict[str, Any], logical_id: str) -> set[str]:
    """Return what a resource depends on, directly or through others."""
    found: set[str] = set()
    pending = [logical_id]
    while pending:
        resource = template["Resources"][pending.pop()]
        references = set(resource.get("DependsOn", [])) | referenced(resource["Properties"])
        pending += references - found
        found |= references
    return found & set(template["Resources"])


def referenced(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for item in value for name in referenced(item)}
    if not isinstance(value, dict):
        return set()
    match value:
        case {"Ref": str(name)} if not name.startswith("AWS::"):
            return {name}
        case {"Fn::GetAtt": [str(name), *_]}:
            return {name}
        case {"Fn::Sub": "${ConnectAssociations.Arn}"}:
            return {"ConnectAssociations"}
    return referenced(list(value.values()))


def test_associations_are_deleted_before_what_they_need(stack: cdk.Stack) -> None:
    declare_single(stack)
    declare_contact(stack)
    template = synthesize(stack)
    policies = of_type(template, "AWS::IAM::Policy").keys()
    shared = {name for name in policies if not name.startswith(("ConnectGroup", "ConnectContact"))}
    shared -= {name for name in policies if name.startswith("ConnectUsers")}
    for logical_id, own in (
        ("Agent1", ("ConnectGroup", "ConnectUsers")),
        ("Assignment", ("ConnectContact",)),
    ):
        needed = depends_on(template, logical_id)
        assert shared <= needed
        assert {name for name in policies if name.startswith(own)} <= needed
        # The policy that may go in the same update is a direct dependency.
        assert template["Resources"][logical_id]["DependsOn"] == [
            name for name in policies if name.startswith(own[0])
        ]


def test_the_policies_belong_to_the_handlers_role(stack: cdk.Stack) -> None:
    declare_single(stack)
    declare_contact(stack)
    template = synthesize(stack)
    (role,) = (
        name
        for name, resource in of_type(template, "AWS::IAM::Role").items()
        if "Description" in resource["Properties"]
    )
    for name, policy in of_type(template, "AWS::IAM::Policy").items():
        if name.startswith("ConnectGroup"):
            assert policy["Properties"]["Roles"] == [{"Ref": role}]


def test_a_role_that_would_be_full_is_told_at_synth(stack: cdk.Stack) -> None:
    for number in range(40):
        declare_single(stack, number, traffic_distribution_group_id=user(number))
    with pytest.raises(RuntimeError, match=r"characters of inline policies.*split them over"):
        synthesize(stack)


@pytest.mark.parametrize("own_key", [False, True])
def test_the_size_of_the_policies_is_estimated_well(stack: cdk.Stack, *, own_key: bool) -> None:
    arn_of_key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{INSTANCE}"
    key = kms.Key.from_key_arn(stack, "Key", arn_of_key) if own_key else None
    ConnectAssociationProvider(stack, "Provider", encryption_key=key)
    declare_single(stack)
    declare_contact(stack, release=ContactRelease.transfer_to_queue(contact_flow_id=FLOW))
    provider = ConnectAssociationProvider.get_or_create(stack)
    own = stack.resolve(provider.role.role_name)
    template = synthesize(stack)
    arns = {
        f"{name}.Arn": "x" * length
        for kind, length in (("AWS::Logs::LogGroup", 150), ("AWS::DynamoDB::Table", 100))
        for name in of_type(template, kind)
    }
    documents = [
        evaluate(policy["Properties"]["PolicyDocument"], arns)
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if policy["Properties"]["Roles"] == [own]
    ]
    deployed = sum(len(json.dumps(document, separators=(",", ":"))) for document in documents)
    assert StackAssociations.of(stack).permissions.size == pytest.approx(deployed, rel=0.1)


def test_instances_keep_to_themselves(stack: cdk.Stack) -> None:
    declare_single(stack, 1)
    declare_single(stack, 2, instance_id=OTHER_INSTANCE)
    assert statements(synthesize(stack)) == for_group() | for_group(instance=OTHER_INSTANCE)


def test_evaluate_knows_the_service_token(stack: cdk.Stack) -> None:
    declare_single(stack)
    token = only(synthesize(stack), SINGLE)["Properties"]["ServiceToken"]
    assert evaluate(token, {"ConnectAssociations.Arn": "arn:function"}) == "arn:function"
