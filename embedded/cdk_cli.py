"""The real CDK CLI, for programs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connect_associations.testing.emulator import processes
from connect_associations.testing.emulator.errors import EmulatorError
from embedded import toolchain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TIMEOUT_SECONDS = 300.0
_QUIET = ("--ci", "--no-color", "--no-notices", "--no-version-reporting")
_UNATTENDED = ("--require-approval", "never", "--progress", "events")
_AT_ONCE = ("--concurrency", "4")
"""Stacks that do not wait for each other are deployed and destroyed at the same time."""


class CdkError(EmulatorError):
    """The CDK CLI failed.

    :ivar output: all that it printed.
    """

    def __init__(self, command: str, output: str) -> None:
        super().__init__(f"`{command}` failed:\n{output}")
        self.output = output


@dataclass(frozen=True, kw_only=True, slots=True)
class CdkRun:
    """What a command of the CDK CLI did.

    :ivar succeeded: whether it exited with 0.
    :ivar output: all that it printed.
    :ivar seconds: how long it took.
    """

    succeeded: bool
    output: str
    seconds: float


class CdkCli:
    """The pinned CDK CLI in an environment.

    :param environment: the environment variables that it runs with.
    :param project: the folder that it runs in.
    """

    def __init__(self, *, environment: Mapping[str, str], project: Path) -> None:
        self._environment = environment
        self._project = project
        self._cdk = str(toolchain.tools().cdk)

    def synthesize(self, *, output: Path, context: Mapping[str, str] | None = None) -> CdkRun:
        """Synthesize the project's app into *output*.

        :raises CdkError: if it fails.
        """
        return self.run("synth", "--quiet", "--output", str(output), *_context(context))

    def deploy(
        self,
        *,
        app: str | Path | None = None,
        context: Mapping[str, str] | None = None,
        output: Path | None = None,
        check: bool = True,
    ) -> CdkRun:
        """Deploy all stacks.

        :param app: an assembly that is synthesized already, or a command. Default: - cdk.json's
        :param context: what ``-c`` gives the app.
        :param output: where the app synthesizes to. Default: - cdk.out
        :param check: whether a failure raises.
        :raises CdkError: if it fails and *check* is true.
        """
        return self.run(
            "deploy",
            "--all",
            *_UNATTENDED,
            *_AT_ONCE,
            # Straight to CloudFormation's UpdateStack: a change set costs two seconds more.
            *("--method", "direct"),
            *_app(app),
            *_output(output),
            *_context(context),
            check=check,
        )

    def destroy(
        self,
        *,
        app: str | Path | None = None,
        stack: str | None = None,
        context: Mapping[str, str] | None = None,
        output: Path | None = None,
        check: bool = True,
    ) -> CdkRun:
        """Destroy stacks; the other parameters are those of :meth:`deploy`.

        :param stack: the one to destroy, whichever depend on it. Default: - all stacks
        :raises CdkError: if it fails and *check* is true.
        """
        return self.run(
            "destroy",
            *(("--all",) if stack is None else (stack, "--exclusively")),
            "--force",
            *("--progress", "events"),
            *_AT_ONCE,
            *_app(app),
            *_output(output),
            *_context(context),
            check=check,
        )

    def run(self, *arguments: str, check: bool = True) -> CdkRun:
        """Run a command of the CDK CLI.

        :raises CdkError: if it fails and *check* is true.
        """
        started = time.monotonic()
        status, output = processes.run(
            [self._cdk, *_QUIET, *arguments],
            cwd=self._project,
            environment=self._environment,
            timeout=_TIMEOUT_SECONDS,
        )
        if check and status:
            raise CdkError(f"cdk {' '.join(arguments)}", output)
        return CdkRun(succeeded=status == 0, output=output, seconds=time.monotonic() - started)


def _app(app: str | Path | None) -> list[str]:
    return [] if app is None else ["--app", str(app)]


def _output(output: Path | None) -> list[str]:
    return [] if output is None else ["--output", str(output)]


def _context(context: Mapping[str, str] | None) -> list[str]:
    return [
        part for name, value in (context or {}).items() for part in ("--context", f"{name}={value}")
    ]
