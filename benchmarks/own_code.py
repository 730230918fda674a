"""The CPU time that our own code takes, beside boto3's."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, cast

from benchmarks import lambda_run, subjects
from benchmarks.figures import Figure, Limit, Section
from connect_provider.association_provider import AssociationProvider

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_connect.client import ConnectClient

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
        return {"Stacks": [{"StackStatus": "CREATE_IN_PROGRESS"}]}


class _Clients:
    """What stands in for boto3."""

    def connect(self, region: str) -> ConnectClient:
        del region  # the same everywhere
        return cast("ConnectClient", _Connect())

    def cloudformation(self, region: str) -> CloudFormationClient:
        del region  # the same everywhere
        return cast("CloudFormationClient", _CloudFormation())


def measure() -> list[Section]:
    """Associate users with clients that answer at once; take the best of some rounds."""
    logging.getLogger("connect_provider").setLevel(logging.INFO)
    return [
        Section(
            title="Our own code",
            method=(
                f"CPU time of planning and associating with clients that answer at once, best of "
                f"{_ROUNDS} rounds."
            ),
            figures=(
                Figure(
                    name=f"CPU an association, membership of {_MEMBERS:,}: ms",
                    ours=min(_membership() for _ in range(_ROUNDS)),
                    limit=_LIMIT,
                ),
                Figure(
                    name="CPU an association, single: ms",
                    ours=min(_singles() for _ in range(_ROUNDS)),
                    limit=_LIMIT,
                ),
            ),
        )
    ]


def _membership() -> float:
    users = subjects.agents(_MEMBERS)
    provider = AssociationProvider(clients=_Clients())
    started = time.thread_time()
    lambda_run.create(provider, users)
    return (time.thread_time() - started) * 1000 / len(users)


def _singles() -> float:
    users = subjects.agents(_SINGLES)
    provider = AssociationProvider(clients=_Clients())
    started = time.thread_time()
    for user_id in users:
        lambda_run.create(provider, [user_id], as_membership=False)
    return (time.thread_time() - started) * 1000 / len(users)
