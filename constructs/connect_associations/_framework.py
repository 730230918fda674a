"""The Provider framework of aws-cdk-lib, and everything that we know about its internals.

The framework creates three functions and a waiter. It has no props for some of what the provider
offers, so we reach into it: by the IDs of its children and by the logical ID of the function that
CloudFormation calls. Nothing else in the library knows these.
"""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, TypeVar, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as stepfunctions
from aws_cdk import custom_resources
from constructs import Construct

from connect_associations import _acknowledgements, _time_outs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import aws_logs as logs
    from constructs import IConstruct

    from connect_associations._acknowledgements import Acknowledgement
    from connect_associations._logs import LogGroups
    from connect_associations._network import Network
    from connect_associations._provider_props import ProviderProps
    from connect_associations._time_outs import TimeOuts

SERVICE_LOGICAL_ID = "ConnectAssociations"
"""The function that CloudFormation calls. Fixed, so that the provider may get another name or place
in the stack: CloudFormation does not let a custom resource change its service token."""

_SERVICE = "framework-onEvent"
_POLLING = "framework-isComplete"
_LATE = "framework-onTimeout"
_WAITER = "waiter-state-machine"
_RESOURCE = "Resource"
_ROLE = "Role"
_SERVICE_ROLE = "ServiceRole"
_POLICY = "DefaultPolicy"
_INVOKE_CONFIG = "EventInvokeConfig"

_LOGS_POLICY = "AWSLambdaBasicExecutionRole"
_VPC_POLICY = "AWSLambdaVPCAccessExecutionRole"
_WRITE_TRACES = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")
_SAMPLE_TRACES = ("xray:GetSamplingRules", "xray:GetSamplingTargets")

_MEMORY_MIB = 128

_T = TypeVar("_T")


class Framework:
    """The functions and the waiter that stand between CloudFormation and the handlers.

    :param scope: the provider.
    :param props: its properties.
    :param on_event: the handler that plans.
    :param is_complete: the handler that converges.
    :param time_outs: how long the waiter goes on.
    :param log_groups: where functions and waiter log.
    :param network: where the functions run.
    :raises RuntimeError: this version of aws-cdk-lib names the framework's children differently.
    """

    def __init__(  # noqa: PLR0913 - what the framework is made of, all but the first two by keyword
        self,
        scope: Construct,
        props: ProviderProps,
        *,
        on_event: lambda_.Function,
        is_complete: lambda_.Function,
        time_outs: TimeOuts,
        log_groups: LogGroups,
        network: Network,
    ) -> None:
        waiter_logs = log_groups.create_for_waiter(is_complete) if props.waiter_logging else None
        self.provider = custom_resources.Provider(
            scope,
            "Provider",
            on_event_handler=on_event,
            is_complete_handler=is_complete,
            query_interval=cdk.Duration.seconds(_time_outs.QUERY_INTERVAL),
            total_timeout=cdk.Duration.seconds(time_outs.waiter),
            log_group=log_groups.create("Framework"),
            disable_waiter_state_machine_logging=not props.waiter_logging,
            waiter_state_machine_log_options=_log_everything(waiter_logs),
            vpc=network.vpc,
            vpc_subnets=network.subnets,
            security_groups=network.security_groups,
            provider_function_env_encryption=props.encryption_key,
        )
        self.service = _child(self.provider, _SERVICE, lambda_.Function)
        self._waited_for = [
            _child(self.provider, name, lambda_.Function) for name in (_POLLING, _LATE)
        ]
        waiter = _child(self.provider, _WAITER, Construct)
        self._waiter_role = _child(waiter, _ROLE, iam.Role)
        self.state_machine = _child(waiter, _RESOURCE, stepfunctions.CfnStateMachine)
        self._resource(self.service).override_logical_id(SERVICE_LOGICAL_ID)
        self.service.configure_async_invoke(
            max_event_age=cdk.Duration.seconds(_time_outs.EVENT_AGE)
        )
        self.invoke_config = _child(self.service, _INVOKE_CONFIG, lambda_.EventInvokeConfig)
        for function in self.functions:
            resource = self._resource(function)
            # Lambda's default, set explicitly: some rules want to see it.
            resource.memory_size = _MEMORY_MIB
            # Newer versions of the framework set this themselves. When the waiter times out, it
            # logs its event, and with it the URL with which anybody could answer CloudFormation.
            resource.add_property_override("LoggingConfig.LogFormat", "JSON")
            resource.add_property_override("LoggingConfig.ApplicationLogLevel", "FATAL")
            if props.encryption_key:
                props.encryption_key.grant_decrypt(function)
        if props.tracing:
            self._trace()
        self._acknowledge(props, on_event, is_complete)

    @property
    def functions(self) -> list[lambda_.Function]:
        """The framework's functions."""
        return [self.service, *self._waited_for]

    def wait_for(self, dependency: IConstruct) -> None:
        """Create *dependency* before anything of the framework, and delete it afterwards."""
        self.provider.node.add_dependency(dependency)

    @staticmethod
    def _resource(function: lambda_.Function) -> lambda_.CfnFunction:
        return cast("lambda_.CfnFunction", function.node.default_child)

    def _trace(self) -> None:
        """Turn on X-Ray, for which the framework has no prop."""
        for function in self.functions:
            active = lambda_.CfnFunction.TracingConfigProperty(mode="Active")
            self._resource(function).tracing_config = active
            function.add_to_role_policy(_anywhere(*_WRITE_TRACES))
        self.state_machine.tracing_configuration = (
            stepfunctions.CfnStateMachine.TracingConfigurationProperty(enabled=True)
        )
        self._waiter_role.add_to_policy(_anywhere(*_WRITE_TRACES, *_SAMPLE_TRACES))

    def _acknowledge(self, props: ProviderProps, *handlers: lambda_.Function) -> None:
        """Say why findings about what the framework creates stay."""
        known = _acknowledgements
        stack = cdk.Stack.of(self.provider)

        def invokes(functions: Iterable[lambda_.Function]) -> Acknowledgement:
            arns = (f"{function.function_arn}:*" for function in functions)
            return known.ANY_VERSION.of_resources(stack, arns)

        for function in self.functions:
            known.acknowledge_on(
                function,
                known.FRAMEWORK_DEAD_LETTERS,
                known.FRAMEWORK_CONCURRENCY,
                None if props.vpc else known.NO_VPC,
                None if props.tracing else known.NO_TRACING,
            )
            role = _child(function, _SERVICE_ROLE, iam.Role)
            known.acknowledge_on(
                role,
                known.FRAMEWORK_LOGS_POLICY.of_managed_policies(_LOGS_POLICY),
                known.VPC_POLICY.of_managed_policies(_VPC_POLICY) if props.vpc else None,
            )
            self._acknowledge_policy(
                role, invokes(handlers), known.TRACES_ANYWHERE if props.tracing else None
            )
        known.acknowledge_on(self.invoke_config, known.FAILURE_DESTINATION)
        known.acknowledge(
            self.state_machine,
            [
                *([] if props.waiter_logging else [known.WAITER_LOGS]),
                *([] if props.tracing else [known.WAITER_TRACING]),
            ],
        )
        self._acknowledge_policy(
            self._waiter_role,
            invokes(self._waited_for),
            known.WAITER_ANYWHERE if props.tracing or props.waiter_logging else None,
        )

    @staticmethod
    def _acknowledge_policy(role: iam.Role, *known: Acknowledgement | None) -> None:
        # Roles that were created beforehand have no policy of their own.
        if policy := role.node.try_find_child(_POLICY):
            _acknowledgements.acknowledge_on(policy, _acknowledgements.INLINE_POLICY, *known)


def _child(parent: IConstruct, name: str, kind: type[_T]) -> _T:
    """Return a child that the framework creates.

    :raises RuntimeError: there is none of that name and kind.
    """
    child = parent.node.try_find_child(name)
    if isinstance(child, kind):
        return child
    there = ", ".join(each.node.id for each in parent.node.children) or "nothing"
    raise RuntimeError(
        f"aws-cdk-lib {metadata.version('aws-cdk-lib')} builds custom_resources.Provider "
        f"differently than this version of cdk-connect-associations expects: {parent.node.path} "
        f"should have {kind.__name__} {name!r}, and has {there}. Install an older aws-cdk-lib, or "
        f"a newer cdk-connect-associations"
    )


def _anywhere(*actions: str) -> iam.PolicyStatement:
    """Allow actions that cannot be limited to resources."""
    return iam.PolicyStatement(actions=list(actions), resources=["*"])


def _log_everything(log_group: logs.ILogGroup | None) -> custom_resources.LogOptions | None:
    """Log the waiter's steps, without their data: its input holds the callback URL."""
    if log_group is None:
        return None
    return custom_resources.LogOptions(
        destination=log_group,
        include_execution_data=False,
        level=stepfunctions.LogLevel.ALL,
    )
