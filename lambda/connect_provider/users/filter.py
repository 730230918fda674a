"""Rosters by rule: everybody who meets conditions, as SearchUsers sees the users.

A rule is a list of conditions. A user meets the rule by meeting all parts of at least one
condition. It is kept as JSON text in one spelling, so that equal rules are equal texts, and goes
into the claim, so that it can be evaluated again.

Source: `SearchUsers <https://docs.aws.amazon.com/connect/latest/APIReference/API_SearchUsers.html>`_.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

from connect_provider import identifiers
from connect_provider.errors import AssociationFailedError, InvalidEventError, StillWaiting
from connect_provider.identifiers import Kind
from connect_provider.lifecycle import RECENT_SECONDS

if TYPE_CHECKING:
    from connect_provider.connect.client import Connect
    from connect_provider.identifiers import Account

MAX_USERS = 5000
"""Users in one claim that a rule makes: with some room, what Step Functions' input can carry."""

_TAGS = "Tags"
_IDS = {
    "HierarchyGroupIds": Kind.HIERARCHY_GROUP,
    "RoutingProfileIds": Kind.ROUTING_PROFILE,
    "SecurityProfileIds": Kind.SECURITY_PROFILE,
}
_FIELDS = {"RoutingProfileIds": "RoutingProfileId", "SecurityProfileIds": "SecurityProfileId"}
_MAX_CONDITIONS = 20
_MAX_TAGS = 25
_TAG_KEY = re.compile(r"(?!aws:)[\w\s.:/=+@-]{1,128}")
_LONGEST_TAG_VALUE = 256


def read(value: object, *, name: str, owner: Account) -> str:
    """Read a rule's property, and return the rule in one spelling.

    :param value: a list of objects with ``Tags``, ``HierarchyGroupIds``, ``RoutingProfileIds`` and
        ``SecurityProfileIds``.
    :param name: the property's name, for the message.
    :param owner: the partition and account that an ARN must belong to.
    :raises InvalidEventError: naming the part and what is wrong with it.
    """
    if not isinstance(value, list) or not 1 <= len(value) <= _MAX_CONDITIONS:
        raise InvalidEventError(
            f"{name} is not a list of 1 to {_MAX_CONDITIONS} conditions: got {value!r:.100}."
        )
    spelled = {
        _spelled(_condition(each, name=f"{name}[{index}]", owner=owner))
        for index, each in enumerate(value)
    }
    return f"[{','.join(sorted(spelled))}]"


def requests(rule: str) -> list[dict[str, Any]]:
    """Return the searches, without the instance, that together find everybody who meets a rule."""
    return [_request(condition) for condition in json.loads(rule)]


def matching(connect: Connect, *, instance_id: str, rule: str) -> frozenset[str]:
    """Return the canonical IDs of everybody who meets a rule now."""
    return frozenset(
        user_id
        for request in requests(rule)
        for page in connect.search(instance_id=instance_id, **request)
        for user_id in page.usernames
    )


def claimed(connect: Connect, *, instance_id: str, rule: str, since: float) -> frozenset[str]:
    """Return who meets a rule that is about to be declared: somebody, and not too many.

    :param since: when the request began, in seconds since the epoch.
    :raises StillWaiting: somebody may meet it a little later.
    :raises AssociationFailedError: nobody meets it, or more users than one claim can carry.
    """
    users = matching(connect, instance_id=instance_id, rule=rule)
    said = f"SearchUsers: in instance {instance_id} in {connect.region}"
    if not users and time.time() - since < RECENT_SECONDS:
        raise StillWaiting(f"{said} nobody matches {rule}")
    if not users:
        raise AssociationFailedError(
            f"{said} nobody matches {rule}. Check the tags and IDs of users_matching. Nothing was "
            "changed."
        )
    if len(users) > MAX_USERS:
        raise AssociationFailedError(
            f"{said} {len(users):,} users match {rule}; one membership holds at most "
            f"{MAX_USERS:,}. Split it into narrower rules. Nothing was changed."
        )
    return users


def _condition(value: object, *, name: str, owner: Account) -> dict[str, Any]:
    if not isinstance(value, dict) or not value or not value.keys() <= {_TAGS, *_IDS}:
        raise InvalidEventError(
            f"{name} is not an object with some of {', '.join((_TAGS, *_IDS))}: got {value!r:.100}."
        )
    condition: dict[str, Any] = {}
    if _TAGS in value:
        condition[_TAGS] = _tags(value[_TAGS], name=f"{name}.{_TAGS}")
    for part in _IDS.keys() & value.keys():
        condition[part] = _ids(value[part], kind=_IDS[part], name=f"{name}.{part}", owner=owner)
    return condition


def _tags(value: object, *, name: str) -> dict[str, str]:
    if not isinstance(value, dict) or not 1 <= len(value) <= _MAX_TAGS:
        raise InvalidEventError(f"{name} is not an object of 1 to {_MAX_TAGS} tags.")
    for key, wanted in value.items():
        if not _TAG_KEY.fullmatch(str(key)):
            raise InvalidEventError(
                f"{name}: {key!r:.100} cannot be the key of a tag in Connect: it takes 1 to 128 "
                "letters, digits, spaces and any of + - = . _ : / @, not beginning with aws:."
            )
        if not isinstance(wanted, str) or len(wanted) > _LONGEST_TAG_VALUE:
            raise InvalidEventError(
                f"{name}[{key!r}] is not a string of at most {_LONGEST_TAG_VALUE} characters."
            )
    return dict(value)


def _ids(value: object, *, kind: Kind, name: str, owner: Account) -> list[str]:
    if not isinstance(value, list) or not value:
        raise InvalidEventError(f"{name} is not a list of {kind.noun}s: got {value!r:.100}.")
    return sorted(
        {
            identifiers.parse(each, kind=kind, name=f"{name}[{index}]", owner=owner).id
            for index, each in enumerate(value)
        }
    )


def _spelled(condition: dict[str, Any]) -> str:
    return json.dumps(condition, sort_keys=True, separators=(",", ":"))


def _request(condition: dict[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {}
    tags = condition.get(_TAGS)
    if tags:
        request["SearchFilter"] = {
            "TagFilter": {
                "AndConditions": [{"TagKey": key, "TagValue": tags[key]} for key in sorted(tags)]
            }
        }
    criteria: list[dict[str, Any]] = [
        {
            "HierarchyGroupCondition": {
                "Value": group_id,
                "HierarchyGroupMatchType": "WITH_CHILD_GROUPS",
            }
        }
        for group_id in condition.get("HierarchyGroupIds", ())
    ]
    criteria += [
        {"StringCondition": {"FieldName": field, "Value": wanted, "ComparisonType": "EXACT"}}
        for part, field in _FIELDS.items()
        for wanted in condition.get(part, ())
    ]
    if criteria:
        request["SearchCriteria"] = {"AndConditions": criteria}
    return request
