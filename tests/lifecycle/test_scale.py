"""Hundreds and thousands of users, in simulated time.

A membership of 1,000 whose Lambda function is killed again and again runs in the simulator.
Singles that CloudFormation creates all at once, and other callers of the same quota, need calls
that really overlap: there every request has a thread, and one clock that only moves when all of
them sleep.
"""

from __future__ import annotations

import heapq
import itertools
import random
import re
import threading
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future
from concurrent.futures._base import DoneAndNotDoneFutures
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from connect_associations.testing import ConnectBehaviour
from connect_associations.testing.throttle import Quota, ThrottleSettings
from connect_provider.connect import calls as connect_calls
from connect_provider.errors import ProviderError
from connect_provider.handler import Provider
from lifecycle import cast
from lifecycle.cast import RED, REGIONS, membership, single, stack_of
from lifecycle.clients import SimulatedClients, connect_to
from lifecycle.emulated_connect import EmulatedConnect
from lifecycle.faults import Fault, FaultPlan
from lifecycle.framework import AfterKill, FrameworkSettings
from lifecycle.under_test import association_provider, emulated_world
from lifecycle.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from connect_associations.testing.recorder import Call
    from lifecycle.clock import SimulatedClock

JOIN = "AssociateTrafficDistributionGroupUser"
LIST = "ListTrafficDistributionGroupUsers"
LEAVE = "DisassociateTrafficDistributionGroupUser"

DEFAULT_QUOTA = ThrottleSettings()
CONVERGENCE_SECONDS = 40 * 60.0
"""The default of ConnectAssociationProvider."""


def agents(count: int) -> list[str]:
    return [f"99999999-aaaa-4aaa-8aaa-{number:012d}" for number in range(count)]


class CallCentre(EmulatedConnect):
    """A Connect with many users and a quota."""

    def __init__(
        self,
        clock: SimulatedClock,
        *,
        users: Sequence[str],
        throttle: ThrottleSettings,
        **switches: Any,
    ) -> None:
        super().__init__(clock, ConnectBehaviour(**switches))
        instance = self.emulation.world.instances[cast.INSTANCE.id]
        for number, user_id in enumerate(users):
            self.emulation.add_user(instance, user_id=user_id, username=f"agent{number}")
        self.emulation.limit(throttle)

    @property
    def members(self) -> frozenset[str]:
        return self.emulation.members(RED.id)

    @property
    def calls(self) -> list[Call]:
        return self.emulation.calls

    def forget_calls(self) -> None:
        self.emulation.recorder.clear()

    def took_effect(self, operation: str) -> Counter[str]:
        """Return how often an operation was carried out, by user."""
        return Counter(
            call.parameters["UserId"]
            for call in self.calls
            if call.operation == operation and call.took_effect
        )

    def put_members(self, users: Iterable[str]) -> None:
        """Let users be in the group before anything else happens."""
        for user_id in users:
            self.emulation.put_member(RED.id, user_id)

    def called(self, operation: str) -> int:
        """Return how often an operation was called."""
        return sum(call.operation == operation for call in self.calls)

    def spend(self, operation: str) -> bool:
        """Take a turn from the quota, as somebody else in the account does."""
        return self.emulation.throttle.admit(
            operation=operation,
            account_id=self.emulation.account_id,
            region=REGIONS[RED.id],
        )


@pytest.fixture(autouse=True)
def _as_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVERGENCE_TIMEOUT_SECONDS", str(CONVERGENCE_SECONDS))


# -- one membership, killed ------------------------------------------------------------------------

THOUSAND = agents(1000)
KILLS = {
    0: Fault.KILLED_AFTER,
    150: Fault.KILLED_BEFORE,
    400: Fault.KILLED_AFTER,
    401: Fault.KILLED_BEFORE,
    950: Fault.KILLED_AFTER,
}
"""By the number of the write: at the very start, in the middle, twice in a row, near the end."""
LOST_ANSWERS = sum(kind is Fault.KILLED_AFTER for kind in KILLS.values())
"""Only a write whose answer was lost may be repeated, which does not double a membership."""


def centre_in(world: World) -> CallCentre:
    assert isinstance(world.connect, CallCentre)
    return world.connect


def thousand_world(after_kill: AfterKill, **switches: Any) -> World:
    return World(
        handlers=association_provider,
        connect=lambda clock: CallCentre(
            clock,
            users=THOUSAND,
            throttle=DEFAULT_QUOTA,
            **{"group_users_page_size": 100, **switches},
        ),
        framework=FrameworkSettings(after_kill=after_kill, total_timeout=CONVERGENCE_SECONDS + 60),
    )


@pytest.mark.parametrize(
    "twice",
    [
        {},
        {
            "associate_member": "ResourceConflictException",
            "disassociate_non_member": "ResourceConflictException",
        },
    ],
    ids=["twice-succeeds", "twice-is-an-error"],
)
def test_a_thousand_users_survive_kills(twice: dict[str, str]) -> None:
    world = thousand_world(AfterKill.RETRIED, **twice)
    centre = centre_in(world)
    world.faulty.plan = FaultPlan(at=dict(KILLS), writes_only=True)
    assert world.deploy(stack_of(M=membership(RED, *THOUSAND))) == "CREATE_COMPLETE"
    assert sum(world.faulty.happened.values()) == len(KILLS)
    assert centre.members == set(THOUSAND)
    assert centre.took_effect(JOIN).total() - len(THOUSAND) <= LOST_ANSWERS

    centre.forget_calls()
    world.faulty.plan = FaultPlan(at=dict(KILLS), writes_only=True)
    assert world.delete() == "DELETE_COMPLETE"
    assert sum(world.faulty.happened.values()) == 2 * len(KILLS)
    assert centre.members == set()
    assert centre.took_effect(LEAVE).total() - len(THOUSAND) <= LOST_ANSWERS


@pytest.mark.parametrize("kind", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
def test_a_thousand_users_are_rolled_back_where_a_kill_fails_the_deployment(kind: Fault) -> None:
    world = thousand_world(AfterKill.FAILS)
    centre = centre_in(world)
    was_there = THOUSAND[::100]
    centre.put_members(was_there)
    world.faulty.plan = FaultPlan(at={500: kind}, writes_only=True)
    assert world.deploy(stack_of(M=membership(RED, *THOUSAND))) == "ROLLBACK_COMPLETE"
    assert centre.members == set(was_there)

    world.delete()
    world.abandon_stack()
    assert world.deploy(stack_of(M=membership(RED, *THOUSAND))) == "CREATE_COMPLETE"
    assert centre.members == set(THOUSAND)


def test_an_update_of_a_thousand_users_survives_kills() -> None:
    world = thousand_world(AfterKill.RETRIED)
    centre = centre_in(world)
    old, new = THOUSAND[:700], THOUSAND[300:]
    world.deploy(stack_of(M=membership(RED, *old)))
    centre.forget_calls()
    world.faulty.plan = FaultPlan(at=dict(KILLS), writes_only=True)
    assert world.deploy(stack_of(M=membership(RED, *new))) == "UPDATE_COMPLETE"
    assert centre.members == set(new)
    written = centre.took_effect(JOIN) + centre.took_effect(LEAVE)
    assert written.keys() == {*THOUSAND[:300], *THOUSAND[700:]}, "only the difference"
    assert written.total() - 600 <= LOST_ANSWERS


# -- calls that overlap ----------------------------------------------------------------------------


class SharedClock:
    """Simulated time for threads of which one runs at a time: who sleeps hands over.

    So hours pass at once, and the same run comes out every time.

    :ivar under_way: what was started and is not done.
    :ivar widest: how much was under way at the same time.
    """

    def __init__(self) -> None:
        self._now = 1_800_000_000.0
        self._due: list[tuple[float, int, threading.Event]] = []
        self._order = itertools.count()
        self._idle = threading.Semaphore(0)
        self._failures: list[BaseException] = []
        self.under_way: set[Future[Any]] = set()
        self.widest = 0

    def time(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        woken = threading.Event()
        self._wake(woken, after=max(0.0, seconds))
        self._sleep_until(woken)

    def run(self, *jobs: Callable[[], None]) -> float:
        """Run the jobs side by side to their end, and return how long they took."""
        start = self._now
        for job in jobs:
            self._run_beside(job)
        while self._due:
            moment, _, woken = heapq.heappop(self._due)
            self._now = max(self._now, moment)
            woken.set()
            self._idle.acquire()
        if self._failures:
            raise self._failures[0]
        return self._now - start

    def start(self, work: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        future.add_done_callback(self.under_way.discard)
        self.under_way.add(future)
        self.widest = max(self.widest, len(self.under_way))
        self._run_beside(lambda: fulfil(future, work))
        return future

    def wait(
        self, under_way: Collection[Future[Any]], *, return_when: str
    ) -> DoneAndNotDoneFutures[Any]:
        assert return_when == FIRST_COMPLETED
        if not any(future.done() for future in under_way):
            woken = threading.Event()
            wakers = iter([lambda: self._wake(woken)])
            for future in under_way:
                future.add_done_callback(lambda _: next(wakers, lambda: None)())
            self._sleep_until(woken)
        done = {future for future in under_way if future.done()}
        return DoneAndNotDoneFutures(done, set(under_way) - done)

    def _run_beside(self, job: Callable[[], None]) -> None:
        woken = threading.Event()
        self._wake(woken)
        threading.Thread(target=self._do, args=(job, woken), daemon=True).start()

    def _sleep_until(self, woken: threading.Event) -> None:
        self._idle.release()
        woken.wait()

    def _wake(self, woken: threading.Event, *, after: float = 0.0) -> None:
        """Let who sleeps until *woken* run again; once for each event."""
        heapq.heappush(self._due, (self._now + after, next(self._order), woken))

    def _do(self, job: Callable[[], None], woken: threading.Event) -> None:
        woken.wait()
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - raised again in the test's thread
            self._failures.append(error)
        finally:
            self._idle.release()


class LambdaContext:
    """What a handler learns about its time."""

    def __init__(self, clock: SharedClock, seconds: float) -> None:
        self._clock = clock
        self._deadline = clock.time() + seconds

    def get_remaining_time_in_millis(self) -> float:
        return (self._deadline - self._clock.time()) * 1000


def fulfil(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - raised again by who asks for the result
        future.set_exception(error)


class Deployer:
    """Creates custom resources side by side, as CloudFormation, Lambda and Step Functions do.

    A Lambda environment serves one invocation at a time, and is used again.

    :ivar failed: why a resource could not be created, by logical ID.
    """

    on_event_seconds = 14 * 60.0
    is_complete_seconds = 5 * 60.0
    query_seconds = 5.0
    ledger_seconds = 0.01

    def __init__(
        self,
        bodies: Mapping[str, dict[str, Any]],
        *,
        users: Sequence[str],
        throttle: ThrottleSettings = DEFAULT_QUOTA,
        latency_seconds: float = 0.05,
        **switches: Any,
    ) -> None:
        self.clock = SharedClock()
        self.left_under_way: set[Future[Any]] = set()
        self.latency_seconds = latency_seconds
        clock: SimulatedClock = self.clock  # type: ignore[assignment] # only asks for the time
        self.centre = CallCentre(clock, users=users, throttle=throttle, **switches)
        self.bodies = bodies
        self.failed: dict[str, ProviderError] = {}
        self._idle: dict[str, list[Provider]] = {"on_event": [], "is_complete": []}
        self.world = World(handlers=association_provider, connect=lambda _clock: self.centre)
        self.world.stack.status = "CREATE_IN_PROGRESS"

    def answer(
        self, *, service: str, region: str, operation: str, request: AWSPreparedRequest
    ) -> AWSResponse:
        if service == "cloudformation":
            return self.world.cloudformation.answer(operation, request)
        if service == "dynamodb":
            self.clock.sleep(self.ledger_seconds)
            return self.world.ledger.answer(operation, request)
        self.clock.sleep(self.latency_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - as above
        return self.centre.answer(region, operation, request)

    def create(self, *others: Callable[[], None]) -> float:
        """Create all resources while *others* run, and return how long it took."""
        with self._connected():
            return self.clock.run(
                *(lambda name=name: self._create(name) for name in self.bodies), *others
            )

    @contextmanager
    def _connected(self) -> Iterator[None]:
        connect_to(self)
        with (
            patch.object(time, "time", self.clock.time),
            patch.object(time, "sleep", self.clock.sleep),
            patch.object(connect_calls, "start", self.clock.start),
            patch.object(connect_calls, "wait", self.clock.wait),
        ):
            yield

    def _create(self, logical_id: str) -> None:
        # CloudFormation starts a few dozen resources a second.
        self.clock.sleep(random.uniform(0.0, 3.0))  # noqa: S311 - spreads calls, protects nothing
        body = self.bodies[logical_id]
        event = {
            "RequestType": "Create",
            "StackId": self.world.stack.stack_id,
            "RequestId": logical_id,
            "LogicalResourceId": logical_id,
            "ResourceType": body["Type"],
            "ResourceProperties": body["Properties"],
        }
        try:
            event |= self._invoke("on_event", event, self.on_event_seconds)
            while not self._invoke("is_complete", event, self.is_complete_seconds)["IsComplete"]:
                self.clock.sleep(self.query_seconds)
        except ProviderError as error:
            self.failed[logical_id] = error

    def _invoke(self, function: str, event: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        idle = self._idle[function]
        environment = idle.pop() if idle else Provider(clients=SimulatedClients())
        context = LambdaContext(self.clock, seconds)
        try:
            answer: dict[str, Any] = getattr(environment, function)(event, context)
        finally:
            self.left_under_way |= self.clock.under_way
            idle.append(environment)
        assert context.get_remaining_time_in_millis() > 0, "Lambda would have killed it"
        return answer


def wasted(calls: Sequence[Call]) -> tuple[int, int]:
    """Return how many calls were refused by the quota, and how many were not."""
    refused = sum(call.outcome == "ThrottlingException" for call in calls)
    return refused, len(calls) - refused


def writing_time(calls: Sequence[Call]) -> float:
    """Return the seconds from the first write to the last."""
    moments = [call.timestamp for call in calls if call.write]
    return moments[-1] - moments[0]


def ideal(count: int, quota: Quota = DEFAULT_QUOTA.default) -> float:
    """Return the seconds that so many calls take at the least."""
    return (count - quota.burst) / quota.rate


# -- many singles at once --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "before", "page_size"),
    [
        (200, 300, 10),
        pytest.param(200, 0, 1000, marks=pytest.mark.soak),
        pytest.param(200, 0, 10, marks=pytest.mark.soak),
        (50, 1000, 10),
    ],
)
def test_singles_created_at_once_cost_what_a_membership_costs(
    count: int, before: int, page_size: int
) -> None:
    everybody = agents(before + count)
    strangers, users = everybody[:before], everybody[before:]
    deployer = Deployer(
        {f"User{number}": single(RED, user_id) for number, user_id in enumerate(users)},
        users=everybody,
        group_users_page_size=page_size,
    )
    deployer.centre.put_members(strangers)
    took = deployer.create()
    assert not deployer.failed
    assert deployer.centre.members == set(everybody)
    assert deployer.centre.took_effect(JOIN) == Counter(users)
    assert writing_time(deployer.centre.calls) <= 1.15 * ideal(count)
    assert deployer.centre.called(JOIN) <= 1.15 * count
    first_pages = [call for call in deployer.centre.calls if is_first_page(call)]
    assert 1 <= len(first_pages) <= 3
    pages = -(-(before + count) // page_size)
    listing = max(0.0, ideal(pages))
    assert took <= 1.15 * (ideal(count) + listing) + 30, "starts and polls are all that is added"


def is_first_page(call: Call) -> bool:
    """Whether a call begins to list the group, and was not refused."""
    return call.operation == LIST and call.took_effect and "NextToken" not in call.parameters


def test_a_user_who_cannot_be_associated_fails_that_claim_alone() -> None:
    users = agents(60)
    missing = users[7]
    deployer = Deployer(
        {f"User{number}": single(RED, user_id) for number, user_id in enumerate(users)},
        users=[user_id for user_id in users if user_id != missing],
    )
    deployer.create()
    assert list(deployer.failed) == ["User7"]
    message = str(deployer.failed["User7"])
    assert message.startswith(f"{JOIN} (Instance {cast.INSTANCE.id}, ")
    assert f"User {missing}) failed: ResourceNotFoundException: " in message
    assert message.endswith(
        f"Instance {cast.INSTANCE.id} in {cast.HOME} has no user {missing}, or there is no such "
        "instance: check both IDs."
    )
    assert deployer.centre.members == set(users) - {missing}
    assert deployer.centre.took_effect(JOIN) == Counter(set(users) - {missing})
    assert writing_time(deployer.centre.calls) < 60 + 2 * ideal(len(users))


def test_several_memberships_wait_for_one_another_and_list_once() -> None:
    users = agents(300)
    deployer = Deployer(
        {f"M{number}": membership(RED, *users[number::6]) for number in range(6)}, users=users
    )
    deployer.create()
    assert not deployer.failed
    assert deployer.centre.members == set(users)
    assert deployer.centre.took_effect(JOIN) == Counter(users)
    assert writing_time(deployer.centre.calls) <= 1.1 * ideal(len(users))
    assert len([call for call in deployer.centre.calls if is_first_page(call)]) <= 3


# -- one membership, and the quota -----------------------------------------------------------------


def test_other_callers_slow_a_membership_down_and_do_not_make_it_fail() -> None:
    users = agents(300)
    deployer = Deployer({"M": membership(RED, *users)}, users=users)
    others = Counter[bool]()

    def other_team() -> None:
        while deployer.centre.members != set(users):
            deployer.clock.sleep(1.0)
            others[deployer.centre.spend(JOIN)] += 1

    took = deployer.create(other_team)
    assert deployer.centre.members == set(users)
    refused, useful = wasted(deployer.centre.calls)
    alone = ideal(len(users))
    assert alone < took < 2.2 * alone, "half of the quota is somebody else's"
    assert refused < useful
    assert others[True] > others[False], "and stays theirs"


def raised(rate: float, burst: int) -> ThrottleSettings:
    return ThrottleSettings.uniform(rate=rate, burst=burst)


@pytest.mark.parametrize("latency_seconds", [0.05, 0.15])
@pytest.mark.parametrize(
    "quota", [Quota(2, 5), Quota(10, 15), Quota(15, 30), Quota(25, 50), Quota(50, 100)], ids=str
)
def test_the_quota_is_used_whatever_it_is(quota: Quota, latency_seconds: float) -> None:
    users = agents(1000)
    deployer = Deployer(
        {"M": membership(RED, *users)},
        users=users,
        throttle=raised(quota.rate, quota.burst),
        latency_seconds=latency_seconds,
        group_users_page_size=1000,
    )
    deployer.create()
    assert deployer.centre.members == set(users)
    writes = [call for call in deployer.centre.calls if call.write]
    # With ten calls under way at once, 67 a second are possible at 0.15 s: little more than 50.
    most = 1.10 if (quota.rate, latency_seconds) == (50, 0.15) else 1.05
    calls = 1.05
    if quota == DEFAULT_QUOTA.default:
        most, calls = 1.02, 1.03
    assert writing_time(writes) <= most * ideal(len(users), quota)
    assert len(writes) <= calls * len(users)
    assert (deployer.clock.widest > 2) == (quota.rate > 2), "what overlaps is what has to"


def test_whoever_cannot_join_is_named_while_calls_overlap() -> None:
    users = agents(300)
    missing = set(users[::30])
    deployer = Deployer(
        {"M": membership(RED, *users)},
        users=[user_id for user_id in users if user_id not in missing],
        throttle=raised(50, 100),
    )
    deployer.create()
    failure = str(deployer.failed["M"])
    assert "10 of 300 users could not be associated" in failure
    assert set(re.findall(r"has no user (\S+?),", failure)) <= missing
    assert deployer.centre.members == set(users) - missing
    assert deployer.clock.widest > 1


def test_nothing_is_under_way_after_a_failure_for_all() -> None:
    users = agents(1000)
    deployer = Deployer(
        {"M": membership(RED, *users)}, users=users, throttle=raised(10, 15), latency_seconds=0.15
    )

    def forbid() -> None:
        deployer.clock.sleep(70)  # in the first minute it would be waited for
        deployer.centre.answer_with("AccessDeniedException", JOIN, times=None)

    deployer.create(forbid)
    assert "AccessDeniedException" in str(deployer.failed["M"])
    assert "The provider's role lacks the permission" in str(deployer.failed["M"])
    assert deployer.clock.widest > 1
    assert not deployer.left_under_way


# -- what it costs ---------------------------------------------------------------------------------


def test_one_changed_of_a_thousand_is_two_writes_and_one_listing() -> None:
    world = thousand_world(AfterKill.FAILS, group_users_page_size=1000)
    centre = centre_in(world)
    world.deploy(stack_of(M=membership(RED, *THOUSAND[:-1])))
    centre.forget_calls()
    changed = [*THOUSAND[1:-1], THOUSAND[-1]]
    assert world.deploy(stack_of(M=membership(RED, *changed))) == "UPDATE_COMPLETE"
    assert centre.members == set(changed)
    assert [call.operation for call in centre.calls if call.write] == [JOIN, LEAVE]
    assert centre.called(LIST) == 1


def test_a_single_s_whole_life_takes_few_requests_of_the_ledger() -> None:
    world = emulated_world()
    world.deploy(stack_of(A=single(RED, cast.ANN)))
    world.delete()
    assert len(world.ledger.calls) <= 20


def test_a_move_of_a_single_takes_few_requests_of_the_ledger() -> None:
    world = emulated_world()
    world.deploy(stack_of(A=single(RED, cast.ANN)))
    mark = len(world.ledger.calls)
    assert world.deploy(stack_of(A=single(cast.BLUE, cast.ANN))) == "UPDATE_COMPLETE"
    assert len(world.ledger.calls) - mark <= 25


def test_an_update_without_a_change_asks_the_ledger_once_and_nobody_else() -> None:
    world = emulated_world()
    world.deploy(stack_of(A=single(RED, cast.ANN)))
    mark, calls = len(world.ledger.calls), len(world.faulty.calls)
    asked = len(world.cloudformation.calls)
    assert world.deploy(stack_of(A=single(RED.arn, cast.ANN.arn))) == "UPDATE_COMPLETE"
    assert [call.operation for call in world.ledger.calls[mark:]] in ([], ["GetItem"])
    assert len(world.faulty.calls) == calls
    assert len(world.cloudformation.calls) == asked


@pytest.mark.parametrize("count", [3, 1000])
def test_a_membership_takes_few_requests_of_the_ledger(count: int) -> None:
    world = thousand_world(AfterKill.FAILS)
    mark, began = len(world.ledger.calls), world.clock.time()
    world.stack.create(stack_of(M=membership(RED, *THOUSAND[:count])))
    assert world.stack.status == "CREATE_COMPLETE"
    took = world.clock.time() - began
    assert len(world.ledger.calls) - mark <= 15 + took / 3


def test_the_largest_membership_fits_into_event_item_and_answer() -> None:
    """The simulator refuses events, items and answers that are too large.

    The largest event is an Update's: it has the users of before, those of now, and the claim.
    """
    users = agents(2500)
    world = World(
        handlers=association_provider,
        connect=lambda clock: CallCentre(clock, users=users, throttle=raised(50, 100)),
        framework=FrameworkSettings(total_timeout=CONVERGENCE_SECONDS + 60),
    )
    assert world.deploy(stack_of(M=membership(RED, *users))) == "CREATE_COMPLETE"
    exclusive = membership(RED, *users, exclusive=True)
    assert world.deploy(stack_of(M=exclusive)) == "UPDATE_COMPLETE"
    assert centre_in(world).members == set(users)
    assert world.delete() == "DELETE_COMPLETE"
    assert not centre_in(world).members
