"""Unit tests for users and traffic distribution groups of Connect."""

import boto3
import pytest
from botocore.exceptions import ClientError

from moto import mock_aws

HOME, REPLICA = "us-east-1", "us-west-2"


def create_instance(client, replicated=True):
    instance_id = client.create_instance(
        IdentityManagementType="CONNECT_MANAGED",
        InboundCallsEnabled=True,
        OutboundCallsEnabled=True,
    )["Id"]
    if replicated:
        client.replicate_instance(
            InstanceId=instance_id, ReplicaRegion=REPLICA, ReplicaAlias="replica"
        )
    return instance_id


def create_user(client, instance_id, username="agent"):
    return client.create_user(
        Username=username,
        PhoneConfig={"PhoneType": "SOFT_PHONE"},
        SecurityProfileIds=["security"],
        RoutingProfileId="routing",
        InstanceId=instance_id,
        Tags={"team": "blue"},
    )


@mock_aws
def test_replicate_instance():
    client = boto3.client("connect", region_name=HOME)
    replica = boto3.client("connect", region_name=REPLICA)
    instance_id = create_instance(client)

    for each in (client, replica):
        described = each.describe_instance(InstanceId=instance_id)
        assert described["Instance"]["Id"] == instance_id
        assert described["ReplicationConfiguration"]["SourceRegion"] == HOME
    assert f":{REPLICA}:" in described["Instance"]["Arn"]

    with pytest.raises(ClientError) as exc:
        client.replicate_instance(
            InstanceId=instance_id, ReplicaRegion=REPLICA, ReplicaAlias="again"
        )
    assert exc.value.response["Error"]["Code"] == "ResourceConflictException"


@mock_aws
def test_replicate_instance_to_its_own_region():
    client = boto3.client("connect", region_name=HOME)
    instance_id = create_instance(client, replicated=False)

    with pytest.raises(ClientError) as exc:
        client.replicate_instance(
            InstanceId=instance_id, ReplicaRegion=HOME, ReplicaAlias="same"
        )
    assert exc.value.response["Error"]["Code"] == "InvalidRequestException"
    assert "ReplicationConfiguration" not in client.describe_instance(
        InstanceId=instance_id
    )


@mock_aws
def test_user_lifecycle():
    client = boto3.client("connect", region_name=HOME)
    instance_id = create_instance(client)
    user = create_user(client, instance_id)

    for user_id in (user["UserId"], user["UserArn"]):
        described = client.describe_user(InstanceId=instance_id, UserId=user_id)["User"]
        assert described["Username"] == "agent"
        assert described["Tags"] == {"team": "blue"}
    other = boto3.client("connect", region_name=REPLICA)
    assert other.describe_user(InstanceId=instance_id, UserId=user["UserId"])
    assert [
        summary["Id"]
        for summary in client.list_users(InstanceId=instance_id)["UserSummaryList"]
    ] == [user["UserId"]]

    client.delete_user(InstanceId=instance_id, UserId=user["UserId"])
    with pytest.raises(ClientError) as exc:
        client.describe_user(InstanceId=instance_id, UserId=user["UserId"])
    assert exc.value.response["Error"]["Code"] == "ResourceNotFoundException"


@mock_aws
def test_create_user_whose_name_is_taken():
    client = boto3.client("connect", region_name=HOME)
    instance_id = create_instance(client)
    create_user(client, instance_id, "agent")

    with pytest.raises(ClientError) as exc:
        create_user(client, instance_id, "Agent")
    assert exc.value.response["Error"]["Code"] == "DuplicateResourceException"


@mock_aws
def test_traffic_distribution_group_lifecycle():
    client = boto3.client("connect", region_name=HOME)
    instance_id = create_instance(client)
    group = client.create_traffic_distribution_group(
        Name="group", Description="all", InstanceId=instance_id, Tags={"team": "blue"}
    )

    described = client.describe_traffic_distribution_group(
        TrafficDistributionGroupId=group["Id"]
    )["TrafficDistributionGroup"]
    assert described["Arn"] == group["Arn"]
    assert described["Description"] == "all"
    assert described["Status"] == "ACTIVE"
    assert described["IsDefault"] is False
    assert described["Tags"] == {"team": "blue"}

    client.delete_traffic_distribution_group(TrafficDistributionGroupId=group["Id"])
    with pytest.raises(ClientError) as exc:
        client.describe_traffic_distribution_group(
            TrafficDistributionGroupId=group["Id"]
        )
    assert exc.value.response["Error"]["Code"] == "ResourceNotFoundException"


@mock_aws
def test_create_traffic_distribution_group_without_a_replica():
    client = boto3.client("connect", region_name=HOME)
    instance_id = create_instance(client, replicated=False)

    with pytest.raises(ClientError) as exc:
        client.create_traffic_distribution_group(Name="group", InstanceId=instance_id)
    assert exc.value.response["Error"]["Code"] == "ResourceNotReadyException"


@mock_aws
def test_create_traffic_distribution_group_whose_name_is_taken():
    client = boto3.client("connect", region_name=HOME)
    instance_id = create_instance(client)
    client.create_traffic_distribution_group(Name="group", InstanceId=instance_id)

    with pytest.raises(ClientError) as exc:
        client.create_traffic_distribution_group(Name="group", InstanceId=instance_id)
    assert exc.value.response["Error"]["Code"] == "ResourceConflictException"


@mock_aws
def test_list_traffic_distribution_groups():
    client = boto3.client("connect", region_name=HOME)
    replica = boto3.client("connect", region_name=REPLICA)
    instance_id = create_instance(client)
    made = {
        client.create_traffic_distribution_group(
            Name=f"group{number}", InstanceId=instance_id
        )["Id"]
        for number in range(3)
    }
    made.add(
        replica.create_traffic_distribution_group(
            Name="of the replica", InstanceId=instance_id
        )["Id"]
    )

    for each in (client, replica):
        pages = each.get_paginator("list_traffic_distribution_groups").paginate(
            InstanceId=instance_id, PaginationConfig={"PageSize": 2}
        )
        found = [
            group["Id"]
            for page in pages
            for group in page["TrafficDistributionGroupSummaryList"]
        ]
        assert len(found) == 4
        assert set(found) == made


@mock_aws
def test_associate_and_disassociate_traffic_distribution_group_user():
    client = boto3.client("connect", region_name=HOME)
    instance_id = create_instance(client)
    users = [
        create_user(client, instance_id, f"agent{number}")["UserId"]
        for number in range(12)
    ]
    group = client.create_traffic_distribution_group(
        Name="group", InstanceId=instance_id
    )
    for user_id in [*users, users[0]]:
        client.associate_traffic_distribution_group_user(
            TrafficDistributionGroupId=group["Id"],
            InstanceId=instance_id,
            UserId=user_id,
        )

    listing = client.get_paginator("list_traffic_distribution_group_users")
    pages = list(listing.paginate(TrafficDistributionGroupId=group["Id"]))
    found = [
        user["UserId"]
        for page in pages
        for user in page["TrafficDistributionGroupUserSummaryList"]
    ]
    assert len(pages) == 2
    assert found == sorted(users)

    client.disassociate_traffic_distribution_group_user(
        TrafficDistributionGroupId=group["Arn"],
        InstanceId=instance_id,
        UserId=users[0],
    )
    client.delete_user(InstanceId=instance_id, UserId=users[1])
    found = client.list_traffic_distribution_group_users(
        TrafficDistributionGroupId=group["Id"], MaxResults=1000
    )["TrafficDistributionGroupUserSummaryList"]
    assert {user["UserId"] for user in found} == set(users[2:])

    with pytest.raises(ClientError) as exc:
        client.disassociate_traffic_distribution_group_user(
            TrafficDistributionGroupId=group["Id"],
            InstanceId=instance_id,
            UserId=users[0],
        )
    assert exc.value.response["Error"]["Code"] == "ResourceNotFoundException"


@mock_aws
def test_associate_traffic_distribution_group_user_that_does_not_exist():
    client = boto3.client("connect", region_name=HOME)
    instance_id = create_instance(client)
    group_id = client.create_traffic_distribution_group(
        Name="group", InstanceId=instance_id
    )["Id"]

    with pytest.raises(ClientError) as exc:
        client.associate_traffic_distribution_group_user(
            TrafficDistributionGroupId=group_id,
            InstanceId=instance_id,
            UserId="unknown",
        )
    assert exc.value.response["Error"]["Code"] == "ResourceNotFoundException"


@mock_aws
def test_a_group_is_changed_in_its_home_region_and_read_by_arn_in_the_other():
    client = boto3.client("connect", region_name=HOME)
    replica = boto3.client("connect", region_name=REPLICA)
    instance_id = create_instance(client)
    user_id = create_user(client, instance_id)["UserId"]
    group = client.create_traffic_distribution_group(
        Name="group", InstanceId=instance_id
    )

    for group_id in (group["Id"], group["Arn"]):
        with pytest.raises(ClientError) as exc:
            replica.associate_traffic_distribution_group_user(
                TrafficDistributionGroupId=group_id,
                InstanceId=instance_id,
                UserId=user_id,
            )
        assert exc.value.response["Error"]["Code"] == "ResourceNotFoundException"
    described = replica.describe_traffic_distribution_group(
        TrafficDistributionGroupId=group["Arn"]
    )
    assert described["TrafficDistributionGroup"]["Id"] == group["Id"]
    with pytest.raises(ClientError) as exc:
        replica.describe_traffic_distribution_group(
            TrafficDistributionGroupId=group["Id"]
        )
    assert exc.value.response["Error"]["Code"] == "ResourceNotFoundException"
