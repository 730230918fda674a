"""``iam.Role.customize_roles``: for platforms on which an app may not create roles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_iam as iam

from connect_associations import (
    ConnectAssociationProvider,
    ContactRelease,
    ContactUserAssignment,
    TrafficDistributionGroupUser,
    UserLookup,
)
from synthesis import (
    ASSIGNMENT,
    CONTACT,
    FLOW,
    GROUP,
    INSTANCE,
    SINGLE,
    new_stack,
    of_type,
    only,
    synthesize,
    user,
)

if TYPE_CHECKING:
    from pathlib import Path

    from constructs import IConstruct

ROLES = (
    "Provider/Role",
    "Provider/Provider/framework-onEvent/ServiceRole",
    "Provider/Provider/framework-isComplete/ServiceRole",
    "Provider/Provider/framework-onTimeout/ServiceRole",
    "Provider/Provider/waiter-state-machine/Role",
)


def declare(stack: cdk.Stack) -> None:
    ConnectAssociationProvider(stack, "Provider")
    TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_id=user(1),
    )
    ContactUserAssignment(
        stack,
        "Assignment",
        instance_id=INSTANCE,
        contact_id=CONTACT,
        user_id=user(1),
        release=ContactRelease.transfer_to_queue(contact_flow_id=FLOW),
    )
    UserLookup(stack, "Lookup", instance_id=INSTANCE, usernames=["ann"])


def allowed(statements: list[dict[str, Any]]) -> set[str]:
    return {
        action
        for statement in statements
        for action in (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
    }


def granted_normally(folder: Path) -> set[str]:
    """Return the actions of the handlers' role where nobody customizes it."""
    stack = new_stack(folder)
    declare(stack)
    return allowed(
        [
            statement
            for policy in of_type(synthesize(stack), "AWS::IAM::Policy").values()
            if policy["Properties"]["Roles"][0]["Ref"].startswith("ProviderRole")
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]
    )


@pytest.mark.parametrize("mode", ["report", "precreated"])
def test_every_permission_stands_in_the_report(tmp_path: Path, mode: str) -> None:
    outdir = tmp_path / mode
    stack = new_stack(outdir)
    if mode == "report":
        iam.Role.customize_roles(stack, prevent_synthesis=False)
    else:
        iam.Role.customize_roles(
            stack, use_precreated_roles={path: path.replace("/", "-") for path in ROLES}
        )
    declare(stack)
    template = synthesize(stack)
    report = json.loads((outdir / "iam-policy-report.json").read_text())
    roles = {role["roleConstructPath"]: role for role in report["roles"]}
    # The CDK's table names the role that DynamoDB would scale it with.
    assert roles.keys() - {"Stack/Provider/Ledger/ScalingRole"} == {
        f"Stack/{path}" for path in ROLES
    }
    role = roles["Stack/Provider/Role"]
    assert allowed(role["identityPolicyStatements"]) == granted_normally(tmp_path / "normal")
    if mode == "precreated":
        assert not of_type(template, "AWS::IAM::Role")
        assert not of_type(template, "AWS::IAM::Policy")
        assert "DependsOn" not in only(template, SINGLE)
        assert "DependsOn" not in only(template, ASSIGNMENT)
        for function in of_type(template, "AWS::Lambda::Function").values():
            assert ":role/Provider-" in json.dumps(function["Properties"]["Role"])


def test_a_role_that_is_missing_is_told(tmp_path: Path) -> None:
    stack = new_stack(tmp_path)
    iam.Role.customize_roles(stack)
    declare(stack)
    synthesize(stack)
    text = (tmp_path / "iam-policy-report.txt").read_text()
    assert all(f"<missing role> (Stack/{path})" in text for path in ROLES)
    assert "connect:AssociateTrafficDistributionGroupUser" in text


@jsii.implements(cdk.IAspect)
class _Seen:
    """An aspect of the user's, which looks at policies."""

    def __init__(self) -> None:
        self.policies: set[str] = set()

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, iam.Policy):
            self.policies |= allowed(node.document.to_json()["Statement"])


def test_an_aspect_sees_the_policies(tmp_path: Path) -> None:
    stack = new_stack(tmp_path / "seen")
    seen = _Seen()
    cdk.Aspects.of(stack).add(seen)
    declare(stack)
    synthesize(stack)
    assert granted_normally(tmp_path / "normal") <= seen.policies


def test_policies_are_minimized_where_the_app_wants_it(tmp_path: Path) -> None:
    sizes = []
    for minimize in (False, True):
        stack = new_stack(
            tmp_path / str(minimize), context={"@aws-cdk/aws-iam:minimizePolicies": minimize}
        )
        declare(stack)
        template = synthesize(stack)
        sizes.append(len(json.dumps(of_type(template, "AWS::IAM::Policy"))))
    assert sizes[1] < sizes[0]
