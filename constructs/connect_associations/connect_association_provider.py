"""The provider that serves all associations of a stack."""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from connect_associations import _cdk_version, _functions, _ledger, _monitoring, _time_outs
from connect_associations._framework import Framework
from connect_associations._logs import LogGroups
from connect_associations._network import Network
from connect_associations._provider_props import ProviderProps
from connect_associations._stack_associations import StackAssociations
from connect_associations._time_outs import TimeOuts
from connect_associations.invalid_association_error import raise_problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs

    from connect_associations.audit import Audit

_cdk_version.check()

_DEFAULT_ID = "Provider"
"""The ID of a provider that nobody has created, below what the stack's associations share."""


@jsii.implements(ec2.IConnectable)
class ConnectAssociationProvider(Construct):
    """The functions, state machine, role and ledger behind all associations of a stack.

    Each stack has one, however many associations it has. To set its properties, create it before or
    after the associations. A stack without one gets one with the defaults when it is synthesized.
    :meth:`get_or_create` returns it.

    :param scope: where the provider stands in the construct tree.
    :param construct_id: its ID there.
    :param ledger: the DynamoDB table that records who declares what. Stacks of one account and
        Region can share it: then none of them removes a member whom another declares. It needs the
        string keys ``pk`` and ``sk`` and the time-to-live attribute ``expires_at``, and must
        outlive the stacks that share it. You can also pass the ledger of another provider. If you
        give a stack another ledger, it starts empty: nobody is removed, and a new *resync* claims
        everything again. Default: - a table of the stack's own, deleted with it
    :param resync: change this string to bring about every association of the stack again, for
        example after the ledger was lost or restored, or after somebody changed members by hand.
        Default: - only associations that change are brought about
    :param audit: compares the members of groups with what is declared, on a schedule, and follows
        the rules of memberships. Default: - no audit, and no resources for one
    :param convergence_timeout: how long an operation waits for problems that may go away: a group
        that is not active yet, a user who is not replicated yet, throttling. At most 1 hour.
        Default: - 40 minutes
    :param log_group: where all functions log, instead of in log groups of their own. The reason of
        a failure names it. Default: - a log group for each handler, and one for the framework
    :param log_retention: how long the logs are kept, in the log groups that are created here.
        Default: - one month
    :param log_removal_policy: what happens to these log groups when the stack is deleted.
        Default: - RemovalPolicy.DESTROY
    :param waiter_logging: whether the state machine logs its steps, without their data, to a log
        group of its own. Default: - False
    :param tracing: whether X-Ray traces the functions and the state machine. Default: - False
    :param permissions_boundary: the boundary of every role that the provider creates.
        Default: - none
    :param vpc: the VPC that the functions run in. They must be able to reach the endpoints of
        Connect, CloudFormation, DynamoDB, Lambda and Step Functions. For DynamoDB, a gateway
        endpoint is enough, and free of charge: ``vpc.add_gateway_endpoint()``. Default: - no VPC
    :param vpc_subnets: which of the VPC's subnets. Default: - the VPC's default strategy
    :param security_groups: the functions' security groups. Default: - one is created
    :param encryption_key: encrypts the log groups, the functions' environment variables and the
        stack's own ledger. The policy of an imported key must already allow CloudWatch Logs to use
        it. Default: - keys owned by AWS
    :param reserved_concurrent_executions: how many executions to reserve for each of the two
        handlers. If more associations change at once, the deployment takes longer. Default: - none
    :param memory_size: the memory of both handlers, in MiB, at least 128. Default: - 256
    :param architecture: the architecture of both handlers; *layers* must match it. Default: - ARM
    :param runtime: the Python runtime of both handlers. Default: - Python 3.14
    :param layers: layers of both handlers. Default: - none
    :param bundle_sdk: includes the installed boto3 in the functions' code, reduced to the services
        that they call, instead of using the boto3 of the runtime. Default: - False
    :raises InvalidAssociationError: one or more properties are invalid, or the stack already has a
        provider; the message lists all problems.
    """

    def __init__(  # noqa: PLR0913 - flat props are the CDK's convention
        self,
        scope: Construct,
        construct_id: str,
        *,
        ledger: dynamodb.ITable | None = None,
        resync: str | None = None,
        audit: Audit | None = None,
        convergence_timeout: cdk.Duration | None = None,
        log_group: logs.ILogGroup | None = None,
        log_retention: logs.RetentionDays | None = None,
        log_removal_policy: cdk.RemovalPolicy | None = None,
        waiter_logging: bool = False,
        tracing: bool = False,
        permissions_boundary: iam.IManagedPolicy | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        encryption_key: kms.IKey | None = None,
        reserved_concurrent_executions: int | None = None,
        memory_size: int | None = None,
        architecture: lambda_.Architecture | None = None,
        runtime: lambda_.Runtime | None = None,
        layers: Sequence[lambda_.ILayerVersion] | None = None,
        bundle_sdk: bool = False,
    ) -> None:
        props = ProviderProps(
            ledger=ledger,
            resync=resync,
            audit=audit,
            convergence_timeout=convergence_timeout,
            log_group=log_group,
            log_retention=log_retention,
            log_removal_policy=log_removal_policy,
            waiter_logging=waiter_logging,
            tracing=tracing,
            permissions_boundary=permissions_boundary,
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=security_groups,
            encryption_key=encryption_key,
            reserved_concurrent_executions=reserved_concurrent_executions,
            memory_size=memory_size,
            architecture=architecture,
            runtime=runtime,
            layers=layers,
            bundle_sdk=bundle_sdk,
        )
        associations = StackAssociations.of(scope)
        _check(props, scope, construct_id, rival=associations.provider)

        super().__init__(scope, construct_id)
        self._resync = resync
        self._audit = audit
        self._time_outs = TimeOuts.of(convergence_timeout)
        self._network = Network.create(self, props)
        self._log_groups = LogGroups(self, props)
        self._ledger = ledger or _ledger.create(self, encryption_key=encryption_key)
        self._role = _functions.create_role(self, props)
        # Everything that calls depends on the role's policy, and that on the table, which therefore
        # comes first and goes last.
        _ledger.grant(self._ledger, self._role)
        functions = _functions.Functions(
            self,
            props,
            role=self._role,
            log_groups=self._log_groups,
            network=self._network,
            environment={
                "CONVERGENCE_TIMEOUT_SECONDS": str(self._time_outs.convergence),
                _ledger.TABLE_NAME_VARIABLE: self._ledger.table_name,
            },
        )
        self._on_event = functions.create(
            "OnEvent",
            handler="handler.on_event",
            description="Plans associations in Amazon Connect, and changes nothing.",
            seconds=_time_outs.ON_EVENT,
        )
        self._is_complete = functions.create(
            "IsComplete",
            handler="handler.is_complete",
            description="Carries planned associations out in Amazon Connect.",
            seconds=_time_outs.IS_COMPLETE,
        )
        self._framework = Framework(
            self,
            props,
            on_event=self._on_event,
            is_complete=self._is_complete,
            time_outs=self._time_outs,
            log_groups=self._log_groups,
            network=self._network,
        )
        # The logs outlive whatever calls the handlers.
        self._framework.wait_for(self._log_groups.grant_write(self._role))
        if audit:
            # What only audits need is loaded only for them.
            from connect_associations._audit_function import AuditFunction  # noqa: PLC0415

            AuditFunction(
                self,
                audit,
                props=props,
                ledger=self._ledger,
                network=self._network,
                associations=associations,
            )
        if permissions_boundary:
            iam.PermissionsBoundary.of(self).apply(permissions_boundary)
        associations.join(
            self,
            after=self._framework.invoke_config,
            with_key=bool(encryption_key or self._ledger.encryption_key),
            service_timeout=self._time_outs.service_property,
        )

    @classmethod
    def get_or_create(cls, scope: Construct) -> ConnectAssociationProvider:
        """Return the provider of the stack that *scope* belongs to; create it if there is none.

        :param scope: any construct of the stack.
        """
        associations = StackAssociations.of(scope)
        return associations.provider or cls(associations.place, _DEFAULT_ID)

    @property
    def role(self) -> iam.Role:
        """The role of both handlers."""
        return self._role

    @property
    def ledger(self) -> dynamodb.ITable:
        """The table that records who declares what."""
        return self._ledger

    @property
    def resync(self) -> str | None:
        """The value of the property ``Resync`` of every association."""
        return self._resync

    @property
    def on_event_handler(self) -> lambda_.Function:
        """The function that plans, and changes nothing."""
        return self._on_event

    @property
    def is_complete_handler(self) -> lambda_.Function:
        """The function that carries the plan out."""
        return self._is_complete

    @property
    def service_token(self) -> str:
        """The ARN of the function that CloudFormation calls."""
        return self._framework.provider.service_token

    @property
    def service_timeout(self) -> int:
        """How long CloudFormation waits for an answer, in seconds."""
        return self._time_outs.service

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of all functions.

        :raises ValueError: the functions do not run in a VPC.
        """
        return self._network.connections

    def metric_errors(self, *, period: cdk.Duration | None = None) -> cloudwatch.MathExpression:
        """Return how many calls of the handlers failed. Each is an association that failed.

        :param period: the period to count over. Default: - 5 minutes
        """
        return _monitoring.errors([self._on_event, self._is_complete], period)

    def metric_waiter_failures(
        self, *, period: cdk.Duration | None = None
    ) -> cloudwatch.MathExpression:
        """Return how many executions of the state machine failed or timed out.

        Nobody answered their requests, so CloudFormation waits until its own time-out.

        :param period: the period to count over. Default: - 5 minutes
        """
        return _monitoring.waiter_failures(self._framework.state_machine, period)

    def metric_warnings(self, *, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """Return how many warnings the handlers logged: something was kept, or left alone.

        The first call of this method creates the metric filter that counts them.

        :param period: the period to count over. Default: - 5 minutes
        """
        return _monitoring.warnings(self, self._log_groups.of_handlers, period)

    def metric_ledger_failures(
        self, *, period: cdk.Duration | None = None
    ) -> cloudwatch.MathExpression:
        """Return how many calls to the ledger were throttled, or failed in DynamoDB.

        :param period: the period to count over. Default: - 5 minutes
        """
        return _monitoring.ledger_failures(self._ledger, period)

    def add_alarms(
        self, *, actions: Sequence[cloudwatch.IAlarmAction] = ()
    ) -> list[cloudwatch.Alarm]:
        """Create an alarm for each metric, and for what an audit finds, and return them.

        :param actions: what each alarm does, such as ``aws_cloudwatch_actions.SnsAction(topic)``.
            Default: - nothing
        """
        return [
            _monitoring.alarm(
                self,
                "ErrorsAlarm",
                self.metric_errors(),
                description="An association in Amazon Connect has failed.",
                actions=actions,
            ),
            _monitoring.alarm(
                self,
                "WaiterAlarm",
                self.metric_waiter_failures(),
                description="A request for an association in Amazon Connect was not answered.",
                actions=actions,
            ),
            _monitoring.alarm(
                self,
                "WarningsAlarm",
                self.metric_warnings(),
                description="Something in Amazon Connect was kept: the handlers' log says why.",
                actions=actions,
            ),
            _monitoring.alarm(
                self,
                "LedgerAlarm",
                self.metric_ledger_failures(period=cdk.Duration.minutes(1)),
                description="The ledger of associations in Amazon Connect is throttled or fails.",
                actions=actions,
                periods=5,
            ),
            *(self._audit.add_alarms(self, actions=actions) if self._audit else ()),
        ]


def _check(
    props: ProviderProps,
    scope: Construct,
    construct_id: str,
    *,
    rival: ConnectAssociationProvider | None,
) -> None:
    """Raise all problems: of the properties, and that the stack already has a provider."""
    problems = list(props.find_problems())
    if rival:
        problems.insert(
            0,
            f"the stack already has a provider, {rival.node.path}; set the properties there, or "
            f"get it with ConnectAssociationProvider.get_or_create()",
        )
    if props.ledger is not None:
        problems += _ledger.find_problems(props.ledger, stack=cdk.Stack.of(scope))
    raise_problems(scope, construct_id, problems)
