"""The proposal for moto fits the installed moto, and behaves like the emulation by default."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import connect_history
from botocore_models import since_2026
from connect_associations.testing import ConnectEmulation, mock_connect
from documents import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PROPOSAL = ROOT / "moto_proposal"
pytestmark = since_2026
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


def python(*arguments: str, path: Path) -> str:
    """Run Python with a folder on its path, and return what it printed."""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, *arguments],
        env={**os.environ, **CREDENTIALS, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_fits_the_installed_moto_and_its_tests_pass(tmp_path: Path) -> None:
    whole = tmp_path / "whole.patch"
    said = python(str(PROPOSAL / "check.py"), "--patch", str(whole), path=PROPOSAL)
    assert " passed" in said
    changed = {line[6:] for line in whole.read_text().splitlines() if line.startswith("+++ b/")}
    ours = {
        str(path.relative_to(PROPOSAL))
        for folder in ("moto", "tests")
        for path in (PROPOSAL / folder).rglob("*.py")
        if path.stat().st_size
    }
    theirs = {f"moto/connect/{name}.py" for name in ("exceptions", "models", "responses", "urls")}
    assert changed == ours | theirs


def test_it_behaves_like_the_emulation_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay = f"import check, pathlib; check.overlay(pathlib.Path({str(tmp_path)!r}))"
    python("-c", lay, path=PROPOSAL)
    proposed = json.loads(python(connect_history.__file__, path=tmp_path))

    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    emulation = ConnectEmulation()
    instance = emulation.add_instance(
        region=connect_history.HOME, replica_region=connect_history.REPLICA
    )
    emulation.add_queue(instance, queue_id=connect_history.QUEUE)
    emulation.add_contact_flow(instance, contact_flow_id=connect_history.FLOW)
    with mock_connect(emulation):
        emulated = connect_history.history(lambda _: instance.id)
    assert proposed == emulated
    assert len({tuple(each[:2]) for each in proposed}) > 20
