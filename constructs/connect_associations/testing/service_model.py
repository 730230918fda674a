"""Connect as botocore's service model describes it, and what of it is emulated."""

from __future__ import annotations

import functools

from botocore.loaders import Loader
from botocore.model import ServiceModel

OPERATIONS = (
    "AssociateContactWithUser",
    "AssociateTrafficDistributionGroupUser",
    "CreateInstance",
    "CreateTrafficDistributionGroup",
    "CreateUser",
    "DeleteInstance",
    "DeleteTrafficDistributionGroup",
    "DeleteUser",
    "DescribeContact",
    "DescribeInstance",
    "DescribeTrafficDistributionGroup",
    "DescribeUser",
    "DisassociateTrafficDistributionGroupUser",
    "GetCrossRegionRouting",
    "ListReplicationFindings",
    "ListTrafficDistributionGroupUsers",
    "ListTrafficDistributionGroups",
    "ListUsers",
    "SearchUsers",
    "StartTaskContact",
    "StopContact",
    "TransferContact",
    "UpdateCrossRegionRouting",
)
"""The operations that are emulated, as far as the installed botocore has them."""


@functools.cache
def service_model() -> ServiceModel:
    """Return the model, whatever the machine's AWS configuration says.

    A session would read that configuration, and fail if it names a profile that is not there.
    """
    description = Loader().load_service_model("connect", "service-2")
    return ServiceModel(description, "connect")
