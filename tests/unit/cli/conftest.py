from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

import lifecycle.ledger
from connect_associations.cli import commands, options
from connect_associations.cli.session import Session
from lifecycle.ledger import TABLE
from lifecycle.under_test import CONVERGENCE_TIMEOUT_SECONDS, emulated_world

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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


@pytest.fixture
def functions() -> Functions:
    return Functions()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world in which each stack has a function that names the ledger."""
    monkeypatch.setenv("LEDGER_TABLE_NAME", TABLE)
    monkeypatch.setenv("CONVERGENCE_TIMEOUT_SECONDS", str(CONVERGENCE_TIMEOUT_SECONDS))
    # Scan is for people; the provider has no business calling it.
    monkeypatch.setattr(lifecycle.ledger, "_READS", lifecycle.ledger._READS | {"Scan"})  # noqa: SLF001 - as above
    world = emulated_world()
    deploy = world.deploy

    def deploy_with_function(template: dict[str, Any], *arguments: Any, **more: Any) -> str:
        handler = {"Type": "AWS::Lambda::Function", "Metadata": {"PhysicalId": HANDLER}}
        resources = {"Handler": handler, **template["Resources"]}
        return deploy({**template, "Resources": resources}, *arguments, **more)

    monkeypatch.setattr(world, "deploy", deploy_with_function)
    return world


@pytest.fixture
def session(world: World, functions: Functions) -> Callable[..., Session]:
    """Return what makes sessions in the world."""

    def client(service: str, region: str) -> Any:
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
