"""What the installed botocore knows: tests also run with the oldest one that is supported."""

from __future__ import annotations

import pytest

from connect_associations.testing.service_model import service_model

since_2026 = pytest.mark.skipif(
    "GetCrossRegionRouting" not in service_model().operation_names,
    reason="this botocore does not know what Connect learnt in 2026",
)
