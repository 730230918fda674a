"""Values that a constructor cannot know: look-ups to be made, ``cdk.Lazy``, dynamic references."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_ssm as ssm

from connect_associations import (
    ConnectAssociationProvider,
    ContactRelease,
    ContactUserAssignment,
    InvalidAssociationError,
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
    UserLookup,
)
from synthesis import (
    ACCOUNT,
    CONTACT,
    GROUP,
    INSTANCE,
    MEMBERSHIP,
    OTHER_INSTANCE,
    REGION,
    SINGLE,
    arn,
    group_arn,
    new_stack,
    of_type,
    properties,
    statements,
    synthesize,
    user,
    user_arn,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRANKFURT = cdk.Environment(account=ACCOUNT, region=REGION)


@pytest.fixture
def located(tmp_path: Path) -> cdk.Stack:
    """A stack that goes where look-ups can be made."""
    return new_stack(tmp_path / "located", env=FRANKFURT)


def declare(stack: cdk.Stack, **props: Any) -> TrafficDistributionGroupUser:
    return TrafficDistributionGroupUser(
        stack,
        "Agent",
        **{
            "instance_id": INSTANCE,
            "traffic_distribution_group_id": GROUP,
            "user_id": user(1),
            **props,
        },
    )


def declare_many(stack: cdk.Stack, user_ids: Any) -> None:
    TrafficDistributionGroupMembership(
        stack,
        "Agents",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_ids=user_ids,
    )


# Look-ups -----------------------------------------------------------------------------------------


def looked_up(stack: cdk.Stack, name: str) -> str:
    return ssm.StringParameter.value_from_lookup(stack, f"/connect/{name}")


def every_construct(stack: cdk.Stack) -> None:
    """Declare everything by look-ups, whole or in part."""
    instance = looked_up(stack, "instance")
    ConnectAssociationProvider(stack, "Provider", resync=looked_up(stack, "resync"))
    declare(
        stack,
        instance_id=instance,
        traffic_distribution_group_id=looked_up(stack, "group"),
        user_id=looked_up(stack, "user"),
        region=looked_up(stack, "region"),
    )
    TrafficDistributionGroupMembership(
        stack,
        "Agents",
        instance_id=arn(f"instance/{looked_up(stack, 'plain-instance')}"),
        traffic_distribution_group_id=looked_up(stack, "other-group"),
        user_ids=looked_up(stack, "users").split(","),
    )
    ContactUserAssignment(
        stack,
        "Assignment",
        instance_id=instance,
        contact_id=looked_up(stack, "contact"),
        user_id=user_arn(user(1)),
        release=ContactRelease.transfer_to_queue(
            contact_flow_id=looked_up(stack, "flow"), queue_id=looked_up(stack, "queue")
        ),
    )
    UserLookup(
        stack,
        "Lookup",
        instance_id=instance,
        usernames=looked_up(stack, "names-" + "x" * 100).split(","),
        region=looked_up(stack, "region"),
    )


def test_the_first_pass_of_synth_goes_through(located: cdk.Stack, tmp_path: Path) -> None:
    every_construct(located)
    synthesize(located)
    manifest = json.loads((tmp_path / "located" / "manifest.json").read_text())
    assert len(manifest["missing"]) == 12


def test_what_was_looked_up_is_read_like_anything_else(tmp_path: Path) -> None:
    key = f"ssm:account={ACCOUNT}:parameterName=/connect/group:region={REGION}"
    for number, value in enumerate((GROUP.upper(), group_arn())):
        stack = new_stack(tmp_path / str(number), env=FRANKFURT, context={key: value})
        declare(stack, traffic_distribution_group_id=looked_up(stack, "group"))
        assert properties(synthesize(stack), SINGLE)["TrafficDistributionGroupId"] == GROUP
    stack = new_stack(tmp_path / "wrong", env=FRANKFURT, context={key: "my-group"})
    with pytest.raises(InvalidAssociationError, match="'my-group' is not the ID of a traffic"):
        declare(stack, traffic_distribution_group_id=looked_up(stack, "group"))


def test_a_look_up_that_finds_nothing_is_left_to_the_cdk(tmp_path: Path) -> None:
    key = f"ssm:account={ACCOUNT}:parameterName=/connect/group:region={REGION}"
    stack = new_stack(
        tmp_path,
        env=FRANKFURT,
        context={key: {"$providerError": "SSM parameter /connect/group was not found"}},
    )
    declare(stack, traffic_distribution_group_id=looked_up(stack, "group"))
    root = stack.node.root
    assert isinstance(root, cdk.App)
    messages = root.synth().get_stack_artifact(stack.artifact_id).messages
    assert "SSM parameter /connect/group was not found" in [
        message.entry.data for message in messages
    ]


# Lazy values --------------------------------------------------------------------------------------


@jsii.implements(cdk.IStableStringProducer)
class Answer:
    """A value that is known at synth, and not before."""

    def __init__(self) -> None:
        self.value: str | None = None

    def produce(self) -> str | None:
        assert self.value is not None, "asked before synth"
        return self.value


@jsii.implements(cdk.IStableListProducer)
class Answers:
    def __init__(self) -> None:
        self.values: list[str] | None = None

    def produce(self) -> list[str] | None:
        assert self.values is not None, "asked before synth"
        return self.values


def lazy() -> tuple[Answer, str]:
    answer = Answer()
    return answer, cdk.Lazy.string(answer)


def test_lazy_values_are_asked_at_synth(stack: cdk.Stack) -> None:
    values = {name: lazy() for name in ("instance_id", "traffic_distribution_group_id", "user_id")}
    declare(stack, **{name: value for name, (_, value) in values.items()})
    for (answer, _), value in zip(
        values.values(), (INSTANCE.upper(), group_arn(region="us-west-2"), user(1)), strict=True
    ):
        answer.value = value
    template = synthesize(stack)
    assert ("DescribeTrafficDistributionGroup", group_arn(region="us-west-2"), "{}") in statements(
        template
    )
    assert ("DescribeUser", arn(f"instance/{INSTANCE}/agent/*", region="us-west-2"), "{}") in (
        statements(template)
    )


def test_a_lazy_value_and_a_literal_share_a_policy(tmp_path: Path) -> None:
    policies = []
    for number in range(2):
        stack = new_stack(tmp_path / str(number))
        answer, value = lazy()
        answer.value = GROUP
        declare(stack)
        if number:
            TrafficDistributionGroupUser(
                stack,
                "Other",
                instance_id=INSTANCE,
                traffic_distribution_group_id=value,
                user_id=user(2),
            )
        policies.append(of_type(synthesize(stack), "AWS::IAM::Policy").keys())
    assert policies[0] == policies[1]


def test_two_tokens_for_one_group_share_a_policy(stack: cdk.Stack) -> None:
    for number in range(3):
        TrafficDistributionGroupUser(
            stack,
            f"Agent{number}",
            instance_id=INSTANCE,
            traffic_distribution_group_id=cdk.Fn.import_value("group"),
            user_id=user(number),
        )
    names = of_type(synthesize(stack), "AWS::IAM::Policy")
    assert len([name for name in names if name.startswith("ConnectGroup")]) == 1


@pytest.mark.parametrize(
    ("prop", "value"),
    [
        ("instance_id", "mine"),
        ("instance_id", group_arn()),
        ("traffic_distribution_group_id", "my-group"),
        ("traffic_distribution_group_id", group_arn().replace("arn:aws:", "arn:aws-cn:")),
        ("user_id", "ann"),
        ("user_id", user_arn(user(1), instance=OTHER_INSTANCE)),
        ("region", "Frankfurt"),
    ],
)
def test_a_lazy_value_is_refused_in_the_words_of_a_literal(
    tmp_path: Path, prop: str, value: str
) -> None:
    with pytest.raises(InvalidAssociationError) as error:
        declare(new_stack(tmp_path / "literal", env=FRANKFURT), **{prop: value})
    stack = new_stack(tmp_path / "lazy", env=FRANKFURT)
    answer, token = lazy()
    declare(stack, **{prop: token})
    answer.value = value
    with pytest.raises(RuntimeError) as refused:
        synthesize(stack)
    (problem,) = error.value.problems
    assert f"[Stack/Agent] {problem}" in str(refused.value)


def test_a_lazy_list_is_read_at_synth(stack: cdk.Stack) -> None:
    answers = Answers()
    declare_many(stack, cdk.Lazy.list(answers))
    answers.values = [user(2), user_arn(user(1))]
    assert properties(synthesize(stack), MEMBERSHIP)["UserIds"] == [user(2), user_arn(user(1))]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([user(1), "ann"], "user_ids[1]: 'ann' is not the ID of a user"),
        ([user(1), user(1)], "user_ids[1]: '" + user(1) + "' is the same user as user_ids[0]"),
        ([user(number) for number in range(2501)], "user_ids: 2,501 users; expected 1 to 2,500"),
        ([], "user_ids: 0 users"),
    ],
)
def test_a_wrong_lazy_list_is_refused(stack: cdk.Stack, values: list[str], problem: str) -> None:
    answers = Answers()
    declare_many(stack, cdk.Lazy.list(answers))
    answers.values = values
    with pytest.raises(RuntimeError) as refused:
        synthesize(stack)
    assert f"[Stack/Agents] {problem}" in str(refused.value)


def test_lazy_users_that_turn_out_to_be_one_are_refused(stack: cdk.Stack) -> None:
    answer, value = lazy()
    declare_many(stack, [user(1), value])
    answer.value = user(1).upper()
    with pytest.raises(RuntimeError, match=r"user_ids\[1\]: .* is the same user as user_ids\[0\]"):
        synthesize(stack)


def test_lazy_users_contradict_other_constructs(stack: cdk.Stack) -> None:
    answer, value = lazy()
    declare(stack)
    declare_many(stack, [value])
    answer.value = user_arn(user(1))
    with pytest.raises(RuntimeError, match="declare the same user"):
        synthesize(stack)


# Dynamic references -------------------------------------------------------------------------------


def versioned(stack: cdk.Stack) -> str:
    return ssm.StringParameter.from_string_parameter_attributes(
        stack, "Parameter", parameter_name="/connect/id", version=2
    ).string_value


def forced(stack: cdk.Stack) -> str:
    return ssm.StringParameter.from_string_parameter_attributes(
        stack, "Parameter", parameter_name="/connect/id", force_dynamic_reference=True
    ).string_value


def secret(stack: cdk.Stack) -> str:
    del stack
    return cdk.SecretValue.secrets_manager("agent").unsafe_unwrap()


def secure(stack: cdk.Stack) -> str:
    del stack
    return cdk.SecretValue.ssm_secure("/connect/id").unsafe_unwrap()


def inside(stack: cdk.Stack) -> str:
    resource = f"instance/{versioned(stack)}"
    return f"arn:{cdk.Aws.PARTITION}:connect:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:{resource}"


def literally(stack: cdk.Stack) -> str:
    del stack
    return "{{resolve:ssm:/connect/id:1}}"


def refusal(stack: cdk.Stack, **props: Any) -> str:
    """Declare and synthesize what is refused either at once or at synth."""
    try:
        declare(stack, **props)
        synthesize(stack)
    except (InvalidAssociationError, RuntimeError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("reference", [versioned, forced, secret, secure, inside, literally])
@pytest.mark.parametrize("prop", ["instance_id", "traffic_distribution_group_id"])
def test_what_a_policy_names_cannot_be_a_dynamic_reference(
    stack: cdk.Stack, prop: str, reference: Callable[[cdk.Stack], str]
) -> None:
    told = refusal(stack, **{prop: reference(stack)})
    assert f"{prop}: " in told
    assert "is a dynamic reference" in told
    assert "StringParameter.value_for_string_parameter" in told
    assert "AWS::SSM::Parameter::Value<String>" in told


@pytest.mark.parametrize("reference", [versioned, forced, literally])
def test_a_user_of_a_group_can_be_a_dynamic_reference(
    stack: cdk.Stack, reference: Callable[[cdk.Stack], str]
) -> None:
    """No policy names the user."""
    declare(stack, user_id=reference(stack))
    template = synthesize(stack)
    assert properties(template, SINGLE)["UserId"].startswith("{{resolve:ssm:/connect/id")
    assert "{{resolve" not in json.dumps(of_type(template, "AWS::IAM::Policy"))


@pytest.mark.parametrize("reference", [secret, secure])
def test_a_user_cannot_be_a_secret(stack: cdk.Stack, reference: Callable[[cdk.Stack], str]) -> None:
    told = refusal(stack, user_id=reference(stack))
    assert "CloudFormation resolves no secrets for custom resources" in told


@pytest.mark.parametrize("prop", ["instance_id", "contact_id", "user_id", "release"])
def test_nor_can_what_the_policy_of_a_contact_names(stack: cdk.Stack, prop: str) -> None:
    reference = literally(stack)
    props: dict[str, Any] = {
        "instance_id": INSTANCE,
        "contact_id": CONTACT,
        "user_id": user(1),
        prop: reference,
    }
    if prop == "release":
        props[prop] = ContactRelease.transfer_to_queue(contact_flow_id=reference)
    with pytest.raises(InvalidAssociationError, match=f"{prop}.* is a dynamic reference"):
        ContactUserAssignment(stack, "Assignment", **props)


def test_what_the_refusal_advises_works(stack: cdk.Stack) -> None:
    declare(
        stack,
        instance_id=ssm.StringParameter.value_for_string_parameter(stack, "/connect/instance"),
        traffic_distribution_group_id=cdk.CfnParameter(
            stack, "Group", type="AWS::SSM::Parameter::Value<String>", default="/connect/group:2"
        ).value_as_string,
    )
    template = synthesize(stack)
    (name,) = (
        name
        for name, parameter in template["Parameters"].items()
        if parameter["Default"] == "/connect/instance"
    )
    for instance, group in ((INSTANCE, GROUP), (arn(f"instance/{INSTANCE}"), group_arn())):
        granted = statements(template, {name: instance, "Group": group})
        assert ("DescribeTrafficDistributionGroup", group_arn(), "{}") in granted
        assert ("SearchUsers", arn(f"instance/{INSTANCE}"), "{}") in granted
