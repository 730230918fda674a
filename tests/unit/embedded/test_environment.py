from __future__ import annotations

import dataclasses
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from embedded import toolchain
from embedded.environment import EmbeddedEnvironment

from connect_associations.testing.emulator.background import HOST, free_port
from connect_associations.testing.emulator.errors import MissingToolError, StartError


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


def test_what_set_up_installs_is_asked_for(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchain, "ROOT", temporary)
    with pytest.raises(MissingToolError, match=r"node_modules/.bin/cdk .*make set-up"):
        EmbeddedEnvironment().__enter__()


def test_a_start_that_fails_stops_what_was_started_and_keeps_the_logs(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # This virtual environment has no emulator in it.
    without = dataclasses.replace(toolchain.tools(), ministack_python=Path(sys.executable))
    monkeypatch.setattr(toolchain, "tools", lambda: without)
    port = free_port()
    said = r"(?s)the AWS emulator ended while starting:\n.*No module named 'ministack'"
    with pytest.raises(StartError, match=said):
        EmbeddedEnvironment(connect_port=port).__enter__()
    assert is_free(port)
    (folder,) = temporary.glob("emulated-aws-*")
    assert (folder / "ministack.log").exists()
    assert str(folder) in capsys.readouterr().err


def test_an_environment_that_is_not_running_says_so() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = EmbeddedEnvironment().aws_url
