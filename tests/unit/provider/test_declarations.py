from typing import Any

import pytest

from connect_provider.connect.client import Group
from connect_provider.contacts import declaration as contacts
from connect_provider.contacts.declaration import ContactUser, Release, ReleaseMode
from connect_provider.errors import MAX_MESSAGE_LENGTH, InvalidEventError
from connect_provider.groups import declaration as groups
from connect_provider.groups.declaration import GROUP_USER, GROUP_USERS, GroupUsers
from connect_provider.identifiers import Account
from connect_provider.users import lookup

INSTANCE = "11111111-2222-4333-8444-555555555555"
OTHER = "22222222-2222-4333-8444-555555555555"
GROUP = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
USER = "99999999-8888-4777-8666-abcdefabcdef"
OTHER_ARN = f"arn:aws:connect:us-east-1:123456789012:instance/{OTHER}"
OWNER = Account(partition="aws", region="us-east-1", account="123456789012")
GROUP_ARN = f"arn:aws:connect:us-west-2:123456789012:traffic-distribution-group/{GROUP}"


def _membership(**changes: object) -> GroupUsers:
    properties = {
        "InstanceId": INSTANCE,
        "TrafficDistributionGroupId": GROUP,
        "UserIds": [USER],
        **changes,
    }
    return groups.read(properties, GROUP_USERS, owner=OWNER)


def _contact(**changes: object) -> ContactUser:
    properties = {"InstanceId": INSTANCE, "ContactId": GROUP, "UserId": USER, **changes}
    return contacts.read(properties, owner=OWNER)


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


def test_canonical_ids_whatever_the_spelling() -> None:
    second = OTHER.replace("2", "3")
    arn = f"arn:aws:connect:us-east-1:123456789012:instance/{INSTANCE}"
    spelled = _membership(
        InstanceId=arn,
        TrafficDistributionGroupId=GROUP.upper(),
        UserIds=[f"{arn}/agent/{second}", f" {USER.upper()} "],
    )
    assert spelled == GroupUsers(
        instance_id=INSTANCE,
        group=Group(id=GROUP, region="us-east-1"),
        users=frozenset((USER, second)),
        exclusive=False,
        resync="",
    )


def test_a_single_user_is_a_set_of_one() -> None:
    properties = {
        "InstanceId": INSTANCE,
        "TrafficDistributionGroupId": GROUP,
        "UserId": USER,
        "UserIds": "ignored",
        "Exclusive": "true",
    }
    declared = groups.read(properties, GROUP_USER, owner=OWNER)
    assert declared.users == {USER}
    assert not declared.exclusive, "only a membership can be"
    with pytest.raises(InvalidEventError, match=r"^UserId is missing"):
        groups.read({**properties, "UserId": None}, GROUP_USER, owner=OWNER)


def test_the_largest_membership_is_read_and_one_more_is_refused() -> None:
    users = [f"99999999-8888-4777-8666-{number:012d}" for number in range(2501)]
    assert len(_membership(UserIds=users[:2500]).users) == 2500
    with pytest.raises(InvalidEventError, match=r"has 2,501 users; .* at most 2,500"):
        _membership(UserIds=users)


def test_a_user_who_is_named_twice_is_told_with_both_places() -> None:
    with pytest.raises(InvalidEventError, match=rf"^UserIds\[2\] .* {USER} .* UserIds\[0\]"):
        _membership(UserIds=[USER, OTHER, USER.upper()])


@pytest.mark.parametrize("partition", ["aws-cn", "aws-iso"])
def test_partitions_without_groups_are_told(partition: str) -> None:
    owner = Account(partition=partition, region="us-east-1", account="123456789012")
    properties = {"InstanceId": INSTANCE, "TrafficDistributionGroupId": GROUP, "UserIds": [USER]}
    with pytest.raises(InvalidEventError, match=f"no traffic distribution groups .*{partition}"):
        groups.read(properties, GROUP_USERS, owner=owner)


def test_without_any_region_one_is_asked_for() -> None:
    properties = {"InstanceId": INSTANCE, "TrafficDistributionGroupId": GROUP, "UserIds": [USER]}
    with pytest.raises(InvalidEventError, match=r"^Region is missing"):
        groups.read(properties, GROUP_USERS, owner=Account())


def test_resync_is_part_of_what_is_declared() -> None:
    assert _membership(Resync="2").resync == "2"
    assert _membership(Resync=2).resync == "2"
    assert _membership(Resync="2") != _membership()


def test_flags_arrive_as_text() -> None:
    assert _membership(Exclusive="true").exclusive
    assert not _membership(Exclusive="false").exclusive
    assert _membership(Exclusive=True).exclusive
    assert not _membership().exclusive
    assert _contact(AllowVoice="true").allow_voice
    assert not _contact(AllowVoice="False").allow_voice
    with pytest.raises(InvalidEventError, match=r"^AllowVoice is neither true nor false: "):
        _contact(AllowVoice="yes")


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


@pytest.mark.parametrize(
    ("release", "read"),
    [
        (None, Release(mode=ReleaseMode.RETAIN)),
        ({"Mode": "RETAIN"}, Release(mode=ReleaseMode.RETAIN)),
        ({"Mode": "STOP", "ContactFlowId": "ignored"}, Release(mode=ReleaseMode.STOP)),
        (
            {"Mode": "TRANSFER_TO_QUEUE", "ContactFlowId": GROUP.upper(), "QueueId": ""},
            Release(mode=ReleaseMode.TRANSFER_TO_QUEUE, contact_flow_id=GROUP),
        ),
        (
            {"Mode": "TRANSFER_TO_QUEUE", "ContactFlowId": GROUP, "QueueId": OTHER},
            Release(mode=ReleaseMode.TRANSFER_TO_QUEUE, contact_flow_id=GROUP, queue_id=OTHER),
        ),
    ],
)
def test_releases_are_read(release: object, read: Release) -> None:
    assert _contact(Release=release) == ContactUser(
        instance_id=INSTANCE, contact_id=GROUP, user_id=USER, release=read, allow_voice=False
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ContactId": None}, "^ContactId is missing"),
        ({"UserId": f"{OTHER_ARN}/agent/{USER}"}, f"^UserId belongs to instance {OTHER}"),
        ({"ContactId": f"{OTHER_ARN}/contact/{USER}"}, f"^ContactId belongs to instance {OTHER}"),
        (
            {
                "Release": {
                    "Mode": "TRANSFER_TO_QUEUE",
                    "ContactFlowId": GROUP,
                    "QueueId": f"{OTHER_ARN}/queue/{USER}",
                }
            },
            r"^Release\.QueueId belongs to instance",
        ),
    ],
)
def test_bad_contacts_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidEventError, match=said):
        _contact(**changes)


def _lookup(**changes: object) -> lookup.Lookup:
    properties = {"InstanceId": INSTANCE, "Usernames": ["ann"], **changes}
    return lookup.read(properties, owner=OWNER)


def test_lookups_are_read() -> None:
    assert _lookup() == lookup.Lookup(INSTANCE, "us-east-1", ("ann",))
    assert _lookup(Region="eu-west-2").region == "eu-west-2"
    assert len(_lookup(Usernames=[f"n{number}" for number in range(40)]).usernames) == 40
    assert _lookup(Usernames=["n" * 100]).usernames == ("n" * 100,)


@pytest.mark.parametrize(
    "names",
    [
        None,
        [],
        "ann",
        [f"n{number}" for number in range(41)],
        [""],
        ["n" * 101],
        [7],
        ["ann", None],
        {"0": "ann"},
    ],
)
def test_bad_lookups_are_refused(names: object) -> None:
    with pytest.raises(InvalidEventError, match=r"^Usernames") as caught:
        _lookup(Usernames=names)
    assert len(str(caught.value)) <= 300
