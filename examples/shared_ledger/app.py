#!/usr/bin/env python3
"""Two teams with a stack each, agents who work for both, and one ledger for the two stacks.

    cdk deploy --all -c instance_id=… -c traffic_distribution_group_id=… -c Sales=…,… -c Support=…,…

The stacks know of each other through the ledger: an agent whom both declare stays in the group
until neither does, and one who moves from one team to the other is never out of it, whichever stack
is deployed first.
"""

from __future__ import annotations

import sys
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb

# In a checkout the library needs no installation.
sys.path.append(str(Path(__file__).resolve().parents[2] / "constructs"))

from connect_associations import ConnectAssociationProvider, TrafficDistributionGroupMembership

INSTANCE = "11111111-1111-4111-8111-111111111111"
GROUP = "22222222-2222-4222-8222-000000000001"
TEAMS = {
    "Sales": "33333333-3333-4333-8333-00000000000a,33333333-3333-4333-8333-00000000000b",
    "Support": "33333333-3333-4333-8333-00000000000b,33333333-3333-4333-8333-00000000000c",
}


class Ledger(cdk.Stack):
    """The table that the teams' stacks share. It outlives them: the CDK retains tables.

    :ivar table: the table.
    """

    def __init__(self, scope: cdk.App, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        string = dynamodb.AttributeType.STRING
        # The names are the provider's.
        self.table = dynamodb.Table(
            self,
            "Ledger",
            partition_key=dynamodb.Attribute(name="pk", type=string),
            sort_key=dynamodb.Attribute(name="sk", type=string),
            time_to_live_attribute="expires_at",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
        )


def main() -> None:
    """Synthesize the ledger and a stack for each team."""
    app = cdk.App()
    ledger = Ledger(app, "Ledger")
    for team, users in TEAMS.items():
        stack = cdk.Stack(app, team)
        ConnectAssociationProvider(stack, "Provider", ledger=ledger.table)
        TrafficDistributionGroupMembership(
            stack,
            "Agents",
            instance_id=app.node.try_get_context("instance_id") or INSTANCE,
            traffic_distribution_group_id=(
                app.node.try_get_context("traffic_distribution_group_id") or GROUP
            ),
            user_ids=(app.node.try_get_context(team) or users).split(","),
        )
    app.synth()


if __name__ == "__main__":
    main()
