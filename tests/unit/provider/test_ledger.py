"""The ledger through the real boto3 client, against moto's DynamoDB."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from connect_provider.connect.client import Group
from connect_provider.errors import LedgerError, StillWaiting
from connect_provider.failures import CallError, Failure
from connect_provider.ledger.claim import (
    TOMBSTONE_SECONDS,
    ContactClaim,
    GroupClaim,
    Offer,
    Owner,
    Phase,
    from_item,
    to_event,
)
from connect_provider.ledger.table import (
    LEASE_RESERVE,
    LEASE_SECONDS,
    Lease,
    Ledger,
    LedgerMissingError,
)
from tables import LEDGER_KEYS, make_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb.client import DynamoDBClient

TABLE = "ledger"
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Test/1"
INSTANCE = "11111111-2222-4333-8444-555555555555"
CONTACT = "cccccccc-2222-4333-8444-555555555555"
RED = Group(id="aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", region="us-west-2")
ANN, BOB, CYD = (f"99999999-8888-4777-8666-{number:012d}" for number in range(3))
NOW = 1_800_000_000.25


class Clock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.now = NOW

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock.time)
    return clock


@pytest.fixture(scope="module")
def client() -> Iterator[DynamoDBClient]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        with mock_aws():
            yield boto3.client("dynamodb", region_name="us-east-1")


@pytest.fixture
def ledger(client: DynamoDBClient) -> Iterator[Ledger]:
    make_table(client, TABLE, *LEDGER_KEYS)
    yield Ledger(client, TABLE)
    client.delete_table(TableName=TABLE)


def claimed(*users: str, **changes: Any) -> GroupClaim:
    values: dict[str, Any] = {
        "owner": Owner(STACK, "Agents"),
        "version": "0123456789ab",
        "instance_id": INSTANCE,
        "group": RED,
        "users": frozenset(users),
        "began": "2027-01-15 08:00:00+00:00",
        "since": NOW,
        **changes,
    }
    return GroupClaim(**values)


def assigned(**changes: Any) -> ContactClaim:
    values: dict[str, Any] = {
        "owner": Owner(STACK, "Chat"),
        "version": "0123456789ab",
        "instance_id": INSTANCE,
        "contact_id": CONTACT,
        "user_id": ANN,
        "assignment": "0123456789ab",
        "began": "2027-01-15 08:00:00+00:00",
        "since": NOW,
        **changes,
    }
    return ContactClaim(**values)


def items(client: DynamoDBClient) -> list[dict[str, Any]]:
    return client.scan(TableName=TABLE, ConsistentRead=True)["Items"]


# -- claims ----------------------------------------------------------------------------------------


def test_the_keys_are_those_of_the_contract(client: DynamoDBClient, ledger: Ledger) -> None:
    ledger.put(claimed(ANN))
    ledger.put(assigned())
    assert sorted((item["pk"]["S"], item["sk"]["S"]) for item in items(client)) == [
        (f"contact#{INSTANCE}:{CONTACT}", f"claim#{STACK}/Chat#0123456789ab"),
        (f"group#us-west-2:{RED.id}", f"claim#{STACK}/Agents#0123456789ab"),
    ]


FULL = claimed(
    ANN,
    BOB,
    exclusive=True,
    replaces="us-west-2:x/1",
    rollback=True,
    resync="2",
    phase=Phase.ENDING,
    adopted=frozenset((ANN,)),
    expelled=frozenset((CYD,)),
    moved=frozenset((BOB,)),
    removed=3,
    undo=True,
    doubt=True,
    problem="cannot be",
    revision=7,
)


GROUPS = pytest.mark.parametrize(
    "claim",
    [
        claimed(ANN),
        claimed(ANN, BOB, adopted=frozenset()),
        claimed(ANN, BOB, adopted=frozenset((ANN, BOB))),
        claimed(ANN, since=0.0, began=""),
        claimed(ANN, since=1_800_000_000),
        claimed(ANN, problem="naïve ✓"),
        FULL,
    ],
)
CONTACTS = pytest.mark.parametrize(
    "claim",
    [
        assigned(),
        assigned(
            previous_user_id=BOB,
            queue_id=RED.id,
            rollback=True,
            phase=Phase.LIVE,
            offer=Offer.MAYBE,
            undo=True,
            doubt=True,
            revision=2,
        ),
        *(assigned(offer=offer) for offer in Offer),
    ],
)


@GROUPS
def test_what_is_put_is_got(ledger: Ledger, claim: GroupClaim) -> None:
    assert ledger.get(claim) is None
    assert ledger.put(claim) == claim
    assert ledger.get(claim) == claim
    assert ledger.of_group(RED) == [claim]


@CONTACTS
def test_what_is_put_of_a_contact_is_got(ledger: Ledger, claim: ContactClaim) -> None:
    assert ledger.get(claim) is None
    assert ledger.put(claim) == claim
    assert ledger.get(claim) == claim
    assert ledger.of_contact(INSTANCE, CONTACT) == [claim]


users = st.frozensets(st.uuids().map(str), max_size=20)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wanted=users,
    adopted=st.none() | st.integers(0, 20),
    expelled=users,
    since=st.floats(0, 4e9).map(lambda seconds: round(seconds, 6)),
    text=st.text(st.characters(codec="utf-8"), max_size=20),
)
def test_any_claim_comes_back(
    ledger: Ledger,
    *,
    wanted: frozenset[str],
    adopted: int | None,
    expelled: frozenset[str],
    since: float,
    text: str,
) -> None:
    claim = claimed(
        *wanted,
        version=uuid.uuid4().hex[:12],
        since=since,
        adopted=None if adopted is None else frozenset(sorted(wanted)[:adopted]),
        expelled=expelled,
        problem=text,
    )
    ledger.put(claim)
    assert ledger.get(claim) == claim
    assert from_item(json.loads(json.dumps(to_event(claim)))) == claim


def test_a_put_does_not_replace_what_is_there(ledger: Ledger) -> None:
    first = ledger.put(claimed(ANN))
    assert ledger.put(claimed(BOB)) == first
    assert ledger.get(claimed()) == first


def test_claims_of_a_group_are_those_of_all_owners_or_of_one(ledger: Ledger) -> None:
    mine = [claimed(ANN, version=version) for version in ("00000000000a", "00000000000b")]
    longer = claimed(BOB, owner=Owner(STACK, "Agents2"))
    other = claimed(BOB, owner=Owner(STACK.replace("Test", "Other"), "Agents"))
    blue = claimed(CYD, group=RED._replace(id=RED.id.replace("a", "b")))
    east = claimed(CYD, group=RED._replace(region="us-east-1"))
    for claim in (*mine, longer, other, blue, east):
        ledger.put(claim)
    with ledger.lease(mine[0]):
        assert set(ledger.of_group(RED)) == {*mine, longer, other}
        assert set(ledger.of_group(RED, Owner(STACK, "Agents"))) == set(mine)
    assert ledger.of_group(RED, Owner(STACK, "Agent")) == []
    assert ledger.of_contact(INSTANCE, CONTACT) == []


ELSEWHERE = {"group": RED._replace(id=RED.id.replace("a", "b")), "version": "00000000000b"}


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.LIVE, Phase.ENDING])
@pytest.mark.parametrize("second_is_late", [False, True])
def test_a_late_request_has_a_rival_wherever_it_claims(
    ledger: Ledger, phase: Phase, *, second_is_late: bool
) -> None:
    first, second = claimed(ANN, phase=phase), claimed(BOB, **ELSEWHERE)
    if second_is_late:
        second = second._replace(repeated=True)
    else:
        first = first._replace(repeated=True)
    assert ledger.note_version(first) is None
    ledger.put(first)
    assert ledger.note_version(first) is None, "itself"
    assert ledger.note_version(second) == first
    assert ledger.note_version(second) == first, "asked again"
    ledger.change(first, lambda it: it._replace(phase=Phase.ENDED))
    assert ledger.note_version(second) is None
    ledger.put(second)
    third = second._replace(version="00000000000c", repeated=not second.repeated)
    assert ledger.note_version(third) == second


@pytest.mark.parametrize(
    "changes",
    [
        {"owner": Owner(STACK, "Agents2")},
        {"began": "2027-01-16 08:00:00+00:00"},
        {"repeated": True},
    ],
)
def test_nothing_else_is_a_rival(ledger: Ledger, changes: dict[str, Any]) -> None:
    first = claimed(ANN, repeated=True)
    assert ledger.note_version(first) is None
    ledger.put(first)
    assert ledger.note_version(claimed(BOB, **ELSEWHERE, **changes)) is None


def test_a_version_that_was_noted_and_never_claimed_is_no_rival(ledger: Ledger) -> None:
    assert ledger.note_version(claimed(ANN, repeated=True)) is None
    assert ledger.note_version(claimed(BOB, **ELSEWHERE)) is None


def test_what_a_deployment_made_of_a_resource_expires(
    client: DynamoDBClient, ledger: Ledger, clock: Clock
) -> None:
    ledger.note_version(claimed(ANN))
    (item,) = items(client)
    assert item["pk"]["S"] == f"resource#{claimed().owner}"
    assert int(item["expires_at"]["N"]) == int(clock.time()) + 7 * 24 * 3600


def test_many_claims_come_page_by_page(client: DynamoDBClient, ledger: Ledger) -> None:
    """A page holds 1 MB: sixteen of the largest memberships."""
    everybody = [str(uuid.UUID(int=number)) for number in range(2500)]
    versions = {f"{number:012x}" for number in range(40)}
    for version in versions:
        ledger.put(claimed(*everybody, version=version))
    assert {claim.version for claim in ledger.of_group(RED)} == versions
    assert "LastEvaluatedKey" in client.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"group#us-west-2:{RED.id}"}},
    ), "otherwise this shows nothing"


def test_the_largest_membership_takes_a_tenth_of_an_item(
    client: DynamoDBClient, ledger: Ledger
) -> None:
    everybody = [str(uuid.UUID(int=number)) for number in range(2500)]
    claim = claimed(*everybody, adopted=frozenset(everybody[::2]))
    ledger.put(claim)
    (item,) = items(client)
    size = sum(
        len(name) + len(next(iter(value.values())))
        for name, value in item.items()
        if "BOOL" not in value
    )
    assert 2500 * 16 < size < 2500 * 16 + 600, "16 bytes a user, adopted or not"
    assert ledger.get(claim) == claim


def test_twenty_thousand_users_fit_into_an_item(ledger: Ledger) -> None:
    everybody = [str(uuid.UUID(int=number)) for number in range(20_000)]
    claim = claimed(*everybody, adopted=frozenset(everybody[:10_000]))
    ledger.put(claim)
    assert ledger.get(claim) == claim


def test_a_tombstone_keeps_little_and_expires_after_a_week(
    client: DynamoDBClient, ledger: Ledger, clock: Clock
) -> None:
    ledger.put(FULL)
    clock.now += 100.7
    ended = ledger.change(FULL, lambda it: it._replace(phase=Phase.ENDED))
    (item,) = items(client)
    assert item.keys() == {
        "pk",
        "sk",
        "phase",
        "began",
        "since",
        "revision",
        "expires_at",
    }
    assert item["phase"] == {"S": "ENDED"}
    assert item["expires_at"] == {"N": str(int(NOW + 100.7) + TOMBSTONE_SECONDS)}
    assert ended.revision == FULL.revision + 1
    assert ledger.get(FULL) == claimed(phase=Phase.ENDED, revision=8, instance_id="")
    assert ledger.put(FULL).phase is Phase.ENDED, "it keeps late events from beginning again"


def test_only_tombstones_expire(client: DynamoDBClient, ledger: Ledger) -> None:
    for number, phase in enumerate((Phase.PENDING, Phase.LIVE, Phase.ENDING)):
        ledger.put(claimed(ANN, version=f"{number:012x}", phase=phase))
    assert all("expires_at" not in item for item in items(client))


def test_a_tombstone_of_a_contact(ledger: Ledger) -> None:
    claim = assigned(offer=Offer.MADE, phase=Phase.ENDING, queue_id=RED.id)
    ledger.put(claim)
    ledger.change(claim, lambda it: it._replace(phase=Phase.ENDED))
    left = ledger.get(claim)
    assert left
    assert (left.phase, left.offer, left.user_id) == (Phase.ENDED, Offer.NONE, "")


# -- changes ---------------------------------------------------------------------------------------


def live(claim: GroupClaim) -> GroupClaim | None:
    return claim._replace(phase=Phase.LIVE) if claim.phase is Phase.PENDING else None


def test_a_change_is_written_with_the_next_revision(ledger: Ledger) -> None:
    claim = ledger.put(claimed(ANN))
    changed = ledger.change(claim, live)
    assert changed == claim._replace(phase=Phase.LIVE, revision=1)
    assert ledger.get(claim) == changed


def test_no_change_is_no_write(ledger: Ledger) -> None:
    claim = ledger.put(claimed(ANN, phase=Phase.LIVE))
    assert ledger.change(claim, live) == claim
    assert ledger.get(claim) == claim


def test_who_comes_second_decides_again(ledger: Ledger) -> None:
    seen = ledger.put(claimed(ANN, BOB))
    first = ledger.change(seen, lambda it: it._replace(adopted=frozenset((ANN,))))
    asked: list[GroupClaim] = []

    def decide(claim: GroupClaim) -> GroupClaim | None:
        asked.append(claim)
        return live(claim)

    changed = ledger.change(seen, decide)
    assert asked == [seen, first]
    assert changed == first._replace(phase=Phase.LIVE, revision=2)
    assert ledger.get(seen) == changed, "the first one's change is still there"


def test_who_comes_second_may_find_nothing_to_change(ledger: Ledger) -> None:
    seen = ledger.put(claimed(ANN))
    first = ledger.change(seen, live)
    assert ledger.change(seen, live) == first


def test_many_writers_lose_nothing(ledger: Ledger) -> None:
    claim = ledger.put(claimed(ANN))
    for _ in range(5):
        # Each of them saw the claim as it was at the very beginning.
        ledger.change(claim, lambda it: it._replace(removed=it.removed + 1))
    assert ledger.get(claim) == claim._replace(removed=5, revision=5)


def test_a_claim_that_disappears_is_not_made_again(client: DynamoDBClient, ledger: Ledger) -> None:
    claim = claimed(ANN)
    with pytest.raises(StillWaiting, match="disappeared"):
        ledger.change(claim, live)
    assert items(client) == []


# -- the lease -------------------------------------------------------------------------------------


def test_one_holder_at_a_time(ledger: Ledger) -> None:
    claim = claimed(ANN)
    with ledger.lease(claim):
        with pytest.raises(StillWaiting, match=r"another request .*us-west-2:"):
            ledger.lease(claim).__enter__()
        with ledger.lease(claimed(ANN, group=RED._replace(region="eu-west-2"))):
            pass
        with ledger.lease(assigned()):
            pass
    with ledger.lease(claim):
        pass


def test_a_lease_is_given_back_whatever_happens(ledger: Ledger) -> None:
    for error in (KeyError("mistake"), StillWaiting("later")):
        with contextlib.suppress(KeyError, StillWaiting), ledger.lease(claimed(ANN)):
            raise error
    with ledger.lease(claimed(ANN)):
        pass


class Killed(BaseException):
    """The Lambda environment ends: nothing runs any more."""


def kill(ledger: Ledger) -> None:
    with contextlib.suppress(Killed), ledger.lease(claimed(ANN)):
        raise Killed


def test_the_lease_of_a_killed_holder_expires(ledger: Ledger, clock: Clock) -> None:
    kill(ledger)
    clock.now += LEASE_SECONDS - 0.5
    with pytest.raises(StillWaiting):
        ledger.lease(claimed(ANN)).__enter__()
    clock.now += 1.0
    with ledger.lease(claimed(ANN)):
        pass


def test_a_lease_is_renewed_before_it_runs_out(
    client: DynamoDBClient, ledger: Ledger, clock: Clock
) -> None:
    def held_until() -> float:
        (item,) = items(client)
        return float(item["held_until"]["N"])

    with ledger.lease(claimed(ANN)) as lease:
        assert held_until() == NOW + LEASE_SECONDS
        clock.now += LEASE_SECONDS - LEASE_RESERVE
        lease.hold()
        assert held_until() == NOW + LEASE_SECONDS, "enough is left"
        clock.now += 0.5
        lease.hold()
        assert held_until() == clock.now + LEASE_SECONDS


def test_who_slept_past_the_lease_stops_if_somebody_has_it(ledger: Ledger, clock: Clock) -> None:
    with ledger.lease(claimed(ANN)) as sleeper:
        clock.now += LEASE_SECONDS + 1
        with ledger.lease(claimed(ANN)) as other:
            with pytest.raises(StillWaiting, match="another request works on"):
                sleeper.hold()
            other.hold()
            sleeper.give_back()
            with pytest.raises(StillWaiting):
                ledger.lease(claimed(ANN)).__enter__()


def test_who_slept_past_the_lease_goes_on_if_nobody_has_it(ledger: Ledger, clock: Clock) -> None:
    with ledger.lease(claimed(ANN)) as sleeper:
        clock.now += 10 * LEASE_SECONDS
        sleeper.hold()
        with pytest.raises(StillWaiting):
            ledger.lease(claimed(ANN)).__enter__()


def test_nothing_is_left_of_a_lease(client: DynamoDBClient, ledger: Ledger) -> None:
    with ledger.lease(claimed(ANN)):
        assert [item["sk"] for item in items(client)] == [{"S": "lease"}]
    assert items(client) == []


# -- what goes wrong -------------------------------------------------------------------------------


def test_a_table_that_is_not_there_is_said_to_be_missing(client: DynamoDBClient) -> None:
    ledger = Ledger(client, "nowhere")
    calls: list[Callable[[], object]] = [
        lambda: ledger.get(claimed()),
        lambda: ledger.of_group(RED),
        lambda: ledger.of_contact(INSTANCE, CONTACT),
        lambda: ledger.put(claimed()),
        lambda: ledger.change(claimed(), live),
        lambda: ledger.lease(claimed()).__enter__(),
    ]
    for call in calls:
        with pytest.raises(LedgerMissingError, match=r"nowhere.*The ledger does not exist"):
            call()


@pytest.mark.parametrize("keys", [("id",), ("pk",), ("pk", "sort"), ("sk", "pk")])
def test_a_table_with_other_keys_cannot_be_a_ledger(
    client: DynamoDBClient, keys: tuple[str, ...]
) -> None:
    name = f"other-{'-'.join(keys)}"
    make_table(client, name, *keys)
    ledger = Ledger(client, name)
    with pytest.raises(LedgerError, match="needs the string keys pk and sk") as raised:
        ledger.of_group(RED)
    assert name in str(raised.value)
    if keys[0] != "sk":
        with pytest.raises(LedgerError, match="needs the string keys pk and sk"):
            ledger.get(claimed())


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("AccessDeniedException", Failure.ACCESS_DENIED),
        ("ProvisionedThroughputExceededException", Failure.THROTTLED),
        ("ThrottlingException", Failure.THROTTLED),
        ("RequestLimitExceeded", Failure.THROTTLED),
        ("InternalServerError", Failure.TRANSIENT),
    ],
)
def test_other_failures_name_operation_and_table(
    monkeypatch: pytest.MonkeyPatch,
    client: DynamoDBClient,
    ledger: Ledger,
    code: str,
    failure: Failure,
) -> None:
    def refuse(**_: object) -> None:
        raise client.exceptions.ClientError(
            {
                "Error": {"Code": code, "Message": "no"},
                "ResponseMetadata": {"HTTPStatusCode": 500 if "Server" in code else 400},  # type: ignore[typeddict-item] # enough of it
            },
            "Any",
        )

    for method, operation in (
        ("get_item", "GetItem"),
        ("query", "Query"),
        ("put_item", "PutItem"),
        ("delete_item", "DeleteItem"),
    ):
        monkeypatch.setattr(client, method, refuse)
        calls: dict[str, Callable[[], object]] = {
            "get_item": lambda: ledger.get(claimed()),
            "query": lambda: ledger.of_group(RED),
            "put_item": lambda: ledger.put(claimed()),
            "delete_item": lambda: Lease(ledger, "a").give_back(),
        }
        with pytest.raises(
            CallError, match=rf"{operation} \(.*ledger\) failed: {code}: no"
        ) as told:
            calls[method]()
        assert told.value.failure is failure
        monkeypatch.undo()


def test_every_read_is_consistent(
    monkeypatch: pytest.MonkeyPatch, client: DynamoDBClient, ledger: Ledger
) -> None:
    asked: list[bool] = []

    def watching(method: str) -> Callable[..., Any]:
        send = getattr(client, method)

        def call(**request: Any) -> Any:
            asked.append(request.get("ConsistentRead", False))
            return send(**request)

        return call

    for method in ("get_item", "query"):
        monkeypatch.setattr(client, method, watching(method))
    ledger.get(claimed())
    ledger.of_group(RED)
    ledger.of_contact(INSTANCE, CONTACT)
    assert asked == [True, True, True]
