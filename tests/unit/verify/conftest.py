from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clinic import Clinic

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)
