"""What a stack's statuses mean, as a table; and what is asked of CloudFormation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from connect_provider import deployment
from connect_provider.deployment import Deployment
from connect_provider.failures import CallError, Failure
from connect_provider.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_cloudformation.client import CloudFormationClient

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Test/1"
ROOT = "arn:aws:cloudformation:us-east-1:123456789012:stack/Root/1"
CREATED = datetime(2027, 1, 15, 8, tzinfo=UTC)
UPDATED = datetime(2027, 1, 16, 9, tzinfo=UTC)

FORWARD, BACK, AWAY, OVER = "forward", "back", "away", "over"
MEANING = {
    "": OVER,
    "CREATE_IN_PROGRESS": FORWARD,
    "CREATE_FAILED": OVER,
    "CREATE_COMPLETE": OVER,
    "ROLLBACK_IN_PROGRESS": BACK,
    "ROLLBACK_FAILED": OVER,
    "ROLLBACK_COMPLETE": OVER,
    "DELETE_IN_PROGRESS": AWAY,
    "DELETE_FAILED": OVER,
    "DELETE_COMPLETE": OVER,
    "UPDATE_IN_PROGRESS": FORWARD,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": FORWARD,
    "UPDATE_COMPLETE": OVER,
    "UPDATE_FAILED": OVER,
    "UPDATE_ROLLBACK_IN_PROGRESS": BACK,
    "UPDATE_ROLLBACK_FAILED": OVER,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": BACK,
    "UPDATE_ROLLBACK_COMPLETE": OVER,
    "REVIEW_IN_PROGRESS": FORWARD,
    "IMPORT_IN_PROGRESS": FORWARD,
    "IMPORT_COMPLETE": OVER,
    "IMPORT_ROLLBACK_IN_PROGRESS": BACK,
    "IMPORT_ROLLBACK_FAILED": OVER,
    "IMPORT_ROLLBACK_COMPLETE": OVER,
}


@pytest.mark.parametrize(("status", "meaning"), MEANING.items())
def test_every_status_means_something(status: str, meaning: str) -> None:
    now = Deployment(status, began="monday")
    assert now.is_over == (meaning == OVER)
    assert now.goes_forward_since("monday") == (meaning == FORWARD)
    assert not now.goes_forward_since("sunday"), "that is another deployment"
    assert now.rolls_back == ("ROLLBACK" in status)
    assert now.undoes == ("ROLLBACK" in status), "its own deletion is no undoing"


@pytest.mark.parametrize(
    ("status", "root_status", "undoes"),
    [
        ("DELETE_IN_PROGRESS", "CREATE_IN_PROGRESS", True),
        ("DELETE_IN_PROGRESS", "UPDATE_IN_PROGRESS", True),
        ("DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", True),
        ("DELETE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", True),
        ("DELETE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", True),
        ("DELETE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", False),
        ("DELETE_IN_PROGRESS", "DELETE_IN_PROGRESS", False),
        ("DELETE_IN_PROGRESS", "unknown", True),
        ("DELETE_IN_PROGRESS", "", False),
        ("UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", False),
        ("UPDATE_IN_PROGRESS", "unknown", False),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", False),
        ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", True),
        ("UPDATE_COMPLETE", "UPDATE_ROLLBACK_IN_PROGRESS", True),
    ],
)
def test_a_nested_stack_is_undone_with_its_root(
    status: str, root_status: str, *, undoes: bool
) -> None:
    now = Deployment(status, began="monday", root_status=root_status)
    assert now.undoes == undoes
    assert now.rolls_back == ("ROLLBACK" in root_status)
    if "ROLLBACK" in root_status:
        assert not now.goes_forward_since("monday")


# -- asking ----------------------------------------------------------------------------------------


@pytest.fixture
def client() -> CloudFormationClient:
    return boto3.client(
        "cloudformation",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - nothing is sent anywhere
    )


@pytest.fixture
def cloudformation(client: CloudFormationClient) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def describe(stubber: Stubber, stack_id: str, **said: Any) -> None:
    stack = {"StackName": "x", "CreationTime": CREATED, "StackStatus": "CREATE_COMPLETE", **said}
    stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": stack_id})


def refuse(stubber: Stubber, method: str, code: str, said: str = "no") -> None:
    stubber.add_client_error(method, code, said)


def test_a_stack_that_was_never_updated_began_when_it_was_created(
    client: CloudFormationClient, cloudformation: Stubber
) -> None:
    describe(cloudformation, STACK, StackStatus="CREATE_IN_PROGRESS")
    assert deployment.read(client, STACK) == Deployment("CREATE_IN_PROGRESS", str(CREATED))


def test_an_update_began_when_the_stack_was_last_updated(
    client: CloudFormationClient, cloudformation: Stubber
) -> None:
    describe(cloudformation, STACK, StackStatus="UPDATE_IN_PROGRESS", LastUpdatedTime=UPDATED)
    assert deployment.read(client, STACK) == Deployment("UPDATE_IN_PROGRESS", str(UPDATED))


def test_a_nested_stack_comes_with_its_root(
    client: CloudFormationClient, cloudformation: Stubber
) -> None:
    describe(cloudformation, STACK, StackStatus="DELETE_IN_PROGRESS", ParentId=ROOT, RootId=ROOT)
    describe(cloudformation, ROOT, StackStatus="ROLLBACK_IN_PROGRESS")
    assert deployment.read(client, STACK) == Deployment(
        "DELETE_IN_PROGRESS", str(CREATED), "ROLLBACK_IN_PROGRESS"
    )


def test_a_root_that_names_itself_is_not_asked_again(
    client: CloudFormationClient, cloudformation: Stubber
) -> None:
    describe(cloudformation, STACK, RootId=STACK)
    assert deployment.read(client, STACK).root_status == ""


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_of_a_root_that_cannot_be_read_the_worst_is_assumed(
    client: CloudFormationClient, cloudformation: Stubber, code: str
) -> None:
    describe(cloudformation, STACK, StackStatus="DELETE_IN_PROGRESS", RootId=ROOT)
    refuse(cloudformation, "describe_stacks", code)
    assert deployment.read(client, STACK).undoes


def test_another_failure_of_the_root_is_raised(
    client: CloudFormationClient, cloudformation: Stubber
) -> None:
    describe(cloudformation, STACK, StackStatus="DELETE_IN_PROGRESS", RootId=ROOT)
    refuse(cloudformation, "describe_stacks", "Throttling")
    with pytest.raises(CallError) as raised:
        deployment.read(client, STACK)
    assert raised.value.failure is Failure.THROTTLED


def test_a_stack_that_is_gone_is_over(
    client: CloudFormationClient, cloudformation: Stubber
) -> None:
    said = f"Stack with id {STACK} does not exist"
    refuse(cloudformation, "describe_stacks", "ValidationError", said)
    assert deployment.read(client, STACK).is_over


@pytest.mark.parametrize("code", ["ValidationError", "AccessDenied", "Throttling"])
def test_another_failure_is_raised(
    client: CloudFormationClient, cloudformation: Stubber, code: str
) -> None:
    refuse(cloudformation, "describe_stacks", code, "not now")
    with pytest.raises(CallError, match=f"DescribeStacks .* failed: {code}: not now"):
        deployment.read(client, STACK)


def request(kind: str, physical_id: str = "") -> Request:
    return Request.from_event(
        {
            "RequestType": kind,
            "ResourceType": "Custom::Thing",
            "StackId": STACK,
            "RequestId": "request",
            "LogicalResourceId": "Agents",
            "PhysicalResourceId": physical_id,
        }
    )


def answer(cloudformation: Stubber, status: str, known: str | None = None) -> None:
    detail: dict[str, Any] = {
        "LogicalResourceId": "Agents",
        "ResourceType": "Custom::Thing",
        "LastUpdatedTimestamp": UPDATED,
        "ResourceStatus": status,
    }
    if known:
        detail["PhysicalResourceId"] = known
    cloudformation.add_response(
        "describe_stack_resource",
        {"StackResourceDetail": detail},
        {"StackName": STACK, "LogicalResourceId": "Agents"},
    )


@pytest.mark.parametrize(
    ("kind", "physical_id", "status", "known", "awaits"),
    [
        ("Create", "", "CREATE_IN_PROGRESS", None, True),
        ("Create", "", "CREATE_IN_PROGRESS", "now", True),
        ("Create", "", "CREATE_COMPLETE", "now", False),
        ("Create", "", "DELETE_IN_PROGRESS", None, False),
        ("Create", "", "UPDATE_IN_PROGRESS", "now", False),
        ("Update", "now", "UPDATE_IN_PROGRESS", "now", True),
        ("Update", "now", "UPDATE_IN_PROGRESS", None, True),
        ("Update", "before", "UPDATE_IN_PROGRESS", "now", False),
        ("Update", "now", "UPDATE_COMPLETE", "now", False),
        ("Update", "now", "CREATE_IN_PROGRESS", "now", False),
    ],
)
def test_cloudformation_says_whether_it_waits_for_such_a_request(
    client: CloudFormationClient,
    cloudformation: Stubber,
    *,
    kind: str,
    physical_id: str,
    status: str,
    known: str | None,
    awaits: bool,
) -> None:
    answer(cloudformation, status, known)
    assert deployment.awaits(client, request(kind, physical_id)) == awaits


@pytest.mark.parametrize(
    ("status", "has_failed"),
    [("CREATE_FAILED", True), ("CREATE_COMPLETE", False), ("DELETE_FAILED", False)],
)
def test_cloudformation_says_whether_it_has_given_a_request_up(
    client: CloudFormationClient, cloudformation: Stubber, status: str, *, has_failed: bool
) -> None:
    answer(cloudformation, status)
    assert deployment.has_failed(client, request("Create")) == has_failed


def test_it_waits_for_nothing_that_it_does_not_know(
    client: CloudFormationClient, cloudformation: Stubber
) -> None:
    refuse(cloudformation, "describe_stack_resource", "ValidationError", "no such resource")
    assert not deployment.awaits(client, request("Create"))
    refuse(cloudformation, "describe_stack_resource", "AccessDenied")
    with pytest.raises(CallError):
        deployment.awaits(client, request("Create"))


def test_every_page_of_the_stack_s_resources_is_listed(
    client: CloudFormationClient, cloudformation: Stubber
) -> None:
    def page(*resources: tuple[str | None, str], token: str | None = None) -> None:
        summaries = [
            {
                "LogicalResourceId": "x",
                "ResourceType": "Custom::Thing",
                "LastUpdatedTimestamp": UPDATED,
                "ResourceStatus": status,
                **({"PhysicalResourceId": physical_id} if physical_id else {}),
            }
            for physical_id, status in resources
        ]
        cloudformation.add_response(
            "list_stack_resources",
            {"StackResourceSummaries": summaries, **({"NextToken": token} if token else {})},
        )

    page(("one", "CREATE_COMPLETE"), (None, "CREATE_IN_PROGRESS"), token="2")  # noqa: S106 - of a page
    page(
        ("two", "UPDATE_IN_PROGRESS"), ("gone", "DELETE_COMPLETE"), ("going", "DELETE_IN_PROGRESS")
    )
    assert deployment.listed_ids(client, STACK) == {"one", "two"}
    refuse(cloudformation, "list_stack_resources", "AccessDenied")
    with pytest.raises(CallError, match=r"ListStackResources \(.*\) failed: AccessDenied"):
        deployment.listed_ids(client, STACK)
