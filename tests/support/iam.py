"""IAM, as far as the provider's policies go: what they grant, and whether a call is allowed.

Which resources a call is authorized on comes from the `Service Authorization Reference
<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonconnect.html>`_.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synthesis import evaluate, of_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from connect_associations.testing.recorder import Call

_INSTANCE = "instance/{InstanceId}"
_USER = f"{_INSTANCE}/agent/{{UserId}}"
_CONTACT = f"{_INSTANCE}/contact/{{ContactId}}"
_FLOW = f"{_INSTANCE}/contact-flow/{{ContactFlowId}}"
_QUEUE = f"{_INSTANCE}/queue/{{QueueId}}"
_GROUP = "traffic-distribution-group/{TrafficDistributionGroupId}"

REQUIRED = {
    "AssociateContactWithUser": (_INSTANCE, _USER, _CONTACT),
    "AssociateTrafficDistributionGroupUser": (_INSTANCE, _USER, _GROUP),
    "DescribeContact": (_CONTACT,),
    "DescribeTrafficDistributionGroup": (_GROUP,),
    "DescribeUser": (_USER,),
    "DisassociateTrafficDistributionGroupUser": (_INSTANCE, _USER, _GROUP),
    "ListTrafficDistributionGroupUsers": (_GROUP,),
    "SearchUsers": (_INSTANCE,),
    "StopContact": (_CONTACT,),
    "TransferContact": (_INSTANCE, _CONTACT, _FLOW),
}
"""What a call must be allowed on, by the members of its request."""

_OPTIONAL = {"TransferContact": (_QUEUE,)}
"""What it may be allowed on besides."""


@dataclass(frozen=True, order=True, slots=True)
class Grant:
    """One action on one resource: the least that a statement can be taken apart into.

    :ivar resource: an ARN with wildcards.
    :ivar condition: operator, key and value; empty: always.
    """

    action: str
    resource: str
    condition: tuple[tuple[str, str, str], ...] = ()

    def covers(self, access: Access) -> bool:
        """Tell whether this grant allows *access*."""
        return (
            self.action == access.action
            and _matches(self.resource, access.resource)
            and all(_holds(condition, access.context) for condition in self.condition)
        )


@dataclass(frozen=True, order=True, slots=True)
class Access:
    """One action on one resource that a call needs.

    :ivar context: the condition keys that AWS fills in.
    :ivar required: False when the call would be allowed without it.
    """

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()
    required: bool = True


def policies(template: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the documents of the handlers' role by the policy's logical ID."""
    (role,) = (
        name
        for name, resource in of_type(template, "AWS::IAM::Role").items()
        if resource["Properties"].get("Description", "").startswith("Associates users")
    )
    return {
        name: policy["Properties"]["PolicyDocument"]
        for name, policy in of_type(template, "AWS::IAM::Policy").items()
        if policy["Properties"]["Roles"] == [{"Ref": role}]
    }


def grants(documents: Iterable[Mapping[str, Any]], references: Mapping[str, str]) -> set[Grant]:
    """Take policies apart.

    :param documents: the policies, which only allow.
    :param references: what their ``Ref`` and ``Fn::GetAtt`` answer.
    :raises ValueError: part of a statement says nothing: no action of it works on the resource,
        or the other way round.
    """
    found: set[Grant] = set()
    for document in documents:
        for statement in evaluate(document, references)["Statement"]:
            assert statement.keys() <= {"Action", "Effect", "Resource", "Condition"}
            assert statement["Effect"] == "Allow"
            actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
            condition = tuple(
                (operator, key, value)
                for operator, keys in statement.get("Condition", {}).items()
                for key, value in keys.items()
            )
            meant = {
                Grant(action, resource, condition)
                for action, resource in itertools.product(actions, resources)
                if _says_something(action, resource)
            }
            idle = {*actions, *resources} - {
                part for grant in meant for part in (grant.action, grant.resource)
            }
            if idle:
                raise ValueError(f"says nothing in its statement: {sorted(idle)}")
            found |= meant
    return found


def needed(call: Call, *, account: str) -> set[Access]:
    """Return what a recorded call of Connect needs."""
    context: tuple[tuple[str, str], ...] = ()
    if call.operation == "AssociateContactWithUser":
        context = (("connect:PreferredUserArn", _arn(call, _USER, account=account)),)
    return {
        Access(f"connect:{call.operation}", _arn(call, shape, account=account), context, required)
        for shapes, required in (
            (REQUIRED[call.operation], True),
            (_OPTIONAL.get(call.operation, ()), False),
        )
        for shape in shapes
        if required or call.parameters.get(re.findall(r"\{(\w+)\}", shape)[-1])
    }


def _arn(call: Call, shape: str, *, account: str) -> str:
    return f"arn:aws:connect:{call.region}:{account}:{shape.format_map(call.parameters)}"


def _says_something(action: str, resource: str) -> bool:
    service, _, operation = action.partition(":")
    if service != "connect":
        return True
    kind = resource.split("/")[-2].rpartition(":")[2]
    return any(
        shape.split("/")[-2] == kind
        for shape in (*REQUIRED[operation], *_OPTIONAL.get(operation, ()))
    )


def _matches(pattern: str, value: str) -> bool:
    """Compare ARNs part by part: a wildcard does not reach beyond its part."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) and all(
        re.fullmatch(re.escape(one).replace(r"\*", ".*").replace(r"\?", "."), other)
        for one, other in zip(patterns, values, strict=True)
    )


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "ArnLike": _matches,
    "StringEquals": str.__eq__,
}


def _holds(condition: tuple[str, str, str], context: tuple[tuple[str, str], ...]) -> bool:
    operator, key, wanted = condition
    value = dict(context).get(key)
    return value is not None and _OPERATORS[operator](wanted, value)


def _listed(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
