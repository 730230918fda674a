from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import boto3
import pytest

from connect_associations.cli import commands
from connect_associations.cli.session import Session
from lifecycle.under_test import emulated_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecycle.world import World


@pytest.fixture
def world() -> World:
    return emulated_world()


@pytest.fixture
def run(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command against the world; answers exit code, standard output and error."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # The command line sets it; other tests need not have it.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(
        commands, "Session", functools.partial(Session, clients=world.clients, clock=world.clock)
    )

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = commands.run(list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    return run
