from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import app
import aws_cdk as cdk
import pytest
from app import ContextError, ExampleStack
from aws_cdk.assertions import Template

if TYPE_CHECKING:
    from pathlib import Path

INSTANCE = "11111111-1111-4111-8111-111111111111"
GROUP = "22222222-2222-4222-8222-222222222222"
ADA = "33333333-3333-4333-8333-333333333333"
BOB = "44444444-4444-4444-8444-444444444444"
CONTACT = "55555555-5555-4555-8555-555555555555"
FLOW = "66666666-6666-4666-8666-666666666666"
COMPLETE = {
    "instance_id": INSTANCE,
    "traffic_distribution_group_id": GROUP,
    "user_ids": f"{ADA}, {BOB}",
}
WITH_CONTACT = {**COMPLETE, "contact_id": CONTACT, "contact_user_id": ADA}

USER_TYPE = "Custom::ConnectTrafficDistributionGroupUser"
CONTACT_TYPE = "Custom::ConnectContactUserAssignment"


def template(context: dict[str, str]) -> Template:
    return Template.from_stack(
        ExampleStack(cdk.App(), "Example", context=context, env=cdk.Environment())
    )


def test_every_user_gets_an_association() -> None:
    synthesized = template(COMPLETE)
    synthesized.resource_count_is(USER_TYPE, 2)
    synthesized.resource_count_is(CONTACT_TYPE, 0)
    synthesized.has_resource_properties(USER_TYPE, {"InstanceId": INSTANCE, "UserId": BOB})


def test_a_user_is_declared_once_however_spelled() -> None:
    arn = f"arn:aws:connect:us-east-1:000000000000:instance/{INSTANCE}/agent/{ADA.upper()}"
    template({**COMPLETE, "user_ids": f"{ADA},{arn}"}).resource_count_is(USER_TYPE, 1)


def test_the_order_of_users_is_no_difference() -> None:
    reordered = {**COMPLETE, "user_ids": f"{BOB},{ADA}"}
    assert template(COMPLETE).to_json() == template(reordered).to_json()


def test_the_group_region_can_be_given() -> None:
    template({**COMPLETE, "group_region": "us-west-2"}).has_resource_properties(
        USER_TYPE, {"Region": "us-west-2"}
    )


@pytest.mark.parametrize(
    ("context", "release"),
    [
        ({}, {"Mode": "RETAIN"}),
        ({"contact_release": "stop"}, {"Mode": "STOP"}),
        (
            {"contact_release": "Transfer_To_Queue", "contact_flow_id": FLOW},
            {"Mode": "TRANSFER_TO_QUEUE", "ContactFlowId": FLOW},
        ),
    ],
)
def test_a_contact_is_assigned_and_released_as_told(
    context: dict[str, str], release: dict[str, str]
) -> None:
    (contact,) = template({**WITH_CONTACT, **context}).find_resources(CONTACT_TYPE).values()
    properties = contact["Properties"]
    assert properties["ContactId"] == CONTACT
    assert properties["UserId"] == ADA
    assert properties.get("Release", {"Mode": "RETAIN"}) == release


@pytest.mark.parametrize(
    ("context", "names"),
    [
        ({}, ["instance_id", "traffic_distribution_group_id", "user_ids"]),
        ({**COMPLETE, "instance_id": ""}, ["instance_id"]),
        ({**COMPLETE, "contact_id": CONTACT}, ["contact_user_id"]),
        ({**COMPLETE, "user_ids": " , "}, ["user_ids"]),
        ({**WITH_CONTACT, "contact_release": "drop"}, ["contact_release", "'drop'", "retain"]),
        ({**WITH_CONTACT, "contact_release": "transfer_to_queue"}, ["contact_flow_id"]),
    ],
)
def test_what_is_missing_or_wrong_is_named_in_one_line(
    context: dict[str, str], names: list[str]
) -> None:
    with pytest.raises(ContextError) as error:
        template(context)
    assert "\n" not in str(error.value)
    assert all(name in str(error.value) for name in names)


def run_app(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own: jsii's Node reads the environment only once."""
    return subprocess.run(  # noqa: S603 - the program under test
        [sys.executable, app.__file__],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if name != app.SEED_VARIABLE},
            "CDK_OUTDIR": str(folder),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_program_ends_with_the_message(tmp_path: Path) -> None:
    result = run_app(tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("app.py: missing context: instance_id")


def test_the_program_ends_with_all_that_is_wrong_with_identifiers(tmp_path: Path) -> None:
    context = {**COMPLETE, "instance_id": "nonsense", "user_ids": "nobody"}
    result = run_app(tmp_path, CDK_CONTEXT_JSON=json.dumps(context))
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "'nonsense'" in result.stderr
    assert "'nobody'" in result.stderr


def test_the_embedded_environment_fills_in_what_is_not_given(tmp_path: Path) -> None:
    result = run_app(
        tmp_path,
        CDK_CONTEXT_JSON=json.dumps({"user_ids": BOB}),
        **{app.SEED_VARIABLE: json.dumps({**COMPLETE, "user_ids": ADA})},
    )
    assert result.returncode == 0, result.stderr
    synthesized = Template.from_string(
        (tmp_path / "ConnectAssociations.template.json").read_text(encoding="utf-8")
    )
    synthesized.resource_count_is(USER_TYPE, 1)
    synthesized.has_resource_properties(USER_TYPE, {"UserId": BOB})
