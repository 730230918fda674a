"""Stacks that a test deploys with the real CDK CLI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from embedded.environment import ACCOUNT, REGION, EmbeddedEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import IDependable
    from embedded.cdk_cli import CdkRun

    from connect_associations.testing import ConnectEmulation

Write = tuple[str, str, str]
"""The operation, the Region it was signed for, and the user or contact that it named."""

ENVIRONMENT = cdk.Environment(account=ACCOUNT, region=REGION)
"""Where all stacks go."""


HURRY = Path(__file__).with_name("hurry.cjs")


def hurry(script: Path = HURRY) -> dict[str, str]:
    """Return the variable that has the CDK CLI wait less between two looks at a stack."""
    return {"NODE_OPTIONS": f'--require "{script}"'}


class Hurried(EmbeddedEnvironment):
    """AWS and Connect on this machine, with a CDK CLI that waits less."""

    @property
    def env(self) -> dict[str, str]:
        """A whole environment for programs."""
        return {**super().env, **hurry()}


class AppDeployment:
    """An app, deployed again and again with other contents.

    It is synthesized in this process, because starting another Python for it costs more than the
    deployment.

    :param environment: where to deploy.
    :param folder: where the assemblies go.
    """

    def __init__(self, *, environment: EmbeddedEnvironment, folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        self._assemblies = 0

    def deploy(self, build: Callable[[cdk.App], object], *, check: bool = True) -> CdkRun:
        """Deploy all stacks that *build* puts into the app, at once where they can be."""
        self._assemblies += 1
        app = cdk.App(outdir=str(self._assembly), analytics_reporting=False)
        build(app)
        app.synth()
        return self._environment.cdk.deploy(app=self._assembly, check=check)

    def destroy(self, stack: str | None = None) -> CdkRun:
        """Destroy one stack. Default: all of them."""
        return self._environment.cdk.destroy(app=self._assembly, stack=stack)

    def status(self, stack: str) -> str:
        """Return a stack's status."""
        cloudformation = self._environment.session().client(
            "cloudformation", endpoint_url=self._environment.aws_url
        )
        stacks = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        status: str = stacks[0]["StackStatus"]
        return status

    def template(self, stack: str) -> dict[str, Any]:
        """Return a stack's template that was deployed last."""
        text = (self._assembly / f"{stack}.template.json").read_text(encoding="utf-8")
        template: dict[str, Any] = json.loads(text)
        return template

    @property
    def _assembly(self) -> Path:
        return self._folder / f"assembly-{self._assemblies}"


class Deployment:
    """One stack, deployed again and again with other contents.

    :param environment: where to deploy.
    :param folder: where the assemblies go.
    :param name: the stack's name.
    """

    def __init__(self, *, environment: EmbeddedEnvironment, folder: Path, name: str) -> None:
        self._app = AppDeployment(environment=environment, folder=folder)
        self._name = name

    def deploy(self, build: Callable[[cdk.Stack], object], *, check: bool = True) -> CdkRun:
        """Deploy the stack with what *build* puts into it."""
        return self._app.deploy(
            lambda app: build(cdk.Stack(app, self._name, env=ENVIRONMENT)), check=check
        )

    def destroy(self) -> CdkRun:
        """Destroy the stack."""
        return self._app.destroy()

    @property
    def name(self) -> str:
        """The stack's name."""
        return self._name

    @property
    def status(self) -> str:
        """The stack's status."""
        return self._app.status(self._name)

    @property
    def template(self) -> dict[str, Any]:
        """The template that was deployed last."""
        return self._app.template(self._name)


class Fails(cdk.CfnWaitCondition):
    """A resource that cannot be created, and fails after others.

    :param scope: the stack.
    :param after: what has to be deployed first.
    """

    def __init__(self, scope: cdk.Stack, *, after: IDependable) -> None:
        handle = cdk.CfnWaitConditionHandle(scope, "Never")
        super().__init__(scope, "Fails", handle=handle.ref, timeout="1", count=1)
        self.node.add_dependency(after)


def writes(connect: ConnectEmulation) -> list[Write]:
    """Return what was written in Connect since the last time, and forget it."""
    found = [
        (
            call.operation,
            call.region,
            call.parameters.get("UserId") or call.parameters["ContactId"],
        )
        for call in connect.writes
    ]
    connect.recorder.clear()
    return found
