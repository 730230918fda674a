"""Stacks to declare associations in, and what CloudFormation would make of their templates."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk

from service_authorization import works_on

if TYPE_CHECKING:
    from collections.abc import Mapping

REGION = "eu-central-1"
ACCOUNT = "123456789012"
INSTANCE = "11111111-aaaa-4aaa-8aaa-111111111111"
OTHER_INSTANCE = "11111111-bbbb-4bbb-8bbb-222222222222"
GROUP = "22222222-aaaa-4aaa-8aaa-111111111111"
OTHER_GROUP = "22222222-bbbb-4bbb-8bbb-222222222222"
CONTACT = "44444444-aaaa-4aaa-8aaa-111111111111"
FLOW = "55555555-aaaa-4aaa-8aaa-111111111111"
QUEUE = "66666666-aaaa-4aaa-8aaa-111111111111"

SINGLE = "Custom::ConnectTrafficDistributionGroupUser"
MEMBERSHIP = "Custom::ConnectTrafficDistributionGroupMembership"
ASSIGNMENT = "Custom::ConnectContactUserAssignment"

_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Stack/id",
    "AWS::URLSuffix": "amazonaws.com",
}


def user(number: int) -> str:
    """Return the ID of a user."""
    return f"33333333-aaaa-4aaa-8aaa-{number:012d}"


def arn(resource: str, *, region: str = REGION, account: str = ACCOUNT) -> str:
    """Return the ARN of a Connect resource."""
    return f"arn:aws:connect:{region}:{account}:{resource}"


def user_arn(user_id: str, *, instance: str = INSTANCE, region: str = REGION) -> str:
    """Return the ARN of a user."""
    return arn(f"instance/{instance}/agent/{user_id}", region=region)


def group_arn(group: str = GROUP, *, region: str = REGION) -> str:
    """Return the ARN of a traffic distribution group."""
    return arn(f"traffic-distribution-group/{group}", region=region)


def new_stack(
    outdir: Path,
    *,
    name: str = "Stack",
    env: cdk.Environment | None = None,
    context: Mapping[str, object] | None = None,
) -> cdk.Stack:
    """Return a stack of a new app.

    :param outdir: where the app is synthesized.
    :param name: the stack's ID.
    :param env: the stack's environment, None for one that is not known at synth.
    :param context: the app's context, above what keeps assets where they are.
    """
    app = cdk.App(
        outdir=str(outdir),
        context={"aws:cdk:disable-asset-staging": True, **(context or {})},
    )
    return cdk.Stack(app, name, env=env)


def synthesize(stack: cdk.Stack) -> dict[str, Any]:
    """Return the template of *stack*."""
    return cast("dict[str, Any]", json.loads(written_template(stack)))


def written_template(stack: cdk.Stack) -> str:
    """Return the template of *stack* as the CDK writes it to disk."""
    assembly = cast("cdk.App", stack.node.root).synth()
    return Path(assembly.get_stack_artifact(stack.artifact_id).template_full_path).read_text()


def of_type(template: Mapping[str, Any], resource_type: str) -> dict[str, dict[str, Any]]:
    """Return the resources of one type by logical ID."""
    return {
        logical_id: resource
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == resource_type
    }


def only(template: Mapping[str, Any], resource_type: str) -> dict[str, Any]:
    """Return the one resource of a type."""
    (resource,) = of_type(template, resource_type).values()
    return resource


def properties(template: Mapping[str, Any], resource_type: str) -> dict[str, Any]:
    """Return what the one resource of a type declares beside who serves it."""
    declared = dict(only(template, resource_type)["Properties"])
    del declared["ServiceToken"]
    return declared


def evaluate(value: Any, references: Mapping[str, str] | None = None) -> Any:
    """Evaluate intrinsic functions as CloudFormation does.

    :param value: a value of a template.
    :param references: what ``Ref`` and ``Fn::GetAtt`` of the template's own names answer; the
        name of an attribute is ``LogicalId.Attribute``.
    """
    known = {**_PSEUDO, **(references or {})}
    if isinstance(value, list):
        return [evaluate(item, references) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        name, argument = next(iter(value.items()))
        match name:
            case "Ref":
                return known.get(argument, f"<{argument}>")
            case "Fn::GetAtt":
                return known.get(".".join(argument), f"<{'.'.join(argument)}>")
            case "Fn::Join":
                return argument[0].join(evaluate(argument[1], references))
            case "Fn::Split":
                return evaluate(argument[1], references).split(argument[0])
            case "Fn::Select":
                return evaluate(argument[1], references)[int(argument[0])]
            case "Fn::Sub":
                return re.sub(
                    r"\$\{([^}]+)\}", lambda match: known.get(match[1], f"<{match[1]}>"), argument
                )
    return {key: evaluate(item, references) for key, item in value.items()}


def statements(
    template: Mapping[str, Any], references: Mapping[str, str] | None = None
) -> set[tuple[str, str, str]]:
    """Return what the handlers may do in Connect, as (action, resource, condition)."""
    granted = set()
    for policy in of_type(template, "AWS::IAM::Policy").values():
        for statement in evaluate(policy["Properties"]["PolicyDocument"], references)["Statement"]:
            condition = json.dumps(statement.get("Condition", {}))
            for action, resource in itertools.product(
                _as_list(statement["Action"]), _as_list(statement["Resource"])
            ):
                service, _, name = action.partition(":")
                if service == "connect" and works_on(action, resource):
                    granted.add((name, resource, condition))
    return granted


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
