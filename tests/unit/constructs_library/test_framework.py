"""The one file that knows the insides of the CDK's Provider framework."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import custom_resources

import connect_associations
from connect_associations import ConnectAssociationProvider, _framework
from synthesis import of_type, synthesize

if TYPE_CHECKING:
    from constructs import Construct

INSIDES = (
    "framework-onEvent",
    "framework-isComplete",
    "framework-onTimeout",
    "waiter-state-machine",
)


def framework(stack: cdk.Stack) -> Construct:
    provider = ConnectAssociationProvider(stack, "Provider")
    found = provider.node.find_child("Provider")
    assert isinstance(found, custom_resources.Provider)
    return found


def test_this_version_of_the_cdk_names_the_children_as_ever(stack: cdk.Stack) -> None:
    assert {child.node.id for child in framework(stack).node.children} == set(INSIDES)


@pytest.mark.parametrize("renamed", ["_SERVICE", "_POLLING", "_LATE", "_WAITER", "_ROLE"])
def test_a_renamed_child_is_told_at_once(stack: cdk.Stack, renamed: str) -> None:
    """As if this library expected the names of another version."""
    with (
        mock.patch.object(_framework, renamed, "another-name"),
        pytest.raises(RuntimeError, match=r"custom_resources\.Provider differently than") as error,
    ):
        ConnectAssociationProvider(stack, "Provider")
    told = str(error.value)
    assert told.startswith("aws-cdk-lib 2.")
    assert "'another-name'" in told
    assert "Install an older aws-cdk-lib, or a newer cdk-connect-associations" in told
    assert "\n" not in told


def test_a_child_of_another_kind_is_told_at_once(stack: cdk.Stack) -> None:
    cdk.CfnResource(stack, "Child", type="AWS::Lambda::Function")
    with pytest.raises(RuntimeError, match="should have Function 'Child', and has Child"):
        _framework._child(stack, "Child", lambda_.Function)  # noqa: SLF001 - no way in from outside


def test_nothing_else_knows_the_insides() -> None:
    package = Path(connect_associations.__file__).parent
    insides = re.compile("|".join((*INSIDES, "custom_resources")))
    knowing = {
        path.name
        for path in package.rglob("*.py")
        if insides.search(path.read_text(encoding="utf-8"))
    }
    assert knowing == {"_framework.py"}


def test_the_constructor_of_the_provider_is_read_in_one_go() -> None:
    text = inspect.getsource(ConnectAssociationProvider.__init__)
    body = text.partition("super().__init__(scope, construct_id)\n")[2]
    assert 0 < len(body.splitlines()) <= 70


def test_lambda_does_not_hold_an_event_back_for_longer_than_anybody_waits(
    stack: cdk.Stack,
) -> None:
    provider = ConnectAssociationProvider(
        stack, "Provider", convergence_timeout=cdk.Duration.seconds(1)
    )
    (config,) = of_type(synthesize(stack), "AWS::Lambda::EventInvokeConfig").values()
    assert config["Properties"] == {
        "FunctionName": {"Ref": "ConnectAssociations"},
        "MaximumEventAgeInSeconds": 900,
        "Qualifier": "$LATEST",
    }
    assert provider.service_timeout > config["Properties"]["MaximumEventAgeInSeconds"]
