"""The function that audits a stack's associations, what starts it, and what it may do."""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from connect_associations import _acknowledgements, _functions, _ledger
from connect_associations._logs import LogGroups
from connect_associations.audit import CONTINUATION, SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import aws_dynamodb as dynamodb

    from connect_associations._network import Network
    from connect_associations._provider_props import ProviderProps
    from connect_associations._stack_associations import StackAssociations
    from connect_associations.audit import Audit

_TIMEOUT_SECONDS = 900
"""Lambda's maximum; what does not fit goes on in the next invocation."""

_OWN_ITEMS, _GROUP_ITEMS = "audit#*", "group#*"
"""The partition keys of what an audit notes about itself, and of the claims on groups."""


class AuditFunction(Construct):
    """The audit of one provider.

    :param provider: the provider, below which it stands.
    :param audit: what is wanted.
    :param props: the provider's properties.
    :param ledger: the table of claims.
    :param network: where the functions run.
    :param associations: what the stack's associations share.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, all but the first two by keyword
        self,
        provider: Construct,
        audit: Audit,
        *,
        props: ProviderProps,
        ledger: dynamodb.ITable,
        network: Network,
        associations: StackAssociations,
    ) -> None:
        super().__init__(provider, "Audit")
        stack = cdk.Stack.of(self)

        def may_change() -> bool:
            return audit.repair or associations.has_rules

        role = _functions.create_role(self, props)
        self._allow_basics(role, ledger, may_change)
        associations.permissions.attach_auditor(role, may_change=may_change)
        log_groups = LogGroups(self, props)
        function = _functions.Functions(
            self,
            props,
            role=role,
            log_groups=log_groups,
            network=network,
            environment={
                _ledger.TABLE_NAME_VARIABLE: ledger.table_name,
                "STACK_ID": stack.stack_id,
                "AUDIT_REPAIR": str(audit.repair).lower(),
                "AUDIT_MAX_SHARE": str(audit.max_change.share),
                "AUDIT_MAX_NUMBER": str(audit.max_change.number),
            },
        ).create(
            "Function",
            handler="audit.handler.audit",
            description="Compares associations in Amazon Connect with what the stack declares.",
            seconds=_TIMEOUT_SECONDS,
            no_dead_letters=_acknowledgements.AUDIT_DEAD_LETTERS,
        )
        # The next audit makes up for one that fails, so it need not be tried again.
        function.configure_async_invoke(retry_attempts=0)
        _acknowledgements.acknowledge_on(
            function.node.find_child("EventInvokeConfig"),
            _acknowledgements.AUDIT_FAILURE_DESTINATION,
        )
        target = targets.LambdaFunction(function, retry_attempts=0)
        rules = (
            events.Rule(
                self,
                "Schedule",
                description="Starts the audit of associations in Amazon Connect.",
                schedule=audit.schedule,
                targets=[target],
            ),
            events.Rule(
                self,
                "Continuation",
                description="Continues an audit of associations that takes several invocations.",
                event_pattern=events.EventPattern(
                    source=[SOURCE],
                    detail_type=[CONTINUATION],
                    detail={"stackId": [stack.stack_id]},
                ),
                targets=[target],
            ),
        )
        logs_policy = log_groups.grant_write(role)
        for rule in rules:
            rule.node.add_dependency(logs_policy)
            _acknowledgements.acknowledge_on(rule, _acknowledgements.AUDIT_TARGET_DEAD_LETTERS)
        audit.join(stack)

    def _allow_basics(
        self, role: iam.Role, ledger: dynamodb.ITable, may_change: Callable[[], bool]
    ) -> None:
        """Let the audit read the ledger, record its progress, and report what it finds.

        Only an audit that changes members also writes claims.
        """
        stack = cdk.Stack.of(self)
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
                resources=[ledger.table_arn],
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["dynamodb:DeleteItem", "dynamodb:PutItem"],
                resources=[ledger.table_arn],
                conditions={
                    "ForAllValues:StringLike": {
                        "dynamodb:LeadingKeys": cdk.Lazy.any(_WritableItems(may_change))
                    }
                },
            )
        )
        if ledger.encryption_key:
            _ledger.grant_key(ledger.encryption_key, role)
        bus = stack.format_arn(service="events", resource="event-bus", resource_name="default")
        role.add_to_policy(iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus]))


@jsii.implements(cdk.IStableAnyProducer)
class _WritableItems:
    """The partition keys that the audit may write, known at synth."""

    def __init__(self, may_change: Callable[[], bool]) -> None:
        self._may_change = may_change

    def produce(self) -> list[str]:
        return [_OWN_ITEMS, _GROUP_ITEMS] if self._may_change() else [_OWN_ITEMS]
