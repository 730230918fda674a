"""What cdk-nag's packs say about the constructs, and the report of it in ``docs``.

A finding is a rule on a resource. It is either acknowledged there, with a reason, or open.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

import aws_cdk as cdk
from app import ExampleStack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk.aws_events import Schedule
from cdk_nag import (
    AwsSolutionsChecks,
    HIPAASecurityChecks,
    NIST80053R4Checks,
    NIST80053R5Checks,
    PCIDSS321Checks,
    ServerlessChecks,
)

from connect_associations import (
    Audit,
    ConnectAssociationProvider,
    ContactRelease,
    ContactUserAssignment,
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
    UserFilter,
    UserLookup,
    _acknowledgements,
)
from synthesis import ACCOUNT, CONTACT, FLOW, GROUP, INSTANCE, QUEUE, REGION, user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from connect_associations._acknowledgements import Acknowledgement

PACKS = (
    AwsSolutionsChecks,
    HIPAASecurityChecks,
    NIST80053R4Checks,
    NIST80053R5Checks,
    PCIDSS321Checks,
    ServerlessChecks,
)
PROVIDER = "ConnectAssociationProvider"

_TOKENS = "EverythingAToken"
_NAMES = {
    INSTANCE: "INSTANCE",
    GROUP: "GROUP",
    CONTACT: "CONTACT",
    FLOW: "FLOW",
    QUEUE: "QUEUE",
    user(1): "USER",
    ACCOUNT: "ACCOUNT",
    REGION: "REGION",
}
_HASH = re.compile(r"(?<=[a-z])[0-9A-F]{8}\b")


@dataclass(frozen=True, order=True, slots=True, kw_only=True)
class Finding:
    """A rule on a resource.

    :ivar stack: the stack, which is named by what is in it.
    :ivar resource: the resource's path in the stack.
    :ivar rule: the rule's ID, with the finding in brackets where a rule has several.
    """

    stack: str
    resource: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What the packs found.

    :ivar stacks: the stacks' names.
    :ivar found: what there is to find, acknowledged or not.
    :ivar left: what they still find after what is acknowledged.
    :ivar reasons: why findings are acknowledged.
    """

    stacks: tuple[str, ...]
    found: frozenset[Finding]
    left: frozenset[Finding]
    reasons: Mapping[Finding, str]


def inspect(folder: Path) -> Inspection:
    """Run the packs on every construct, with and without what the library acknowledges.

    :param folder: where the apps may write.
    """
    reasons: dict[Finding, str] = {}
    acknowledge = _acknowledgements.acknowledge

    def remember(resource: cdk.CfnResource, known: Iterable[Acknowledgement]) -> None:
        known = list(known)
        for each in known:
            for name in each.ids:
                reasons[_finding(resource.node.path, name)] = each.reason
        acknowledge(resource, known)

    with mock.patch.object(_acknowledgements, "acknowledge", remember):
        as_it_is = _build(folder / "as-it-is")
    with mock.patch.object(_acknowledgements, "acknowledge", return_value=None):
        bare = _build(folder / "bare")
    return Inspection(
        stacks=tuple(child.node.id for child in as_it_is.node.children if _is_stack(child)),
        found=_run_packs(bare),
        left=_run_packs(as_it_is),
        reasons=reasons,
    )


def documented(known: Acknowledgement) -> str:
    """Return how the documentation names the rules of an acknowledgement."""
    packs: dict[str, list[str]] = defaultdict(list)
    for rule in known.rules:
        pack, _, name = rule.rpartition("-")
        packs[name].append(pack)
    named = [
        f"`{name}` ({', '.join(of)})" if len(of) > 1 else f"`{of[0]}-{name}`"
        for name, of in packs.items()
    ]
    return ", ".join([*named, *([f"`{known.control}`"] if known.control else [])])


def metadata(resource: cdk.CfnResource) -> list[dict[str, Any]]:
    """Return what the template tells older versions of cdk-nag."""
    held = resource.get_metadata("cdk_nag") or {"rules_to_suppress": []}
    rules: list[dict[str, Any]] = held["rules_to_suppress"]
    return rules


def report(inspection: Inspection) -> str:
    """Return the report as Markdown."""
    lines = [
        "# What cdk-nag finds",
        "",
        "The packs AwsSolutions, HIPAA Security, NIST 800-53 R4 and R5, PCI DSS 3.2.1 and",
        "Serverless, run on every construct by `tests/security/test_nag.py`, which also writes",
        "this file:",
        "",
        "```console",
        "UPDATE_NAG_REPORT=1 .venv/bin/python -m pytest tests/security/test_nag.py",
        "```",
        "",
        "What is acknowledged is acknowledged on the very resource, by the library, with the",
        "reason below; [Security](security.md) tells which props make acknowledgements go away.",
        f"{_TOKENS} is counted and not listed: it has what the others have, with other spellings",
        "of ARNs.",
        "",
        "| stack | found | acknowledged | open |",
        "|---|---|---|---|",
    ]
    for stack in inspection.stacks:
        found = {each for each in inspection.found if each.stack == stack}
        still = {each for each in inspection.left if each.stack == stack}
        lines.append(f"| {stack} | {len(found)} | {len(found - still)} | {len(still)} |")
    rules: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    stacks_of: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    listed = tuple(stack for stack in inspection.stacks if stack != _TOKENS)
    for each in inspection.found:
        if each.stack == _TOKENS and each not in inspection.left:
            continue
        reason = "**open**" if each in inspection.left else inspection.reasons.get(each, "?")
        rule, _, finding = each.rule.partition("[")
        row = _named(each.resource), _named(finding.removesuffix("]")), reason
        rules[row].add(rule)
        stacks_of[row].add(each.stack)
    resources = sorted({resource for resource, _, _ in rules})
    for resource in resources:
        lines += ["", f"## `{resource}`", ""]
        lines += ["| rules | finding | stacks | why it stays |", "|---|---|---|---|"]
        lines += [
            f"| {', '.join(f'`{rule}`' for rule in sorted(rules[row]))} "
            f"| {f'`{row[1]}`' if row[1] else ''} | {_list(stacks_of[row], listed)} | {row[2]} |"
            for row in sorted(rules)
            if row[0] == resource
        ]
    return "\n".join(lines) + "\n"


def _list(stacks: set[str], every: tuple[str, ...]) -> str:
    missing = [stack for stack in every if stack not in stacks]
    if not missing:
        return "all"
    if len(missing) < len(stacks):
        return f"all but {', '.join(missing)}"
    return ", ".join(stack for stack in every if stack in stacks)


def _named(text: str) -> str:
    # A provider that nobody has created stands somewhere else.
    text = text.replace("AssociationsOfStack/Default/Provider", PROVIDER, 1)
    text = text.replace("<AssociationsOfStackProvider", f"<{PROVIDER}", 1)
    for identifier, name in _NAMES.items():
        text = text.replace(identifier, name)
    return _HASH.sub("…", text).replace("|", "\\|")


def _is_stack(construct: object) -> bool:
    return isinstance(construct, cdk.Stack)


def _finding(path: str, rule: str) -> Finding:
    stack, _, resource = path.partition("/")
    return Finding(stack=stack, resource=resource, rule=rule)


def _run_packs(app: cdk.App) -> frozenset[Finding]:
    return frozenset(
        _finding(resource.construct_path, violation.rule_name)
        for pack in PACKS
        for violation in pack().validate_scope(app).violations
        for resource in violation.violating_resources
        if resource.construct_path
    )


def _build(folder: Path) -> cdk.App:
    """Return an app with a stack for each construct, for its releases and for the example."""
    app = cdk.App(outdir=str(folder), context={"aws:cdk:disable-asset-staging": True})
    env = cdk.Environment(account=ACCOUNT, region=REGION)
    ExampleStack(
        app,
        "Example",
        context={
            "instance_id": INSTANCE,
            "traffic_distribution_group_id": GROUP,
            "user_ids": user(1),
            "contact_id": CONTACT,
            "contact_user_id": user(1),
            "contact_release": "stop",
        },
        env=env,
    )
    for name, declare in _DECLARED.items():
        declare(cdk.Stack(app, name, env=env))
    _with_tokens(cdk.Stack(app, _TOKENS))
    # Policies and default providers are made at synth.
    app.synth()
    return app


def harden(stack: cdk.Stack) -> None:
    """Create a provider with every prop that satisfies a rule."""
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{INSTANCE}"
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/Boundary"
    ConnectAssociationProvider(
        stack,
        PROVIDER,
        vpc=ec2.Vpc.from_vpc_attributes(
            stack,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["a"],
            private_subnet_ids=["subnet-0123456789abcdef1"],
        ),
        encryption_key=kms.Key.from_key_arn(stack, "Key", key),
        reserved_concurrent_executions=10,
        log_retention=logs.RetentionDays.ONE_YEAR,
        tracing=True,
        waiter_logging=True,
        permissions_boundary=iam.ManagedPolicy.from_managed_policy_arn(stack, "Boundary", boundary),
    )


def _share_ledger(stack: cdk.Stack) -> None:
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Shared"
    ConnectAssociationProvider(
        stack, PROVIDER, ledger=dynamodb.Table.from_table_arn(stack, "Shared", arn)
    )


def _audit(stack: cdk.Stack) -> None:
    audit = Audit(schedule=Schedule.rate(cdk.Duration.hours(1)))
    ConnectAssociationProvider(stack, PROVIDER, audit=audit)
    TrafficDistributionGroupMembership(
        stack,
        "Agents",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        users_matching=UserFilter(tags={"team": "east"}),
    )


def _with_tokens(stack: cdk.Stack) -> None:
    def parameter(name: str) -> str:
        return cdk.CfnParameter(stack, name).value_as_string

    instance = parameter("Instance")
    TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=instance,
        traffic_distribution_group_id=parameter("Group"),
        user_id=parameter("User"),
    )
    ContactUserAssignment(
        stack,
        "Assignment",
        instance_id=instance,
        contact_id=parameter("Contact"),
        user_id=parameter("Other"),
        release=ContactRelease.transfer_to_queue(
            contact_flow_id=parameter("Flow"), queue_id=parameter("Queue")
        ),
    )


def _contact(release: ContactRelease, *, preferred: bool = False) -> Callable[[cdk.Stack], object]:
    return lambda stack: ContactUserAssignment(
        stack,
        "Assignment",
        instance_id=INSTANCE,
        contact_id=CONTACT,
        user_id=user(1),
        release=release,
        preferred_user_only=preferred,
    )


_DECLARED: Mapping[str, Callable[[cdk.Stack], object]] = {
    "ProviderAlone": lambda stack: ConnectAssociationProvider(stack, PROVIDER),
    "ProviderHardened": harden,
    "ProviderSharingLedger": _share_ledger,
    "Audit": _audit,
    "TrafficDistributionGroupUser": lambda stack: TrafficDistributionGroupUser(
        stack,
        "Agent",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_id=user(1),
    ),
    "TrafficDistributionGroupMembership": lambda stack: TrafficDistributionGroupMembership(
        stack,
        "Agents",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_ids=[user(1), user(2)],
    ),
    "ContactRetained": _contact(ContactRelease.retain()),
    "ContactStopped": _contact(ContactRelease.stop(), preferred=True),
    "ContactTransferred": _contact(
        ContactRelease.transfer_to_queue(contact_flow_id=FLOW, queue_id=QUEUE)
    ),
    "UserLookup": lambda stack: UserLookup(
        stack, "Lookup", instance_id=INSTANCE, usernames=["ann"]
    ),
}
