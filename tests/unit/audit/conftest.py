from __future__ import annotations

import random

import pytest

from auditing import Stage


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Stage:
    """A world with an auditor, which only compares."""
    random.seed(0)
    return Stage(monkeypatch, capsys)
