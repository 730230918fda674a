#!/usr/bin/env python3
"""A contact centre in one stack: instance, group and agents, and who is in the group.

A group needs an instance that is replicated to another Region, and CloudFormation cannot replicate
one. So the first deployment is made in three steps:

    cdk deploy -c alias=my-contact-centre -c group=no
    aws connect replicate-instance --instance-id … --replica-region … --replica-alias …
    cdk deploy -c alias=my-contact-centre

With ``-c instance_id=… -c traffic_distribution_group_id=… -c user_ids=…,…`` nothing of that is
created, and the stack declares only who is in the group.
"""

from __future__ import annotations

import sys
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_connect as connect

# In a checkout the library needs no installation.
sys.path.append(str(Path(__file__).resolve().parents[2] / "constructs"))

from connect_associations import TrafficDistributionGroupMembership

AGENTS = {"ann": ("Ann", "Archer"), "bob": ("Bob", "Baker"), "cyd": ("Cyd", "Carter")}
WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")


class ContactCentre(cdk.Stack):
    """All of it.

    :param alias: the instance's name, unique in all of AWS.
    :param with_group: whether the instance is replicated, so that it can have a group.
    """

    def __init__(
        self, scope: cdk.App, construct_id: str, *, alias: str, with_group: bool = True
    ) -> None:
        super().__init__(scope, construct_id)
        instance = connect.CfnInstance(
            self,
            "Instance",
            # Global sign-in needs an identity provider.
            identity_management_type="SAML",
            instance_alias=alias,
            attributes=connect.CfnInstance.AttributesProperty(
                inbound_calls=True, outbound_calls=False
            ),
        )
        users = self._agents(instance)
        if not with_group:
            return
        group = connect.CfnTrafficDistributionGroup(
            self, "Group", instance_arn=instance.attr_arn, name="Everybody"
        )
        # The tokens make CloudFormation create all of the above first.
        TrafficDistributionGroupMembership(
            self,
            "Members",
            instance_id=instance.attr_id,
            traffic_distribution_group_id=group.attr_traffic_distribution_group_arn,
            user_ids=[user.attr_user_arn for user in users],
        )

    def _agents(self, instance: connect.CfnInstance) -> list[connect.CfnUser]:
        eight, six = (
            connect.CfnHoursOfOperation.HoursOfOperationTimeSliceProperty(hours=hours, minutes=0)
            for hours in (8, 18)
        )
        hours = connect.CfnHoursOfOperation(
            self,
            "Hours",
            instance_arn=instance.attr_arn,
            name="Office hours",
            time_zone="UTC",
            config=[
                connect.CfnHoursOfOperation.HoursOfOperationConfigProperty(
                    day=day, start_time=eight, end_time=six
                )
                for day in WEEKDAYS
            ],
        )
        queue = connect.CfnQueue(
            self,
            "Queue",
            instance_arn=instance.attr_arn,
            name="Calls",
            hours_of_operation_arn=hours.attr_hours_of_operation_arn,
        )
        routing = connect.CfnRoutingProfile(
            self,
            "Routing",
            instance_arn=instance.attr_arn,
            name="Agents",
            description="One call at a time.",
            default_outbound_queue_arn=queue.attr_queue_arn,
            media_concurrencies=[
                connect.CfnRoutingProfile.MediaConcurrencyProperty(channel="VOICE", concurrency=1)
            ],
        )
        security = connect.CfnSecurityProfile(
            self,
            "Security",
            instance_arn=instance.attr_arn,
            security_profile_name="Agents",
            permissions=["BasicAgentAccess"],
        )
        return [
            connect.CfnUser(
                self,
                f"Agent-{username}",
                instance_arn=instance.attr_arn,
                username=username,
                identity_info=connect.CfnUser.UserIdentityInfoProperty(
                    first_name=first_name, last_name=last_name
                ),
                phone_config=connect.CfnUser.UserPhoneConfigProperty(phone_type="SOFT_PHONE"),
                routing_profile_arn=routing.attr_routing_profile_arn,
                security_profile_arns=[security.attr_security_profile_arn],
            )
            for username, (first_name, last_name) in AGENTS.items()
        ]


def main() -> None:
    """Synthesize what the context asks for."""
    app = cdk.App()
    instance_id = app.node.try_get_context("instance_id")
    if instance_id:
        TrafficDistributionGroupMembership(
            cdk.Stack(app, "ContactCentre"),
            "Members",
            instance_id=instance_id,
            traffic_distribution_group_id=app.node.get_context("traffic_distribution_group_id"),
            user_ids=app.node.get_context("user_ids").split(","),
        )
    else:
        ContactCentre(
            app,
            "ContactCentre",
            alias=app.node.try_get_context("alias") or "my-contact-centre",
            with_group=app.node.try_get_context("group") != "no",
        )
    app.synth()


if __name__ == "__main__":
    main()
