#!/usr/bin/env python3
"""The same agents in two groups of a replicated instance, one at home in each Region.

    cdk deploy -c instance_id=… -c user_ids=…,… -c east=GROUP_ARN -c west=GROUP_ARN

One stack serves both: the provider calls each group's home Region, which is in its ARN.
"""

from __future__ import annotations

import sys
from pathlib import Path

import aws_cdk as cdk

# In a checkout the library needs no installation.
sys.path.append(str(Path(__file__).resolve().parents[2] / "constructs"))

from connect_associations import ConnectAssociationProvider, TrafficDistributionGroupMembership

INSTANCE = "11111111-1111-4111-8111-111111111111"
USERS = "33333333-3333-4333-8333-00000000000a,33333333-3333-4333-8333-00000000000b"
GROUPS = {
    "east": (
        "arn:aws:connect:us-east-1:123456789012:traffic-distribution-group/"
        "22222222-2222-4222-8222-000000000001"
    ),
    "west": (
        "arn:aws:connect:us-west-2:123456789012:traffic-distribution-group/"
        "22222222-2222-4222-8222-000000000002"
    ),
}


def main() -> None:
    """Synthesize both memberships."""
    app = cdk.App()
    stack = cdk.Stack(app, "TwoRegions")
    # New agents are copied to the other Region within half an hour; this waits for them.
    ConnectAssociationProvider(stack, "Provider", convergence_timeout=cdk.Duration.minutes(45))
    users = (app.node.try_get_context("user_ids") or USERS).split(",")
    for name, group in GROUPS.items():
        TrafficDistributionGroupMembership(
            stack,
            name.capitalize(),
            instance_id=app.node.try_get_context("instance_id") or INSTANCE,
            traffic_distribution_group_id=app.node.try_get_context(name) or group,
            user_ids=users,
        )
    app.synth()


if __name__ == "__main__":
    main()
