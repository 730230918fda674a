from __future__ import annotations

import random

import pytest

import lifecycle.ledger
from auditing import Stage
from lifecycle.ledger import TABLE
from lifecycle.under_test import CONVERGENCE_TIMEOUT_SECONDS


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Stage:
    """A world with an auditor, which only compares."""
    random.seed(0)
    monkeypatch.setenv("LEDGER_TABLE_NAME", TABLE)
    monkeypatch.setenv("CONVERGENCE_TIMEOUT_SECONDS", str(CONVERGENCE_TIMEOUT_SECONDS))
    # The handlers have no business calling Scan; the audit has.
    monkeypatch.setattr(lifecycle.ledger, "_READS", lifecycle.ledger._READS | {"Scan"})  # noqa: SLF001 - as above
    return Stage(monkeypatch, capsys)
