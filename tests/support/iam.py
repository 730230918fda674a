"""IAM: what a stack's policies grant, and whether they allow a call.

What a call needs comes from a public data set; whether a statement allows it, moto's evaluator
decides.
"""

from __future__ import annotations

import fnmatch
import itertools
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING, Any

from moto.iam.access_control import IAMPolicyStatement, PermissionResult

from service_authorization import dependents, shapes, works_on
from synthesis import evaluate, of_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from connect_associations.testing.recorder import Call

_USER_SHAPE = "arn:${Partition}:connect:${Region}:${Account}:instance/${InstanceId}/agent/${UserId}"


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
        statement = {"Effect": "Allow", "Action": self.action, "Resource": self.resource}
        result = IAMPolicyStatement(statement).is_action_permitted(access.action, access.resource)
        # moto does not know the operators for ARNs.
        return result is PermissionResult.PERMITTED and all(
            _holds(condition, access.context) for condition in self.condition
        )


@dataclass(frozen=True, order=True, slots=True)
class Access:
    """One action on one resource that a call needs.

    :ivar context: the condition keys that AWS fills in.
    """

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


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
    """Return what a recorded call of Connect needs, with what its action depends on."""
    action = f"connect:{call.operation}"
    context: tuple[tuple[str, str], ...] = ()
    if call.operation == "AssociateContactWithUser":
        context = (("connect:PreferredUserArn", _arn(call, _USER_SHAPE, account=account)),)
    return {
        Access(each, _arn(call, shape, account=account), context if each == action else ())
        for each in (action, *dependents(action))
        for shape in shapes(each)
    }


def _arn(call: Call, shape: str, *, account: str) -> str:
    """Return the ARN of what a call names, or of all that it may find."""
    place = {"Partition": "aws", "Region": call.region, "Account": account}
    names = Template(shape).get_identifiers()
    return Template(shape).substitute(
        {name: place.get(name) or call.parameters.get(name, "*") for name in names}
    )


def _says_something(action: str, resource: str) -> bool:
    return not action.startswith("connect:") or works_on(action, resource)


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "ArnLike": fnmatch.fnmatchcase,
    "StringEquals": str.__eq__,
}


def _holds(condition: tuple[str, str, str], context: tuple[tuple[str, str], ...]) -> bool:
    operator, key, wanted = condition
    value = dict(context).get(key)
    return value is not None and _OPERATORS[operator](value, wanted)


def _listed(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
