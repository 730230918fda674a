"""Templates as CloudFormation reads them: intrinsic functions, conditions, dependencies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_SUB = re.compile(r"\$\{([^}]+)\}")


def as_strings(value: Any) -> Any:
    """Return *value* with every primitive as CloudFormation hands it to a custom resource."""
    if isinstance(value, dict):
        return {name: as_strings(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_strings(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def references(value: Any) -> Iterator[str]:
    """Go through the names that Ref, Fn::GetAtt and Fn::Sub mention within *value*."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == "Ref":
                yield item
            elif name == "Fn::GetAtt":
                yield item[0]
            elif name == "Fn::Sub":
                yield from (match.partition(".")[0] for match in _SUB.findall(item))
            else:
                yield from references(item)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A template with the values of its parameters."""

    template: Mapping[str, Any]
    parameters: Mapping[str, str]

    @property
    def resources(self) -> dict[str, Mapping[str, Any]]:
        """The resources whose condition holds."""
        return {
            logical_id: body
            for logical_id, body in self.template.get("Resources", {}).items()
            if "Condition" not in body or self._holds(body["Condition"])
        }

    def dependencies(self, logical_id: str) -> set[str]:
        """Return the resources that must exist before *logical_id*."""
        body = self.resources[logical_id]
        named = {*body.get("DependsOn", ()), *references(body.get("Properties", {}))}
        return named & self.resources.keys()

    def resolve(
        self,
        value: Any,
        *,
        ref: Callable[[str], str],
        get_att: Callable[[str, str], Any],
    ) -> Any:
        """Return *value* with its intrinsic functions computed.

        :param ref: a resource's physical ID.
        :param get_att: a resource's attribute.
        """

        def named(name: str) -> str:
            return self.parameters[name] if name in self.parameters else ref(name)

        def substitute(match: re.Match[str]) -> str:
            name, dot, attribute = match[1].partition(".")
            return str(get_att(name, attribute)) if dot else named(name)

        def walk(item: Any) -> Any:
            if isinstance(item, list):
                return [walk(element) for element in item]
            if not isinstance(item, dict):
                return item
            match item:
                case {"Ref": name}:
                    return named(name)
                case {"Fn::GetAtt": [name, attribute]}:
                    return get_att(name, attribute)
                case {"Fn::Sub": text}:
                    return _SUB.sub(substitute, text)
                case {"Fn::Join": [separator, parts]}:
                    return separator.join(walk(parts))
                case {"Fn::Split": [separator, text]}:
                    return walk(text).split(separator)
                case {"Fn::Select": [index, parts]}:
                    return walk(parts)[int(index)]
                case {"Fn::If": [condition, yes, no]}:
                    return walk(yes if self._holds(condition) else no)
            return {name: walk(element) for name, element in item.items()}

        return walk(value)

    def _holds(self, condition: str) -> bool:
        left, right = (
            self.parameters[side["Ref"]] if isinstance(side, dict) else side
            for side in self.template["Conditions"][condition]["Fn::Equals"]
        )
        return bool(left == right)
