"""From an event to a claim, and from the claims of a group to what must happen: pure functions."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect_provider import lifecycle
from connect_provider.connect.client import Group
from connect_provider.deployment import Deployment
from connect_provider.errors import InvalidEventError, RequestOutlivedError, StillWaiting
from connect_provider.groups import claims as rules
from connect_provider.groups.declaration import GroupUsers
from connect_provider.ledger.claim import OPEN, GroupClaim, Owner, Phase, to_event
from connect_provider.request import Request

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Test/1"
ELSEWHERE = "arn:aws:cloudformation:us-east-1:123456789012:stack/Other/1"
INSTANCE = "11111111-2222-4333-8444-555555555555"
RED = Group(id="aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", region="us-east-1")
BLUE = Group(id="bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee", region="us-east-1")
ANN, BOB, CYD, DAN, EVE = (f"99999999-8888-4777-8666-{number:012d}" for number in range(5))
EVERYBODY = (ANN, BOB, CYD, DAN, EVE)
NOW = 1_800_000_000.0
FORWARD = Deployment("UPDATE_IN_PROGRESS", "monday")
BACK = Deployment("UPDATE_ROLLBACK_IN_PROGRESS", "monday")


def event(kind: str = "Create", **changes: Any) -> Request:
    return Request.from_event(
        {
            "RequestType": kind,
            "ResourceType": "Custom::Thing",
            "StackId": STACK,
            "RequestId": "request",
            "LogicalResourceId": "Agents",
            "PhysicalResourceId": "" if kind == "Create" else BEFORE,
            **changes,
        }
    )


def claimed(*users: str, **changes: Any) -> GroupClaim:
    values: dict[str, Any] = {
        "owner": Owner(STACK, "Agents"),
        "version": "0123456789ab",
        "instance_id": INSTANCE,
        "group": RED,
        "users": frozenset(users),
        "began": "monday",
        "since": NOW,
        **changes,
    }
    return GroupClaim(**values)


def declared(*users: str, **changes: Any) -> GroupUsers:
    values: dict[str, Any] = {
        "instance_id": INSTANCE,
        "group": RED,
        "users": frozenset(users),
        **changes,
    }
    return GroupUsers(**values)


BEFORE = claimed().physical_id
LIVE = {"phase": Phase.LIVE, "adopted": frozenset[str]()}
SOMEBODY = Owner(ELSEWHERE, "Agents")


# -- physical IDs ----------------------------------------------------------------------------------


def test_a_physical_id_says_region_group_and_version() -> None:
    text = claimed().physical_id
    assert text == f"us-east-1:{RED.id}/0123456789ab"
    assert rules.parse(text) == (RED, "0123456789ab")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Stack-Agents-1ABCDEFGHIJKL",
        "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED",
        f"us-east-1:{RED.id}",
        f"us-east-1:{RED.id}/0123456789a",
        f"us-east-1:{RED.id}/0123456789abc",
        f"us-east-1:{RED.id}/0123456789aB",
        f"us-east-1:{RED.id[:-1]}/0123456789ab",
        f" us-east-1:{RED.id}/0123456789ab",
        f"us-east-1:{RED.id}/0123456789ab\n",
        f"contact:{INSTANCE}:{RED.id}/0123456789ab",
        f":{RED.id}/0123456789ab",
    ],
)
def test_ids_of_others_are_nobody_s(text: str) -> None:
    assert rules.parse(text) is None


def test_two_exclusive_claims_that_come_together_expel_the_same_people() -> None:
    first = claimed(ANN, exclusive=True, adopted=frozenset(), expelled=frozenset((CYD,)))
    second = claimed(BOB, exclusive=True, owner=SOMEBODY)
    for other in (
        first,
        first._replace(phase=Phase.LIVE, since=NOW - 4000),
        first._replace(phase=Phase.ENDING, undo=True),
    ):
        noted = rules.noted(second, {BOB}, [other, second], now=NOW)
        assert noted is not None
        assert (noted.expelled, noted.removed) == (frozenset((CYD,)), 0)
    settled = first._replace(phase=Phase.LIVE, since=NOW - 5000)
    noted = rules.noted(second, {BOB}, [settled, second], now=NOW)
    assert noted is not None
    assert noted.expelled == frozenset()


def test_an_exclusive_claim_in_place_keeps_out_whom_another_one_brings_back() -> None:
    ending = claimed(
        BOB, exclusive=True, owner=SOMEBODY, expelled=frozenset((CYD,)), adopted=frozenset()
    )._replace(phase=Phase.ENDING, undo=True)
    before = claimed(ANN, exclusive=True, expelled=frozenset((EVE,)), **LIVE)
    claim = claimed(ANN, version="ba9876543210", exclusive=True, replaces=BEFORE)
    noted = rules.noted(claim, {ANN, DAN}, [ending, before, claim], now=NOW)
    assert noted is not None
    assert noted.expelled == {CYD}, "the clean-up removes Dan, and Eve was removed before"


@pytest.mark.parametrize("undo", [False, True])
def test_who_leaves_with_a_claim_that_ends_is_no_stranger(*, undo: bool) -> None:
    ending = claimed(
        BOB, CYD, owner=SOMEBODY, adopted=frozenset((CYD,)), phase=Phase.ENDING, undo=undo
    )
    claim = claimed(ANN, version="ba9876543210", exclusive=True)
    noted = rules.noted(claim, {BOB, CYD, DAN}, [ending, claim], now=NOW)
    assert noted is not None
    assert noted.expelled == ({CYD, DAN} if undo else {DAN}), "Cyd would stay where it is undone"
    never_wrote = ending._replace(adopted=None)
    noted = rules.noted(claim, {BOB, CYD, DAN}, [never_wrote, claim], now=NOW)
    assert noted is not None
    assert noted.expelled == {BOB, CYD, DAN}


def test_a_key_tells_owners_and_versions_apart() -> None:
    claims = [
        claimed(),
        claimed(version="ba9876543210"),
        claimed(owner=Owner(STACK, "Other")),
        claimed(owner=Owner(ELSEWHERE, "Agents")),
    ]
    assert len({claim.key for claim in claims}) == 4


# -- on_event --------------------------------------------------------------------------------------


def plan(request: Request, wants: GroupUsers, deployment: Deployment, **changes: Any) -> GroupClaim:
    values: dict[str, Any] = {
        "now": NOW,
        "mine": [],
        "previous": None,
        "awaited": lambda: pytest.fail("CloudFormation was asked without need"),
        **changes,
    }
    return rules.plan(request, wants, deployment=deployment, **values)


def test_a_create_makes_a_claim() -> None:
    request = event()
    planned = plan(request, declared(ANN, exclusive=True, resync="2"), FORWARD)
    version = request.version("monday")
    assert planned == claimed(ANN, version=version, exclusive=True, resync="2")


def test_an_update_knows_what_it_replaces() -> None:
    request = event("Update")
    planned = plan(request, declared(BOB), FORWARD, mine=[claimed(ANN, **LIVE)])
    assert planned == claimed(BOB, version=request.version("monday"), replaces=BEFORE)
    assert planned.physical_id != BEFORE


@pytest.mark.parametrize(
    "status",
    [
        "",
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_FAILED",
        "CREATE_FAILED",
        "DELETE_IN_PROGRESS",
    ],
)
@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_what_comes_when_nothing_goes_forward_is_late(kind: str, status: str) -> None:
    """Even if the version that it declares is there."""
    with pytest.raises(RequestOutlivedError):
        plan(event(kind), declared(ANN), Deployment(status, "monday"), mine=[claimed(ANN, **LIVE)])


@pytest.mark.parametrize("deployment", [BACK, FORWARD._replace(root_status=BACK.status)])
def test_a_create_in_a_rollback_is_late(deployment: Deployment) -> None:
    with pytest.raises(RequestOutlivedError):
        plan(event(), declared(ANN), deployment, mine=[claimed(ANN, **LIVE)])


@pytest.mark.parametrize("deployment", [BACK, FORWARD._replace(root_status=BACK.status)])
def test_a_rollback_finds_the_version_of_before(deployment: Deployment) -> None:
    before = claimed(ANN, began="sunday", **LIVE)
    new = claimed(BOB, version="ba9876543210", replaces=BEFORE, **LIVE)
    request = event("Update", PhysicalResourceId=new.physical_id)
    planned = plan(request, declared(ANN), deployment, mine=[before, new], previous=new)
    assert planned == before


def test_of_several_versions_the_one_that_the_event_names_is_it_else_the_latest() -> None:
    older = claimed(ANN, version="00000000000a", since=NOW - 2, **LIVE)
    newer = claimed(ANN, version="00000000000b", since=NOW - 1, **LIVE)
    for mine in ([older, newer], [newer, older]):
        named = event("Update", PhysicalResourceId=older.physical_id)
        assert plan(named, declared(ANN), BACK, mine=mine).physical_id == older.physical_id
        other = event("Update", PhysicalResourceId=BEFORE)
        assert plan(other, declared(ANN), BACK, mine=mine).physical_id == newer.physical_id


@pytest.mark.parametrize(
    "unfit",
    [
        {"phase": Phase.PENDING},
        {"phase": Phase.ENDING},
        {"phase": Phase.ENDED},
        {"users": frozenset((ANN, BOB))},
        {"users": frozenset[str]()},
        {"exclusive": True},
        {"resync": "2"},
        {"instance_id": RED.id},
    ],
)
def test_a_rollback_without_a_fitting_version_claims_anew(unfit: dict[str, Any]) -> None:
    mine = [claimed(ANN, **{**LIVE, "began": "sunday", **unfit})]
    request = event("Update")
    planned = plan(request, declared(ANN), BACK, mine=mine)
    assert planned.rollback
    assert planned.version == request.version("monday")


def test_the_update_of_the_way_forward_is_late_in_the_rollback() -> None:
    live = claimed(ANN, began="sunday", **LIVE)
    with pytest.raises(RequestOutlivedError):
        plan(event("Update"), declared(BOB), BACK, mine=[live], previous=live)


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.ENDING, Phase.ENDED])
def test_a_rollback_claims_anew_where_the_version_of_before_is_not_live(phase: Phase) -> None:
    previous = claimed(ANN, began="sunday", phase=phase)
    assert plan(event("Update"), declared(BOB), BACK, previous=previous).phase is Phase.PENDING


def of_request(request: Request, began: str, **changes: Any) -> GroupClaim:
    return claimed(ANN, version=request.version(began), began=began, **changes)


@pytest.mark.parametrize("awaited", [True, False])
def test_a_request_seen_in_another_deployment_is_a_retry_or_late(*, awaited: bool) -> None:
    request = event()
    mine = [of_request(request, "sunday", phase=Phase.ENDED)]
    if awaited:
        planned = plan(request, declared(ANN), FORWARD, mine=mine, awaited=lambda: True)
        assert planned.repeated
        assert planned.physical_id == claimed(version=request.version("monday")).physical_id
    else:
        with pytest.raises(RequestOutlivedError):
            plan(request, declared(ANN), FORWARD, mine=mine, awaited=lambda: False)


def test_the_same_request_again_in_the_same_deployment_is_the_same_claim() -> None:
    request = event()
    mine = [of_request(request, "monday")]
    planned = plan(request, declared(ANN), FORWARD, mine=mine)
    assert planned.version == mine[0].version


def test_another_request_asks_nobody() -> None:
    mine = [of_request(event(RequestId="another"), "sunday", phase=Phase.ENDED)]
    planned = plan(event(), declared(ANN), FORWARD, mine=mine)
    assert (planned.phase, planned.repeated) == (Phase.PENDING, False)


@given(
    users=st.frozensets(st.uuids().map(str), min_size=1, max_size=30),
    exclusive=st.booleans(),
    back=st.booleans(),
    resync=st.text(max_size=5),
)
def test_a_claim_travels_through_the_event(
    users: frozenset[str], *, exclusive: bool, back: bool, resync: str
) -> None:
    wants = declared(*users, exclusive=exclusive, resync=resync)
    planned = plan(event("Update"), wants, BACK if back else FORWARD)
    carried = json.loads(json.dumps(to_event(planned)))
    arrived = event("Update", PhysicalResourceId=planned.physical_id, Claim=carried)
    assert lifecycle.planned_claim(arrived) == planned


@pytest.mark.parametrize("missing", ["pk", "sk", "phase", "revision"])
def test_an_event_without_part_of_the_claim_is_refused(missing: str) -> None:
    carried = to_event(claimed(ANN))
    del carried[missing]
    with pytest.raises(InvalidEventError, match="takes what on_event answered"):
        lifecycle.planned_claim(event("Update", Claim=carried))


@pytest.mark.parametrize(
    "change",
    [
        {"users": "!"},
        {"users": "AAAA"},
        {"users": None},
        {"since": "now"},
        {"phase": "live"},
        {"sk": to_event(claimed(ANN, owner=Owner(STACK, "Other")))["sk"]},
        {"sk": to_event(claimed(ANN, owner=SOMEBODY))["sk"]},
        {"sk": to_event(claimed(ANN, version="ba9876543210"))["sk"]},
    ],
    ids=repr,
)
def test_a_claim_that_is_none_or_another_one_s_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidEventError, match="takes what on_event answered"):
        lifecycle.planned_claim(event("Update", Claim={**to_event(claimed(ANN)), **change}))


# -- the life of a claim ---------------------------------------------------------------------------


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("undo", [True, False])
def test_a_claim_ends_once_and_is_undone_if_it_never_went_live(phase: Phase, *, undo: bool) -> None:
    now = NOW + 1000
    ending = lifecycle.ended(claimed(ANN, phase=phase), now=now, undo=undo)
    if phase in OPEN:
        assert ending == claimed(
            ANN,
            phase=Phase.ENDING,
            undo=undo or phase is Phase.PENDING,
            doubt=phase is Phase.PENDING,
            since=now,
        )
    else:
        assert ending is None


@pytest.mark.parametrize(("age", "doubt"), [(0, True), (59, True), (60, False), (3600, False)])
def test_a_listing_is_doubted_just_after_the_last_call(age: float, *, doubt: bool) -> None:
    ending = lifecycle.ended(claimed(ANN, **LIVE), now=NOW + age, undo=False)
    assert ending
    assert ending.doubt == doubt


@pytest.mark.parametrize("phase", Phase)
def test_only_what_ends_is_over(phase: Phase) -> None:
    tombstone = lifecycle.over(claimed(ANN, phase=phase))
    assert (tombstone and tombstone.phase) == (Phase.ENDED if phase is Phase.ENDING else None)


@pytest.mark.parametrize(
    ("rollback", "deployment", "given_up"),
    [
        (False, FORWARD, False),
        (False, Deployment("UPDATE_IN_PROGRESS", "tuesday"), True),
        (False, BACK, True),
        (False, Deployment("UPDATE_COMPLETE", "monday"), True),
        (False, Deployment("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "monday"), False),
        (False, Deployment("DELETE_IN_PROGRESS", "monday"), True),
        (False, FORWARD._replace(root_status="UPDATE_ROLLBACK_IN_PROGRESS"), True),
        (False, Deployment(""), True),
        (True, BACK, False),
        (True, BACK._replace(began="tuesday"), False),
        (True, FORWARD, True),
        (True, Deployment("UPDATE_ROLLBACK_COMPLETE", "monday"), True),
        (True, FORWARD._replace(root_status="UPDATE_ROLLBACK_IN_PROGRESS"), False),
    ],
)
def test_a_claim_outlives_its_deployment(
    deployment: Deployment, *, rollback: bool, given_up: bool
) -> None:
    assert lifecycle.is_given_up(claimed(ANN, rollback=rollback), deployment) == given_up


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("age", [0, 59, 61])
def test_a_delete_at_rest_is_late_after_a_minute(
    monkeypatch: pytest.MonkeyPatch, phase: Phase, age: int
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW + age)
    request = event("Delete", StartedAt=NOW)
    claim = claimed(ANN, phase=phase)
    assert not lifecycle.comes_late(claim, request, FORWARD)
    at_rest = Deployment("UPDATE_COMPLETE", "monday")
    if phase not in OPEN:
        assert not lifecycle.comes_late(claim, request, at_rest), "it only goes on"
    elif age < 60:
        with pytest.raises(StillWaiting):
            lifecycle.comes_late(claim, request, at_rest)
    else:
        assert lifecycle.comes_late(claim, request, at_rest)


# -- converging ------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", Phase)
def test_only_what_is_open_wants(phase: Phase) -> None:
    wanted = rules.wanted([claimed(ANN, phase=phase), claimed(BOB, **LIVE)])
    assert wanted == ({ANN, BOB} if phase in OPEN else {BOB})
    assert rules.wanted([]) == frozenset()


@pytest.mark.parametrize(
    ("adopted", "undo", "kept"),
    [
        (None, False, {ANN, BOB}),
        (None, True, {ANN, BOB}),
        (frozenset((ANN,)), True, {ANN}),
        (frozenset((ANN,)), False, set()),
        (frozenset(), True, set()),
    ],
)
def test_whoever_was_there_before_stays_when_the_claim_is_undone(
    adopted: frozenset[str] | None, kept: set[str], *, undo: bool
) -> None:
    ending = claimed(ANN, BOB, phase=Phase.ENDING, adopted=adopted, undo=undo)
    assert rules.kept(ending) == kept


def test_who_was_there_is_noted_before_the_first_write() -> None:
    claim = claimed(ANN, BOB)
    noted = rules.noted(claim, {ANN, CYD}, [claim], now=NOW)
    assert noted == claim._replace(adopted=frozenset((ANN,)))


@pytest.mark.parametrize(
    "changes",
    [{"adopted": frozenset[str]()}, {"phase": Phase.LIVE}, {"phase": Phase.ENDING}],
)
def test_what_is_noted_is_noted_once(changes: dict[str, Any]) -> None:
    claim = claimed(ANN, **changes)
    assert rules.noted(claim, {ANN}, [claim], now=NOW) is None


def test_a_new_exclusive_claim_notes_whom_it_expels() -> None:
    claim = claimed(ANN, exclusive=True)
    wanted = claimed(BOB, owner=SOMEBODY, **LIVE)
    gone = claimed(CYD, owner=SOMEBODY, version="0", phase=Phase.ENDED)
    noted = rules.noted(claim, {ANN, BOB, CYD, DAN}, [claim, wanted, gone], now=NOW)
    assert noted
    assert (noted.expelled, noted.removed) == (frozenset((CYD, DAN)), 2)
    assert rules.noted(claim._replace(exclusive=False), {CYD}, [claim], now=NOW) == claim._replace(
        exclusive=False, adopted=frozenset()
    )


def test_an_exclusive_update_in_place_leaves_strangers_to_the_clean_up() -> None:
    before = claimed(ANN, BOB, **LIVE)
    claim = claimed(ANN, version="ba9876543210", exclusive=True, replaces=BEFORE)
    noted = rules.noted(claim, {ANN, BOB, CYD}, [before, claim], now=NOW)
    assert noted
    assert (noted.expelled, noted.removed) == (frozenset[str](), 2), "Bob by the Delete, Cyd too"


def test_an_exclusive_update_to_another_group_expels_there() -> None:
    claim = claimed(ANN, group=BLUE, exclusive=True, replaces=BEFORE)
    noted = rules.noted(claim, {CYD}, [claim], now=NOW)
    assert noted
    assert noted.expelled == {CYD}


def test_what_an_update_removes_is_who_leaves_and_is_there() -> None:
    before = claimed(ANN, BOB, CYD, DAN, **LIVE)
    other = claimed(CYD, owner=SOMEBODY, **LIVE)
    claim = claimed(ANN, version="ba9876543210", replaces=BEFORE)
    noted = rules.noted(claim, {ANN, BOB, CYD}, [before, other, claim], now=NOW)
    assert noted
    assert noted.removed == 1, "Cyd is somebody else's, Dan is not there"


def heirs(ending: GroupClaim, *claims: GroupClaim, listed: set[str] | None = None) -> list[str]:
    def answer() -> frozenset[str]:
        assert listed is not None, "CloudFormation was asked without need"
        return frozenset(listed)

    return [claim.version for claim in rules.heirs(ending, [ending, *claims], answer)]


ENDING = claimed(ANN, BOB, phase=Phase.ENDING, adopted=frozenset())


def test_pending_claims_and_those_of_other_stacks_always_hold() -> None:
    assert heirs(ENDING, claimed(ANN, version="a")) == ["a"]
    assert heirs(ENDING, claimed(ANN, version="a", owner=SOMEBODY, **LIVE)) == ["a"]
    assert heirs(ENDING, claimed(ANN, version="a", owner=SOMEBODY)) == ["a"]


@pytest.mark.parametrize("phase", [Phase.ENDING, Phase.ENDED])
def test_what_ends_holds_nobody(phase: Phase) -> None:
    assert heirs(ENDING, claimed(ANN, version="a", owner=SOMEBODY, phase=phase)) == []


def test_who_is_not_shared_is_not_held() -> None:
    assert heirs(ENDING, claimed(CYD, version="a", owner=SOMEBODY, **LIVE)) == []


def test_a_live_claim_of_the_stack_holds_while_it_is_listed() -> None:
    other = claimed(ANN, version="a" * 12, owner=Owner(STACK, "Other"), **LIVE)
    assert heirs(ENDING, other, listed={other.physical_id}) == [other.version]
    assert heirs(ENDING, other, listed={BEFORE}) == [], "RETAIN has left it behind"


def test_in_a_rollback_nobody_is_asked() -> None:
    other = claimed(ANN, version="a", owner=Owner(STACK, "Other"), **LIVE)
    assert heirs(ENDING._replace(undo=True), other) == ["a"]


def test_the_version_that_replaces_it_holds_without_asking() -> None:
    assert heirs(ENDING, claimed(ANN, version="a", replaces=BEFORE, **LIVE)) == ["a"]


def test_who_comes_back_has_heirs_too() -> None:
    undone = ENDING._replace(undo=True, expelled=frozenset((CYD,)))
    assert heirs(undone, claimed(CYD, version="a", owner=SOMEBODY, **LIVE)) == ["a"]
    assert heirs(ENDING, claimed(CYD, version="a", owner=SOMEBODY, **LIVE)) == []


@pytest.mark.parametrize(
    ("change", "removes"),
    [
        ({}, True),
        ({"exclusive": False}, False),
        ({"phase": Phase.PENDING}, False),
        ({"phase": Phase.ENDING}, False),
        ({"replaces": ""}, False),
        ({"replaces": claimed(group=BLUE).physical_id}, False),
        ({"replaces": claimed(version="ba9876543210").physical_id}, False),
    ],
)
def test_the_clean_up_of_an_exclusive_update_removes_strangers(
    change: dict[str, Any], *, removes: bool
) -> None:
    values = {"exclusive": True, "replaces": BEFORE, **LIVE, **change}
    successor = claimed(ANN, version="ba9876543210", **values)
    claims = [ENDING, claimed(DAN, owner=SOMEBODY, exclusive=True), successor]
    assert rules.removes_strangers(ENDING, claims) == removes
    assert not rules.removes_strangers(ENDING._replace(undo=True), claims), "never in a rollback"
    assert not rules.removes_strangers(ENDING, claims[:-1])


def test_an_heir_takes_over_the_responsibility() -> None:
    heir = claimed(
        ANN, BOB, CYD, owner=SOMEBODY, phase=Phase.LIVE, adopted=frozenset((ANN, BOB, CYD))
    )
    handed = rules.handed_over(heir, ENDING)
    assert handed == heir._replace(adopted=frozenset((CYD,)))
    undone = ENDING._replace(undo=True, adopted=frozenset((ANN,)))
    kept = rules.handed_over(heir, undone)
    assert kept == heir._replace(adopted=frozenset((ANN, CYD))), "Ann was there before both"
    back = ENDING._replace(users=frozenset(), undo=True, expelled=frozenset((BOB, DAN)))
    heir = heir._replace(adopted=frozenset())
    assert rules.handed_over(heir, back) == heir._replace(adopted=frozenset((BOB,)))
    assert rules.handed_over(heir, back._replace(undo=False)) is None


@pytest.mark.parametrize(
    "change", [{"adopted": None}, {"phase": Phase.ENDING}, {"adopted": frozenset[str]()}]
)
def test_there_is_nothing_to_hand_over_to_others(change: dict[str, Any]) -> None:
    heir = claimed(ANN, owner=SOMEBODY, **{**LIVE, "adopted": frozenset((ANN,)), **change})
    assert rules.handed_over(heir, ENDING) is None


@pytest.mark.parametrize(
    ("change", "keeps_away"),
    [
        ({}, True),
        ({"phase": Phase.PENDING}, True),
        ({"phase": Phase.ENDING}, False),
        ({"phase": Phase.ENDED}, False),
        ({"exclusive": False}, False),
        ({"adopted": None}, False),
        ({"began": "monday"}, False),
        ({"began": "friday"}, False),
    ],
)
def test_an_exclusive_claim_of_a_later_deployment_keeps_away(
    change: dict[str, Any], *, keeps_away: bool
) -> None:
    undone = ENDING._replace(undo=True, expelled=frozenset((CYD, DAN)))
    values = {"exclusive": True, "began": "tuesday", **LIVE, "adopted": frozenset[str](), **change}
    later = claimed(EVE, version="a", owner=SOMEBODY, **values)
    claims = [undone, later]
    back = rules.coming_back(undone, claims, now=NOW)
    assert back == (frozenset[str]() if keeps_away else {CYD, DAN})
    assert rules.informed(undone, claims) == ([later] if keeps_away else [])
    assert rules.informed(undone._replace(undo=False), claims) == []
    told = rules.handed_over(later, undone)
    assert told == (later._replace(expelled=undone.expelled) if keeps_away else None)
    assert rules.handed_over(later, undone._replace(undo=False)) is None


def test_whom_another_claim_has_expelled_comes_back_with_that_one() -> None:
    undone = ENDING._replace(undo=True, expelled=frozenset((CYD, DAN)))
    other = claimed(EVE, owner=SOMEBODY, exclusive=True, expelled=frozenset((DAN,)))
    assert rules.coming_back(undone, [undone, other], now=NOW) == {CYD}


def test_who_is_undone_as_well_hears_of_it() -> None:
    undone = ENDING._replace(undo=True, expelled=frozenset((CYD,)))
    other = claimed(CYD, version="a", owner=SOMEBODY, phase=Phase.ENDING, undo=True)
    assert rules.informed(undone, [undone, other]) == [other]
    for change in ({"undo": False}, {"users": frozenset((DAN,))}, {"phase": Phase.ENDED}):
        assert rules.informed(undone, [undone, other._replace(**change)]) == []


def test_the_origin_is_the_group_of_before_if_it_is_another() -> None:
    assert rules.origin_of(claimed(ANN, group=BLUE, replaces=BEFORE)) == RED
    assert rules.origin_of(claimed(ANN, replaces=BEFORE)) is None
    assert rules.origin_of(claimed(ANN)) is None
    assert rules.origin_of(claimed(ANN, replaces="Stack-Agents-1A2B")) is None
    west = RED._replace(region="us-west-2")
    assert rules.origin_of(claimed(ANN, group=west, replaces=BEFORE)) == RED


def test_who_is_owned_is_wanted_by_nobody_else() -> None:
    mine = [claimed(ANN, BOB, **LIVE), claimed(CYD, version="a"), claimed(DAN, phase=Phase.ENDED)]
    other = claimed(BOB, owner=SOMEBODY)
    ended = claimed(CYD, owner=SOMEBODY, version="b", phase=Phase.ENDED)
    assert rules.owned_users([*mine, other, ended], Owner(STACK, "Agents")) == {ANN, CYD}


# -- in general ------------------------------------------------------------------------------------

some = st.frozensets(st.sampled_from(EVERYBODY))


@st.composite
def claims_of_a_group(draw: st.DrawFn) -> list[GroupClaim]:
    """Draw claims of several owners, stacks and versions, some of which replace others."""
    claims: list[GroupClaim] = []
    for number in range(draw(st.integers(1, 5))):
        users = draw(some)
        owner = Owner(draw(st.sampled_from((STACK, ELSEWHERE))), draw(st.sampled_from("AB")))
        earlier = [claim.physical_id for claim in claims if claim.owner == owner]
        claims.append(
            claimed(
                *users,
                owner=owner,
                version=f"{number:012x}",
                phase=draw(st.sampled_from(Phase)),
                adopted=draw(st.none() | some.map(users.__and__)),
                expelled=draw(some) - users,
                exclusive=draw(st.booleans()),
                undo=draw(st.booleans()),
                replaces=draw(st.sampled_from(["", *earlier])),
            )
        )
    return claims


@given(claims_of_a_group(), st.data())
def test_pending_claims_and_other_stacks_and_what_is_listed_hold_their_users(
    claims: list[GroupClaim], data: st.DataObject
) -> None:
    ending = data.draw(st.sampled_from(claims))._replace(phase=Phase.ENDING)
    claims = [claim for claim in claims if claim.key != ending.key]
    listed = frozenset(
        data.draw(
            st.lists(st.sampled_from([BEFORE, *(it.physical_id for it in claims)]), unique=True)
        )
    )
    held = rules.wanted(rules.heirs(ending, claims, lambda: listed)) & ending.users
    for claim in claims:
        elsewhere = claim.owner.stack_id != ending.owner.stack_id
        holds = claim.phase is Phase.PENDING or (
            claim.phase is Phase.LIVE and (elsewhere or ending.undo or claim.physical_id in listed)
        )
        if holds:
            assert held >= claim.users & ending.users
    assert held <= rules.wanted(claims)


@given(claims_of_a_group(), some, st.data())
def test_what_is_noted_adds_up(
    claims: list[GroupClaim], members: frozenset[str], data: st.DataObject
) -> None:
    claim = data.draw(st.sampled_from(claims))._replace(phase=Phase.PENDING, adopted=None)
    claims = [other for other in claims if other.key != claim.key] + [claim]
    noted = rules.noted(claim, members, claims, now=NOW)
    assert noted
    assert noted.adopted == claim.users & members
    there_without_others = members.union(*(it.expelled for it in claims))
    assert noted.expelled <= there_without_others - rules.wanted(claims)
    assert claim.exclusive or not noted.expelled
    assert 0 <= len(noted.expelled & members) <= noted.removed <= len(members)
    assert rules.noted(noted, members, claims, now=NOW) is None


@given(claims_of_a_group(), st.data())
def test_a_handover_is_final(claims: list[GroupClaim], data: st.DataObject) -> None:
    """After it, the heir answers for whom the ending claim would have taken out."""
    ending = data.draw(st.sampled_from(claims))._replace(phase=Phase.ENDING)
    for heir in claims:
        handed = rules.handed_over(heir, ending)
        if handed is None:
            continue
        assert handed.adopted is not None
        assert heir.adopted is not None
        assert handed.adopted <= handed.users
        if heir.phase is Phase.ENDING:
            # It holds nobody any more: it only learns of who came back.
            assert handed.adopted == heir.adopted | (ending.expelled & heir.users)
        else:
            assert not handed.adopted & (ending.users - rules.kept(ending) - ending.expelled)
        assert handed._replace(adopted=heir.adopted) == heir, "nothing else changes"
        assert rules.handed_over(handed, ending) is None, "once is enough"
