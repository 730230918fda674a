"""Identifiers as users write them: an ID, an ARN, or a token that resolves to either.

What can be read at synth is read by the provider's own grammar and brought to one spelling (the
lower-case UUID), so that the template does not change with the spelling. What cannot be read passes
through to the provider.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import region_info

from connect_associations import _grammar
from connect_associations._grammar import GROUP_PARTITIONS, Kind

_ARN_ATTRIBUTES = frozenset(
    {"Arn", "ContactFlowArn", "QueueArn", "TrafficDistributionGroupArn", "UserArn"}
)
_SHOWN_LENGTH = 160

PATH_METADATA = "aws:cdk:enable-path-metadata"
"""The context that makes the CDK write every resource's path into the template."""

ANY_REGION = "*"
"""In an ARN for a policy: the Region is only known when the call is made."""

_TOKEN_MARK = "${Token["  # noqa: S105 - how the CDK spells a token inside a string
_LIST_TOKEN_MARK = "#{Token["  # noqa: S105 - how the CDK spells a token that is a list


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a stack and its app are set to, read once: every question to the CDK costs time.

    :param region: the stack's Region, which may be a token.
    :param known_region: the Region, None when it is not known at synth.
    :param known_account: the account, None when it is not known at synth.
    :param known_partition: the partition, None when it is not known at synth.
    :param path_metadata: whether resources tell their construct's path in the template.
    """

    region: str
    known_region: str | None
    known_account: str | None
    known_partition: str | None
    path_metadata: bool

    @classmethod
    def of(cls, stack: cdk.Stack) -> Environment:
        """Read the environment of *stack*."""
        return _environment(stack)


@functools.cache
def _environment(stack: cdk.Stack) -> Environment:
    account, region = stack.account, stack.region
    known_region = None if is_token(region) else region
    facts = region_info.RegionInfo.get(known_region) if known_region else None
    return Environment(
        region=region,
        known_region=known_region,
        known_account=None if is_token(account) else account,
        known_partition=facts.partition if facts else None,
        path_metadata=bool(stack.node.try_get_context(PATH_METADATA)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """An identifier that was read, or a token that will be.

    :param kind: what it identifies.
    :param value: what goes into the template: the canonical ID, or the token.
    :param key: equal for two identifiers that are known to mean the same resource.
    :param region: the Region in a literal ARN.
    :param instance_id: the canonical instance ID in a literal ARN.
    :param literal: whether the value could be read at synth.
    :param is_arn: whether a token is known to resolve to an ARN.
    :param origin: the paths of the other stacks that a token refers to, empty for this stack's.
    """

    kind: Kind
    value: str
    key: str
    region: str | None = None
    instance_id: str | None = None
    literal: bool = True
    is_arn: bool = False
    origin: str = ""

    def last_segment(self) -> str:
        """Return the bare ID, at deploy time when the value is a token.

        Repeating the value makes an ID as long as an ARN, so that one index serves both:
        ``ID/ID`` and ``…:instance/ID/…`` both have the ID at index 1.
        """
        if self.literal:
            return self.value
        index = self.kind.resource.count("/")
        return cdk.Fn.select(index, cdk.Fn.split("/", "/".join([self.value] * (index + 1))))

    def home_region(self, default: str) -> str:
        """Return the Region that the identifier names, at deploy time when it is a token.

        :param default: the Region when the identifier is a bare ID.
        """
        if self.literal:
            return self.region or default
        return cdk.Fn.select(3, cdk.Fn.split(":", f"{self.value}:::{default}"))

    def arn(self, stack: cdk.Stack, *, region: str, instance: Identifier | None = None) -> str:
        """Return the ARN for a policy.

        :param stack: whose partition and account the ARN has.
        :param region: the Region of the ARN, which may be :data:`ANY_REGION`.
        :param instance: the instance, for the kinds that belong to one.
        """
        if self.is_arn and region != ANY_REGION:
            return self.value
        instance_id = instance.last_segment() if instance else ""
        return arn(
            stack,
            region=region,
            resource=self.kind.resource.format(id=self.last_segment(), instance=instance_id),
        )


def arn(stack: cdk.Stack, *, region: str, resource: str) -> str:
    """Return the ARN of a Connect resource in the stack's partition and account."""
    return _grammar.arn(stack.partition, region, stack.account, resource)


def is_token(value: str) -> bool:
    """Tell whether a string is, or holds, something that is only known at deploy time."""
    return _TOKEN_MARK in value or _LIST_TOKEN_MARK in value


def is_list_token(value: str) -> bool:
    """Tell whether a list's element stands for a whole list that is known at deploy time."""
    return _LIST_TOKEN_MARK in value


def token_key(stack: cdk.Stack, value: object) -> str:
    """Return what *value* resolves to in the template, as a text to compare."""
    return json.dumps(stack.resolve(value), sort_keys=True)


def read(
    value: object, *, kind: Kind, name: str, stack: cdk.Stack, problems: list[str]
) -> Identifier:
    """Read an identifier; what is wrong with it is added to *problems*.

    :param value: what the user gave.
    :param kind: what it must identify.
    :param name: the property's name, for the message.
    :param stack: the stack, whose account and partition a literal ARN must have.
    :param problems: where problems are collected; the answer is of no use when there are any.
    """
    if not isinstance(value, str) or not value:
        problems.append(f"{name}: expected the ID or the ARN of {kind.a_noun}, got {shown(value)}")
        return Identifier(kind=kind, value="", key="")
    if is_token(value):
        return _read_token(value, kind=kind, stack=stack)
    found = _grammar.read(value, kind=kind)
    if found is None:
        what = "ARN" if value.startswith("arn:") else "ID"
        shape = _grammar.arn("PARTITION", "REGION", "ACCOUNT", kind.shape)
        problems.append(
            f"{name}: {shown(value)} is not the {what} of {kind.a_noun}; expected a UUID such as "
            f"'12345678-90ab-cdef-1234-567890abcdef', an ARN such as {shape}, or a token"
        )
        return Identifier(kind=kind, value=value, key=value)
    if found.partition:
        _check_owner(found, kind=kind, name=name, stack=stack, problems=problems)
    return Identifier(
        kind=kind,
        value=found.id,
        key=found.id,
        region=found.region,
        instance_id=found.instance_id,
    )


def check_instance(
    identifier: Identifier, instance: Identifier, *, name: str, problems: list[str]
) -> None:
    """Add a problem when an ARN names another instance than ``instance_id``."""
    if identifier.instance_id and instance.literal and identifier.instance_id != instance.value:
        problems.append(
            f"{name}: the {identifier.kind.noun} belongs to instance "
            f"{identifier.instance_id!r}, but instance_id is {instance.value!r}"
        )


def check_region(value: object, *, name: str, problems: list[str]) -> None:
    """Add a problem when *value* is neither a Region's name nor a token."""
    if not isinstance(value, str) or not (is_token(value) or _grammar.REGION.fullmatch(value)):
        problems.append(
            f"{name}: {shown(value)} is not a Region; expected a name such as 'us-east-1'"
        )


def shown(value: object) -> str:
    """Return *value* for a message, cut to a readable length."""
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"


def _read_token(value: str, *, kind: Kind, stack: cdk.Stack) -> Identifier:
    resolved = stack.resolve(value)
    attribute = resolved.get("Fn::GetAtt") if isinstance(resolved, dict) else None
    key = json.dumps(resolved, sort_keys=True)
    origin = _origin(value, stack=stack)
    return Identifier(
        kind=kind,
        value=value,
        key=f"{key} of stack {origin}" if origin else key,
        origin=origin,
        literal=False,
        is_arn=isinstance(attribute, list) and attribute[-1] in _ARN_ATTRIBUTES,
    )


def _origin(value: str, *, stack: cdk.Stack) -> str:
    """Return the paths of the other stacks that *value* refers to.

    A reference becomes an import only when the app is synthesized. Until then it resolves to the
    logical ID alone, which another stack may use for something else.
    """
    owners = (
        cdk.Stack.of(token.target)
        for token in cdk.Tokenization.reverse_string(value).tokens
        if isinstance(token, cdk.Reference)
    )
    return ", ".join(sorted({owner.node.path for owner in owners if owner is not stack}))


def _check_owner(
    found: _grammar.Identifier, *, kind: Kind, name: str, stack: cdk.Stack, problems: list[str]
) -> None:
    environment = Environment.of(stack)
    partition, account = found.partition, found.account
    if kind is Kind.TRAFFIC_DISTRIBUTION_GROUP and partition not in GROUP_PARTITIONS:
        problems.append(
            f"{name}: traffic distribution groups do not exist in partition {partition!r}; "
            f"expected one of {', '.join(map(repr, GROUP_PARTITIONS))}"
        )
    elif environment.known_partition and partition != environment.known_partition:
        problems.append(
            f"{name}: the {kind.noun} is in partition {partition!r}, but the stack goes to "
            f"{environment.known_partition!r}; associations cannot cross a partition"
        )
    if environment.known_account and account != environment.known_account:
        problems.append(
            f"{name}: the {kind.noun} is in account {account!r}, but the stack goes to "
            f"{environment.known_account!r}; associations cannot cross an account"
        )
