"""An audit, deployed with the real CDK CLI; Lambda's API stands in for the schedule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk.aws_events import Schedule

from connect_associations import (
    Audit,
    ConnectAssociationProvider,
    TrafficDistributionGroupMembership,
    UserFilter,
)
from connect_associations.testing.seed import GROUP_ID, INSTANCE_ID, USERS
from deployment import writes

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation
    from deployment import Deployment

pytestmark = pytest.mark.deploy

ANN, BOB, CYD = (USERS[name] for name in ("ann", "bob", "cyd"))
EAST = UserFilter(tags={"team": "east"})


def audited(*, repair: bool = False, **who: Any) -> Callable[[cdk.Stack], object]:
    def build(scope: cdk.Stack) -> None:
        audit = Audit(schedule=Schedule.rate(cdk.Duration.hours(1)), repair=repair)
        ConnectAssociationProvider(scope, "Provider", audit=audit)
        audit.metric_missing().create_alarm(
            scope, "SomebodyIsMissing", threshold=1, evaluation_periods=1
        )
        TrafficDistributionGroupMembership(
            scope,
            "Agents",
            instance_id=INSTANCE_ID,
            traffic_distribution_group_id=GROUP_ID,
            **who,
        )

    return build


@pytest.fixture
def audit(environment: EmbeddedEnvironment) -> Callable[[], dict[str, float]]:
    """Return what invokes the audit's function, and returns what it counted."""

    def run() -> dict[str, float]:
        client = environment.session().client("lambda", endpoint_url=environment.aws_url)
        (name,) = (
            function["FunctionName"]
            for page in client.get_paginator("list_functions").paginate()
            for function in page["Functions"]
            if function.get("Handler") == "connect_provider.audit.handler.audit"
        )
        answer = client.invoke(FunctionName=name, Payload=b"{}")
        counted = json.load(answer["Payload"])
        assert "FunctionError" not in answer, counted
        assert counted.pop("Finished"), counted
        return {name: value for name, value in counted.items() if value}

    return run


def tag(connect: ConnectEmulation, user_id: str, team: str) -> None:
    connect.world.users[user_id].tags = {"team": team}


def test_a_member_removed_by_hand_is_seen_and_put_back(
    stack: Deployment, connect: ConnectEmulation, audit: Callable[[], dict[str, float]]
) -> None:
    stack.deploy(audited(usernames=["ann", "bob"]))
    assert connect.members(GROUP_ID) == {ANN, BOB}
    assert audit() == {"AuditsFinished": 1}

    connect.remove_member(GROUP_ID, ANN)
    writes(connect)
    assert audit() == {"Missing": 1, "AuditsFinished": 1}
    assert connect.members(GROUP_ID) == {BOB}
    assert writes(connect) == []

    stack.deploy(audited(usernames=["ann", "bob"], repair=True))
    assert connect.members(GROUP_ID) == {BOB}, "the declaration has not changed"
    assert audit() == {"Missing": 1, "Healed": 1, "AuditsFinished": 1}
    assert connect.members(GROUP_ID) == {ANN, BOB}
    assert audit() == {"AuditsFinished": 1}
    stack.destroy()
    assert connect.members(GROUP_ID) == set()


def test_who_gets_the_tag_joins_and_nobodys_tag_changes_nobody(
    stack: Deployment, connect: ConnectEmulation, audit: Callable[[], dict[str, float]]
) -> None:
    for user_id in (ANN, BOB):
        tag(connect, user_id, "east")
    stack.deploy(audited(users_matching=EAST))
    assert connect.members(GROUP_ID) == {ANN, BOB}

    tag(connect, CYD, "east")
    tag(connect, ANN, "west")
    assert audit() == {"Matching": 2, "Joined": 1, "Left": 1, "AuditsFinished": 1}
    assert connect.members(GROUP_ID) == {BOB, CYD}

    for user_id in (ANN, BOB, CYD):
        tag(connect, user_id, "")
    writes(connect)
    assert audit() == {"RulesStopped": 1, "AuditsFinished": 1}
    assert connect.members(GROUP_ID) == {BOB, CYD}
    assert writes(connect) == []
    stack.destroy()
    assert connect.members(GROUP_ID) == set()
