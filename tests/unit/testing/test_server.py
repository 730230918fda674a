"""The emulation as a program of its own, and its administration."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from connect_associations.testing import ConnectEmulation, EmulationClient, seed, serving
from connect_associations.testing.entities import Channel
from connect_associations.testing.server import main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_connect.client import ConnectClient

SOURCES = Path(__file__).parents[3] / "constructs"
ANN = seed.USERS["ann"]


@pytest.fixture
def client() -> Iterator[EmulationClient]:
    with serving(ConnectEmulation(seed=seed.seed)) as url:
        yield EmulationClient(url)


def connect_client(url: str) -> ConnectClient:
    client: ConnectClient = boto3.client(
        "connect",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - nothing leaves the machine
        config=Config(retries={"total_max_attempts": 1}),
    )
    return client


def test_the_state_shows_groups_users_and_contacts(client: EmulationClient) -> None:
    client.put_member(seed.GROUP_ID, ANN)
    state = client.state()
    assert state["groups"][seed.GROUP_ID] == {
        "name": "East",
        "region": "us-east-1",
        "status": "ACTIVE",
        "members": [ANN],
    }
    assert state["users"][ANN] == "ann"
    contact = state["contacts"][seed.CONTACTS[Channel.EMAIL][0]]
    assert (contact["channel"], contact["queue"], contact["ended"]) == (
        "EMAIL",
        seed.QUEUE_ID,
        False,
    )
    client.remove_member(seed.GROUP_ID, ANN)
    assert client.members(seed.GROUP_ID) == frozenset()


def test_the_calls_say_what_was_asked_where_and_how_it_ended(client: EmulationClient) -> None:
    connect = connect_client(client.url)
    client.behave(disassociate_non_member="ResourceConflictException")
    connect.describe_user(InstanceId=seed.INSTANCE_ID, UserId=ANN)
    with pytest.raises(ClientError):
        connect.disassociate_traffic_distribution_group_user(
            InstanceId=seed.INSTANCE_ID, UserId=ANN, TrafficDistributionGroupId=seed.GROUP_ID
        )
    read, write = client.calls()
    assert (read["operation"], read["outcome"], read["write"]) == (
        "DescribeUser",
        "Succeeded",
        False,
    )
    assert (write["region"], write["outcome"], write["write"]) == (
        "us-east-1",
        "ResourceConflictException",
        True,
    )
    assert write["parameters"]["UserId"] == ANN
    assert client.writes() == [write]
    client.clear_calls()
    assert client.calls() == []

    client.throttle(default={"rate": 0.001, "burst": 1}, operations={})
    connect.describe_user(InstanceId=seed.INSTANCE_ID, UserId=ANN)
    with pytest.raises(ClientError, match="ThrottlingException"):
        connect.describe_user(InstanceId=seed.INSTANCE_ID, UserId=ANN)


def test_a_reset_brings_the_seeded_state_back(client: EmulationClient) -> None:
    before = client.state()
    client.put_member(seed.GROUP_ID, ANN)
    client.set_group_status(seed.GROUP_ID, "UPDATE_IN_PROGRESS")
    assert client.state() != before
    client.reset()
    assert client.state() == before


def test_what_cannot_be_is_refused_with_the_reason(client: EmulationClient) -> None:
    with pytest.raises(ValueError, match=r"group-status: .* distribution group nowhere"):
        client.set_group_status("nowhere", "ACTIVE")
    with pytest.raises(ValueError, match="'ASLEEP' is not a valid GroupStatus"):
        client.set_group_status(seed.GROUP_ID, "ASLEEP")
    with pytest.raises(ValueError, match="unknown_switch"):
        client.behave(unknown_switch=1)
    with pytest.raises(ValueError, match="accept_after_calls cannot be -1"):
        client.behave(accept_after_calls=-1)


@pytest.mark.parametrize(("path", "status"), [("reset", 405), ("nothing", 404)])
def test_looking_changes_nothing(path: str, status: int) -> None:
    with serving(ConnectEmulation()) as url, pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}/_emulation/{path}", timeout=5)  # noqa: S310 - loopback
    with refused.value:
        assert refused.value.code == status


@contextmanager
def program(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], EmulationClient, str]]:
    with subprocess.Popen(  # noqa: S603 - this project's own program
        [sys.executable, "-m", "connect_associations.testing.server", *arguments],
        cwd=SOURCES,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            yield process, EmulationClient(url), url
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_prints_its_address_and_ends_when_told(number: signal.Signals) -> None:
    with program("--no-throttle", "--account-id", "000000000000") as (process, client, url):
        assert url.startswith("http://127.0.0.1:")
        assert len(client.state()["groups"]) == 2
        process.send_signal(number)
        assert process.wait(timeout=5) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_the_programs_quota_can_be_chosen() -> None:
    with program("--rate", "0.001", "--burst", "1") as (_, client, _url):
        connect = connect_client(client.url)
        connect.list_users(InstanceId=seed.INSTANCE_ID)
        with pytest.raises(ClientError, match="Rate exceeded"):
            connect.list_users(InstanceId=seed.INSTANCE_ID)
        assert [call["outcome"] for call in client.calls()] == ["Succeeded", "ThrottlingException"]


def test_a_quota_that_lets_nothing_through_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--rate", "0"])
    assert "a quota needs a rate above 0" in capsys.readouterr().err


def test_importing_it_starts_no_cdk() -> None:
    code = "import sys, connect_associations.testing as t; sys.exit('aws_cdk' in sys.modules)"
    subprocess.run(  # noqa: S603 - the code above
        [sys.executable, "-c", code], cwd=SOURCES, check=True, timeout=30
    )
