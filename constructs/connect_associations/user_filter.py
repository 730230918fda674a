"""Which users of an instance belong to a roster by rule."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connect_associations._grammar import Kind
from connect_associations._identifiers import is_token, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aws_cdk.interfaces import aws_connect as references

    from connect_associations._identifiers import Identifier, Reader

MAX_CONDITIONS = 20
"""The most alternatives of one rule; each is a search of its own."""

_MAX_TAGS = 25
"""Tag conditions of one search.

Source: https://docs.aws.amazon.com/connect/latest/APIReference/API_ControlPlaneUserAttributeFilter.html
"""

_TAG_KEY = re.compile(r"(?!aws:)[\w\s.:/=+@-]{1,128}")
_LONGEST_TAG_VALUE = 256
_IDS = (
    ("HierarchyGroupIds", "hierarchy_group_id", Kind.HIERARCHY_GROUP),
    ("RoutingProfileIds", "routing_profile_id", Kind.ROUTING_PROFILE),
    ("SecurityProfileIds", "security_profile_id", Kind.SECURITY_PROFILE),
)
_ONE_A_USER = "RoutingProfileIds"


@dataclass(frozen=True, kw_only=True, slots=True)
class UserFilter:
    """The users who meet all the given conditions, for ``users_matching`` of a membership.

    SearchUsers evaluates the filter when you deploy the stack. With
    ``ConnectAssociationProvider(audit=…)``, it does so again on a schedule. Each alternative is a
    search of its own; there can be at most 20.

    :param tags: tags that the user must have, with these values. Default: - any
    :param hierarchy_group_id: a hierarchy group that the user belongs to, or a group above that
        one: an ID, an ARN, a token or a reference such as a CfnUserHierarchyGroup. Default: - any
    :param routing_profile_id: the user's routing profile: an ID, an ARN, a token or a reference
        such as a CfnRoutingProfile. Default: - any
    :param security_profile_id: one of the user's security profiles: an ID, an ARN, a token or a
        reference such as a CfnSecurityProfile. Default: - any
    :param all_of: filters that the user must pass, every one of them. Default: - none
    :param any_of: filters of which the user must pass at least one. Default: - none
    """

    tags: Mapping[str, str] | None = None
    hierarchy_group_id: str | references.IUserHierarchyGroupRef | None = None
    routing_profile_id: str | references.IRoutingProfileRef | None = None
    security_profile_id: str | references.ISecurityProfileRef | None = None
    all_of: Sequence[UserFilter] = ()
    any_of: Sequence[UserFilter] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Condition:
    """What a user must meet, all at once.

    :param tags: values by key.
    :param ids: what each part of the property must hold, by the identifier's key.
    """

    tags: Mapping[str, str]
    ids: Mapping[str, Mapping[str, str]]

    def and_(self, other: _Condition) -> _Condition | None:
        """Return both in one; None if no user can meet both."""
        if any(other.tags.get(key, value) != value for key, value in self.tags.items()):
            return None
        ids = {
            part: {**self.ids.get(part, {}), **other.ids.get(part, {})}
            for part in self.ids.keys() | other.ids.keys()
        }
        if len(ids.get(_ONE_A_USER, ())) > 1:
            return None
        return _Condition(tags={**self.tags, **other.tags}, ids=ids)

    def property(self) -> dict[str, Any]:
        """Return the condition as it is written in the template."""
        parts: dict[str, Any] = {"Tags": dict(sorted(self.tags.items()))} if self.tags else {}
        for part, values in sorted(self.ids.items()):
            parts[part] = [values[key] for key in sorted(values)]
        return parts


def read(reader: Reader, value: object, *, instance: Identifier, name: str) -> list[dict[str, Any]]:
    """Return the conditions of which a user meets one at least, as the template holds them.

    Their order does not depend on the order in which filters were given.

    :param reader: collects what is wrong.
    :param value: what the user gave.
    :param instance: the instance that profiles and groups belong to.
    :param name: the property's name, for the message.
    """
    before = len(reader.problems)
    conditions = _alternatives(reader, value, instance=instance, name=name)
    if len(reader.problems) > before:
        return []
    if not conditions:
        reader.problems.append(f"{name}: no user can meet all of it; look for contradictions")
    if len(conditions) > MAX_CONDITIONS:
        reader.problems.append(
            f"{name}: stands for more than {MAX_CONDITIONS} alternatives; split it over several "
            f"memberships"
        )
    if any(len(condition.tags) > _MAX_TAGS for condition in conditions):
        reader.problems.append(f"{name}: asks for more than {_MAX_TAGS} tags at once")
    keyed = {json.dumps(each.property(), sort_keys=True): each.property() for each in conditions}
    return [keyed[key] for key in sorted(keyed)]


def _alternatives(
    reader: Reader, value: object, *, instance: Identifier, name: str
) -> list[_Condition]:
    if not isinstance(value, UserFilter):
        reader.problems.append(f"{name}: expected a UserFilter, got {shown(value)}")
        return []
    own = _own(reader, value, instance=instance, name=name)
    every = [[own]] if own else []
    for part in ("all_of", "any_of"):
        filters = reader.listed(getattr(value, part))
        if filters is None:
            reader.problems.append(
                f"{name}.{part}: expected a list of UserFilter, got {shown(getattr(value, part))}"
            )
            return []
        found = [
            _alternatives(reader, each, instance=instance, name=f"{name}.{part}[{index}]")
            for index, each in enumerate(filters)
        ]
        every += found if part == "all_of" else [list(itertools.chain(*found))] if found else []
    if not every:
        reader.problems.append(f"{name}: has no condition, so that everybody would match")
    return _product(every)


def _own(
    reader: Reader, given: UserFilter, *, instance: Identifier, name: str
) -> _Condition | None:
    tags = _tags(reader, given.tags, name=f"{name}.tags") if given.tags is not None else {}
    ids = {}
    for part, prop, kind in _IDS:
        if (value := getattr(given, prop)) is not None:
            found = reader.identifier(
                value, kind=kind, name=f"{name}.{prop}", instance=instance, in_policy=False
            )
            ids[part] = {reader.key(found): found.value}
    return _Condition(tags=tags, ids=ids) if tags or ids else None


def _tags(reader: Reader, tags: object, *, name: str) -> dict[str, str]:
    if not isinstance(tags, dict) or not tags:
        reader.problems.append(f"{name}: expected values by key, got {shown(tags)}")
        return {}
    for key, value in tags.items():
        if not isinstance(key, str) or is_token(key) or not _TAG_KEY.fullmatch(key):
            reader.problems.append(
                f"{name}: {shown(key)} cannot be the key of a tag; expected 1 to 128 letters, "
                f"digits, spaces and any of + - = . _ : / @, not beginning with 'aws:'"
            )
        if not isinstance(value, str) or (len(value) > _LONGEST_TAG_VALUE and not is_token(value)):
            reader.problems.append(
                f"{name}[{shown(key)}]: expected a string of at most {_LONGEST_TAG_VALUE} "
                f"characters, got {shown(value)}"
            )
    return dict(tags)


def _product(every: Iterable[Sequence[_Condition]]) -> list[_Condition]:
    """Return the ways to meet one condition of each; once there are too many, only those."""
    ways: list[_Condition] = [_Condition(tags={}, ids={})]
    for conditions in every:
        both = (way.and_(each) for way in ways for each in conditions)
        ways = list(itertools.islice((each for each in both if each), MAX_CONDITIONS + 1))
        if len(ways) > MAX_CONDITIONS:
            break
    return ways
