"""Every operation of the emulation as boto3 calls it over HTTP."""

# An answer that lacks a member fails its test as it should.
# pyright: reportTypedDictNotRequiredAccess=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from moto import mock_aws

from botocore_models import since_2026
from connect_associations.testing import (
    ConnectBehaviour,
    ConnectEmulation,
    Fault,
    FaultKind,
    ThrottleSettings,
    mock_connect,
    seed,
    serving,
)
from connect_associations.testing.entities import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_connect.client import ConnectClient

INSTANCE, GROUP, WEST = seed.INSTANCE_ID, seed.GROUP_ID, seed.REPLICA_GROUP_ID
ANN, BOB = seed.USERS["ann"], seed.USERS["bob"]
TASK = seed.CONTACTS[Channel.TASK][0]


def connect_client(*, region: str = seed.HOME_REGION, url: str | None = None) -> ConnectClient:
    client: ConnectClient = boto3.client(
        "connect",
        region_name=region,
        endpoint_url=url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - nothing leaves the machine
        config=Config(retries={"total_max_attempts": 1}),
    )
    return client


@pytest.fixture
def emulation() -> ConnectEmulation:
    emulation = ConnectEmulation(account_id="000000000000")
    seed.seed(emulation)
    return emulation


@pytest.fixture
def url(emulation: ConnectEmulation) -> Iterator[str]:
    with serving(emulation) as url:
        yield url


@pytest.fixture
def east(url: str) -> ConnectClient:
    return connect_client(url=url)


@pytest.fixture
def west(url: str) -> ConnectClient:
    return connect_client(url=url, region=seed.REPLICA_REGION)


def code_of(call: Callable[..., object], **parameters: object) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


def pair(user: str = ANN, group: str = GROUP) -> dict[str, Any]:
    return {"TrafficDistributionGroupId": group, "UserId": user, "InstanceId": INSTANCE}


def offer(user: str = ANN, contact: str = TASK) -> dict[str, Any]:
    return {"InstanceId": INSTANCE, "ContactId": contact, "UserId": user}


def contact_id(channel: Channel) -> str:
    return seed.CONTACTS[channel][0]


def listed(client: ConnectClient, group: str = GROUP) -> list[str]:
    pages = client.get_paginator("list_traffic_distribution_group_users").paginate(
        TrafficDistributionGroupId=group
    )
    return [
        user["UserId"] for page in pages for user in page["TrafficDistributionGroupUserSummaryList"]
    ]


# Users and groups -----------------------------------------------------------------------------


def test_users_are_made_described_listed_searched_and_deleted(east: ConnectClient) -> None:
    made = east.create_user(
        Username="fay",
        PhoneConfig={"PhoneType": "SOFT_PHONE"},
        SecurityProfileIds=["s"],
        RoutingProfileId="r",
        InstanceId=INSTANCE,
    )
    assert ":000000000000:" in made["UserArn"]
    described = east.describe_user(InstanceId=INSTANCE, UserId=made["UserArn"])["User"]
    assert (described["Username"], described["Id"]) == ("fay", made["UserId"])
    names = [user["Username"] for user in east.list_users(InstanceId=INSTANCE)["UserSummaryList"]]
    assert sorted(names) == ["ann", "bob", "cyd", "dan", "eve", "fay"]
    found = east.search_users(
        InstanceId=INSTANCE,
        SearchCriteria={
            "StringCondition": {
                "FieldName": "username",
                "Value": "FAY",
                "ComparisonType": "EXACT",
            }
        },
    )
    assert [user["Id"] for user in found["Users"]] == [made["UserId"]]
    east.delete_user(InstanceId=INSTANCE, UserId=made["UserId"])
    gone = code_of(east.describe_user, InstanceId=INSTANCE, UserId=made["UserId"])
    assert gone == "ResourceNotFoundException"


def test_groups_are_made_described_listed_and_deleted(east: ConnectClient) -> None:
    made = east.create_traffic_distribution_group(Name="New", InstanceId=INSTANCE)
    described = east.describe_traffic_distribution_group(TrafficDistributionGroupId=made["Arn"])
    assert described["TrafficDistributionGroup"]["Status"] == "ACTIVE"
    groups = east.list_traffic_distribution_groups(InstanceId=INSTANCE)
    ids = {group["Id"] for group in groups["TrafficDistributionGroupSummaryList"]}
    assert ids == {GROUP, WEST, made["Id"]}
    east.delete_traffic_distribution_group(TrafficDistributionGroupId=made["Id"])
    gone = code_of(east.describe_traffic_distribution_group, TrafficDistributionGroupId=made["Id"])
    assert gone == "ResourceNotFoundException"


def test_a_user_joins_and_leaves_a_group_by_id_or_arn(
    east: ConnectClient, emulation: ConnectEmulation
) -> None:
    user_arn = f"arn:aws:connect:us-east-1:000000000000:instance/{INSTANCE}/agent/{ANN}"
    group_arn = f"arn:aws:connect:us-east-1:000000000000:traffic-distribution-group/{GROUP}"
    east.associate_traffic_distribution_group_user(**pair(user_arn, group_arn))
    east.associate_traffic_distribution_group_user(**pair())
    assert emulation.members(GROUP) == {ANN}
    assert listed(east) == [ANN]
    east.disassociate_traffic_distribution_group_user(**pair(user_arn, group_arn))
    assert listed(east) == []
    again = code_of(east.disassociate_traffic_distribution_group_user, **pair())
    assert again == "ResourceNotFoundException"


def test_another_accounts_arn_names_nothing(east: ConnectClient) -> None:
    arn = f"arn:aws:connect:us-east-1:123456789012:traffic-distribution-group/{GROUP}"
    code = code_of(east.associate_traffic_distribution_group_user, **pair(group=arn))
    assert code == "ResourceNotFoundException"


def test_writes_are_for_the_home_region_and_reads_by_arn_for_the_replica_too(
    east: ConnectClient, west: ConnectClient
) -> None:
    arn = f"arn:aws:connect:us-east-1:000000000000:traffic-distribution-group/{GROUP}"
    for group in (GROUP, arn):
        code = code_of(west.associate_traffic_distribution_group_user, **pair(group=group))
        assert code == "ResourceNotFoundException"
    east.associate_traffic_distribution_group_user(**pair())
    west.associate_traffic_distribution_group_user(**pair(BOB, WEST))
    assert (listed(west, arn), listed(west, WEST)) == ([ANN], [BOB])
    plain = code_of(west.describe_traffic_distribution_group, TrafficDistributionGroupId=GROUP)
    assert plain == "ResourceNotFoundException"


def test_pages_neither_skip_nor_repeat_when_members_leave_between_them(
    east: ConnectClient, west: ConnectClient, emulation: ConnectEmulation
) -> None:
    users = [f"33333333-3333-4333-8333-{number:012d}" for number in range(25)]
    emulation.add_users(INSTANCE, {f"agent{number}": user for number, user in enumerate(users)})
    for user in users:
        emulation.put_member(GROUP, user)
    assert listed(east) == users
    listing = east.list_traffic_distribution_group_users
    first = listing(TrafficDistributionGroupId=GROUP, MaxResults=4)
    emulation.remove_member(GROUP, users[3])
    second = listing(TrafficDistributionGroupId=GROUP, MaxResults=4, NextToken=first["NextToken"])
    summaries = second["TrafficDistributionGroupUserSummaryList"]
    assert [user["UserId"] for user in summaries] == users[4:8]
    foreign = code_of(
        west.list_traffic_distribution_group_users,
        TrafficDistributionGroupId=WEST,
        NextToken=first["NextToken"],
    )
    assert foreign == "InvalidRequestException"


# Contacts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", Channel)
def test_a_queued_contact_is_offered_and_accepted(east: ConnectClient, channel: Channel) -> None:
    contact = contact_id(channel)
    east.associate_contact_with_user(**offer(contact=contact))
    described = east.describe_contact(InstanceId=INSTANCE, ContactId=contact)["Contact"]
    assert described["Channel"] == channel.value
    assert described["AgentInfo"]["Id"] == ANN
    assert described["QueueInfo"]["Id"] == seed.QUEUE_ID


def test_a_stopped_contact_has_ended(east: ConnectClient) -> None:
    east.stop_contact(InstanceId=INSTANCE, ContactId=TASK)
    described = east.describe_contact(InstanceId=INSTANCE, ContactId=TASK)["Contact"]
    assert "DisconnectTimestamp" in described
    again = code_of(east.stop_contact, InstanceId=INSTANCE, ContactId=TASK)
    assert again == "ContactNotFoundException"
    assert code_of(east.associate_contact_with_user, **offer()) == "InvalidRequestException"


def test_stopping_outside_of_the_active_region_is_refused(west: ConnectClient) -> None:
    code = code_of(west.stop_contact, InstanceId=INSTANCE, ContactId=TASK)
    assert code == "InvalidActiveRegionException"


@pytest.mark.parametrize("channel", [Channel.TASK, Channel.EMAIL])
def test_a_transferred_contact_waits_in_the_queue_as_a_new_one(
    east: ConnectClient, channel: Channel
) -> None:
    old = contact_id(channel)
    request: dict[str, Any] = {
        "InstanceId": INSTANCE,
        "ContactId": old,
        "QueueId": seed.OTHER_QUEUE_ID,
        "ContactFlowId": seed.CONTACT_FLOW_ID,
        "ClientToken": "once",
    }
    new = east.transfer_contact(**request)["ContactId"]
    assert east.transfer_contact(**request)["ContactId"] == new
    described = east.describe_contact(InstanceId=INSTANCE, ContactId=new)["Contact"]
    assert described["PreviousContactId"] == old
    assert described["QueueInfo"]["Id"] == seed.OTHER_QUEUE_ID
    ended = east.describe_contact(InstanceId=INSTANCE, ContactId=old)["Contact"]
    assert "DisconnectTimestamp" in ended


@pytest.mark.parametrize("channel", [Channel.CHAT, Channel.VOICE])
def test_other_channels_cannot_be_transferred(east: ConnectClient, channel: Channel) -> None:
    code = code_of(
        east.transfer_contact,
        InstanceId=INSTANCE,
        ContactId=contact_id(channel),
        QueueId=seed.QUEUE_ID,
        ContactFlowId=seed.CONTACT_FLOW_ID,
    )
    assert code == "InvalidRequestException"


# Trouble --------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException"])
def test_above_the_quota_comes_429_for_that_operation_and_region(
    east: ConnectClient, west: ConnectClient, emulation: ConnectEmulation, code: str
) -> None:
    emulation.behave(throttling_error=code)
    emulation.limit(ThrottleSettings.uniform(rate=0.001, burst=2))
    for user in (ANN, BOB):
        east.associate_traffic_distribution_group_user(**pair(user))
    with pytest.raises(ClientError) as refused:
        east.associate_traffic_distribution_group_user(**pair(seed.USERS["cyd"]))
    answer = refused.value.response
    assert answer["Error"]["Code"] == code
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    east.disassociate_traffic_distribution_group_user(**pair())
    west.associate_traffic_distribution_group_user(**pair(group=WEST))
    assert emulation.calls[2].outcome == code


def test_a_bucket_refills_by_the_clock_and_contacts_have_their_own_quota() -> None:
    now = [1_000_000.0]
    emulation = ConnectEmulation(throttle=ThrottleSettings(), clock=lambda: now[0])

    def admitted(operation: str) -> int:
        return sum(
            emulation.throttle.admit(operation=operation, account_id="a", region="r")
            for _ in range(100)
        )

    assert (admitted("DescribeUser"), admitted("DescribeContact")) == (5, 15)
    now[0] += 1
    assert (admitted("DescribeUser"), admitted("DescribeContact")) == (2, 10)


@pytest.mark.parametrize(
    ("switches", "operation"),
    [
        ({"associate_member": "ResourceConflictException"}, "associate"),
        ({"disassociate_non_member": "InvalidRequestException"}, "disassociate"),
        ({"user_in_several_groups": "ResourceConflictException"}, "associate_other"),
        ({"associate_voice_contact": "InvalidRequestException"}, "offer_voice"),
        ({"stop_ended_contact": "InvalidRequestException"}, "stop_twice"),
    ],
)
def test_switches_choose_the_answer(
    east: ConnectClient,
    west: ConnectClient,
    emulation: ConnectEmulation,
    switches: dict[str, str],
    operation: str,
) -> None:
    east.associate_traffic_distribution_group_user(**pair())
    emulation.world.end(emulation.world.contacts[TASK])
    emulation.behave(**switches)
    asked: dict[str, Callable[[], object]] = {
        "associate": lambda: east.associate_traffic_distribution_group_user(**pair()),
        "disassociate": lambda: east.disassociate_traffic_distribution_group_user(**pair(BOB)),
        "associate_other": lambda: west.associate_traffic_distribution_group_user(
            **pair(group=WEST)
        ),
        "offer_voice": lambda: east.associate_contact_with_user(
            **offer(contact=contact_id(Channel.VOICE))
        ),
        "stop_twice": lambda: east.stop_contact(InstanceId=INSTANCE, ContactId=TASK),
    }
    assert code_of(asked[operation]) == next(iter(switches.values()))


def test_a_new_group_and_a_new_user_become_ready_after_some_calls(
    east: ConnectClient, emulation: ConnectEmulation
) -> None:
    emulation.behave(group_active_after_calls=1, user_replicated_after_calls=1)
    group = east.create_traffic_distribution_group(Name="New", InstanceId=INSTANCE)["Id"]
    user = east.create_user(
        Username="fay",
        PhoneConfig={"PhoneType": "SOFT_PHONE"},
        SecurityProfileIds=["s"],
        RoutingProfileId="r",
        InstanceId=INSTANCE,
    )["UserId"]
    join = east.associate_traffic_distribution_group_user
    assert code_of(join, **pair(user, group)) == "ResourceNotFoundException"
    assert code_of(join, **pair(user, group)) == "InvalidRequestException"
    join(**pair(user, group))
    assert emulation.members(group) == {user}


@pytest.mark.parametrize("name", sorted(ConnectBehaviour.choices()))
def test_every_switch_takes_each_of_its_choices_and_nothing_else(name: str) -> None:
    for choice in ConnectBehaviour.choices()[name]:
        switches: dict[str, Any] = {name: choice}
        assert ConnectBehaviour(**ConnectBehaviour(**switches).as_dict()) == ConnectBehaviour(
            **switches
        )


def test_a_value_that_a_switch_does_not_have_is_refused() -> None:
    wrong: dict[str, Any] = {"associate_member": "Maybe"}
    with pytest.raises(ValueError, match="associate_member cannot be 'Maybe'; allowed: Succeeds"):
        ConnectBehaviour(**wrong)


def test_faults_come_before_or_after_the_effect(
    east: ConnectClient, emulation: ConnectEmulation
) -> None:
    emulation.faults.add(Fault(code="AccessDeniedException"))
    join = east.associate_traffic_distribution_group_user
    assert code_of(join, **pair()) == "AccessDeniedException"
    assert emulation.members(GROUP) == frozenset()
    emulation.faults.add(Fault(kind=FaultKind.DROP_AFTER_EFFECT))
    with pytest.raises(ConnectionClosedError):
        join(**pair())
    assert emulation.members(GROUP) == {ANN}
    assert [call.took_effect for call in emulation.writes] == [False, True]


# Global resiliency and eventual consistency ---------------------------------------------------


def make_user(client: ConnectClient, username: str = "fay") -> str:
    return client.create_user(
        Username=username,
        PhoneConfig={"PhoneType": "SOFT_PHONE"},
        SecurityProfileIds=["s"],
        RoutingProfileId="r",
        InstanceId=INSTANCE,
    )["UserId"]


def test_what_was_just_made_is_found_after_some_calls(
    east: ConnectClient, emulation: ConnectEmulation
) -> None:
    emulation.behave(visible_after_calls=2)
    user = make_user(east)
    group = east.create_traffic_distribution_group(Name="New", InstanceId=INSTANCE)["Id"]
    for _ in range(2):
        assert code_of(east.describe_user, InstanceId=INSTANCE, UserId=user) == (
            "ResourceNotFoundException"
        )
    assert east.describe_user(InstanceId=INSTANCE, UserId=user)["User"]["Id"] == user
    join = east.associate_traffic_distribution_group_user
    assert code_of(join, **pair(user, group)) == "ResourceNotFoundException"
    assert code_of(join, **pair(user, group)) == "ResourceNotFoundException"
    join(**pair(user, group))
    assert emulation.members(group) == {user}


@since_2026
@pytest.mark.parametrize("most", [10, 100])
def test_a_larger_page_than_the_largest_is_refused(
    east: ConnectClient, emulation: ConnectEmulation, most: int
) -> None:
    emulation.behave(group_users_max_results=most)
    listing = east.list_traffic_distribution_group_users
    listing(TrafficDistributionGroupId=GROUP, MaxResults=most)
    code = code_of(listing, TrafficDistributionGroupId=GROUP, MaxResults=most + 1)
    assert code == "InvalidRequestException"
    assert listed(east) == []


@since_2026
def test_agents_who_cannot_be_replicated_are_listed_with_the_reason(
    east: ConnectClient, emulation: ConnectEmulation
) -> None:
    findings = east.get_paginator("list_replication_findings")

    def found(kind: str = "AGENT") -> list[tuple[str, str | None]]:
        return [
            (each["Id"], each.get("ReferenceCode"))
            for page in findings.paginate(
                InstanceId=INSTANCE, ResourceType=kind, PaginationConfig={"PageSize": 1}
            )
            for each in page["ReplicationFindingsList"]
        ]

    assert found() == []
    for user in (ANN, BOB):
        emulation.add_finding(user, reference_code="NAME_TAKEN", message="Rename one of them.")
    assert found() == [(ANN, "NAME_TAKEN"), (BOB, "NAME_TAKEN")]
    assert found("QUEUE") == []
    code = code_of(east.associate_traffic_distribution_group_user, **pair())
    assert code == "InvalidRequestException"


@since_2026
def test_contacts_can_be_kept_in_their_regions(east: ConnectClient, west: ConnectClient) -> None:
    assert east.get_cross_region_routing(InstanceId=INSTANCE)["IsolatedRegions"] == []
    east.update_cross_region_routing(InstanceId=INSTANCE, IsolatedAll=True)
    regions = [seed.HOME_REGION, seed.REPLICA_REGION]
    assert west.get_cross_region_routing(InstanceId=INSTANCE)["IsolatedRegions"] == regions
    west.update_cross_region_routing(InstanceId=INSTANCE, IsolatedAll=False)
    assert east.get_cross_region_routing(InstanceId=INSTANCE)["IsolatedRegions"] == []


@since_2026
@pytest.mark.parametrize("refusal", ["InvalidRequestException", "ResourceNotFoundException"])
def test_an_instance_without_a_replica_or_global_routing_refuses_what_needs_it(
    east: ConnectClient, emulation: ConnectEmulation, refusal: str
) -> None:
    behaviour: dict[str, Any] = dict.fromkeys(
        ("replication_findings_without_replica", "cross_region_routing_without_global_routing"),
        refusal,
    )
    emulation.behave(**behaviour)
    instance = emulation.world.instances[INSTANCE]
    instance.global_routing = False
    assert code_of(east.get_cross_region_routing, InstanceId=INSTANCE) == refusal
    instance.global_routing, instance.replica_region = True, None
    assert code_of(east.get_cross_region_routing, InstanceId=INSTANCE) == refusal
    code = code_of(east.list_replication_findings, InstanceId=INSTANCE, ResourceType="AGENT")
    assert code == refusal


@since_2026
def test_an_agents_region_is_told_with_global_routing(
    east: ConnectClient, emulation: ConnectEmulation
) -> None:
    def agent() -> Any:
        return east.describe_contact(InstanceId=INSTANCE, ContactId=TASK)["Contact"]["AgentInfo"]

    east.associate_contact_with_user(**offer())
    assert agent()["ActiveRegion"] == seed.HOME_REGION
    emulation.world.users[ANN].active_region = seed.REPLICA_REGION
    assert agent()["ActiveRegion"] == seed.REPLICA_REGION
    emulation.world.instances[INSTANCE].global_routing = False
    assert "ActiveRegion" not in agent()


def test_a_task_is_started_once_and_waits_in_the_queue(east: ConnectClient) -> None:
    request: dict[str, Any] = {
        "InstanceId": INSTANCE,
        "Name": "Call back",
        "ContactFlowId": seed.CONTACT_FLOW_ID,
        "ClientToken": "once",
    }
    task = east.start_task_contact(**request)["ContactId"]
    assert east.start_task_contact(**request)["ContactId"] == task
    described = east.describe_contact(InstanceId=INSTANCE, ContactId=task)["Contact"]
    assert (described["Channel"], described["QueueInfo"]["Id"]) == ("TASK", seed.QUEUE_ID)
    other = code_of(east.start_task_contact, **{**request, "Name": "Other"})
    assert other == "IdempotencyException"


# In process -----------------------------------------------------------------------------------


def test_in_process_it_goes_with_moto_which_answers_for_the_other_services(
    emulation: ConnectEmulation,
) -> None:
    with mock_aws(), mock_connect(emulation):
        connect_client().associate_traffic_distribution_group_user(**pair())
        assert listed(connect_client()) == [ANN]
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="moto")
    assert emulation.members(GROUP) == {ANN}


def test_in_process_a_connection_can_be_lost(emulation: ConnectEmulation) -> None:
    emulation.faults.add(Fault(kind=FaultKind.DROP))
    with mock_connect(emulation), pytest.raises(ConnectionClosedError):
        connect_client().associate_traffic_distribution_group_user(**pair())


def test_an_instance_and_its_replica(url: str) -> None:
    home, replica = connect_client(url=url), connect_client(region=seed.REPLICA_REGION, url=url)
    answer = home.describe_instance(InstanceId=INSTANCE)
    described = answer["Instance"]
    assert described["Id"] == INSTANCE
    assert answer["ReplicationConfiguration"]["SourceRegion"] == seed.HOME_REGION
    elsewhere = replica.describe_instance(InstanceId=INSTANCE)["Instance"]
    assert elsewhere["Arn"] == described["Arn"].replace(seed.HOME_REGION, seed.REPLICA_REGION)
    replica.delete_instance(InstanceId=INSTANCE)
    assert "ReplicationConfiguration" not in home.describe_instance(InstanceId=INSTANCE)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        replica.describe_instance(InstanceId=INSTANCE)


def test_an_instance_is_created_and_deleted_with_all_it_has(url: str) -> None:
    client = connect_client(url=url)
    made = client.create_instance(
        IdentityManagementType="CONNECT_MANAGED",
        InstanceAlias="night-shift",
        InboundCallsEnabled=True,
        OutboundCallsEnabled=False,
    )
    described = client.describe_instance(InstanceId=made["Arn"])["Instance"]
    assert (described["Id"], described["InstanceAlias"]) == (made["Id"], "night-shift")
    assert described["OutboundCallsEnabled"] is False
    client.delete_instance(InstanceId=made["Id"])
    client.delete_instance(InstanceId=INSTANCE)
    for gone in (made["Id"], INSTANCE):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            client.describe_instance(InstanceId=gone)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.describe_user(InstanceId=INSTANCE, UserId=ANN)


def test_the_names_of_headers_have_no_case(emulation: ConnectEmulation, url: str) -> None:
    client = connect_client(url=url)

    def lower(request: Any, **_: object) -> None:
        for name in list(request.headers):
            value = request.headers[name]
            del request.headers[name]
            request.headers[name.lower()] = value

    client.meta.events.register("before-send.connect.ListUsers", lower)
    assert len(client.list_users(InstanceId=INSTANCE)["UserSummaryList"]) == len(seed.USERS)
    assert emulation.calls[-1].region == seed.HOME_REGION
