"""The simulator itself: what it can show, and that it leaves no trace outside of its worlds."""

from __future__ import annotations

import time
from typing import Any

import pytest

from connect_provider.connect import calls as connect_calls
from lifecycle.cast import ANN, BOB, RED, membership, nested, sibling, single, stack_of
from lifecycle.ledger import TABLE
from lifecycle.promises import Excuse, Promise, Verdicts
from lifecycle.stack_parts import StackSettings
from lifecycle.statistics import Statistics
from lifecycle.under_test import emulated_world

_QUERY: Any = {
    "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
    "ExpressionAttributeValues": {":pk": {"S": "group#a"}, ":prefix": {"S": "claim#"}},
}


def test_pages_hold_what_is_asked() -> None:
    world = emulated_world()
    client = world.clients("dynamodb", "us-east-1")
    for number in range(5):
        world.ledger.put({"pk": "group#a", "sk": f"claim#{number}"})
    world.ledger.page = 2
    page = client.query(TableName=TABLE, ConsistentRead=True, **_QUERY)
    assert len(page["Items"]) == 2
    assert "LastEvaluatedKey" in page
    assert len(world.ledger.claims()) == 5


def test_time_is_simulated_only_while_handlers_run() -> None:
    real = (time.time, time.sleep, connect_calls.start)
    world = emulated_world()
    began = time.time()
    world.deploy(stack_of(A=single(RED, ANN)))
    assert (time.time, time.sleep, connect_calls.start) == real
    assert time.time() - began < 60
    with world.inside():
        assert time.time() == world.clock.time()
        time.sleep(10.0)
    assert (time.time, time.sleep, connect_calls.start) == real


def test_a_snapshot_brings_the_ledger_back() -> None:
    world = emulated_world()
    world.deploy(stack_of(A=single(RED, ANN)))
    items, snapshot = world.ledger.items(), world.ledger.snapshot()
    world.ledger.empty()
    assert world.ledger.items() == []
    world.ledger.restore(snapshot)
    assert world.ledger.items() == items


def test_a_nested_stack_vanishes_under_an_innocent_status() -> None:
    world = emulated_world(stack=StackSettings(updated_at_moves=True))
    world.sabotage_next(seconds={"Failing": 60.0}, fails={("Failing", "Create")})
    inner = stack_of(M=membership(RED, ANN, BOB))
    status = world.deploy(stack_of(N=nested(stack_of(I=nested(inner))), Failing=sibling()))
    assert status == "ROLLBACK_COMPLETE"
    inside = world.child("N", "I")
    assert (inside.status, inside.root.status) == ("DELETE_COMPLETE", "ROLLBACK_COMPLETE")
    described = world.clients("cloudformation", "us-east-1").describe_stacks(
        StackName=inside.stack_id
    )["Stacks"][0]
    assert described["RootId"] == world.stack.stack_id
    assert described["ParentId"] == world.child("N").stack_id
    assert [event["RequestType"] for event in inside.events] == ["Create", "Delete"]


def test_a_retry_may_have_the_same_request_id() -> None:
    world = emulated_world(stack=StackSettings(reuses_request_ids=True))
    world.sabotage_next(seconds={"Failing": 60.0}, fails={("Failing", "Create")})
    template = stack_of(A=single(RED, ANN), Failing=sibling())
    world.deploy(stack_of(Other=sibling()))
    world.deploy(template)
    world.sabotage_next(seconds={}, fails=set())
    world.deploy(template)
    creates = [event["RequestId"] for event in world.events if event["RequestType"] == "Create"]
    assert len(creates) == 2
    assert len(set(creates)) == 1


def test_too_many_excuses_fail_a_run() -> None:
    statistics = Statistics()
    verdicts = Verdicts()
    for number in range(100):
        excuse = Excuse.DRIFT if number < 3 else None
        verdicts.one(Promise.HEALS, "it did not", good=number >= 3, excuse=excuse)
    statistics.add(verdicts)
    with pytest.raises(AssertionError, match=r"3\.00% of the checks were excused"):
        statistics.check_excuses()
