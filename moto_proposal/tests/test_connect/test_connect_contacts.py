"""Unit tests for contacts of Connect."""

import boto3
import pytest
from botocore.exceptions import ClientError

from moto import mock_aws

from .test_connect_traffic_distribution_groups import (
    HOME,
    REPLICA,
    create_instance,
    create_user,
)

FLOW = "55555555-5555-4555-8555-000000000001"
QUEUE = "44444444-4444-4444-8444-000000000001"


def start_task(client, instance_id, **kwargs):
    return client.start_task_contact(
        InstanceId=instance_id, ContactFlowId=FLOW, Name="Call back", **kwargs
    )["ContactId"]


@mock_aws
def test_start_and_describe_task_contact():
    client = boto3.client("connect", region_name=HOME)
    instance_id = create_instance(client)
    contact_id = start_task(client, instance_id, ClientToken="once")
    assert start_task(client, instance_id, ClientToken="once") == contact_id

    contact = client.describe_contact(InstanceId=instance_id, ContactId=contact_id)[
        "Contact"
    ]
    assert contact["Id"] == contact_id
    assert contact["Channel"] == "TASK"
    assert contact["InitiationMethod"] == "API"
    assert contact["GlobalResiliencyMetadata"]["ActiveRegion"] == HOME
    assert "QueueInfo" in contact
    assert "AgentInfo" not in contact
    assert "DisconnectTimestamp" not in contact


@mock_aws
def test_describe_contact_that_does_not_exist():
    client = boto3.client("connect", region_name=HOME)
    instance_id = create_instance(client)

    with pytest.raises(ClientError) as exc:
        client.describe_contact(InstanceId=instance_id, ContactId="unknown")
    assert exc.value.response["Error"]["Code"] == "ResourceNotFoundException"


@mock_aws
def test_associate_contact_with_user():
    client = boto3.client("connect", region_name=HOME)
    instance_id = create_instance(client)
    user_id = create_user(client, instance_id)["UserId"]
    contact_id = start_task(client, instance_id)
    client.associate_contact_with_user(
        InstanceId=instance_id, ContactId=contact_id, UserId=user_id
    )

    contact = client.describe_contact(InstanceId=instance_id, ContactId=contact_id)[
        "Contact"
    ]
    assert contact["AgentInfo"]["Id"] == user_id
    with pytest.raises(ClientError) as exc:
        client.associate_contact_with_user(
            InstanceId=instance_id, ContactId=contact_id, UserId=user_id
        )
    assert exc.value.response["Error"]["Code"] == "InvalidRequestException"


@mock_aws
def test_transfer_contact():
    client = boto3.client("connect", region_name=HOME)
    instance_id = create_instance(client)
    contact_id = start_task(client, instance_id)
    request = {
        "InstanceId": instance_id,
        "ContactId": contact_id,
        "ContactFlowId": FLOW,
        "QueueId": QUEUE,
        "ClientToken": "once",
    }
    transferred = client.transfer_contact(**request)["ContactId"]
    assert client.transfer_contact(**request)["ContactId"] == transferred

    old = client.describe_contact(InstanceId=instance_id, ContactId=contact_id)
    assert "DisconnectTimestamp" in old["Contact"]
    new = client.describe_contact(InstanceId=instance_id, ContactId=transferred)
    assert new["Contact"]["PreviousContactId"] == contact_id
    assert new["Contact"]["InitialContactId"] == contact_id
    assert new["Contact"]["InitiationMethod"] == "TRANSFER"
    assert new["Contact"]["QueueInfo"]["Id"] == QUEUE

    with pytest.raises(ClientError) as exc:
        client.transfer_contact(**{**request, "QueueId": "another"})
    assert exc.value.response["Error"]["Code"] == "IdempotencyException"


@mock_aws
def test_transfer_contact_to_nobody_and_too_often():
    client = boto3.client("connect", region_name=HOME)
    instance_id = create_instance(client)
    contact_id = start_task(client, instance_id)

    with pytest.raises(ClientError) as exc:
        client.transfer_contact(
            InstanceId=instance_id, ContactId=contact_id, ContactFlowId=FLOW
        )
    assert exc.value.response["Error"]["Code"] == "InvalidRequestException"

    request = {"InstanceId": instance_id, "ContactFlowId": FLOW, "QueueId": QUEUE}
    for _ in range(11):
        contact_id = client.transfer_contact(ContactId=contact_id, **request)[
            "ContactId"
        ]
    with pytest.raises(ClientError) as exc:
        client.transfer_contact(ContactId=contact_id, **request)
    assert exc.value.response["Error"]["Code"] == "ServiceQuotaExceededException"


@mock_aws
def test_stop_contact():
    client = boto3.client("connect", region_name=HOME)
    replica = boto3.client("connect", region_name=REPLICA)
    instance_id = create_instance(client)
    user_id = create_user(client, instance_id)["UserId"]
    contact_id = start_task(client, instance_id)
    names = {"InstanceId": instance_id, "ContactId": contact_id}

    with pytest.raises(ClientError) as exc:
        replica.stop_contact(**names)
    assert exc.value.response["Error"]["Code"] == "InvalidActiveRegionException"
    client.stop_contact(**names)
    for each in (client, replica):
        assert "DisconnectTimestamp" in each.describe_contact(**names)["Contact"]

    with pytest.raises(ClientError) as exc:
        client.stop_contact(**names)
    assert exc.value.response["Error"]["Code"] == "ContactNotFoundException"
    with pytest.raises(ClientError) as exc:
        client.associate_contact_with_user(UserId=user_id, **names)
    assert exc.value.response["Error"]["Code"] == "InvalidRequestException"
