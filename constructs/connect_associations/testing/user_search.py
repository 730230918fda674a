"""Which users meet the criteria and the filter of a SearchUsers request.

Source: `SearchUsers <https://docs.aws.amazon.com/connect/latest/APIReference/API_SearchUsers.html>`_.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connect_associations.testing.exceptions import ConnectError, InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connect_associations.testing.entities import User

_MAX_TAG_CONDITIONS = 25
_MAX_HIERARCHY_CONDITIONS = 20


def meets_criteria(user: User, criteria: Mapping[str, Any]) -> bool:
    """Return whether a user meets SearchCriteria.

    :raises InvalidParameterError: for a criterion that the emulation does not know.
    """
    _refuse_unknown(
        criteria, {"OrConditions", "AndConditions", "StringCondition", "HierarchyGroupCondition"}
    )
    either = criteria.get("OrConditions")
    if either and not any(meets_criteria(user, condition) for condition in either):
        return False
    if not all(meets_criteria(user, condition) for condition in criteria.get("AndConditions", ())):
        return False
    string, hierarchy = criteria.get("StringCondition"), criteria.get("HierarchyGroupCondition")
    return (string is None or _meets_string(user, string)) and (
        hierarchy is None or _is_below(user, hierarchy)
    )


def passes_filter(user: User, search_filter: Mapping[str, Any]) -> bool:
    """Return whether a user passes SearchFilter.

    :raises InvalidParameterError: for a filter that the emulation does not know, or too many
        conditions.
    :raises ConnectError: both kinds of filter are given.
    """
    _refuse_unknown(search_filter, {"TagFilter", "UserAttributeFilter"})
    if len(search_filter) > 1:
        raise ConnectError(
            "AccessDeniedException", "TagFilter and UserAttributeFilter cannot be combined."
        )
    tags, attributes = search_filter.get("TagFilter"), search_filter.get("UserAttributeFilter")
    if tags is not None:
        _refuse_unknown(tags, {"OrConditions", "AndConditions", "TagCondition"})
        return _passes(
            user,
            either=[{"TagConditions": each} for each in tags.get("OrConditions", ())],
            every={"TagConditions": tags.get("AndConditions", ())},
            leaf={"TagConditions": [tags["TagCondition"]] if "TagCondition" in tags else []},
        )
    if attributes is not None:
        _refuse_unknown(
            attributes, {"OrConditions", "AndCondition", "TagCondition", "HierarchyGroupCondition"}
        )
        tag = attributes.get("TagCondition")
        return _passes(
            user,
            either=attributes.get("OrConditions", ()),
            every=attributes.get("AndCondition", {}),
            leaf={
                "TagConditions": [tag] if tag else [],
                "HierarchyGroupCondition": attributes.get("HierarchyGroupCondition"),
            },
        )
    return True


def _passes(user: User, *, either: Any, every: Any, leaf: Any) -> bool:  # noqa: ANN401 - parts of a request
    conjunctions = [*either, every, leaf]
    tags = sum(len(each.get("TagConditions") or ()) for each in conjunctions)
    groups = sum(1 for each in conjunctions if each.get("HierarchyGroupCondition"))
    if tags > _MAX_TAG_CONDITIONS or groups > _MAX_HIERARCHY_CONDITIONS:
        raise InvalidParameterError(f"{tags} tag and {groups} hierarchy conditions are too many.")

    def holds(conjunction: Mapping[str, Any]) -> bool:
        group = conjunction.get("HierarchyGroupCondition")
        return all(
            user.tags.get(each["TagKey"]) == each.get("TagValue")
            for each in conjunction.get("TagConditions") or ()
        ) and (group is None or _is_below(user, group))

    return holds(every) and holds(leaf) and (not either or any(map(holds, either)))


def _is_below(user: User, condition: Mapping[str, str]) -> bool:
    path = user.hierarchy_path
    if condition.get("HierarchyGroupMatchType") == "WITH_CHILD_GROUPS":
        return condition.get("Value") in path
    return path[-1:] == (condition.get("Value"),)


def _meets_string(user: User, condition: Mapping[str, str]) -> bool:
    fields: dict[str, list[str | None]] = {
        "username": [user.username],
        "firstname": [user.first_name],
        "lastname": [user.last_name],
        "resourceid": [user.id],
        "routingprofileid": [user.routing_profile_id],
        "securityprofileid": [*user.security_profile_ids],
    }
    name = condition.get("FieldName", "")
    if name.lower() not in fields:
        raise InvalidParameterError(
            f"The emulation cannot search users by {name}; it can by {', '.join(sorted(fields))}."
        )
    sought = condition.get("Value", "").lower()
    comparison = condition.get("ComparisonType", "EXACT")
    return any(
        {
            "EXACT": value == sought,
            "STARTS_WITH": value.startswith(sought),
            "CONTAINS": sought in value,
        }.get(comparison, False)
        for value in ((each or "").lower() for each in fields[name.lower()])
    )


def _refuse_unknown(given: Mapping[str, Any], known: set[str]) -> None:
    unknown = given.keys() - known
    if unknown:
        raise InvalidParameterError(
            f"The emulation does not know the search criteria {', '.join(sorted(unknown))}."
        )
