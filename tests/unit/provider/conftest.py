from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from lifecycle.ledger import TABLE
from lifecycle.under_test import CONVERGENCE_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, scope="module")
def _environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVERGENCE_TIMEOUT_SECONDS", str(CONVERGENCE_TIMEOUT_SECONDS))
        patch.setenv("LEDGER_TABLE_NAME", TABLE)
        yield


@pytest.fixture(autouse=True)
def _reproducible() -> None:
    """The provider spreads its calls at random; tests want the same spread every time."""
    random.seed(0)
