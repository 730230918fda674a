"""What CloudFormation would make of a value in a template, as far as that is known before.

Source: `Intrinsic function reference
<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>`_.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SUB = re.compile(r"\$\{(!?)([^}]+)\}")
_DYNAMIC = "{{resolve:"
NO_VALUE = object()
"""What ``AWS::NoValue`` stands for: the property or element is not there."""


class DeployTimeError(Exception):
    """A value is known only when the stack is deployed; the text names what it depends on."""


class Evaluation:
    """Computes values of one template.

    :param template: the template's body.
    :param ref: what ``Ref`` of a parameter, a pseudo parameter or a resource is.
    :param attribute: what ``Fn::GetAtt`` of a resource and an attribute is.
    :param imported: what ``Fn::ImportValue`` of a name is. All three raise DeployTimeError.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        *,
        ref: Callable[[str], Any],
        attribute: Callable[[str, str], Any],
        imported: Callable[[str], str],
    ) -> None:
        self._template = template
        self._ref = ref
        self._attribute = attribute
        self._imported = imported
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref_of,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": lambda of: str(of[0]).join(map(str, self.value(of[1]))),
            "Fn::Split": lambda of: str(self.value(of[1])).split(of[0]),
            "Fn::Select": lambda of: self.value(of[1])[int(self.value(of[0]))],
            "Fn::FindInMap": self._find_in_map,
            "Fn::If": lambda of: self.value(of[1] if self.holds(of[0]) else of[2]),
            "Fn::ImportValue": lambda of: self._imported(str(self.value(of))),
            "Fn::Equals": lambda of: str(self.value(of[0])) == str(self.value(of[1])),
            "Fn::And": lambda of: all(map(self.value, of)),
            "Fn::Or": lambda of: any(map(self.value, of)),
            "Fn::Not": lambda of: not self.value(of[0]),
            "Condition": self.holds,
        }

    def value(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        """Return *value* with its functions computed.

        :raises DeployTimeError: that is not possible yet.
        """
        if isinstance(value, list):
            found = [self.value(each) for each in value]
            return [each for each in found if each is not NO_VALUE]
        if isinstance(value, dict):
            if len(value) == 1:
                ((name, argument),) = value.items()
                if name in self._functions:
                    return self._computed(name, argument)
                if name.startswith("Fn::"):
                    raise DeployTimeError(name)
            computed = {name: self.value(each) for name, each in value.items()}
            return {name: each for name, each in computed.items() if each is not NO_VALUE}
        if isinstance(value, str) and _DYNAMIC in value:
            raise DeployTimeError(value)
        return value

    def holds(self, condition: str) -> bool:
        """Tell whether a condition of the template is met.

        :raises DeployTimeError: that is not known yet.
        """
        conditions = self._template.get("Conditions", {})
        if condition not in conditions:
            raise DeployTimeError(f"condition {condition}")
        return bool(self.value(conditions[condition]))

    def _computed(self, name: str, argument: Any) -> Any:  # noqa: ANN401 - any JSON value
        try:
            return self._functions[name](argument)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            # CloudFormation refuses such a template, and says why.
            raise DeployTimeError(f"{name} of {argument!r:.100}") from error

    def _ref_of(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        return NO_VALUE if name == "AWS::NoValue" else self._ref(name)

    def _get_att(self, argument: list[str] | str) -> Any:  # noqa: ANN401 - any JSON value
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._attribute(parts[0], str(self.value(parts[1])))

    def _sub(self, argument: list[Any] | str) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def replaced(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in own:
                return str(self.value(own[name]))
            resource, dot, attribute = name.partition(".")
            return str(self._attribute(resource, attribute) if dot else self._ref(name))

        return _SUB.sub(replaced, text)

    def _find_in_map(self, argument: list[Any]) -> Any:  # noqa: ANN401 - any JSON value
        name, first, second = (self.value(each) for each in argument[:3])
        return self._template["Mappings"][name][first][second]
