"""The log groups of the provider's functions."""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from connect_associations import _acknowledgements

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from connect_associations._provider_props import ProviderProps

_SIGNATURE = "X-Amz-Signature=[0-9a-f]+"


class LogGroups:
    """The log groups of one provider: one for each purpose, or the user's for everything.

    :param scope: the provider.
    :param props: its properties.
    """

    def __init__(self, scope: Construct, props: ProviderProps) -> None:
        self._scope = scope
        self._shared = props.log_group
        self._is_retention_chosen = props.log_retention is not None
        self._retention = props.log_retention or logs.RetentionDays.ONE_MONTH
        self._removal_policy = props.log_removal_policy or cdk.RemovalPolicy.DESTROY
        self._encryption_key = props.encryption_key
        self._of_handlers: dict[str, logs.ILogGroup] = {}
        if props.encryption_key:
            self._let_write_with(props.encryption_key)

    @property
    def of_handlers(self) -> list[logs.ILogGroup]:
        """The log groups of our own functions, each once."""
        return list(self._of_handlers.values())

    def create(self, name: str) -> logs.ILogGroup:
        """Return the log group for a purpose.

        :param name: what the construct's ID begins with.
        """
        return self._shared or cast("logs.ILogGroup", self._create(name))

    def create_for_waiter(self, handler: lambda_.Function) -> logs.ILogGroup:
        """Return a log group for the waiter, which masks what must not be read.

        The waiter's logs leave out its data, which holds CloudFormation's callback URL. AWS does
        not say whether they also leave out the error of a failed poll, which holds it as well. So
        the log group masks the signature, without which the URL is useless.

        :param handler: the log group's name ends in this handler's name. One resource policy of
            CloudWatch Logs, of which an account has ten, covers all names with the same prefix.
        """
        group = self._create(
            "Waiter",
            log_group_name=f"/aws/vendedlogs/states/{handler.function_name}",
            data_protection_policy=logs.DataProtectionPolicy(
                name="ConnectAssociations",
                description="Masks the signature of CloudFormation's callback URL.",
                identifiers=[logs.CustomDataIdentifier("Signature", _SIGNATURE)],
            ),
        )
        return cast("logs.ILogGroup", group)

    def _create(
        self,
        name: str,
        *,
        log_group_name: str | None = None,
        data_protection_policy: logs.DataProtectionPolicy | None = None,
    ) -> logs.LogGroup:
        group = logs.LogGroup(
            self._scope,
            f"{name}Logs",
            log_group_name=log_group_name,
            retention=self._retention,
            removal_policy=self._removal_policy,
            encryption_key=self._encryption_key,
            data_protection_policy=data_protection_policy,
        )
        _acknowledgements.acknowledge_on(
            group,
            None if self._encryption_key else _acknowledgements.LOGS_WITHOUT_OWN_KEY,
            None if self._is_retention_chosen else _acknowledgements.LOGS_FOR_A_MONTH,
        )
        return group

    def belongs_to(self, group: logs.ILogGroup, handler: lambda_.Function) -> None:
        """Name *group* as Lambda does, after the handler, where the handler fails.

        The Provider framework ends the reason of a failure with ``Logs: /aws/lambda/FUNCTION``.
        CloudFormation chooses the function's name, so the log group needs the function and not the
        other way round; a function that names no log group logs to the one of that name.
        """
        self._of_handlers[group.node.path] = group
        if group is self._shared:
            return
        resource = cast("logs.CfnLogGroup", group.node.default_child)
        resource.log_group_name = f"/aws/lambda/{handler.function_name}"
        function = cast("lambda_.CfnFunction", handler.node.default_child)
        function.add_property_deletion_override("LoggingConfig.LogGroup")

    def grant_write(self, role: iam.IRole) -> iam.Policy:
        """Let *role* write the handlers' logs, in a policy that the functions do not wait for.

        :returns: the policy, which whatever calls the functions depends on.
        """
        policy = iam.Policy(
            self._scope,
            "LogsPolicy",
            # Complete before it is attached: the report of customize_roles is written then.
            document=iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                        resources=[group.log_group_arn for group in self.of_handlers],
                    )
                ]
            ),
        )
        role.attach_inline_policy(policy)
        _acknowledgements.acknowledge_on(policy, _acknowledgements.INLINE_POLICY)
        return policy

    def _let_write_with(self, key: kms.IKey) -> None:
        """Let CloudWatch Logs write the log groups of this account with the key."""
        stack = cdk.Stack.of(self._scope)
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
