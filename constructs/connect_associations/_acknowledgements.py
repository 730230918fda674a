"""Findings of cdk-nag's packs and of Control Tower's rules that stay, each with its reason.

They are acknowledged on exactly the resource that has them, so that an app that runs the rules
finds only what is its own. The library needs neither for that: cdk-nag 3 and the CDK's plugin for
Control Tower's rules read what the CDK's ``Validations`` acknowledge, cdk-nag 2 reads metadata of
the template, and both are written. ``docs/security.md`` lists every rule and reason.
"""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from constructs import IConstruct

_METADATA = "cdk_nag"

_CONTROLS = "cdk-validator-cfnguard"
"""The plugin that runs Control Tower's rules."""

_CAN_VALIDATE = hasattr(cdk, "Validations")
"""Older versions of the CDK cannot acknowledge anything; cdk-nag 3 does not run on them either."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Acknowledgement:
    """Why a finding stays.

    :param rules: the rule's IDs in the packs of cdk-nag; most packs have a name of their own for
        it.
    :param control: the rule of the Control Tower control that asks for the same.
    :param reason: the reason, in ASCII, as older versions of cdk-nag want it.
    :param findings: which findings, for a rule that can have several on one resource.
    """

    rules: tuple[str, ...] = ()
    control: str | None = None
    reason: str
    findings: tuple[str, ...] = ()

    def of(self, findings: Iterable[str]) -> Acknowledgement:
        """Return the acknowledgement of *findings* only."""
        return replace(self, findings=tuple(findings))

    def of_resources(self, stack: cdk.Stack, arns: Iterable[str]) -> Acknowledgement:
        """Return the acknowledgement of the wildcards in *arns* only.

        :param stack: whose template the ARNs stand in.
        :param arns: resources of a policy, which may hold tokens.
        """
        return self.of(f"Resource::{_flatten(stack.resolve(arn))}" for arn in arns)

    def of_managed_policies(self, *names: str) -> Acknowledgement:
        """Return the acknowledgement of policies that AWS manages, by their names."""
        prefix = "Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
        return self.of(f"{prefix}{name}" for name in names)

    @property
    def ids(self) -> list[str]:
        """What the packs call it: each rule, or each rule with each finding."""
        return [
            f"{rule}[{finding}]" if finding else rule
            for rule in self.rules
            for finding in self.findings or ("",)
        ]


def _packs(rule: str, *packs: str) -> tuple[str, ...]:
    """Return the IDs of a rule that several packs have."""
    return tuple(f"{pack}-{rule}" for pack in packs)


_HIPAA, _R4, _R5, _PCI = "HIPAA.Security", "NIST.800.53.R4", "NIST.800.53.R5", "PCI.DSS.321"
_SERVERLESS = "Serverless"

NO_VPC = Acknowledgement(
    rules=_packs("LambdaInsideVPC", _HIPAA, _R4, _R5, _PCI),
    control="lambda_inside_vpc_check",
    reason="The function reaches only endpoints of AWS; the prop vpc runs it in a VPC.",
)
NO_RESERVED_CONCURRENCY = Acknowledgement(
    rules=_packs("LambdaConcurrency", _HIPAA, _R5),
    reason=(
        "Reserved concurrency is taken from the whole account; the prop "
        "reserved_concurrent_executions reserves it."
    ),
)
FRAMEWORK_CONCURRENCY = Acknowledgement(
    rules=_packs("LambdaConcurrency", _HIPAA, _R5),
    reason=(
        "The Provider framework of aws-cdk-lib has no such setting; the work is done in the "
        "handlers, which the prop reserved_concurrent_executions limits."
    ),
)
NO_DEAD_LETTERS = Acknowledgement(
    rules=_packs("LambdaDLQ", _HIPAA, _R5, _SERVERLESS),
    reason=(
        "The function is invoked synchronously and its failure is reported to CloudFormation, so "
        "nothing could reach a dead-letter queue."
    ),
)
_NEXT_AUDIT = "The next audit makes up for one that failed, and the metric AuditsFinished tells."
AUDIT_DEAD_LETTERS = Acknowledgement(
    rules=_packs("LambdaDLQ", _HIPAA, _R5, _SERVERLESS), reason=_NEXT_AUDIT
)
AUDIT_FAILURE_DESTINATION = Acknowledgement(
    rules=_packs("LambdaAsyncFailureDestination", _SERVERLESS), reason=_NEXT_AUDIT
)
AUDIT_TARGET_DEAD_LETTERS = Acknowledgement(
    rules=_packs("EventBusDLQ", _SERVERLESS), reason=_NEXT_AUDIT
)
FRAMEWORK_DEAD_LETTERS = Acknowledgement(
    rules=_packs("LambdaDLQ", _HIPAA, _R5, _SERVERLESS),
    reason=(
        "A failure is reported to CloudFormation or ends the deployment at its time-out; a "
        "dead-letter queue would store events with the pre-signed URL of the answer."
    ),
)
FAILURE_DESTINATION = Acknowledgement(
    rules=_packs("LambdaAsyncFailureDestination", _SERVERLESS),
    reason=(
        "A failure is reported to CloudFormation or ends the deployment at its time-out; a "
        "destination would store events with the pre-signed URL of the answer."
    ),
)
NO_TRACING = Acknowledgement(
    rules=_packs("LambdaTracing", _SERVERLESS),
    reason="The logs record every step, and traces cost money; the prop tracing turns them on.",
)
LOGS_WITHOUT_OWN_KEY = Acknowledgement(
    rules=_packs("CloudWatchLogGroupEncrypted", _HIPAA, _R4, _R5, _PCI),
    control="cloudwatch_log_group_encrypted_check",
    reason=(
        "CloudWatch Logs encrypts with a key that AWS owns; the prop encryption_key encrypts with "
        "yours."
    ),
)
LOGS_FOR_A_MONTH = Acknowledgement(
    control="cloudwatch_log_group_retention_period_check",
    reason=(
        "The logs explain deployments of the last month; the prop log_retention keeps them longer."
    ),
)
LEDGER_WITHOUT_OWN_KEY = Acknowledgement(
    control="dynamodb_table_encrypted_kms_check",
    reason=(
        "DynamoDB encrypts with a key that AWS owns; the prop encryption_key encrypts with yours."
    ),
)
NO_BACKUP_PLAN = Acknowledgement(
    rules=_packs("DynamoDBInBackupPlan", _HIPAA, _R4, _R5),
    reason=(
        "Point-in-time recovery is on, and what the ledger holds goes with the stack; the prop "
        "resync claims everything again if it is lost."
    ),
)
INLINE_POLICY = Acknowledgement(
    rules=_packs("IAMNoInlinePolicy", _HIPAA, _R4, _R5, _PCI),
    reason=(
        "The policy serves this one role and goes with what needs it; a managed policy could be "
        "attached elsewhere."
    ),
)
FRAMEWORK_LOGS_POLICY = Acknowledgement(
    rules=("AwsSolutions-IAM4",),
    reason=(
        "The Provider framework of aws-cdk-lib gives its functions this policy, which only allows "
        "writing logs."
    ),
)
VPC_POLICY = Acknowledgement(
    rules=("AwsSolutions-IAM4",),
    reason=(
        "A function in a VPC needs this policy, which only allows writing logs and managing the "
        "function's network interfaces."
    ),
)
ANY_VERSION = Acknowledgement(
    rules=("AwsSolutions-IAM5",),
    reason=(
        "The Provider framework of aws-cdk-lib may invoke this one function in any of its versions."
    ),
)
EVERY_USER = Acknowledgement(
    rules=("AwsSolutions-IAM5",),
    reason=(
        "Every user of the one instance is covered, so that the policy does not grow with the "
        "thousands of users that a group may have."
    ),
)
EVERY_REGION = Acknowledgement(
    rules=("AwsSolutions-IAM5",),
    reason=(
        "A contact is handled in the Region where it is active, which is known only when the call "
        "is made; the IDs in the ARN exist in no Region but the instance's and its replica's."
    ),
)
EVERY_PREDECESSOR = Acknowledgement(
    rules=("AwsSolutions-IAM5",),
    reason=(
        "The transfers so far are counted along the contact's predecessors, whose IDs are not "
        "known at synth."
    ),
)
TRACES_ANYWHERE = Acknowledgement(
    rules=("AwsSolutions-IAM5",),
    reason="The permissions to write traces cannot be limited to resources.",
    findings=("Resource::*",),
)
WAITER_ANYWHERE = Acknowledgement(
    rules=("AwsSolutions-IAM5",),
    reason="The permissions to deliver logs and to write traces cannot be limited to resources.",
    findings=("Resource::*",),
)
WAITER_LOGS = Acknowledgement(
    rules=("AwsSolutions-SF1",),
    control="step_functions_state_machine_logging_enabled_check",
    reason=(
        "The waiter's input holds the pre-signed URL of the answer, which must not be logged; the "
        "prop waiter_logging logs without it."
    ),
)
WAITER_TRACING = Acknowledgement(
    rules=("AwsSolutions-SF2", *_packs("StepFunctionStateMachineXray", _SERVERLESS)),
    control="step_functions_state_machine_tracing_enabled_check",
    reason=(
        "The waiter only polls one function, which logs every attempt; the prop tracing turns "
        "traces on."
    ),
)


def acknowledge(resource: cdk.CfnResource, known: Sequence[Acknowledgement]) -> None:
    """Acknowledge findings on *resource*.

    :param resource: the resource that has the findings.
    :param known: what is acknowledged on it, in addition to what was before.
    """
    if not known:
        return
    if _CAN_VALIDATE:
        cdk.Validations.of(resource).acknowledge(
            *(
                cdk.Acknowledgment(id=name, reason=each.reason)
                for each in known
                for name in [*each.ids, *([f"{_CONTROLS}::{each.control}"] if each.control else [])]
            )
        )
    added = [
        {
            "id": rule,
            "reason": each.reason,
            **({"applies_to": list(each.findings)} if each.findings else {}),
        }
        for each in known
        for rule in each.rules
    ]
    if added:
        held = resource.get_metadata(_METADATA) or {"rules_to_suppress": []}
        resource.add_metadata(
            _METADATA, {"rules_to_suppress": [*held["rules_to_suppress"], *added]}
        )


def acknowledge_on(owner: IConstruct, *known: Acknowledgement | None) -> None:
    """Acknowledge findings on the resource behind *owner*, all of them in one call.

    :param owner: a construct with a resource as its default child.
    :param known: what is acknowledged; None is left out.
    """
    resource = owner.node.default_child
    if isinstance(resource, cdk.CfnResource):
        acknowledge(resource, [each for each in known if each])


def _flatten(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return how cdk-nag writes a resolved value in a finding."""
    match value:
        case str():
            return value.replace("${", "<").replace("}", ">")
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(_flatten(part) for part in parts)
        case {"Fn::Sub": inner} | {"Fn::ImportValue": inner}:
            return _flatten(inner)
        case {"Fn::GetAtt": [logical_id, attribute]}:
            return f"<{_flatten(logical_id)}.{_flatten(attribute)}>"
        case {"Ref": name}:
            return f"<{_flatten(name)}>"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
