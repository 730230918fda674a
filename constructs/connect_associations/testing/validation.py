"""Requests against botocore's service model: required members, types, lengths, patterns, values."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from botocore.validate import ParamValidator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.model import OperationModel, Shape

_UNUSABLE_PATTERNS = frozenset({"Password", "PhoneNumber"})
"""Shapes whose pattern in the model is no pattern for a value (slashes around it, or escaped
twice)."""

_TYPES_AND_REQUIRED = ParamValidator()


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def problems(parameters: Mapping[str, Any], operation: OperationModel) -> list[str]:
    """Return what is wrong with a request, a sentence each; nothing if it is valid."""
    shape = operation.input_shape
    if shape is None:
        return []
    report = _TYPES_AND_REQUIRED.validate(parameters, shape)
    if report.has_errors():
        return [line for line in report.generate_report().splitlines() if line]
    return list(_constraints(parameters, shape, ""))


def _constraints(value: Any, shape: Shape, name: str) -> Iterator[str]:  # noqa: ANN401 - a parsed request holds anything
    if shape.type_name == "structure":
        for member, member_value in value.items():
            if member_value is not None and member in shape.members:  # type: ignore[attr-defined]
                yield from _constraints(
                    member_value,
                    shape.members[member],  # type: ignore[attr-defined]
                    f"{name}.{member}" if name else member,
                )
    elif shape.type_name == "list":
        yield from _length(len(value), shape, name, "items")
        for index, item in enumerate(value):
            yield from _constraints(item, shape.member, f"{name}[{index}]")  # type: ignore[attr-defined]
    elif shape.type_name == "string":
        yield from _length(len(value), shape, name, "characters")
        yield from _string(value, shape, name)
    elif shape.type_name in {"integer", "long"}:
        yield from _length(value, shape, name, "as its value")


def _length(length: int, shape: Shape, name: str, unit: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and length < least:
        yield f"{name} has {length} {unit}; the least is {least}."
    if most is not None and length > most:
        yield f"{name} has {length} {unit}; the most is {most}."


def _string(value: str, shape: Shape, name: str) -> Iterator[str]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"{name} is {value!r}; allowed: {', '.join(allowed)}."
    pattern = shape.metadata.get("pattern")
    if pattern and shape.name not in _UNUSABLE_PATTERNS and not _compiled(pattern).search(value):
        yield f"{name} is {value!r}, which does not match {pattern}."
