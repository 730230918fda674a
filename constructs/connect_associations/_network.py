"""Where the provider's functions run."""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aws_cdk import aws_ec2 as ec2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from connect_associations._provider_props import ProviderProps


class Network(NamedTuple):
    """A place in a VPC, or none.

    :ivar vpc: the VPC, None outside of any.
    :ivar subnets: which of its subnets, None for the VPC's default strategy.
    :ivar security_groups: the functions' security groups, None outside of a VPC.
    """

    vpc: ec2.IVpc | None = None
    subnets: ec2.SubnetSelection | None = None
    security_groups: Sequence[ec2.ISecurityGroup] | None = None

    @classmethod
    def create(cls, scope: Construct, props: ProviderProps) -> Network:
        """Return the place that the properties name; create a security group if none is given.

        :param scope: the provider.
        :param props: its properties.
        """
        groups = props.security_groups
        if props.vpc and not groups:
            description = "The functions behind the Connect associations."
            groups = [
                ec2.SecurityGroup(scope, "SecurityGroup", vpc=props.vpc, description=description)
            ]
        return cls(props.vpc, props.vpc_subnets, groups)

    @property
    def connections(self) -> ec2.Connections:
        """What the functions may talk to.

        :raises ValueError: they do not run in a VPC.
        """
        if not self.security_groups:
            raise ValueError(
                "the provider's functions do not run in a VPC, so there are no connections to "
                "manage: create ConnectAssociationProvider with vpc"
            )
        return ec2.Connections(security_groups=self.security_groups)
