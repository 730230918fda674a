"""The CPU time that our own code takes, without boto3's."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from botocore.exceptions import ClientError

from benchmarks import lambda_run, subjects
from benchmarks.figures import Figure, Limit, Section
from connect_provider.handler import Provider

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEMBERS = 2500
_SINGLES = 500
_ROUNDS = 5
_LIMIT = Limit(most=1.0)


class _Connect:
    """Takes every user, in no time."""

    def list_traffic_distribution_group_users(self, **_: object) -> dict[str, Any]:
        return {"TrafficDistributionGroupUserSummaryList": []}

    def associate_traffic_distribution_group_user(self, **_: object) -> dict[str, Any]:
        return {}


class _CloudFormation:
    """Knows one stack, which is being created."""

    def describe_stacks(self, **_: object) -> dict[str, Any]:
        return {"Stacks": [{"StackStatus": "CREATE_IN_PROGRESS", "CreationTime": "2026-01-01"}]}


class _DynamoDB:
    """A table for one client: of all conditions only that of a new item can fail."""

    def __init__(self) -> None:
        self._items: dict[str, dict[str, Mapping[str, Any]]] = {}

    def get_item(self, *, Key: Mapping[str, Any], **_: object) -> dict[str, Any]:  # noqa: N803 - boto3's
        item = self._items.get(Key["pk"]["S"], {}).get(Key["sk"]["S"])
        return {"Item": item} if item else {}

    def query(self, *, ExpressionAttributeValues: Mapping[str, Any], **_: object) -> dict[str, Any]:  # noqa: N803 - boto3's
        prefix = ExpressionAttributeValues[":prefix"]["S"]
        items = self._items.get(ExpressionAttributeValues[":pk"]["S"], {})
        return {"Items": [items[key] for key in sorted(items) if key.startswith(prefix)]}

    def put_item(
        self,
        *,
        Item: Mapping[str, Any],  # noqa: N803 - boto3's
        ConditionExpression: str,  # noqa: N803 - boto3's
        **_: object,
    ) -> dict[str, Any]:
        items = self._items.setdefault(Item["pk"]["S"], {})
        if ConditionExpression == "attribute_not_exists(pk)" and Item["sk"]["S"] in items:
            error = {"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}
            raise ClientError(error, "PutItem")  # type: ignore[arg-type] # all that is read of it
        items[Item["sk"]["S"]] = Item
        return {}

    def delete_item(self, *, Key: Mapping[str, Any], **_: object) -> dict[str, Any]:  # noqa: N803 - boto3's
        self._items[Key["pk"]["S"]].pop(Key["sk"]["S"], None)
        return {}


class _Clients:
    """A replacement for boto3."""

    def __init__(self) -> None:
        self._clients = {
            "connect": _Connect(),
            "cloudformation": _CloudFormation(),
            "dynamodb": _DynamoDB(),
        }

    def __call__(self, service: str, region: str) -> Any:  # noqa: ANN401 - one of many classes
        del region  # the same everywhere
        return self._clients[service]


def measure() -> list[Section]:
    """Associate users with clients that answer at once; take the best of some rounds."""
    logging.getLogger("connect_provider").setLevel(logging.INFO)
    with patch.dict(os.environ, {"LEDGER_TABLE_NAME": "ledger"}):
        return [_section()]


def _section() -> Section:
    return Section(
        title="Our own code",
        method=(
            f"CPU time of planning and associating with clients that answer at once, best of "
            f"{_ROUNDS} rounds."
        ),
        figures=(
            Figure(
                name=f"CPU per association, membership of {_MEMBERS:,}: ms",
                ours=min(_membership() for _ in range(_ROUNDS)),
                limit=_LIMIT,
            ),
            Figure(
                name="CPU per association, single: ms",
                ours=min(_singles() for _ in range(_ROUNDS)),
                limit=_LIMIT,
            ),
        ),
    )


def _membership() -> float:
    users = subjects.agents(_MEMBERS)
    resource = lambda_run.Resource(Provider(clients=_Clients()))
    started = time.thread_time()
    resource.create(users, as_membership=True)
    return (time.thread_time() - started) * 1000 / len(users)


def _singles() -> float:
    """Return what one takes that is alone in its group's part of the ledger."""
    users = subjects.agents(_SINGLES)
    resources = [lambda_run.Resource(Provider(clients=_Clients())) for _ in users]
    started = time.thread_time()
    for user_id, resource in zip(users, resources, strict=True):
        resource.create([user_id], as_membership=False)
    return (time.thread_time() - started) * 1000 / len(users)
