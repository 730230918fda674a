#!/usr/bin/env python3
"""A provider for templates that are not written in Python.

    cdk deploy -c instance_id=… -c traffic_distribution_group_id=… -c stacks=NAME

It stands in a stack of its own and exports its service token. ``members.yaml``, a template without
the CDK, and ``members.ts`` declare members with it. Because the provider cannot know who does that,
its role is given here what the constructs would ask for: the group, and the stacks by their name.
"""

from __future__ import annotations

import sys
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

# In a checkout the library needs no installation.
sys.path.append(str(Path(__file__).resolve().parents[2] / "constructs"))

from connect_associations import ConnectAssociationProvider

INSTANCE = "11111111-1111-4111-8111-111111111111"
GROUP = "22222222-2222-4222-8222-000000000001"
STACKS = "Members*"
"""The names of the stacks that may use the provider."""


class Associations(cdk.Stack):
    """The provider, in the home Region of the group.

    :param instance_id: the instance.
    :param group_id: the group.
    :param stacks: the name of the stacks that declare members; may hold wildcards.
    """

    def __init__(
        self, scope: cdk.App, construct_id: str, *, instance_id: str, group_id: str, stacks: str
    ) -> None:
        super().__init__(scope, construct_id)
        provider = ConnectAssociationProvider(self, "Provider")

        def arn(resource: str, *, service: str = "connect") -> str:
            return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

        instance = arn(f"instance/{instance_id}")
        agents = arn(f"instance/{instance_id}/agent/*")
        group = arn(f"traffic-distribution-group/{group_id}")
        change = [
            "connect:AssociateTrafficDistributionGroupUser",
            "connect:DisassociateTrafficDistributionGroupUser",
        ]
        find = [
            "connect:ListReplicationFindings",
            "connect:ListUserProficiencies",
            "connect:SearchUsers",
        ]
        describe = ["connect:DescribeUser", "connect:ListUserProficiencies"]
        read = [
            "connect:DescribeTrafficDistributionGroup",
            "connect:ListTrafficDistributionGroupUsers",
        ]
        look = [
            "cloudformation:DescribeStackResource",
            "cloudformation:DescribeStacks",
            "cloudformation:ListStackResources",
        ]
        for actions, resource in (
            (change + find, instance),
            (change + describe, agents),
            (change + read, group),
            (look, arn(f"stack/{stacks}/*", service="cloudformation")),
        ):
            provider.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
        cdk.CfnOutput(
            self,
            "ServiceToken",
            value=provider.service_token,
            export_name="ConnectAssociations-ServiceToken",
        )


def main() -> None:
    """Synthesize the provider."""
    app = cdk.App()
    Associations(
        app,
        "Associations",
        instance_id=app.node.try_get_context("instance_id") or INSTANCE,
        group_id=app.node.try_get_context("traffic_distribution_group_id") or GROUP,
        stacks=app.node.try_get_context("stacks") or STACKS,
    )
    app.synth()


if __name__ == "__main__":
    main()
