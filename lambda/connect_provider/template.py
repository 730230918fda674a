"""What a stack's template declares, with Ref and Fn::GetAtt resolved by physical IDs.

Identifiers compare by their last segment, and the physical ID of a Connect user, group or instance
is its ARN. So the physical ID stands for every attribute that is an ID or an ARN, and no attribute
has to be asked for. What cannot be resolved this way is :class:`UnresolvableError`: the caller
then keeps what might be declared.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider import physical_id
from connect_provider.physical_id import UserLookupId

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUB = re.compile(r"\$\{(!?)([^}]+)\}")


class UnresolvableError(ValueError):
    """A value in the template is not known before CloudFormation has computed it."""


class Template(NamedTuple):
    """A template with the names that its intrinsic functions can refer to.

    :ivar resources: the template's ``Resources``.
    :ivar physical_ids: logical to physical IDs.
    :ivar parameters: the stack's parameters, and the pseudo parameters.
    """

    resources: Mapping[str, Any]
    physical_ids: Mapping[str, str]
    parameters: Mapping[str, str]

    def properties(self, logical_id: str) -> dict[str, Any]:
        """Return a resource's properties as a custom resource's event would hold them.

        :raises UnresolvableError: one of them cannot be computed here.
        """
        resolved: dict[str, Any] = self.resolve(self.resources[logical_id].get("Properties", {}))
        if isinstance(resolved.get("UserIds"), str):
            # A list parameter is shown as the text that was given for it.
            resolved["UserIds"] = resolved["UserIds"].split(",")
        return resolved

    def resolve(self, value: Any) -> Any:  # noqa: ANN401 - a template holds any JSON value
        """Return *value* with its intrinsic functions computed.

        :raises UnresolvableError: one of them cannot be computed here.
        """
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref":
                return self._ref(argument)
            if name.startswith("Fn::"):
                return self._function(name, argument)
        return {name: self.resolve(item) for name, item in value.items()}

    def _ref(self, name: str) -> str:
        if name in self.parameters:
            return self.parameters[name]
        if name in self.physical_ids:
            return self.physical_ids[name]
        raise UnresolvableError(f"Ref {name}")

    def _get_att(self, logical_id: str, attribute: str) -> Any:  # noqa: ANN401 - see resolve
        resource = self.resources.get(logical_id, {})
        if str(resource.get("Type", "")).startswith("Custom::Connect"):
            # The attributes of our own resources that are identifiers repeat their properties.
            known = physical_id.parse(self._ref(logical_id))
            if isinstance(known, UserLookupId) and attribute == "UserIds":
                return ",".join(known.users)
            if attribute in resource.get("Properties", {}):
                return self.resolve(resource["Properties"][attribute])
            raise UnresolvableError(f"Fn::GetAtt {logical_id}.{attribute}")
        return self._ref(logical_id)

    def _function(self, name: str, argument: Any) -> Any:  # noqa: ANN401 - see resolve
        try:
            match name:
                case "Fn::GetAtt":
                    parts = argument.split(".", 1) if isinstance(argument, str) else argument
                    return self._get_att(parts[0], parts[1])
                case "Fn::Join":
                    return argument[0].join(self._list(argument[1]))
                case "Fn::Split":
                    return self.resolve(argument[1]).split(argument[0])
                case "Fn::Select":
                    return self._list(argument[1])[int(self.resolve(argument[0]))]
                case "Fn::Sub":
                    return self._sub(argument)
                case _:
                    raise UnresolvableError(name)
        except (TypeError, ValueError, IndexError, AttributeError, KeyError) as error:
            raise UnresolvableError(f"{name}: {error}") from error

    def _list(self, value: Any) -> list[str]:  # noqa: ANN401 - see resolve
        resolved = self.resolve(value)
        return resolved.split(",") if isinstance(resolved, str) else list(resolved)

    def _sub(self, argument: Any) -> str:  # noqa: ANN401 - see resolve
        text, names = (argument, {}) if isinstance(argument, str) else argument

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in names:
                return str(self.resolve(names[name]))
            logical_id, dot, attribute = name.partition(".")
            return str(self._get_att(logical_id, attribute) if dot else self._ref(name))

        return _SUB.sub(replace, text)
