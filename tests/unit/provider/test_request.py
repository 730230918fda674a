from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect_provider.errors import InvalidEventError
from connect_provider.identifiers import Account
from connect_provider.ledger.claim import Owner
from connect_provider.request import Request, RequestType, fingerprint

STACK = "arn:aws-us-gov:cloudformation:us-gov-west-1:123456789012:stack/Test/1a2b"
EVENT: dict[str, Any] = {
    "RequestType": "Update",
    "ResourceType": "Custom::Thing",
    "StackId": STACK,
    "RequestId": "request",
    "LogicalResourceId": "Agents",
    "PhysicalResourceId": "before",
    "ResourceProperties": {"A": "1"},
    "OldResourceProperties": {"A": "2"},
    "Claim": {"Users": ""},
    "Data": {"Added": 0},
    "StartedAt": 7.5,
}
NEEDED = ("RequestType", "ResourceType", "StackId", "RequestId", "LogicalResourceId")


def request(**changes: Any) -> Request:
    return Request.from_event({**EVENT, **changes})


def test_an_event_is_read() -> None:
    assert request() == Request(
        type=RequestType.UPDATE,
        resource_type="Custom::Thing",
        stack_id=STACK,
        account=Account("aws-us-gov", "123456789012", "us-gov-west-1"),
        request_id="request",
        logical_id="Agents",
        physical_id="before",
        properties={"A": "1"},
        old_properties={"A": "2"},
        claim={"Users": ""},
        data={"Added": 0},
        started_at=7.5,
    )
    assert request().owner == Owner(stack_id=STACK, logical_id="Agents")


def test_what_may_be_missing_is_empty() -> None:
    read = Request.from_event({name: EVENT[name] for name in NEEDED})
    assert read.physical_id == ""
    assert (read.properties, read.old_properties, read.claim, read.data) == ({}, {}, {}, {})
    assert read.started_at == 0


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("value", [None, 7, [], {}], ids=repr)
def test_what_is_no_event_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidEventError, match="not the event of a CloudFormation custom"):
        request(**{name: value})
    with pytest.raises(InvalidEventError, match="not the event of a CloudFormation custom"):
        Request.from_event({key: EVENT[key] for key in EVENT if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RequestType", "update"),
        ("StackId", "Test"),
        ("StackId", STACK.replace(":cloudformation:", ":s3:")),
        ("StackId", STACK.replace(":stack/", ":changeSet/")),
        ("ResourceProperties", "all"),
        ("OldResourceProperties", ["all"]),
        ("Claim", "all"),
        ("Data", 7),
        ("StartedAt", "yesterday"),
        ("StartedAt", None),
    ],
)
def test_what_does_not_fit_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidEventError, match="not the event of a CloudFormation custom") as told:
        request(**{name: value})
    assert len(str(told.value)) < 300


def test_a_version_is_of_its_request_and_its_deployment() -> None:
    version = request().version("monday")
    assert len(version) == 12
    assert set(version) <= set("0123456789abcdef")
    assert version.startswith(request().request_key)
    assert version == request(LogicalResourceId="Other").version("monday")
    assert version != request().version("tuesday")
    assert request().version("tuesday").startswith(request().request_key)
    other = request(RequestId="another")
    assert other.request_key != request().request_key
    assert other.version("monday")[8:] == version[8:], "the deployment's part is the same"


@given(st.lists(st.text("ab", max_size=3), min_size=1, max_size=3), st.data())
def test_fingerprints_differ_where_the_texts_do(texts: list[str], data: st.DataObject) -> None:
    others = data.draw(st.lists(st.text("ab", max_size=3), min_size=1, max_size=3))
    assert (fingerprint(*texts) == fingerprint(*others)) == (texts == others)
