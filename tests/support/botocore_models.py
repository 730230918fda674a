"""What the installed botocore knows: tests also run with the oldest one that is supported."""

from __future__ import annotations

import pytest

from connect_associations.testing.service_model import service_model


def _needs(operation: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        operation not in service_model().operation_names,
        reason=f"this botocore does not know {operation}",
    )


since_2026 = _needs("GetCrossRegionRouting")
"""Needs what Connect learnt in 2026."""

needs_findings = _needs("ListReplicationFindings")
"""Needs what says why a user is not replicated."""
