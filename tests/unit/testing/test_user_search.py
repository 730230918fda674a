"""SearchUsers of the emulation: criteria and filters as botocore's model has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from connect_associations.testing import ConnectEmulation, mock_connect
from connect_associations.testing.seed import HOME_REGION, INSTANCE_ID, USERS, seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SITE, TEAM, OTHER = (f"77777777-aaaa-4aaa-8aaa-{number:012d}" for number in range(3))
SALES, SUPERVISOR = (f"88888888-aaaa-4aaa-8aaa-{number:012d}" for number in range(2))


@pytest.fixture
def search() -> Iterator[Callable[..., set[str]]]:
    """Return what searches a contact centre where users have tags, groups and profiles."""
    emulation = ConnectEmulation()
    seed(emulation)
    ann, bob, cyd = (emulation.world.users[USERS[name]] for name in ("ann", "bob", "cyd"))
    ann.tags = {"team": "east", "shift": "late"}
    bob.tags = {"team": "east"}
    ann.hierarchy_path, cyd.hierarchy_path = (SITE, TEAM), (SITE,)
    ann.routing_profile_id = bob.routing_profile_id = SALES
    bob.security_profile_ids = ["agent", SUPERVISOR]
    names = {user_id: name for name, user_id in USERS.items()}
    with mock_connect(emulation):
        client = boto3.client(
            "connect",
            region_name=HOME_REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106 - nothing is sent anywhere
        )

        def found(**request: Any) -> set[str]:
            answer = client.search_users(InstanceId=INSTANCE_ID, **request)
            return {names[user.get("Id", "")] for user in answer["Users"]}

        yield found


def tag(key: str, value: str) -> dict[str, str]:
    return {"TagKey": key, "TagValue": value}


def below(group: str, *, children: bool = True) -> dict[str, str]:
    kind = "WITH_CHILD_GROUPS" if children else "EXACT"
    return {"Value": group, "HierarchyGroupMatchType": kind}


def exactly(field: str, value: str) -> dict[str, dict[str, str]]:
    return {"StringCondition": {"FieldName": field, "Value": value, "ComparisonType": "EXACT"}}


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        ({"TagCondition": tag("team", "east")}, {"ann", "bob"}),
        ({"AndConditions": [tag("team", "east"), tag("shift", "late")]}, {"ann"}),
        ({"OrConditions": [[tag("shift", "late")], [tag("team", "west")]]}, {"ann"}),
        ({"TagCondition": tag("team", "west")}, set()),
    ],
)
def test_tags(search: Callable[..., set[str]], tags: dict[str, Any], names: set[str]) -> None:
    assert search(SearchFilter={"TagFilter": tags}) == names


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        (below(SITE), {"ann", "cyd"}),
        (below(SITE, children=False), {"cyd"}),
        (below(TEAM), {"ann"}),
        (below(OTHER), set()),
    ],
)
def test_hierarchy_groups(
    search: Callable[..., set[str]], condition: dict[str, str], names: set[str]
) -> None:
    assert search(SearchCriteria={"HierarchyGroupCondition": condition}) == names
    attributes = {"AndCondition": {"HierarchyGroupCondition": condition}}
    assert search(SearchFilter={"UserAttributeFilter": attributes}) == names


def test_profiles_with_tags(search: Callable[..., set[str]]) -> None:
    assert search(SearchCriteria=exactly("RoutingProfileId", SALES)) == {"ann", "bob"}
    assert search(SearchCriteria=exactly("SecurityProfileId", SUPERVISOR)) == {"bob"}
    late = {"TagFilter": {"TagCondition": tag("shift", "late")}}
    assert search(SearchCriteria=exactly("RoutingProfileId", SALES), SearchFilter=late) == {"ann"}


@pytest.mark.parametrize(
    ("search_filter", "code"),
    [
        ({"TagFilter": {}, "UserAttributeFilter": {}}, "AccessDeniedException"),
        (
            {"TagFilter": {"AndConditions": [tag(f"key{number}", "x") for number in range(26)]}},
            "InvalidParameterException",
        ),
    ],
)
def test_filters_that_connect_refuses(
    search: Callable[..., set[str]], search_filter: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError, match=rf"\({code}\)"):
        search(SearchFilter=search_filter)
