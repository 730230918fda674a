from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match

from connect_associations import ContactRelease, ContactUserAssignment, InvalidAssociationError
from synthesis import (
    ASSIGNMENT,
    CONTACT,
    FLOW,
    INSTANCE,
    OTHER_INSTANCE,
    QUEUE,
    arn,
    properties,
    synthesize,
    user,
    user_arn,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

WARNING = "connect-associations:contactReleaseNotChosen"


def declare(
    stack: cdk.Stack,
    *,
    contact_id: str = CONTACT,
    user_id: str = user(1),
    release: ContactRelease | None = None,
    allow_voice: bool = False,
) -> ContactUserAssignment:
    return ContactUserAssignment(
        stack,
        "Assignment",
        instance_id=INSTANCE,
        contact_id=contact_id,
        user_id=user_id,
        release=release,
        allow_voice=allow_voice,
    )


def transfer(flow: str = FLOW, queue: str | None = None) -> ContactRelease:
    return ContactRelease.transfer_to_queue(contact_flow_id=flow, queue_id=queue)


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        (None, None),
        (ContactRelease.retain(), None),
        (ContactRelease.stop(), {"Mode": "STOP"}),
        (transfer(), {"Mode": "TRANSFER_TO_QUEUE", "ContactFlowId": FLOW}),
        (
            transfer(
                arn(f"instance/{INSTANCE}/contact-flow/{FLOW}"),
                arn(f"instance/{INSTANCE}/queue/{QUEUE}"),
            ),
            {"Mode": "TRANSFER_TO_QUEUE", "ContactFlowId": FLOW, "QueueId": QUEUE},
        ),
    ],
)
def test_releases(
    stack: cdk.Stack, release: ContactRelease | None, expected: Mapping[str, str] | None
) -> None:
    declare(
        stack,
        contact_id=arn(f"instance/{INSTANCE}/contact/{CONTACT.upper()}"),
        user_id=user_arn(user(1)),
        release=release,
    )
    declared = properties(synthesize(stack), ASSIGNMENT)
    assert declared.pop("Release", None) == expected
    assert declared == {"InstanceId": INSTANCE, "ContactId": CONTACT, "UserId": user(1)}


def test_voice_is_written_only_when_it_is_allowed(stack: cdk.Stack) -> None:
    declare(stack, allow_voice=True)
    assert properties(synthesize(stack), ASSIGNMENT)["AllowVoice"] is True


def test_tokens_pass_through(stack: cdk.Stack) -> None:
    parameter = cdk.CfnParameter(stack, "Parameter").value_as_string
    declare(stack, contact_id=parameter, user_id=parameter, release=transfer(parameter, parameter))
    declared = properties(synthesize(stack), ASSIGNMENT)
    assert declared["ContactId"] == declared["UserId"] == {"Ref": "Parameter"}
    assert declared["Release"] == {
        "Mode": "TRANSFER_TO_QUEUE",
        "ContactFlowId": {"Ref": "Parameter"},
        "QueueId": {"Ref": "Parameter"},
    }


def test_a_release_that_was_not_chosen_is_warned_of(stack: cdk.Stack) -> None:
    declare(stack)
    Annotations.from_stack(stack).has_warning(
        "/Stack/Assignment", Match.string_like_regexp("choose a release")
    )


def test_the_warning_can_be_acknowledged(stack: cdk.Stack) -> None:
    assignment = declare(stack)
    cdk.Annotations.of(assignment).acknowledge_warning(WARNING)
    Annotations.from_stack(stack).has_no_warning("*", Match.any_value())


def test_a_chosen_release_is_not_warned_of(stack: cdk.Stack) -> None:
    declare(stack, release=ContactRelease.retain())
    Annotations.from_stack(stack).has_no_warning("*", Match.any_value())


@pytest.mark.parametrize(
    ("props", "messages"),
    [
        (
            {"contact_id": "c" * 256, "user_id": "", "allow_voice": 1},
            ["contact_id: 'ccc", "user_id: expected the ID", "allow_voice: expected True or"],
        ),
        ({"release": "STOP"}, ["release: expected ContactRelease.retain(), .stop() or"]),
        (
            {"release": transfer("flow", "queue")},
            [
                "release.contact_flow_id: 'flow' is not the ID of a contact flow",
                "release.queue_id: 'queue' is not the ID of a queue",
            ],
        ),
        (
            {
                "contact_id": arn(f"instance/{OTHER_INSTANCE}/contact/{CONTACT}"),
                "user_id": user_arn(user(1), instance=OTHER_INSTANCE),
                "release": transfer(
                    arn(f"instance/{OTHER_INSTANCE}/contact-flow/{FLOW}"),
                    arn(f"instance/{OTHER_INSTANCE}/queue/{QUEUE}"),
                ),
            },
            [
                "contact_id: the contact belongs to instance",
                "user_id: the user belongs to instance",
                "release.contact_flow_id: the contact flow belongs to instance",
                "release.queue_id: the queue belongs to instance",
            ],
        ),
    ],
)
def test_problems(stack: cdk.Stack, props: dict[str, object], messages: list[str]) -> None:
    with pytest.raises(InvalidAssociationError) as error:
        declare(stack, **props)  # type: ignore[arg-type]  # wrong on purpose
    assert len(error.value.problems) == len(messages)
    for problem, message in zip(error.value.problems, messages, strict=True):
        assert problem.startswith(message)


def test_attributes_are_read_from_the_resource(stack: cdk.Stack) -> None:
    assignment = declare(stack)
    attributes = {
        "ContactId": assignment.contact_id,
        "UserId": assignment.user_id,
        "Channel": assignment.channel,
        "QueueId": assignment.queue_id,
    }
    for name, attribute in attributes.items():
        assert stack.resolve(attribute) == {"Fn::GetAtt": ["Assignment", name]}


def test_the_docstring_begins_with_the_truth() -> None:
    summary = (ContactUserAssignment.__doc__ or "").split("\n\n")[0]
    assert "no way to disassociate" in summary
