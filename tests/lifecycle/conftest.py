from __future__ import annotations

import random

import pytest

from lifecycle.under_test import CONVERGENCE_TIMEOUT_SECONDS


@pytest.fixture(autouse=True, scope="session")
def _environment() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVERGENCE_TIMEOUT_SECONDS", str(CONVERGENCE_TIMEOUT_SECONDS))
        patch.setenv("TRAFFIC_DISTRIBUTION_GROUP_USER_COUNT", "5")
        yield


@pytest.fixture(autouse=True)
def _reproducible() -> None:
    """The provider spreads its calls at random; tests want the same spread every time."""
    random.seed(0)
