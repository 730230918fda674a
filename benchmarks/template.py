"""Bytes, resources and policy characters of templates, and how many associations a stack holds."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import subjects
from benchmarks.figures import Figure, Limit, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import aws_cdk as cdk

_SIZES = (1, 50, 200)
_SINGLE_BYTES = Limit(most=420)
_MEMBER_BYTES = Limit(most=45)
_ONE = Limit(most=1)

_MOST_RESOURCES = 500
_MOST_BYTES = 1_000_000
_MOST_POLICY_CHARACTERS = 10_240
"""CloudFormation's and IAM's quotas: resources a stack, bytes a template, and characters of all
inline policies of a role."""

_ARN_CHARACTERS = 120
"""About as long as the ARN of a log group that CloudFormation names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    """How large a stack is."""

    bytes: int
    resources: int
    policy: int

    @classmethod
    def of(cls, declare: Callable[[cdk.Stack, Sequence[str]], None], count: int) -> _Size:
        """Synthesize a stack with *count* users."""
        with tempfile.TemporaryDirectory() as folder:
            stack = subjects.new_stack(Path(folder))
            declare(stack, subjects.agents(count))
            stack.node.root.synth()  # type: ignore[attr-defined] # the root is the app
            text = (Path(folder) / stack.template_file).read_text(encoding="utf-8")
        resources = json.loads(text)["Resources"]
        return cls(bytes=len(text.encode()), resources=len(resources), policy=_policy(resources))


def _policy(resources: dict[str, Any]) -> int:
    """Return the characters of all inline policies of the role that has the most."""
    by_role: Counter[str] = Counter()
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Policy":
            document = _resolved(resource["Properties"]["PolicyDocument"])
            for role in resource["Properties"]["Roles"]:
                by_role[json.dumps(role)] += len(json.dumps(document, separators=(",", ":")))
    return max(by_role.values())


def _resolved(value: Any) -> Any:  # noqa: ANN401 - templates hold any JSON value
    """Put text of the right length in place of intrinsic functions."""
    if isinstance(value, list):
        return [_resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Fn::Join": [separator, parts]}:
            return separator.join(map(str, _resolved(parts)))
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Ref": _} | {"Fn::GetAtt": _}:
            return "x" * _ARN_CHARACTERS
    return {key: _resolved(item) for key, item in value.items()}


def measure() -> list[Section]:
    """Synthesize stacks of several sizes."""
    ways = {
        "single": subjects.singles,
        "membership": subjects.membership,
        "other": subjects.aws_custom_resources,
    }
    sizes = {
        (name, count): _Size.of(declare, count)
        for name, declare in ways.items()
        for count in {*_SIZES, *(size + 1 for size in _SIZES)}
    }

    def another(way: str, count: int, what: str) -> int:
        more: int = getattr(sizes[way, count + 1], what) - getattr(sizes[way, count], what)
        return more

    figures = []
    for count in _SIZES:
        for way, limit in (("single", _SINGLE_BYTES), ("membership", _MEMBER_BYTES)):
            figures += [
                Figure(
                    name=f"template of {count:,}, {way}: bytes",
                    ours=sizes[way, count].bytes,
                    other=sizes["other", count].bytes,
                ),
                Figure(
                    name=f"one more than {count:,}, {way}: bytes",
                    ours=another(way, count, "bytes"),
                    other=another("other", count, "bytes"),
                    limit=limit,
                ),
            ]
    largest = _SIZES[-1]
    for way in ("single", "membership"):
        figures.append(
            Figure(
                name=f"one more than {largest:,}, {way}: resources",
                ours=another(way, largest, "resources"),
                other=another("other", largest, "resources"),
                limit=_ONE,
            )
        )
    for way in ("single", "membership"):
        figures.append(
            Figure(
                name=f"role policy of {largest:,} over that of 1, {way}",
                ours=sizes[way, largest].policy / sizes[way, 1].policy,
                other=sizes["other", largest].policy / sizes["other", 1].policy,
                limit=_ONE,
            )
        )

    def most(way: str) -> int:
        room = [
            (_MOST_RESOURCES, "resources"),
            (_MOST_BYTES, "bytes"),
            (_MOST_POLICY_CHARACTERS, "policy"),
        ]
        return min(
            largest + int(limit - getattr(sizes[way, largest], what)) // each
            for limit, what in room
            if (each := another(way, largest, what))
        )

    figures += [
        Figure(name=f"most associations a stack holds, {way}", ours=most(way), other=most("other"))
        for way in ("single", "membership")
    ]
    return [
        Section(
            title="Templates",
            against="AwsCustomResource",
            method=(
                "Stacks of literal IDs for a known account and Region. What a stack holds is where "
                f"the first of {_MOST_RESOURCES} resources, {_MOST_BYTES:,} bytes and "
                f"{_MOST_POLICY_CHARACTERS:,} characters of a role's inline policies is reached; "
                "a membership holds 2,500 users, so a stack holds several."
            ),
            figures=tuple(figures),
        )
    ]
