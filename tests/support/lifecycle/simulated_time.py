"""While handlers run, ``time.time`` and ``time.sleep`` are those of the simulation."""

from __future__ import annotations

import contextlib
import importlib
import time
from typing import TYPE_CHECKING
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecycle.clock import SimulatedClock

_CALLS = "connect_provider.connect.calls"


@contextlib.contextmanager
def simulated_time(clock: SimulatedClock) -> Iterator[None]:
    """Let time be *clock*'s, and what overlaps happen at once, until the block ends.

    Nothing stays behind, so that other tests in this process never see it. botocore waits between
    its own retries by ``time.sleep`` too.
    """
    with (
        patch.object(time, "time", clock.time),
        patch.object(time, "sleep", clock.sleep),
        patch.object(importlib.import_module(_CALLS), "start", clock.start),
    ):
        yield
