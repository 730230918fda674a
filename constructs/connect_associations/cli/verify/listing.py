"""Listings that experiments and clean-up read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connect_provider.identifiers import last_segment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connect_associations.cli.verify.calls import Caller

_LARGE_PAGE, _SMALL_PAGE = 1000, 10
"""The most that ListTrafficDistributionGroupUsers takes, and what older Regions take."""

NOT_FOUND = "ResourceNotFoundException"


def spelled_users(caller: Caller, group_arn: str) -> list[str] | None:
    """Return a group's users as Connect spells them; None if it does not find the group.

    :raises CannotTellError: it would not list them.
    """
    operation = "ListTrafficDistributionGroupUsers"
    request: dict[str, Any] = {
        "TrafficDistributionGroupId": group_arn,
        "MaxResults": _LARGE_PAGE,
    }
    reply = caller.ask(operation, **request)
    if reply.code == NOT_FOUND:
        return None
    if not reply.succeeded:
        request["MaxResults"] = _SMALL_PAGE
    page = reply.answer if reply.succeeded else caller.must(operation, **request)
    found: list[str] = []
    while True:
        found += [each["UserId"] for each in page["TrafficDistributionGroupUserSummaryList"]]
        if not page.get("NextToken"):
            return found
        page = caller.must(operation, **request, NextToken=page["NextToken"])


def group_users(caller: Caller, group_arn: str) -> frozenset[str] | None:
    """Return the IDs of a group's users; None if Connect does not find the group.

    :raises CannotTellError: it would not list them.
    """
    spelled = spelled_users(caller, group_arn)
    return None if spelled is None else frozenset(map(last_segment, spelled))


def groups(caller: Caller, instance_id: str) -> list[dict[str, Any]]:
    """Return the summaries of an instance's traffic distribution groups.

    :raises CannotTellError: Connect would not list them.
    """
    return list(
        _pages(
            caller,
            "ListTrafficDistributionGroups",
            "TrafficDistributionGroupSummaryList",
            InstanceId=instance_id,
        )
    )


def users_named(caller: Caller, instance_id: str, username: str) -> list[str]:
    """Return the IDs of the users of that name.

    :raises CannotTellError: Connect would not search.
    """
    condition = {"FieldName": "Username", "Value": username, "ComparisonType": "EXACT"}
    found = _pages(
        caller,
        "SearchUsers",
        "Users",
        InstanceId=instance_id,
        SearchCriteria={"StringCondition": condition},
    )
    return [user["Id"] for user in found]


def _pages(
    caller: Caller, operation: str, member: str, **request: object
) -> Iterator[dict[str, Any]]:
    page = caller.must(operation, **request)
    yield from page[member]
    while page.get("NextToken"):
        page = caller.must(operation, **request, NextToken=page["NextToken"])
        yield from page[member]
