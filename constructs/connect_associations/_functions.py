"""The provider's own Lambda functions: what they have in common, and the role that they share."""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from connect_associations import _acknowledgements, _lambda_asset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from connect_associations._acknowledgements import Acknowledgement
    from connect_associations._logs import LogGroups
    from connect_associations._network import Network
    from connect_associations._provider_props import ProviderProps

_VPC_POLICY = "AWSLambdaVPCAccessExecutionRole"
_MEMORY_MIB = 256
_RUNTIME = lambda_.Runtime("python3.14", lambda_.RuntimeFamily.PYTHON)
"""By name: the oldest aws-cdk-lib that we support has no constant for it."""


class Functions:
    """Creates the functions of one provider, all alike but for what they do.

    :param scope: the provider.
    :param props: its properties.
    :param role: the role of all functions.
    :param log_groups: where they log.
    :param network: where they run.
    :param environment: their environment variables.
    """

    def __init__(  # noqa: PLR0913 - what functions are made of, all but the first two by keyword
        self,
        scope: Construct,
        props: ProviderProps,
        *,
        role: iam.IRole,
        log_groups: LogGroups,
        network: Network,
        environment: Mapping[str, str],
    ) -> None:
        self._scope = scope
        self._props = props
        self._role = role
        self._log_groups = log_groups
        self._network = network
        self._environment = dict(environment)

    def create(
        self,
        name: str,
        *,
        handler: str,
        description: str,
        seconds: int,
        no_dead_letters: Acknowledgement = _acknowledgements.NO_DEAD_LETTERS,
    ) -> lambda_.Function:
        """Create a function.

        :param name: its construct's ID.
        :param handler: the function in the package ``connect_provider``.
        :param description: what it does, for anybody who finds it in the console.
        :param seconds: its time-out.
        :param no_dead_letters: why nothing is kept of events that it could not handle.
        """
        props, network = self._props, self._network
        log_group = self._log_groups.create(name)
        function = lambda_.Function(
            self._scope,
            name,
            code=_lambda_asset.code(bundle_sdk=props.bundle_sdk),
            handler=f"connect_provider.{handler}",
            description=description,
            timeout=cdk.Duration.seconds(seconds),
            runtime=props.runtime or _RUNTIME,
            architecture=props.architecture or lambda_.Architecture.ARM_64,
            memory_size=props.memory_size or _MEMORY_MIB,
            role=self._role,
            logging_format=lambda_.LoggingFormat.JSON,
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE if props.tracing else None,
            environment=self._environment,
            environment_encryption=props.encryption_key,
            reserved_concurrent_executions=props.reserved_concurrent_executions,
            layers=props.layers,
            vpc=network.vpc,
            vpc_subnets=network.subnets,
            security_groups=network.security_groups,
        )
        self._log_groups.belongs_to(log_group, function)
        limited = props.reserved_concurrent_executions is not None
        _acknowledgements.acknowledge_on(
            function,
            no_dead_letters,
            None if network.vpc else _acknowledgements.NO_VPC,
            None if limited else _acknowledgements.NO_RESERVED_CONCURRENCY,
            None if props.tracing else _acknowledgements.NO_TRACING,
        )
        return function


def create_role(scope: Construct, props: ProviderProps) -> iam.Role:
    """Create the functions' role with what does not depend on the associations of the stack.

    The handlers ask about their own deployment: whether it goes forward, back or away. When its
    parent rolls back, a nested stack is deleted with the status of an ordinary deletion, so they
    also ask for the status of the outermost stack.

    :param scope: the provider.
    :param props: its properties.
    """
    stack = cdk.Stack.of(scope)
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description="Associates users and contacts of Amazon Connect for this stack.",
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=[
                "cloudformation:DescribeStackResource",
                "cloudformation:DescribeStacks",
                "cloudformation:ListStackResources",
            ],
            resources=[stack.stack_id],
        )
    )
    root = _outermost(stack)
    if root is not stack:
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudformation:DescribeStacks"], resources=[root.stack_id]
            )
        )
    if props.vpc:
        role.add_managed_policy(
            iam.ManagedPolicy.from_aws_managed_policy_name(f"service-role/{_VPC_POLICY}")
        )
        _acknowledgements.acknowledge_on(
            role, _acknowledgements.VPC_POLICY.of_managed_policies(_VPC_POLICY)
        )
    if props.encryption_key:
        props.encryption_key.grant_decrypt(role)
    if policy := role.node.try_find_child("DefaultPolicy"):
        _acknowledgements.acknowledge_on(
            policy,
            _acknowledgements.INLINE_POLICY,
            _acknowledgements.TRACES_ANYWHERE if props.tracing else None,
        )
    return role


def _outermost(stack: cdk.Stack) -> cdk.Stack:
    """Return the stack that a nested one is deployed with, or the stack itself."""
    while stack.nested_stack_parent:
        stack = stack.nested_stack_parent
    return stack
