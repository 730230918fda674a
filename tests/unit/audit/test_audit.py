"""The audit's function: what it finds, what it puts right, and what it leaves alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from connect_associations.testing.throttle import ThrottleSettings
from connect_provider.errors import ProviderError
from lifecycle.cast import (
    ANN,
    BLUE,
    BOB,
    CYD,
    DAN,
    EVE,
    GROUP_MEMBERSHIP,
    GROUPS,
    INSTANCE,
    RED,
    WEST,
    membership,
    single,
    stack_of,
)
from lifecycle.faults import FaultPlan, LedgerFault

if TYPE_CHECKING:
    from auditing import Stage
    from lifecycle.cast import Thing

JOIN = "AssociateTrafficDistributionGroupUser"
OK = 200
EAST = [{"Tags": {"team": "east"}}]


def ruled(group: Thing, *, exclusive: bool = False) -> dict[str, Any]:
    """Declare whoever is of the team in the east."""
    return {
        "Type": GROUP_MEMBERSHIP,
        "Properties": {
            "InstanceId": INSTANCE.id,
            "TrafficDistributionGroupId": group.id,
            "UsersMatching": EAST,
            "Exclusive": exclusive,
        },
    }


def deployed(stage: Stage, **resources: Any) -> None:
    """Deploy resources, and let so much time pass that nothing is recent."""
    status = stage.world.deploy(stack_of(**resources))
    assert status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stage.world.story()
    stage.settle()


def tag(stage: Stage, *users: Thing, team: str = "east") -> None:
    for user in users:
        stage.emulation.world.users[user.id].tags = {"team": team}


def crowd(stage: Stage, count: int) -> list[str]:
    instance = stage.emulation.world.instances[INSTANCE.id]
    users = [f"99999999-9999-4999-8999-{number:012d}" for number in range(count)]
    for number, user_id in enumerate(users):
        stage.emulation.add_user(instance, user_id=user_id, username=f"agent{number}")
    return users


# -- comparing -------------------------------------------------------------------------------------


def test_nothing_is_different(stage: Stage) -> None:
    deployed(stage, A=membership(RED, ANN, BOB, exclusive=True), B=single(WEST, CYD))
    mark = len(stage.world.faulty.calls)
    assert stage.audit() == {"AuditsFinished": 1}
    assert stage.told() == []
    calls = [call.operation for call in stage.world.faulty.calls[mark:]]
    assert calls == ["ListTrafficDistributionGroupUsers"] * 2, "a page for each group, no more"


def test_a_missing_member_is_told_and_nobody_is_touched(stage: Stage) -> None:
    deployed(stage, A=membership(RED, ANN, BOB))
    stage.world.connect.leave(RED, ANN)
    mark = len(stage.world.faulty.calls)
    assert stage.audit() == {"Missing": 1, "AuditsFinished": 1}
    ((kind, detail),) = stage.bus.events
    assert kind == "Connect Association Difference"
    assert detail == {
        "stackId": stage.world.stack.stack_id,
        "difference": "Missing",
        "healed": False,
        "instanceId": INSTANCE.id,
        "trafficDistributionGroupId": RED.id,
        "region": "us-east-1",
        "userId": ANN.id,
        "declaredBy": "A",
    }
    assert not [call for call in stage.world.faulty.calls[mark:] if call.writes]
    (line,) = stage.metrics()
    assert line["Missing"] == 1
    assert line["Extra"] == line["Failures"] == 0
    assert line["StackName"] == stage.world.stack.stack_id.split("/")[1]
    declared = {each["Name"] for each in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert declared == line.keys() - {"_aws", "StackName"}


def test_strangers_matter_in_exclusive_groups_only(stage: Stage) -> None:
    deployed(
        stage,
        A=membership(RED, ANN, exclusive=True),
        B=membership(BLUE, ANN),
    )
    for group in (RED, BLUE):
        stage.world.connect.join(group, EVE)
    assert stage.audit() == {"Extra": 1, "AuditsFinished": 1}
    assert stage.told() == [("Extra", EVE.id, False)]


def test_users_and_groups_that_are_gone(stage: Stage) -> None:
    deployed(stage, A=membership(RED, ANN, BOB), B=single(BLUE, CYD))
    stage.emulation.world.remove_user(stage.emulation.world.users[BOB.id])
    del stage.emulation.world.groups[BLUE.id]
    assert stage.audit() == {"UsersGone": 1, "GroupsGone": 1, "AuditsFinished": 1}
    assert Counter(stage.told()) == Counter(
        [("UserGone", BOB.id, False), ("GroupGone", None, False)]
    )


def test_what_was_retained_is_nobodys_declaration(stage: Stage) -> None:
    retained = {**membership(RED, ANN), "DeletionPolicy": "Retain"}
    deployed(stage, A=retained, B=single(RED, BOB))
    deployed(stage, B=single(RED, BOB))
    stage.world.connect.leave(RED, ANN)
    assert stage.audit() == {"AuditsFinished": 1}


def test_the_claim_of_another_stack_is_neither_missing_nor_extra(stage: Stage) -> None:
    stage.world.deploy(stack_of(B=membership(RED, BOB)), stack="other")
    deployed(stage, A=membership(RED, ANN, exclusive=True))
    assert stage.world.members(RED) == {"ann", "bob"}
    assert stage.audit() == {"AuditsFinished": 1}


def test_the_age_of_what_is_unsettled(stage: Stage) -> None:
    """An UPDATE_FAILED without a rollback leaves a claim that cannot come about."""
    deployed(stage, A=membership(RED, ANN))
    stage.emulation.world.remove_user(stage.emulation.world.users[BOB.id])
    assert stage.world.deploy(stack_of(A=membership(RED, ANN, BOB)), rollback=False) == (
        "UPDATE_FAILED"
    )
    stage.settle()
    assert stage.audit()["OldestUnsettledSeconds"] >= 3600


# -- putting right ---------------------------------------------------------------------------------


def test_repair_puts_members_back_and_takes_strangers_out(stage: Stage) -> None:
    stage.set(repair=True)
    deployed(stage, A=membership(RED, ANN, BOB, exclusive=True), B=membership(BLUE, CYD))
    stage.world.connect.leave(RED, ANN)
    stage.world.connect.join(RED, EVE)
    stage.world.connect.leave(BLUE, CYD)
    stage.world.connect.join(BLUE, DAN)
    assert stage.audit() == {"Missing": 2, "Extra": 1, "Healed": 3, "AuditsFinished": 1}
    assert stage.world.members(RED) == {"ann", "bob"}
    assert stage.world.members(BLUE) == {"cyd", "dan"}, "a stranger stays who is not forbidden"
    assert Counter(stage.told()) == Counter(
        [("Missing", ANN.id, True), ("Extra", EVE.id, True), ("Missing", CYD.id, True)]
    )
    assert stage.audit() == {"AuditsFinished": 1}
    assert not [item for item in stage.world.ledger.items() if item["sk"] in ("lease", "round")]
    stage.world.delete()
    assert stage.world.members(RED) == set()


def test_a_user_who_cannot_be_put_back_does_not_keep_the_others(stage: Stage) -> None:
    stage.set(repair=True)
    deployed(stage, A=membership(RED, ANN, BOB, CYD))
    stage.emulation.world.remove_user(stage.emulation.world.users[BOB.id])
    for user in (ANN, CYD):
        stage.world.connect.leave(RED, user)
    stage.world.connect.answer_with("InvalidRequestException", JOIN, times=1)
    counts = stage.audit()
    assert counts == {
        "Missing": 2,
        "Healed": 1,
        "UsersGone": 1,
        "Failures": 1,
        "AuditsFinished": 1,
    }
    assert len(stage.world.members(RED)) == 1


@pytest.mark.parametrize("held", ["lease", "PENDING", "ENDING"])
def test_a_group_that_a_deployment_changes_is_left_alone(stage: Stage, held: str) -> None:
    stage.set(repair=True)
    deployed(stage, A=membership(RED, ANN, BOB))
    stage.world.connect.leave(RED, ANN)
    (item,) = stage.world.ledger.claims()
    if held == "lease":
        lease = {"pk": item["pk"], "sk": "lease", "holder": "somebody"}
        stage.world.ledger.put({**lease, "held_until": stage.world.clock.time() + 30})
    else:
        other = item["sk"].replace("/A#", "/Other#")
        stage.world.ledger.put({**item, "sk": other, "phase": held})
    mark = len(stage.world.faulty.calls)
    assert stage.audit().keys() >= {"PutOff", "AuditsFinished"}
    assert stage.told() == []
    assert not [call for call in stage.world.faulty.calls[mark:] if call.writes]
    assert stage.world.members(RED) == {"bob"}


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_FAILED"])
def test_a_stack_that_may_still_be_rolled_back_is_left_alone(stage: Stage, status: str) -> None:
    stage.set(repair=True)
    deployed(stage, A=membership(RED, ANN, BOB))
    stage.world.connect.leave(RED, ANN)
    stage.world.stack.status = status
    assert stage.audit() == {"PutOff": 1, "AuditsFinished": 1}
    assert stage.world.members(RED) == {"bob"}


# -- rules -----------------------------------------------------------------------------------------


def test_who_gets_the_tag_joins_and_who_loses_it_leaves(stage: Stage) -> None:
    tag(stage, ANN, BOB)
    deployed(stage, A=ruled(RED))
    tag(stage, CYD)
    tag(stage, BOB, team="west")
    assert stage.audit() == {"Matching": 2, "Joined": 1, "Left": 1, "AuditsFinished": 1}
    assert stage.world.members(RED) == {"ann", "cyd"}
    assert Counter(stage.told()) == Counter([("Joined", CYD.id, True), ("Left", BOB.id, True)])
    assert stage.audit() == {"Matching": 2, "AuditsFinished": 1}
    stage.world.delete()
    assert stage.world.members(RED) == set()


def test_who_loses_the_tag_stays_where_somebody_else_declares_the_user(stage: Stage) -> None:
    tag(stage, ANN, BOB)
    deployed(stage, A=ruled(RED), B=single(RED, BOB))
    tag(stage, BOB, team="west")
    assert stage.audit() == {"Matching": 1, "Left": 1, "AuditsFinished": 1}
    assert stage.world.members(RED) == {"ann", "bob"}
    assert stage.audit() == {"Matching": 1, "AuditsFinished": 1}


@pytest.mark.parametrize("repair", [False, True])
def test_an_answer_of_nobody_changes_nobody(stage: Stage, repair: bool) -> None:  # noqa: FBT001 - a parameter of the test
    stage.set(repair=repair, share=1.0, number=1000)
    tag(stage, ANN, BOB)
    deployed(stage, A=ruled(RED, exclusive=True))
    tag(stage, ANN, BOB, team="")
    before = stage.world.ledger.claims()
    assert stage.audit() == {"RulesStopped": 1, "AuditsFinished": 1}
    ((_, detail),) = stage.bus.events
    assert detail["reason"] == "nobody matches the rule any more"
    assert stage.world.members(RED) == {"ann", "bob"}
    assert stage.world.ledger.claims() == before


def test_a_change_above_the_limit_changes_nobody(stage: Stage) -> None:
    stage.set(repair=False, share=0.5, number=1)
    tag(stage, ANN, BOB)
    deployed(stage, A=ruled(RED))
    tag(stage, CYD, DAN)
    assert stage.audit() == {"Matching": 4, "RulesStopped": 1, "AuditsFinished": 1}
    assert "2 users would join and 0 leave" in stage.bus.events[0][1]["reason"]
    assert stage.world.members(RED) == {"ann", "bob"}
    stage.set(repair=False, share=1.0, number=1)
    assert stage.audit() == {"Matching": 4, "Joined": 2, "AuditsFinished": 1}
    assert stage.world.members(RED) == {"ann", "bob", "cyd", "dan"}


def test_a_rule_that_cannot_be_evaluated_changes_nobody(stage: Stage) -> None:
    stage.set(repair=True)
    tag(stage, ANN, BOB)
    deployed(stage, A=ruled(RED))
    tag(stage, BOB, team="west")
    stage.world.connect.leave(RED, ANN)
    stage.world.connect.answer_with("AccessDeniedException", "SearchUsers", times=None)
    counts = stage.audit()
    assert counts == {"Missing": 1, "Healed": 1, "Failures": 1, "AuditsFinished": 1}
    assert stage.world.members(RED) == {"ann", "bob"}


def test_rules_that_overlap_where_a_user_has_one_group_fail_and_move_nobody(
    stage: Stage,
) -> None:
    stage.emulation.behave(user_in_several_groups="ResourceConflictException")
    tag(stage, ANN)
    deployed(stage, A=ruled(RED, exclusive=True), B=membership(BLUE, BOB, exclusive=True))
    tag(stage, BOB)
    counts = stage.audit()
    assert counts["Failures"] == 1
    assert stage.told() == [("Joined", BOB.id, False)]
    assert stage.world.members(RED) == {"ann"}
    assert stage.world.members(BLUE) == {"bob"}


# -- permissions, time and rounds ------------------------------------------------------------------


def test_an_audit_that_may_not_read_a_group_says_so_and_changes_nothing(stage: Stage) -> None:
    stage.set(repair=True)
    deployed(stage, A=membership(RED, ANN), B=membership(WEST, BOB))
    stage.world.connect.answer_with(
        "AccessDeniedException", "ListTrafficDistributionGroupUsers", times=1
    )
    stage.world.connect.leave(RED, ANN)
    stage.world.connect.leave(WEST, BOB)
    counts = stage.audit()
    assert counts == {"Failures": 1, "Missing": 1, "Healed": 1, "AuditsFinished": 1}


def test_an_audit_without_its_ledger_fails_and_counts_it(stage: Stage) -> None:
    deployed(stage, A=membership(RED, ANN))
    stage.world.faulty.plan = FaultPlan(ledger=LedgerFault.DENIED)
    with pytest.raises(Exception, match="AccessDeniedException"):
        stage.audit()
    (line,) = stage.metrics()
    assert line["Failures"] == 1


def test_events_that_nobody_takes_are_failures(stage: Stage) -> None:
    deployed(stage, A=membership(RED, ANN))
    stage.world.connect.leave(RED, ANN)
    stage.bus.refuses = True
    assert stage.audit() == {"Missing": 1, "Failures": 1, "AuditsFinished": 1}


def test_a_schedule_that_is_too_fast_is_counted(stage: Stage) -> None:
    deployed(stage, A=membership(RED, ANN))
    round_ = {"pk": f"audit#{stage.world.stack.stack_id}", "sk": "round", "began": 1}
    stage.world.ledger.put({**round_, "held_until": stage.world.clock.time() + 100})
    assert stage.invoke() == {"Finished": False, "Overruns": 1}
    (line,) = stage.metrics()
    assert line["Overruns"] == 1
    stage.settle()
    assert stage.audit() == {"AuditsFinished": 1}, "a round that was killed keeps nobody for ever"


def test_a_long_repair_takes_several_invocations_and_counts_everybody_once(stage: Stage) -> None:
    """At two calls a second, half a minute is enough for sixty users."""
    stage.set(repair=True)
    users = crowd(stage, 150)
    deployed(stage, A=membership(RED, *users), B=membership(WEST, ANN))
    for user_id in users:
        stage.emulation.world.groups[RED.id].members.pop(user_id)
    stage.emulation.limit(ThrottleSettings())
    counts = stage.audit(seconds=90)
    assert counts == {"Missing": 150, "Healed": 150, "AuditsFinished": 1}
    assert stage.emulation.members(RED.id) == set(users)
    told = Counter(stage.told())
    assert told == Counter(("Missing", user_id, True) for user_id in users)
    assert stage.invocations > 2


@pytest.mark.parametrize(("page", "listings", "seconds"), [(1000, 5, 2), (10, 250, 130)])
@pytest.mark.parametrize("by_rule", [False, True])
def test_an_audit_of_2500_users_in_five_groups_takes_as_many_calls_as_there_are_pages(
    stage: Stage,
    page: int,
    listings: int,
    seconds: float,
    by_rule: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    stage.emulation.behave(group_users_page_size=page)
    users = crowd(stage, 2500)
    instance = stage.emulation.world.instances[INSTANCE.id]
    more = [stage.emulation.add_group(instance, name=name).id for name in ("four", "five")]
    groups: list[Thing | str] = [*GROUPS, *more]
    memberships = {}
    for number, group in enumerate(groups):
        members = users[number * 500 : (number + 1) * 500]
        body = memberships[f"M{number}"] = membership(group, *members)
        for user_id in members:
            stage.emulation.world.users[user_id].tags = {"team": str(number)}
        if by_rule:
            del body["Properties"]["UserIds"]
            body["Properties"]["UsersMatching"] = [{"Tags": {"team": str(number)}}]
    deployed(stage, **memberships)
    stage.emulation.limit(ThrottleSettings())
    mark = len(stage.world.faulty.calls)
    began = stage.world.clock.time()
    stage.audit()
    calls = Counter(call.operation for call in stage.world.faulty.calls[mark:] if call.status == OK)
    searches = {"SearchUsers": 5} if by_rule else {}
    assert calls == {"ListTrafficDistributionGroupUsers": listings, **searches}
    assert stage.world.clock.time() - began < seconds


def test_a_group_that_no_invocation_can_finish_is_a_failure_and_no_endless_loop(
    stage: Stage,
) -> None:
    users = crowd(stage, 200)
    deployed(stage, A=membership(RED, *users))
    stage.emulation.limit(ThrottleSettings())
    with pytest.raises(ProviderError, match="too large to be compared in one invocation"):
        stage.audit(seconds=63)
    assert stage.metrics()[-1]["Failures"] == 1
    assert stage.bus.events == []


def test_who_is_declared_at_the_moment_of_leaving_is_put_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim's own converger lists the group afterwards, and may still find the user."""
    stage.set(repair=True)
    deployed(stage, A=membership(RED, ANN, exclusive=True))
    stage.world.connect.join(RED, EVE)
    (item,) = stage.world.ledger.claims()
    backend = stage.emulation.backend("us-east-1")
    leave = backend.disassociate_traffic_distribution_group_user

    def declared_meanwhile(**request: str) -> None:
        leave(**request)
        users = bytes.fromhex(EVE.id.replace("-", ""))
        other = item["sk"].replace("stack/Test/", "stack/Other/")
        claim = {**item, "sk": other, "phase": "PENDING"}
        claim.pop("adopted", None)
        stage.world.ledger.put({**claim, "users": users})

    monkeypatch.setattr(backend, "disassociate_traffic_distribution_group_user", declared_meanwhile)
    stage.audit()
    assert stage.world.members(RED) == {"ann", "eve"}
    assert stage.told() == []


def test_an_audit_stops_when_a_deployment_begins(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads the claims again every five seconds: ten calls at two a second."""
    stage.set(repair=True)
    users = crowd(stage, 60)
    deployed(stage, A=membership(RED, *users))
    stage.emulation.world.groups[RED.id].members.clear()
    stage.emulation.limit(ThrottleSettings())
    (item,) = stage.world.ledger.claims()
    backend = stage.emulation.backend("us-east-1")
    join = backend.associate_traffic_distribution_group_user
    joined: list[str] = []

    def deployment_begins(**request: str) -> None:
        join(**request)
        joined.append(request["user_id"])
        if len(joined) == 1:
            claim = {**item, "sk": item["sk"].replace("/A#", "/B#"), "phase": "ENDING"}
            stage.world.ledger.put(claim)

    monkeypatch.setattr(backend, "associate_traffic_distribution_group_user", deployment_begins)
    assert stage.audit()["PutOff"] == 1
    assert len(joined) < 30
    assert not [it for it in stage.world.ledger.items() if it["sk"] == "lease"]
