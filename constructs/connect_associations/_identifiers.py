"""Identifiers as users write them: an ID, an ARN, a reference, or a token that resolves to one.

The provider's own grammar reads what is known at synth and turns it into one spelling (the
lower-case UUID), so that the template does not change with the spelling. The rest passes through to
the provider.

A token is not asked for its value before the app is synthesized: a ``cdk.Lazy`` does not have it
yet. So the same function reads everything twice, in the constructor and at synth, and reports
problems of resolved tokens in the same words.
"""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import aws_cdk as cdk
import jsii
from aws_cdk import aws_connect, region_info
from constructs import IValidation

from connect_associations import _grammar
from connect_associations._grammar import GROUP_PARTITIONS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

_ARN_ATTRIBUTES = frozenset(
    {"Arn", "ContactFlowArn", "QueueArn", "TrafficDistributionGroupArn", "UserArn"}
)
_SHOWN_LENGTH = 160
_MOST_PROBLEMS = 10

ANY_REGION = "*"
"""In an ARN for a policy: the Region is only known when the call is made."""

_TOKEN_MARK = "${Token["  # noqa: S105 - how the CDK spells a token inside a string
_LIST_TOKEN_MARK = "#{Token["  # noqa: S105 - how the CDK spells a token that is a list

_DUMMY_MARK = "dummy-value-for-"
"""How the CDK spells a context look-up that the CLI has yet to make, between two passes of synth.

Source: https://docs.aws.amazon.com/cdk/v2/guide/context.html
"""

_DYNAMIC_MARK = "{{resolve:"
_PLAIN_DYNAMIC_MARK = "{{resolve:ssm:"
"""The one dynamic reference that CloudFormation resolves for a custom resource.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""


class _Reference(NamedTuple):
    """How the CDK refers to a kind of resource.

    :ivar resource: the class of the resource itself.
    :ivar attribute: its attribute that is the ARN, which is there in older CDKs too.
    :ivar name: what newer CDKs call it: whatever refers to such a resource has a property
        ``…_ref``, which holds an ``…_arn``.
    """

    resource: type[cdk.CfnResource]
    attribute: str
    name: str


_REFERENCES = {
    Kind.INSTANCE: _Reference(aws_connect.CfnInstance, "attr_arn", "instance"),
    Kind.TRAFFIC_DISTRIBUTION_GROUP: _Reference(
        aws_connect.CfnTrafficDistributionGroup,
        "attr_traffic_distribution_group_arn",
        "traffic_distribution_group",
    ),
    Kind.USER: _Reference(aws_connect.CfnUser, "attr_user_arn", "user"),
    Kind.CONTACT_FLOW: _Reference(
        aws_connect.CfnContactFlow, "attr_contact_flow_arn", "contact_flow"
    ),
    Kind.QUEUE: _Reference(aws_connect.CfnQueue, "attr_queue_arn", "queue"),
    Kind.HIERARCHY_GROUP: _Reference(
        aws_connect.CfnUserHierarchyGroup, "attr_user_hierarchy_group_arn", "user_hierarchy_group"
    ),
    Kind.ROUTING_PROFILE: _Reference(
        aws_connect.CfnRoutingProfile, "attr_routing_profile_arn", "routing_profile"
    ),
    Kind.SECURITY_PROFILE: _Reference(
        aws_connect.CfnSecurityProfile, "attr_security_profile_arn", "security_profile"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The environment of a stack and its app, read once: every question to the CDK costs time.

    :param region: the stack's Region, which may be a token.
    :param known_region: the Region, None when it is not known at synth.
    :param known_account: the account, None when it is not known at synth.
    :param known_partition: the partition, None when it is not known at synth.
    """

    region: str
    known_region: str | None
    known_account: str | None
    known_partition: str | None

    @classmethod
    def of(cls, stack: cdk.Stack) -> Environment:
        """Read the environment of *stack*."""
        found = _environments.get(stack)
        if found is None:
            account, region = stack.account, stack.region
            known_region = None if is_token(region) else region
            facts = region_info.RegionInfo.get(known_region) if known_region else None
            found = _environments[stack] = cls(
                region=region,
                known_region=known_region,
                known_account=None if is_token(account) else account,
                known_partition=facts.partition if facts else None,
            )
        return found


_environments: WeakKeyDictionary[cdk.Stack, Environment] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """An identifier that was read, or a token that will be.

    :param kind: what it identifies.
    :param value: what goes into the template: the canonical ID, or the token.
    :param key: equal for two identifiers that are known to mean the same resource. Of a token in a
        constructor that is the token; see :func:`at_synth`.
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
    """Tell whether a list's element is a token for a whole list that is known at deploy time."""
    return _LIST_TOKEN_MARK in value


def is_dummy(value: str) -> bool:
    """Tell whether a string is the placeholder of a context look-up that the CLI has yet to make.

    The CLI makes it only if the first pass of synth succeeds. If the look-up finds nothing, the
    CDK says so, and the string stays.
    """
    return _DUMMY_MARK in value


def at_synth(identifier: Identifier, *, stack: cdk.Stack) -> Identifier:
    """Return what an identifier has become; only to be called while the app is synthesized.

    A token is asked for its value. One that turns out to be literal is read like any other.
    """
    if identifier.literal:
        return identifier
    resolved = stack.resolve(identifier.value)
    if isinstance(resolved, str) and (found := _grammar.read(resolved, kind=identifier.kind)):
        return _literal(found, kind=identifier.kind)
    attribute = resolved.get("Fn::GetAtt") if isinstance(resolved, dict) else None
    key = json.dumps(resolved, sort_keys=True)
    origin = _origin(identifier.value, stack=stack)
    return Identifier(
        kind=identifier.kind,
        value=identifier.value,
        key=f"{key} of stack {origin}" if origin else key,
        origin=origin,
        literal=False,
        is_arn=isinstance(attribute, list) and attribute[-1] in _ARN_ATTRIBUTES,
    )


class Reader:
    """Reads what a construct was given, and collects what is wrong with it.

    :param stack: the stack, whose account and partition a literal ARN must have.
    :param asks: whether tokens are asked for their values, which is for synth only.
    :ivar problems: one sentence for each problem, each beginning with the property's name. When
        there are any, what was read is of no use.
    :ivar met_token: whether something was read that is only known at synth.
    """

    def __init__(self, stack: cdk.Stack, *, asks: bool = False) -> None:
        self.problems: list[str] = []
        self.met_token = False
        self.stack = stack
        self.asks = asks

    def identifier(
        self,
        value: object,
        *,
        kind: Kind,
        name: str,
        instance: Identifier | None = None,
        in_policy: bool = True,
    ) -> Identifier:
        """Read an identifier.

        :param value: what the user gave.
        :param kind: what it must identify.
        :param name: the property's name, for the message.
        :param instance: the instance that an ARN must belong to.
        :param in_policy: whether a policy names it, which CloudFormation must be able to write.
        """
        found = self._identifier(value, kind=kind, name=name, in_policy=in_policy)
        if (
            instance
            and instance.literal
            and not is_dummy(instance.value)
            and found.instance_id not in (None, instance.value)
        ):
            self.problems.append(
                f"{name}: the {kind.noun} belongs to instance "
                f"{found.instance_id!r}, but instance_id is {instance.value!r}"
            )
        return found

    def region(self, value: object, *, name: str) -> str | None:
        """Return the name of a Region, None when it is not known yet."""
        known = self.known(value)
        if isinstance(known, str):
            if is_token(known) or is_dummy(known):
                return None
            if _grammar.REGION.fullmatch(known):
                return known
        self.problems.append(
            f"{name}: {shown(known)} is not a Region; expected a name such as 'us-east-1'"
        )
        return None

    def listed(self, value: object) -> list[object] | None:
        """Return a collection's items in a stable order; None if it is not a collection.

        One token may stand for all of them; at synth it is asked.
        """
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            return None
        items: list[object] = list(value)
        if isinstance(value, (set, frozenset)):
            items.sort(key=str)
        if len(items) == 1 and isinstance(items[0], str) and is_list_token(items[0]):
            known = self.known(items)
            return list(known) if isinstance(known, list) else items
        return items

    def known(self, value: object) -> object:
        """Return *value*, or at synth what a token has become, as far as that is a value."""
        texts = value if isinstance(value, list) else [value]
        if not any(isinstance(text, str) and is_token(text) for text in texts):
            return value
        self.met_token = True
        if not self.asks:
            return value
        resolved = self.stack.resolve(value)
        return value if isinstance(resolved, dict) else resolved

    def key(self, identifier: Identifier) -> str:
        """Return what distinguishes two identifiers, as far as that is known by now."""
        return at_synth(identifier, stack=self.stack).key if self.asks else identifier.key

    def read_again(self, construct: Construct, read: Callable[[Reader], object]) -> None:
        """Have *read* read the properties of *construct* again at synth, if there is a token."""
        if self.met_token:
            construct.node.add_validation(_ReadAgain(read, self.stack))

    def _identifier(self, value: object, *, kind: Kind, name: str, in_policy: bool) -> Identifier:
        known = self.known(_referenced(value, kind=kind))
        if not isinstance(known, str) or not known:
            self.problems.append(
                f"{name}: expected the ID or the ARN of {kind.a_noun}, got {shown(value)}"
            )
            return Identifier(kind=kind, value="", key="")
        if self._is_refused_reference(known, kind=kind, name=name, in_policy=in_policy):
            return Identifier(kind=kind, value=known, key=known)
        if is_token(known) or is_dummy(known) or _DYNAMIC_MARK in known:
            self._check_owner(_grammar.Identifier(known), kind=kind, name=name)
            return Identifier(kind=kind, value=known, key=known, literal=not is_token(known))
        found = _grammar.read(known, kind=kind)
        if found is None:
            self.problems.append(_unreadable(known, kind=kind, name=name))
            return Identifier(kind=kind, value=known, key=known)
        self._check_owner(found, kind=kind, name=name)
        return _literal(found, kind=kind)

    def _is_refused_reference(self, value: str, *, kind: Kind, name: str, in_policy: bool) -> bool:
        """Report a dynamic reference that would be resolved too late, or not at all.

        CloudFormation evaluates functions first, and dynamic references in what they answer. So
        no policy can take the ID out of an ARN that is given by one.
        """
        text = json.dumps(self.stack.resolve(value)) if self.asks and is_token(value) else value
        if _DYNAMIC_MARK not in text:
            return False
        if text.count(_DYNAMIC_MARK) > text.count(_PLAIN_DYNAMIC_MARK):
            reason = "CloudFormation resolves no secrets for custom resources"
        elif in_policy:
            reason = (
                f"CloudFormation resolves dynamic references too late for the policy that has to "
                f"name the {kind.noun}"
            )
        else:
            return False
        self.problems.append(
            f"{name}: {shown(value)} is a dynamic reference; {reason}. Put it into a parameter of "
            f"SSM and give StringParameter.value_for_string_parameter(self, 'NAME'), or a "
            f"CfnParameter of the type 'AWS::SSM::Parameter::Value<String>' with the default "
            f"'NAME:VERSION'"
        )
        return True

    def _check_owner(self, found: _grammar.Identifier, *, kind: Kind, name: str) -> None:
        environment = Environment.of(self.stack)
        partition = found.partition or environment.known_partition
        if (
            kind is Kind.TRAFFIC_DISTRIBUTION_GROUP
            and partition
            and partition not in GROUP_PARTITIONS
        ):
            self.problems.append(
                f"{name}: traffic distribution groups do not exist in partition {partition!r}; "
                f"expected one of {', '.join(map(repr, GROUP_PARTITIONS))}"
            )
        elif environment.known_partition not in (None, partition):
            self.problems.append(
                f"{name}: the {kind.noun} is in partition {partition!r}, but the stack goes to "
                f"{environment.known_partition!r}; associations cannot cross a partition"
            )
        if found.account and environment.known_account not in (None, found.account):
            self.problems.append(
                f"{name}: the {kind.noun} is in account {found.account!r}, but the stack goes to "
                f"{environment.known_account!r}; associations cannot cross an account"
            )


@jsii.implements(IValidation)
class _ReadAgain:
    """Reads a construct's properties once more, when tokens have their values."""

    def __init__(self, read: Callable[[Reader], object], stack: cdk.Stack) -> None:
        self._read = read
        self._stack = stack

    def validate(self) -> list[str]:
        reader = Reader(self._stack, asks=True)
        self._read(reader)
        return reader.problems


def first_of(problems: list[str], *, name: str) -> list[str]:
    """Return the problems of one property that are worth reading, and how many there are.

    :param problems: one sentence for each problem.
    :param name: the property's name.
    """
    rest = len(problems) - _MOST_PROBLEMS
    if rest <= 0:
        return problems
    return [*problems[:_MOST_PROBLEMS], f"{name}: {rest:,} more problems like these"]


def shown(value: object) -> str:
    """Return *value* for a message, cut to a readable length."""
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"


def _referenced(value: object, *, kind: Kind) -> object:
    """Return the ARN of what was given by reference, anything else as it is."""
    reference = _REFERENCES.get(kind)
    if reference is None or isinstance(value, str):
        return value
    if isinstance(value, reference.resource):
        return getattr(value, reference.attribute)
    referred = getattr(value, f"{reference.name}_ref", None)
    return getattr(referred, f"{reference.name}_arn", value)


def _literal(found: _grammar.Identifier, *, kind: Kind) -> Identifier:
    return Identifier(
        kind=kind,
        value=found.id,
        key=found.id,
        region=found.region,
        instance_id=found.instance_id,
    )


def _unreadable(value: str, *, kind: Kind, name: str) -> str:
    is_arn = value.startswith("arn:")
    shape = _grammar.arn("PARTITION", "REGION", "ACCOUNT", kind.shape)
    problem = (
        f"{name}: {shown(value)} is not the {'ARN' if is_arn else 'ID'} of {kind.a_noun}; expected "
        f"a UUID such as '12345678-90ab-cdef-1234-567890abcdef', an ARN such as {shape}, or a token"
    )
    if kind is Kind.USER and not is_arn:
        problem += "; for the name of a user there is UserLookup, and usernames of a membership"
    return problem


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
