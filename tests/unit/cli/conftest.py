from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

import lifecycle.ledger
from connect_associations.cli import commands, options
from connect_associations.cli.session import Session
from connect_associations.cli.stacks import name_of
from lifecycle.emulated_connect import EmulatedConnect
from lifecycle.ledger import TABLE
from lifecycle.stack_parts import MAIN
from lifecycle.under_test import CONVERGENCE_TIMEOUT_SECONDS, emulated_world

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connect_associations.testing import ConnectEmulation
    from lifecycle.world import World

HANDLER = "handler"
"""The physical ID of the function that every deployed stack has."""


class Functions:
    """The Lambda functions of all stacks.

    :ivar environments: what GetFunctionConfiguration answers as their environment, by name.
    :ivar denied: nobody may read them.
    """

    def __init__(self) -> None:
        self.environments: dict[str, Any] = {
            HANDLER: {"Variables": {"LEDGER_TABLE_NAME": TABLE}},
        }
        self.denied = False

    def get_function_configuration(self, *, FunctionName: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        code = "ResourceNotFoundException" if FunctionName not in self.environments else ""
        if code or self.denied:
            raise ClientError(
                {"Error": {"Code": code or "AccessDeniedException", "Message": "no"}},
                "GetFunctionConfiguration",
            )
        return {"Environment": self.environments[FunctionName]}


class CloudFormation:
    """CloudFormation as people may ask it, who may ask for more than the provider does.

    :ivar templates: what GetTemplate answers, by the stacks' names.
    :ivar parameters: what DescribeStacks answers of them, by the stacks' names.
    :ivar exports: what ListExports answers.
    :ivar denied: the operations that nobody may call.
    """

    def __init__(self) -> None:
        self.client: Any = None
        self.templates: dict[str, Any] = {}
        self.parameters: dict[str, Mapping[str, str]] = {}
        self.exports: dict[str, str] = {}
        self.denied: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def deployed(self, stack: str, template: Mapping[str, Any]) -> None:
        """Note the template of a stack and of its nested stacks."""
        self.templates[stack] = template
        for logical_id, resource in template["Resources"].items():
            if "Template" in resource.get("Metadata", {}):
                self.deployed(f"{stack}-{logical_id}", resource["Metadata"]["Template"])

    def get_template(self, *, StackName: str, TemplateStage: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's names
        assert TemplateStage == "Original"
        self._check("GetTemplate")
        return {"TemplateBody": self.templates[name_of(StackName)]}

    def describe_stacks(self, *, StackName: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        answer: Mapping[str, Any] = self.client.describe_stacks(StackName=StackName)
        for stack in answer["Stacks"]:
            stack["Parameters"] = [
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in self.parameters.get(stack["StackName"], {}).items()
            ]
        return answer

    def get_paginator(self, operation: str) -> Any:
        return self if operation == "list_exports" else self.client.get_paginator(operation)

    def paginate(self) -> list[Mapping[str, Any]]:
        self._check("ListExports")
        return [{"Exports": [{"Name": key, "Value": self.exports[key]}]} for key in self.exports]

    def _check(self, operation: str) -> None:
        if operation in self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)


@pytest.fixture
def cloudformation() -> CloudFormation:
    return CloudFormation()


@pytest.fixture
def functions() -> Functions:
    return Functions()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, cloudformation: CloudFormation) -> World:
    """Return a world in which each stack has a function that names the ledger."""
    monkeypatch.setenv("LEDGER_TABLE_NAME", TABLE)
    monkeypatch.setenv("CONVERGENCE_TIMEOUT_SECONDS", str(CONVERGENCE_TIMEOUT_SECONDS))
    # Scan is for people; the provider has no business calling it.
    monkeypatch.setattr(lifecycle.ledger, "_READS", lifecycle.ledger._READS | {"Scan"})  # noqa: SLF001 - as above
    world = emulated_world()
    deploy = world.deploy

    def deploy_with_function(
        template: dict[str, Any], parameters: Any = None, *, stack: str = MAIN, **more: Any
    ) -> str:
        handler = {"Type": "AWS::Lambda::Function", "Metadata": {"PhysicalId": HANDLER}}
        resources = {"Handler": handler, **template["Resources"]}
        status = deploy({**template, "Resources": resources}, parameters, stack=stack, **more)
        cloudformation.deployed(stack, template)
        cloudformation.parameters[stack] = parameters or {}
        return status

    monkeypatch.setattr(world, "deploy", deploy_with_function)
    return world


@pytest.fixture
def emulation(world: World) -> ConnectEmulation:
    """Return what answers the world's calls of Connect."""
    assert isinstance(world.connect, EmulatedConnect)
    return world.connect.emulation


@pytest.fixture
def session(
    world: World, functions: Functions, cloudformation: CloudFormation
) -> Callable[..., Session]:
    """Return what makes sessions in the world."""

    def client(service: str, region: str) -> Any:
        if service == "cloudformation":
            cloudformation.client = world.clients(service, region)
            return cloudformation
        return functions if service == "lambda" else world.clients(service, region)

    return functools.partial(Session, clients=client)


@pytest.fixture
def run(
    world: World,
    session: Callable[..., Session],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str, str]]:
    """Run a command against the world; answers exit code, standard output and error."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(options, "Session", session)

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with world.inside():
            code = commands.run(list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    return run
