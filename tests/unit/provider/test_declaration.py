from typing import Any

import pytest

from connect_provider import declaration
from connect_provider.errors import MAX_MESSAGE_LENGTH, InvalidEventError
from connect_provider.identifiers import Owner

INSTANCE = "11111111-2222-4333-8444-555555555555"
OTHER = "22222222-2222-4333-8444-555555555555"
GROUP = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
USER = "99999999-8888-4777-8666-abcdefabcdef"
OTHER_ARN = f"arn:aws:connect:us-east-1:123456789012:instance/{OTHER}"
OWNER = Owner(partition="aws", region="us-east-1", account="123456789012")
GROUP_ARN = f"arn:aws:connect:us-west-2:123456789012:traffic-distribution-group/{GROUP}"


def _membership(**changes: object) -> declaration.GroupUsers:
    properties = {
        "InstanceId": INSTANCE,
        "TrafficDistributionGroupId": GROUP,
        "UserIds": [USER],
        **changes,
    }
    return declaration.group_users(properties, declaration.GROUP_USERS, owner=OWNER)


def _contact(**changes: object) -> declaration.ContactUser:
    properties = {"InstanceId": INSTANCE, "ContactId": GROUP, "UserId": USER, **changes}
    return declaration.contact_user(properties, owner=OWNER)


@pytest.mark.parametrize(
    ("changes", "region"),
    [
        ({}, "us-east-1"),
        ({"Region": "eu-west-2"}, "eu-west-2"),
        ({"TrafficDistributionGroupId": GROUP_ARN}, "us-west-2"),
        ({"TrafficDistributionGroupId": GROUP_ARN, "Region": "eu-west-2"}, "us-west-2"),
    ],
)
def test_the_home_region_is_the_arns_else_the_propertys_else_the_stacks(
    changes: dict[str, str], region: str
) -> None:
    assert _membership(**changes).group.region == region


@pytest.mark.parametrize(
    "changes",
    [
        {"UserIds": []},
        {"UserIds": USER},
        {"UserIds": {"0": USER}},
        {"UserIds": [USER, USER.upper()]},
        {"UserIds": [USER] * 10_000},
        {"UserIds": [None]},
        {"UserIds": [f"{OTHER_ARN}/agent/{USER}"]},
        {"Exclusive": "perhaps"},
        {"Region": "nowhere"},
        {"InstanceId": "x" * 100_000},
    ],
)
def test_bad_memberships_are_refused_in_few_words(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidEventError) as caught:
        _membership(**changes)
    assert next(iter(changes)) in str(caught.value)
    assert len(str(caught.value)) <= MAX_MESSAGE_LENGTH


def test_flags_arrive_as_text() -> None:
    assert _membership(Exclusive="true").exclusive
    assert not _membership(Exclusive="false").exclusive


@pytest.mark.parametrize(
    "release",
    [
        {"Mode": "stop"},
        {},
        "STOP",
        {"Mode": "TRANSFER_TO_QUEUE"},
        {
            "Mode": "TRANSFER_TO_QUEUE",
            "ContactFlowId": f"{OTHER_ARN}/contact-flow/{GROUP}",
        },
    ],
)
def test_bad_releases_are_refused(release: object) -> None:
    with pytest.raises(InvalidEventError, match=r"Release|ContactFlowId"):
        _contact(Release=release)
