"""The provider that serves all associations of a stack."""

# The classes that jsii generates name their parameters otherwise than its protocols do:
# pyright: reportArgumentType=false

from __future__ import annotations

import functools
import math
import re
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources
from constructs import Construct

from connect_associations import _acknowledgements, _lambda_asset, _ledger
from connect_associations._declarations import Declarations
from connect_associations._identifiers import Environment, is_token, shown
from connect_associations._permissions import Permissions
from connect_associations.invalid_association_error import raise_problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_dynamodb as dynamodb
    from constructs import IConstruct

_ID = "ConnectAssociationProvider"
_SERVICE_FUNCTION = "framework-onEvent"
"""What the framework calls the function that CloudFormation calls."""

_WAITER = "waiter-state-machine"
"""What the framework calls the waiter."""

_WAITED_FOR = ("framework-isComplete", "framework-onTimeout")
"""What the framework calls the functions that its waiter invokes."""

_SERVICE_LOGICAL_ID = "ConnectAssociations"
"""Short, because every custom resource repeats it; fixed, because there is one a stack."""

_DEFAULT_CONVERGENCE = 40 * 60
_MAX_CONVERGENCE = 60 * 60
_QUERY_INTERVAL = 5
_ON_EVENT_TIMEOUT = cdk.Duration.minutes(14)
_IS_COMPLETE_TIMEOUT = cdk.Duration.minutes(10)
_OVERHEAD = 25 * 60
"""What an operation may take beside the waiting: planning (14 minutes), the last poll (10), and
the start of functions and waiter."""

_MAX_SERVICE_TIMEOUT = 3600
"""CloudFormation's most and default.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
"""

_LOGS_POLICY = "AWSLambdaBasicExecutionRole"
_VPC_POLICY = "AWSLambdaVPCAccessExecutionRole"
_MEMORY_MIB = 256
_LONGEST_RESYNC = 100
_OLDEST_RUNTIME = (3, 11)

_providers: WeakKeyDictionary[cdk.Stack, ConnectAssociationProvider] = WeakKeyDictionary()


class ConnectAssociationProvider(Construct):
    """The Lambda functions, the waiter, the role and the ledger behind all associations of a stack.

    There is one in a stack, however many associations it has. Get it with
    :meth:`get_or_create`, or create it before the first association to set its properties.

    :param scope: where the provider stands in the construct tree.
    :param construct_id: its ID there.
    :param ledger: the DynamoDB table in which it is noted who declares what, shared among stacks
        of one account and Region: a member whom one of them declares is not removed by another.
        It has the string keys ``pk`` and ``sk`` and the time-to-live attribute ``expires_at``, and
        outlives the stacks that share it; the ledger of another provider is one. A stack that gets
        another ledger has lost what the former one knew: nobody is removed, and *resync* claims
        everything anew. Default: - a table is made, and deleted with the stack
    :param resync: when this string changes, every association of the stack is brought about again:
        after the ledger was lost or restored, or members were changed by hand.
        Default: - an association is brought about when it changes
    :param convergence_timeout: how long an operation waits for what may heal by itself: a group
        that is not active yet, a user that is not replicated yet, throttling. At most 1 hour.
        Default: - 40 minutes
    :param log_retention: how long the functions' logs are kept. Default: - one month
    :param log_removal_policy: what becomes of the log groups when the stack is deleted.
        Default: - RemovalPolicy.DESTROY
    :param permissions_boundary: the boundary of every role that the provider creates.
        Default: - none
    :param vpc: the VPC that the functions run in; they need a way to the endpoints of Connect,
        CloudFormation, DynamoDB, Lambda and Step Functions. For DynamoDB a gateway endpoint is
        enough, ``vpc.add_gateway_endpoint()``, which costs nothing. Default: - no VPC
    :param vpc_subnets: which of the VPC's subnets. Default: - the VPC's default strategy
    :param security_groups: the functions' security groups. Default: - one is created
    :param encryption_key: encrypts the log groups, the functions' environment and the ledger that
        is made here. An imported key's policy must already let CloudWatch Logs use it.
        Default: - keys owned by AWS
    :param reserved_concurrent_executions: reserved for each of the two handlers. Fewer than the
        associations that change at once slow a deployment down. Default: - nothing is reserved
    :param runtime: the Python runtime of both handlers. Default: - Python 3.14
    :param layers: layers of both handlers. Default: - none
    :param bundle_sdk: puts the installed boto3, trimmed to the services that are called, into
        the functions' code, instead of relying on the boto3 of the runtime. Default: - False
    :raises InvalidAssociationError: a property is out of range, or the stack has a provider.
    """

    def __init__(  # noqa: PLR0913 - flat props are the CDK's convention
        self,
        scope: Construct,
        construct_id: str,
        *,
        ledger: dynamodb.ITable | None = None,
        resync: str | None = None,
        convergence_timeout: cdk.Duration | None = None,
        log_retention: logs.RetentionDays | None = None,
        log_removal_policy: cdk.RemovalPolicy | None = None,
        permissions_boundary: iam.IManagedPolicy | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        encryption_key: kms.IKey | None = None,
        reserved_concurrent_executions: int | None = None,
        runtime: lambda_.Runtime | None = None,
        layers: Sequence[lambda_.ILayerVersion] | None = None,
        bundle_sdk: bool = False,
    ) -> None:
        stack = cdk.Stack.of(scope)
        problems = _find_problems(
            resync=resync,
            convergence_timeout=convergence_timeout,
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=security_groups,
            runtime=runtime,
            reserved_concurrent_executions=reserved_concurrent_executions,
            bundle_sdk=bundle_sdk,
            rival=_providers.get(stack),
        )
        if ledger is not None:
            problems += _ledger.find_problems(ledger, stack=stack)
        raise_problems(scope, construct_id, problems)

        super().__init__(scope, construct_id)
        _providers[stack] = self
        self._environment = Environment.of(stack)
        self._resync = resync
        if permissions_boundary:
            iam.PermissionsBoundary.of(self).apply(permissions_boundary)
        convergence = (
            int(convergence_timeout.to_seconds()) if convergence_timeout else _DEFAULT_CONVERGENCE
        )
        self._service_timeout = min(_MAX_SERVICE_TIMEOUT, convergence + _OVERHEAD)

        on_event_logs, is_complete_logs, framework_logs = (
            logs.LogGroup(
                self,
                f"{name}Logs",
                retention=log_retention or logs.RetentionDays.ONE_MONTH,
                removal_policy=log_removal_policy or cdk.RemovalPolicy.DESTROY,
                encryption_key=encryption_key,
            )
            for name in ("OnEvent", "IsComplete", "Framework")
        )
        self._role = self._create_role([on_event_logs, is_complete_logs], in_vpc=vpc is not None)
        self._ledger = ledger or cast(
            "dynamodb.ITable", _ledger.create(self, encryption_key=encryption_key)
        )
        # Everything that calls depends on the role's policy, and that on the table, which therefore
        # comes first and goes last.
        _ledger.grant(self._ledger, self._role)
        self._permissions = Permissions(
            self, self._role, with_key=bool(encryption_key or self._ledger.encryption_key)
        )
        self._declarations = Declarations(self._permissions)
        self.node.add_validation(self._declarations)
        if vpc and not security_groups:
            security_groups = [
                ec2.SecurityGroup(
                    self,
                    "SecurityGroup",
                    vpc=vpc,
                    description="The functions behind the Connect associations.",
                )
            ]

        create_handler = functools.partial(
            lambda_.Function,
            self,
            code=_lambda_asset.code(bundle_sdk=bundle_sdk),
            runtime=runtime or lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=_MEMORY_MIB,
            role=self._role,
            logging_format=lambda_.LoggingFormat.JSON,
            environment={
                "CONVERGENCE_TIMEOUT_SECONDS": str(convergence),
                _ledger.TABLE_NAME_VARIABLE: self._ledger.table_name,
            },
            environment_encryption=encryption_key,
            reserved_concurrent_executions=reserved_concurrent_executions,
            layers=layers,
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=security_groups,
        )
        self._on_event = create_handler(
            "OnEvent",
            handler="connect_provider.handler.on_event",
            description="Plans associations in Amazon Connect, and changes nothing.",
            timeout=_ON_EVENT_TIMEOUT,
            log_group=on_event_logs,
        )
        self._is_complete = create_handler(
            "IsComplete",
            handler="connect_provider.handler.is_complete",
            description="Carries planned associations out in Amazon Connect.",
            timeout=_IS_COMPLETE_TIMEOUT,
            log_group=is_complete_logs,
        )
        self._provider = custom_resources.Provider(
            self,
            "Provider",
            on_event_handler=self._on_event,
            is_complete_handler=self._is_complete,
            query_interval=cdk.Duration.seconds(_QUERY_INTERVAL),
            # The framework takes whole intervals only.
            total_timeout=cdk.Duration.seconds(
                math.ceil(convergence / _QUERY_INTERVAL) * _QUERY_INTERVAL
            ),
            # The waiter's input holds the callback URL of CloudFormation: it is not logged.
            disable_waiter_state_machine_logging=True,
            log_group=framework_logs,
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=security_groups,
            provider_function_env_encryption=encryption_key,
        )
        if encryption_key:
            self._allow_key_use(encryption_key)
        self._acknowledge_handlers(
            in_vpc=vpc is not None, limited=reserved_concurrent_executions is not None
        )
        self._acknowledge_framework(in_vpc=vpc is not None)
        if not encryption_key:
            for group in (on_event_logs, is_complete_logs, framework_logs):
                _acknowledge(group, _acknowledgements.LOGS_WITHOUT_OWN_KEY)
        service = self._provider.node.find_child(_SERVICE_FUNCTION).node.default_child
        cast("cdk.CfnResource", service).override_logical_id(_SERVICE_LOGICAL_ID)
        # One object, so that thousands of resources hold the same token.
        self._short_service_token = cdk.Fn.sub(f"${{{_SERVICE_LOGICAL_ID}.Arn}}")

    @classmethod
    def get_or_create(cls, scope: Construct) -> ConnectAssociationProvider:
        """Return the provider of the stack that *scope* belongs to; create it if there is none.

        :param scope: any construct of the stack.
        """
        stack = scope if isinstance(scope, cdk.Stack) else cdk.Stack.of(scope)
        return _providers.get(stack) or cls(stack, _ID)

    @property
    def role(self) -> iam.Role:
        """The role of both handlers."""
        return self._role

    @property
    def ledger(self) -> dynamodb.ITable:
        """The table in which it is noted who declares what."""
        return self._ledger

    @property
    def resync(self) -> str | None:
        """What every association's property ``Resync`` holds."""
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
        return self._provider.service_token

    @property
    def short_service_token(self) -> str:
        """The same ARN in the fewest bytes of a template, for resources of this stack only."""
        return self._short_service_token

    @property
    def environment(self) -> Environment:
        """Where the stack goes."""
        return self._environment

    @property
    def service_timeout(self) -> int:
        """How long CloudFormation waits for an answer, in seconds."""
        return self._service_timeout

    @property
    def permissions(self) -> Permissions:
        """What the role may do; the associations add what they need."""
        return self._permissions

    @property
    def declarations(self) -> Declarations:
        """What the stack's associations declare."""
        return self._declarations

    def _create_role(self, log_groups: Sequence[logs.LogGroup], *, in_vpc: bool) -> iam.Role:
        """Create the role with what does not depend on the associations of the stack.

        The handlers ask about their own deployment: whether it goes forward, back or away. A
        nested stack is deleted under an innocent status when its parent rolls back, so that they
        also ask for the status of the outermost one.
        """
        stack = cdk.Stack.of(self)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Associates users and contacts of Amazon Connect for this stack.",
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[group.log_group_arn for group in log_groups],
            )
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
        if in_vpc:
            role.add_managed_policy(
                iam.ManagedPolicy.from_aws_managed_policy_name(f"service-role/{_VPC_POLICY}")
            )
        return role

    def _acknowledge_handlers(self, *, in_vpc: bool, limited: bool) -> None:
        """Say why findings about the handlers and their role stay."""
        for handler in (self._on_event, self._is_complete):
            _acknowledge(
                handler,
                _acknowledgements.NO_DEAD_LETTERS,
                None if in_vpc else _acknowledgements.NO_VPC,
                None if limited else _acknowledgements.NO_RESERVED_CONCURRENCY,
            )
        if in_vpc:
            _acknowledge(self._role, _acknowledgements.VPC_POLICY.of_managed_policies(_VPC_POLICY))
        _acknowledge(self._role.node.find_child("DefaultPolicy"), _acknowledgements.INLINE_POLICY)

    def _acknowledge_framework(self, *, in_vpc: bool) -> None:
        """Say why findings about what the Provider framework creates stay."""
        stack = cdk.Stack.of(self)
        functions = [
            child for child in self._provider.node.children if isinstance(child, lambda_.Function)
        ]
        waiter = self._provider.node.find_child(_WAITER)

        def invokes(*invoked: lambda_.Function) -> _acknowledgements.Acknowledgement:
            return _acknowledgements.ANY_VERSION.of_resources(
                stack, (f"{function.function_arn}:*" for function in invoked)
            )

        for function in functions:
            _acknowledge(
                function,
                _acknowledgements.FRAMEWORK_DEAD_LETTERS,
                _acknowledgements.FRAMEWORK_CONCURRENCY,
                None if in_vpc else _acknowledgements.NO_VPC,
            )
            role = function.node.find_child("ServiceRole")
            _acknowledge(
                role,
                _acknowledgements.FRAMEWORK_LOGS_POLICY.of_managed_policies(_LOGS_POLICY),
                _acknowledgements.VPC_POLICY.of_managed_policies(_VPC_POLICY) if in_vpc else None,
            )
            _acknowledge(
                role.node.find_child("DefaultPolicy"),
                _acknowledgements.INLINE_POLICY,
                invokes(self._on_event, self._is_complete),
            )
        _acknowledge(waiter, _acknowledgements.WAITER_LOGS, _acknowledgements.WAITER_TRACING)
        _acknowledge(
            waiter.node.find_child("Role").node.find_child("DefaultPolicy"),
            _acknowledgements.INLINE_POLICY,
            invokes(*(function for function in functions if function.node.id in _WAITED_FOR)),
        )

    def _allow_key_use(self, key: kms.IKey) -> None:
        """Let the functions read their environment, and CloudWatch Logs write the log groups."""
        key.grant_decrypt(self._role)
        for child in self._provider.node.children:
            if isinstance(child, lambda_.Function):
                key.grant_decrypt(child)
        stack = cdk.Stack.of(self)
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=[
                    "kms:Decrypt*",
                    "kms:DescribeKey",
                    "kms:Encrypt*",
                    "kms:GenerateDataKey*",
                    "kms:ReEncrypt*",
                ],
                resources=["*"],
                conditions={
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": stack.format_arn(
                            service="logs",
                            resource="log-group",
                            resource_name="*",
                            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                        )
                    }
                },
            ),
            # An imported key's policy cannot be changed here.
            allow_no_op=True,
        )


def _acknowledge(owner: IConstruct, *known: _acknowledgements.Acknowledgement | None) -> None:
    """Acknowledge what is not None on the resource of *owner*."""
    resource = cast("cdk.CfnResource", owner.node.default_child)
    _acknowledgements.acknowledge(resource, [each for each in known if each])


def _outermost(stack: cdk.Stack) -> cdk.Stack:
    """Return the stack that a nested one is deployed with, or the stack itself."""
    while stack.nested_stack_parent:
        stack = stack.nested_stack_parent
    return stack


def _find_problems(  # noqa: PLR0913 - the props that have something to check
    *,
    resync: object,
    convergence_timeout: cdk.Duration | None,
    vpc: ec2.IVpc | None,
    vpc_subnets: ec2.SubnetSelection | None,
    security_groups: Sequence[ec2.ISecurityGroup] | None,
    runtime: lambda_.Runtime | None,
    reserved_concurrent_executions: int | None,
    bundle_sdk: bool,
    rival: ConnectAssociationProvider | None,
) -> list[str]:
    problems: list[str] = []
    if rival:
        problems.append(
            f"the stack already has a provider, {rival.node.path}; create yours before the "
            f"first association, or get it with ConnectAssociationProvider.get_or_create()"
        )
    if resync is not None and not (isinstance(resync, str) and 1 <= len(resync) <= _LONGEST_RESYNC):
        problems.append(
            f"resync: expected a string of 1 to {_LONGEST_RESYNC} characters, such as a date, got "
            f"{shown(resync)}"
        )
    if convergence_timeout is not None:
        _check_timeout(convergence_timeout, problems)
    if not vpc and (vpc_subnets or security_groups):
        problems.append("vpc: is missing, but vpc_subnets or security_groups are given")
    if runtime is not None and not _is_usable(runtime):
        problems.append(
            f"runtime: {runtime.name!r} cannot run the handlers; expected Python "
            f"{'.'.join(map(str, _OLDEST_RUNTIME))} or newer"
        )
    if reserved_concurrent_executions is not None and reserved_concurrent_executions < 1:
        problems.append(
            f"reserved_concurrent_executions: {reserved_concurrent_executions} would stop the "
            f"handlers; expected at least 1"
        )
    if bundle_sdk and (sdk_problem := _lambda_asset.find_sdk_problem()):
        problems.append(f"bundle_sdk: {sdk_problem}")
    return problems


def _check_timeout(timeout: cdk.Duration, problems: list[str]) -> None:
    if timeout.is_unresolved():
        problems.append("convergence_timeout: must be known at synth, got a token")
        return
    seconds = timeout.to_seconds(integral=False)
    if not 1 <= seconds <= _MAX_CONVERGENCE or seconds != int(seconds):
        problems.append(
            f"convergence_timeout: {timeout.to_human_string()} is out of range; expected whole "
            f"seconds, 1 second to 1 hour"
        )


def _is_usable(runtime: lambda_.Runtime) -> bool:
    name = runtime.name
    version = re.fullmatch(r"python(\d+)\.(\d+)", name)
    if version is None:
        return is_token(name)
    return (int(version[1]), int(version[2])) >= _OLDEST_RUNTIME
