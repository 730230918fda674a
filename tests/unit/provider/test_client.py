"""The calls themselves, against stubbed answers: pages, fallbacks, missing things."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from connect_provider.connect.calls import Limits
from connect_provider.connect.client import Connect, Group, GroupDescription
from connect_provider.connect.quota import Paces
from connect_provider.errors import StillWaiting, UnsupportedRuntimeError
from connect_provider.failures import CallError, Failure
from connect_provider.users import roster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_connect.client import ConnectClient

INSTANCE = "11111111-2222-4333-8444-555555555555"
CONTACT = "cccccccc-2222-4333-8444-555555555555"
RED = Group(id="aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", region="us-east-1")
ANN, BOB, CYD = (f"99999999-8888-4777-8666-{number:012d}" for number in range(3))
LIST = "list_traffic_distribution_group_users"
OFFER = "AssociateContactWithUser"
JOIN = "AssociateTrafficDistributionGroupUser"


class Clock:
    """Time that only passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock.time)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


@pytest.fixture
def client() -> ConnectClient:
    return boto3.client(
        "connect",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - nothing is sent anywhere
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )


@pytest.fixture
def answers(client: ConnectClient) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def connect(client: ConnectClient, clock: Clock) -> Connect:
    return Connect(
        client,
        "us-east-1",
        paces=Paces(),
        limits=Limits(deadline=clock.time() + 100, patience=10),
    )


# -- names -----------------------------------------------------------------------------------------


def search(
    answers: Stubber,
    names: list[str],
    *found: tuple[str, str],
    token: str | None = None,
    more: str | None = None,
) -> None:
    conditions = [
        {"StringCondition": {"FieldName": "Username", "Value": name, "ComparisonType": "EXACT"}}
        for name in names
    ]
    asked: dict[str, Any] = {
        "InstanceId": INSTANCE,
        "MaxResults": 500,
        "SearchCriteria": {"OrConditions": conditions},
    }
    users = [{"Id": user_id, "Username": name} for name, user_id in found]
    answers.add_response(
        "search_users",
        {"Users": users, **({"NextToken": more} if more else {})},
        {**asked, "NextToken": token} if token else asked,
    )


def everybody(answers: Stubber, *, total: int) -> None:
    """Answer the question how many there are, which comes before many names."""
    answers.add_response(
        "search_users",
        {"Users": [], "ApproximateTotalCount": total, "NextToken": "more"},
        {"InstanceId": INSTANCE, "MaxResults": 500},
    )


def test_names_are_found_on_any_page(connect: Connect, answers: Stubber) -> None:
    names = ["ann", "Bob", "nobody"]
    search(answers, names, ("ann", ANN), more="2")
    search(answers, names, ("somebody", CYD), token="2", more="3")  # noqa: S106 - of a page
    search(answers, names, ("BOB", BOB), ("ann", CYD), token="3")  # noqa: S106 - of a page
    assert roster.find(connect, instance_id=INSTANCE, usernames=names) == {
        "ann": {ANN, CYD},
        "Bob": {BOB},
        "nobody": frozenset(),
    }


def test_names_are_searched_ten_at_a_time(connect: Connect, answers: Stubber) -> None:
    names = [f"agent{number}" for number in range(21)]
    everybody(answers, total=100_000)
    for start in (0, 10, 20):
        batch = names[start : start + 10]
        search(answers, batch, *((name, f"id-{name}") for name in batch))
    found = roster.find(connect, instance_id=INSTANCE, usernames=names)
    assert found == {name: {f"id-{name}"} for name in names}


def test_the_second_page_of_the_second_search_starts_anew(
    connect: Connect, answers: Stubber
) -> None:
    names = [f"agent{number}" for number in range(11)]
    everybody(answers, total=100_000)
    search(answers, names[:10], more="2")
    search(answers, names[:10], (names[0], ANN), token="2")  # noqa: S106 - of a page
    search(answers, names[10:], (names[10], BOB))
    found = roster.find(connect, instance_id=INSTANCE, usernames=names)
    assert found[names[0]] == {ANN}
    assert found[names[10]] == {BOB}


# -- listings --------------------------------------------------------------------------------------


def page(
    answers: Stubber,
    *users: str,
    size: int = 1000,
    token: str | None = None,
    more: str | None = None,
) -> None:
    summaries = [{"UserId": user} for user in users]
    asked: dict[str, Any] = {"TrafficDistributionGroupId": RED.id, "MaxResults": size}
    answers.add_response(
        LIST,
        {
            "TrafficDistributionGroupUserSummaryList": summaries,
            **({"NextToken": more} if more else {}),
        },
        {**asked, "NextToken": token} if token else asked,
    )


def test_every_page_of_a_group_is_listed(connect: Connect, answers: Stubber) -> None:
    arn = f"arn:aws:connect:us-east-1:123456789012:instance/{INSTANCE}/agent/{BOB.upper()}"
    page(answers, ANN, more="2")
    page(answers, arn, token="2", more="3")  # noqa: S106 - of a page
    page(answers, token="3")  # noqa: S106 - of a page
    assert connect.list_group_users(RED) == frozenset((ANN, BOB))


def test_a_page_size_that_is_refused_falls_back_to_ten(connect: Connect, answers: Stubber) -> None:
    answers.add_client_error(LIST, "InvalidRequestException", "MaxResults", 400)
    page(answers, ANN, size=10, more="2")
    page(answers, BOB, size=10, token="2")  # noqa: S106 - of a page
    assert connect.list_group_users(RED) == frozenset((ANN, BOB))


def test_a_page_of_ten_that_is_refused_is_an_error(connect: Connect, answers: Stubber) -> None:
    for _ in range(2):
        answers.add_client_error(LIST, "InvalidRequestException", "no", 400)
    with pytest.raises(CallError) as raised:
        connect.list_group_users(RED)
    assert raised.value.failure is Failure.INVALID


def test_a_page_that_is_throttled_is_asked_for_again(
    connect: Connect, answers: Stubber, clock: Clock
) -> None:
    page(answers, ANN, more="2")
    answers.add_client_error(LIST, "ThrottlingException", "slow down", 429)
    page(answers, BOB, token="2")  # noqa: S106 - of a page
    assert connect.list_group_users(RED) == frozenset((ANN, BOB))
    assert sum(clock.slept) > 0


def test_a_group_that_is_not_found_has_no_list(connect: Connect, answers: Stubber) -> None:
    answers.add_client_error(LIST, "ResourceNotFoundException", "no", 404)
    assert connect.list_group_users(RED) is None


# -- descriptions ----------------------------------------------------------------------------------


def test_what_is_missing_is_none(connect: Connect, answers: Stubber) -> None:
    answers.add_client_error("describe_traffic_distribution_group", "ResourceNotFoundException")
    answers.add_client_error("describe_user", "ResourceNotFoundException")
    answers.add_client_error("describe_contact", "ResourceNotFoundException")
    assert connect.describe_group(RED) is None
    assert connect.describe_user(instance_id=INSTANCE, user_id=ANN) is None
    assert connect.describe_contact(instance_id=INSTANCE, contact_id=CONTACT) is None


def test_a_group_s_home_is_in_its_arn(connect: Connect, answers: Stubber) -> None:
    arn = f"arn:aws:connect:eu-west-2:123456789012:traffic-distribution-group/{RED.id}"
    for described in ({"Arn": arn, "Status": "ACTIVE"}, {}):
        answers.add_response(
            "describe_traffic_distribution_group",
            {"TrafficDistributionGroup": described},
            {"TrafficDistributionGroupId": RED.id},
        )
    assert connect.describe_group(RED) == GroupDescription("ACTIVE", "eu-west-2")
    assert connect.describe_group(RED) == GroupDescription("unknown", "us-east-1")


# -- repeating -------------------------------------------------------------------------------------


def test_server_errors_are_repeated_a_few_times(
    connect: Connect, answers: Stubber, clock: Clock
) -> None:
    for _ in range(3):
        answers.add_client_error("describe_user", "InternalServiceException", "", 500)
    answers.add_client_error("describe_user", "ResourceNotFoundException")
    assert connect.describe_user(instance_id=INSTANCE, user_id=ANN) is None
    assert len(clock.slept) == 3
    assert clock.slept == sorted(clock.slept), "longer and longer"
    assert 0.5 <= clock.slept[0] <= 1.0


def test_server_errors_that_go_on_are_waited_for(connect: Connect, answers: Stubber) -> None:
    for _ in range(4):
        answers.add_client_error("describe_user", "InternalServiceException", "", 500)
    with pytest.raises(StillWaiting, match=r"DescribeUser .*InternalServiceException") as raised:
        connect.describe_user(instance_id=INSTANCE, user_id=ANN)
    assert not raised.value.shared


def join(connect: Connect) -> None:
    connect.move_user(JOIN, instance_id=INSTANCE, group=RED, user_id=ANN)


def test_an_error_after_a_lost_answer_says_so(connect: Connect, answers: Stubber) -> None:
    method = "associate_traffic_distribution_group_user"
    answers.add_client_error(method, "InternalServiceException", "", 500)
    answers.add_client_error(method, "ResourceConflictException", "", 409)
    with pytest.raises(CallError) as raised:
        join(connect)
    assert raised.value.repeated
    answers.add_client_error(method, "ResourceConflictException", "", 409)
    with pytest.raises(CallError) as raised:
        join(connect)
    assert not raised.value.repeated


def test_throttled_calls_go_on_until_the_patience_ends(
    monkeypatch: pytest.MonkeyPatch,
    client: ConnectClient,
    connect: Connect,
    answers: Stubber,
    clock: Clock,
) -> None:
    answer, asked = client.describe_user, []

    def throttled(**request: str) -> object:
        asked.append(request)
        answers.add_client_error("describe_user", "ThrottlingException", "slow down", 429)
        return answer(**request)

    monkeypatch.setattr(client, "describe_user", throttled)
    with pytest.raises(StillWaiting, match=r"ThrottlingException: slow down") as raised:
        connect.describe_user(instance_id=INSTANCE, user_id=ANN)
    assert raised.value.shared
    assert clock.now < 1_800_000_000.0 + 100
    assert max(clock.slept) <= 10
    assert 4 < len(asked) < 40


def test_every_request_asks_first_a_repeated_one_too(
    client: ConnectClient, answers: Stubber
) -> None:
    asked: list[str] = []
    connect = Connect(
        client,
        "us-east-1",
        paces=Paces(),
        limits=Limits(deadline=time.time() + 100, patience=10),
        before_call=lambda: asked.append("may I?"),
    )
    page(answers, ANN, more="2")
    page(answers, BOB, token="2")  # noqa: S106 - of a page
    connect.list_group_users(RED)
    assert len(asked) == 2, "a long listing outlasts a lease"
    method = "associate_traffic_distribution_group_user"
    answers.add_client_error(method, "InternalServiceException", "", 500)
    answers.add_response(method, {})
    join(connect)
    assert len(asked) == 4
    answers.add_client_error(method, "ThrottlingException", "", 429)
    answers.add_response(method, {})
    join(connect)
    assert len(asked) == 6
    for method in ("stop_contact", "associate_contact_with_user", "transfer_contact"):
        answers.add_response(method, {})
    connect.send("StopContact", InstanceId=INSTANCE, ContactId=CONTACT)
    connect.send(OFFER, InstanceId=INSTANCE, ContactId=CONTACT, UserId=ANN)
    connect.send("TransferContact", InstanceId=INSTANCE, ContactId=CONTACT, ContactFlowId=RED.id)
    answers.add_response("disassociate_traffic_distribution_group_user", {})
    leave = "DisassociateTrafficDistributionGroupUser"
    connect.move_user(leave, instance_id=INSTANCE, group=RED, user_id=ANN)
    assert len(asked) == 10


def test_a_write_that_is_not_allowed_is_not_made(
    client: ConnectClient,
    answers: Stubber,  # noqa: ARG001 - nothing is expected to be sent
) -> None:
    def refuse() -> None:
        raise StillWaiting("somebody else goes on")

    connect = Connect(
        client,
        "us-east-1",
        paces=Paces(),
        limits=Limits(deadline=time.time() + 100, patience=10),
        before_call=refuse,
    )
    with pytest.raises(StillWaiting, match="somebody else"):
        join(connect)


def test_a_runtime_that_is_too_old_says_which_boto3_is_needed(clock: Clock) -> None:
    connect = Connect(
        object(),  # type: ignore[arg-type] # a client without any operation
        "us-east-1",
        paces=Paces(),
        limits=Limits(deadline=clock.time() + 100, patience=10),
    )
    with pytest.raises(UnsupportedRuntimeError, match=r"boto3 1\.28\.24.*bundle_sdk=True"):
        join(connect)
    with pytest.raises(UnsupportedRuntimeError, match=r"came with boto3 1\.40\.40"):
        connect.send(OFFER, InstanceId=INSTANCE, ContactId=CONTACT, UserId=ANN)


def test_limits_are_over_at_the_deadline(clock: Clock) -> None:
    limits = Limits(deadline=clock.time() + 5, patience=1)
    assert not limits.over
    clock.now += 5
    assert limits.over
