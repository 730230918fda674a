"""Experiments on the two Regions of a replicated instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_associations.cli.verify.calls import CannotTellError
from connect_associations.cli.verify.experiment import Experiment, Finding, Need
from connect_associations.testing import assumptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connect_associations.cli.verify.lab import Lab

_DESCRIBE = "DescribeTrafficDistributionGroup"


class ReplicationFindings(Experiment):
    """What is answered about agents who could not be replicated."""

    plan = "list the replication findings on agents"
    settles = (
        assumptions.LIST_REPLICATION_FINDINGS,
        assumptions.REPLICATION_FINDINGS_WITHOUT_REPLICA,
    )
    operations = ("ListReplicationFindings",)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """List them."""
        reply = lab.connect.ask(
            "ListReplicationFindings", InstanceId=lab.instance_id, ResourceType="AGENT"
        )
        if lab.replica is None:
            yield Finding(assumptions.REPLICATION_FINDINGS_WITHOUT_REPLICA, reply.code)
            raise CannotTellError(Need.REPLICA.value)
        yield Finding(assumptions.LIST_REPLICATION_FINDINGS, reply.code)
        raise CannotTellError(Need.NO_REPLICA.value)


class CrossRegionRouting(Experiment):
    """What is answered about cross-Region routing where there is none."""

    plan = "ask whether contacts go to agents in the other Region"
    settles = (assumptions.CROSS_REGION_ROUTING_WITHOUT_GLOBAL_ROUTING,)
    operations = ("GetCrossRegionRouting",)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Ask."""
        reply = lab.connect.ask("GetCrossRegionRouting", InstanceId=lab.instance_id)
        if reply.succeeded:
            raise CannotTellError("the instance has global routing")
        yield Finding(assumptions.CROSS_REGION_ROUTING_WITHOUT_GLOBAL_ROUTING, reply.code)


class GroupInTheOtherRegion(Experiment):
    """A group outside of its home Region."""

    plan = "describe the group in the other Region, by its ARN and by its plain ID"
    settles = (assumptions.GROUP_ARN_IN_REPLICA, assumptions.PLAIN_GROUP_ID_IN_REPLICA)
    operations = (_DESCRIBE,)
    needs = (Need.REPLICA, Need.GROUP)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Describe it in both spellings."""
        group = lab.chosen()
        caller = lab.elsewhere(group)
        for assumption, spelled in (
            (assumptions.GROUP_ARN_IN_REPLICA, group.arn),
            (assumptions.PLAIN_GROUP_ID_IN_REPLICA, group.id),
        ):
            yield Finding(
                assumption, caller.ask(_DESCRIBE, TrafficDistributionGroupId=spelled).code
            )


class AssociateInTheOtherRegion(Experiment):
    """A write outside of the group's home Region."""

    plan = "try to associate the first user with the group in the other Region"
    settles = (assumptions.ASSOCIATE_OUTSIDE_HOME_REGION,)
    operations = (
        "AssociateTrafficDistributionGroupUser",
        "DisassociateTrafficDistributionGroupUser",
        "ListTrafficDistributionGroupUsers",
    )
    needs = (Need.WRITE, Need.REPLICA, Need.GROUP, Need.USERS)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Associate there, by the group's ARN."""
        group = lab.chosen()
        lab.bring(lab.users[0], group, inside=False)
        reply = lab.associate(group, lab.users[0], caller=lab.elsewhere(group))
        yield Finding(assumptions.ASSOCIATE_OUTSIDE_HOME_REGION, reply.code)
