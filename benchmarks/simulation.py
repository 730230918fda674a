"""Custom resources that CloudFormation handles side by side, in simulated time.

Every request has a thread, and one clock moves only when all of them sleep: so an hour passes in
seconds, and the same run comes out every time. Connect is the emulation with its quotas, the ledger
is a table of the lifecycle tests, and the clients are boto3's.
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import random
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast
from unittest.mock import patch

from benchmarks.aws import Stack
from connect_associations.testing import ConnectBehaviour
from connect_associations.testing.throttle import ThrottleSettings
from connect_provider.handler import Provider
from lifecycle import cast as roles
from lifecycle.clients import SimulatedClients, connect_to, response
from lifecycle.emulated_connect import EmulatedConnect
from lifecycle.history import History
from lifecycle.ledger import TABLE, Ledger
from lifecycle.simulated_time import simulated_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from connect_associations.testing.recorder import Call
    from lifecycle.clock import SimulatedClock

    Body = Mapping[str, Any]

_T = TypeVar("_T")

QUERY_SECONDS = 5.0
"""How often the waiter of ConnectAssociationProvider looks."""
_ON_EVENT_SECONDS = 14 * 60.0
_IS_COMPLETE_SECONDS = 5 * 60.0
_STARTED_WITHIN = 3.0
"""CloudFormation starts a few dozen resources a second."""
LATENCY = {"connect": 0.05, "cloudformation": 0.05, "dynamodb": 0.01}
"""Seconds until an answer comes, by service."""
_START = 1_800_000_000.0


class Clock:
    """Time for threads of which one runs at a time: who sleeps hands over."""

    def __init__(self) -> None:
        self._now = _START
        self._due: list[tuple[float, int, threading.Event]] = []
        self._order = itertools.count()
        self._idle = threading.Semaphore(0)
        self._failures: list[BaseException] = []

    def time(self) -> float:
        """Return the simulated seconds since the epoch."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass, and the others run."""
        woken = self._wake_after(max(0.0, seconds))
        self._idle.release()
        woken.wait()

    def start(self, work: Callable[[], _T]) -> Future[_T]:
        """Do *work* at once."""
        future: Future[_T] = Future()
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - raised again by who asks for the result
            future.set_exception(error)
        return future

    def run(self, jobs: Iterable[Callable[[], None]]) -> None:
        """Run the jobs side by side to their end.

        :raises Exception: what the first of them that failed raised.
        """
        for job in jobs:
            threading.Thread(
                target=self._do, args=(job, self._wake_after(0.0)), daemon=True
            ).start()
        while self._due:
            moment, _, woken = heapq.heappop(self._due)
            self._now = max(self._now, moment)
            woken.set()
            self._idle.acquire()
        if self._failures:
            raise self._failures[0]

    def pass_by(self, seconds: float) -> None:
        """Let *seconds* pass while nobody runs."""
        self._now += seconds

    def _wake_after(self, seconds: float) -> threading.Event:
        woken = threading.Event()
        heapq.heappush(self._due, (self._now + seconds, next(self._order), woken))
        return woken

    def _do(self, job: Callable[[], None], woken: threading.Event) -> None:
        woken.wait()
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            self._failures.append(error)
        finally:
            self._idle.release()


@dataclass(kw_only=True)
class Usage:
    """What AWS charges for.

    :ivar reads: DynamoDB's read request units.
    :ivar writes: DynamoDB's write request units.
    :ivar requests: DynamoDB's requests.
    :ivar invocations: of the two handlers.
    :ivar seconds: how long they ran, in simulated time.
    :ivar containers: how many environments they needed.
    :ivar transitions: of the waiter's state machine.
    """

    reads: int = 0
    writes: int = 0
    requests: int = 0
    invocations: int = 0
    seconds: float = 0.0
    containers: int = 0
    transitions: int = 0

    def over(self, repeated: float) -> Usage:
        """Return what so many times the same need."""
        return Usage(**{name: value * repeated for name, value in vars(self).items()})

    def __add__(self, other: Usage) -> Usage:
        """Return what both need."""
        return Usage(**{name: value + vars(other)[name] for name, value in vars(self).items()})

    def __sub__(self, other: Usage) -> Usage:
        """Return what is needed beyond *other*."""
        return Usage(**{name: value - vars(other)[name] for name, value in vars(self).items()})


class _Connect(EmulatedConnect):
    """A Connect with many users, pages of ten and the default quota."""

    def __init__(self, clock: Clock, users: Sequence[str]) -> None:
        super().__init__(cast("SimulatedClock", clock), ConnectBehaviour(group_users_page_size=10))
        instance = self.emulation.world.instances[roles.INSTANCE.id]
        for number, user_id in enumerate(users):
            self.emulation.add_user(instance, user_id=user_id, username=f"agent{number}")
        self.emulation.limit(ThrottleSettings())

    def put_members(self, users: Iterable[str]) -> None:
        """Put users into the group before anything happens."""
        for user_id in users:
            self.emulation.put_member(roles.RED.id, user_id)

    @property
    def members(self) -> frozenset[str]:
        """The group's users."""
        return self.emulation.members(roles.RED.id)

    @property
    def calls(self) -> list[Call]:
        """What was called."""
        return self.emulation.calls


@dataclass(kw_only=True)
class _Deployed:
    """A resource as CloudFormation knows it."""

    body: Body
    physical_id: str


@dataclass(frozen=True)
class _Context:
    """What a handler learns about its time."""

    clock: Clock
    deadline: float

    def get_remaining_time_in_millis(self) -> float:
        """Return what is left until Lambda ends it."""
        return (self.deadline - self.clock.time()) * 1000


@dataclass(kw_only=True)
class _Function:
    """One of the two Lambda functions: an environment handles one event at a time."""

    seconds: float
    idle: list[Provider] = field(default_factory=list)


class Site:
    """An account with a Connect instance, a ledger, and one stack.

    :param users: the IDs of the instance's users.
    :ivar clock: its time.
    :ivar connect: Amazon Connect.
    :ivar ledger: the table.
    :ivar usage: what was used so far.
    """

    def __init__(self, users: Sequence[str]) -> None:
        self.clock = Clock()
        self.connect = _Connect(self.clock, users)
        simulated = cast("SimulatedClock", self.clock)
        self.ledger = Ledger(simulated, History(simulated))
        self.usage = Usage()
        self._stack = Stack()
        self._resources: dict[str, _Deployed] = {}
        self._functions = {
            "on_event": _Function(seconds=_ON_EVENT_SECONDS),
            "is_complete": _Function(seconds=_IS_COMPLETE_SECONDS),
        }
        self._numbers = itertools.count()

    # -- CloudFormation --------------------------------------------------------------------------

    def deploy(self, **bodies: Body) -> float:
        """Create or update the stack, side by side, and clean up.

        :returns: the seconds until everything was answered, without the clean-up.
        """
        with self._inside():
            began = self.clock.time()
            forward = "UPDATE" if self._resources else "CREATE"
            self._stack.status = f"{forward}_IN_PROGRESS"
            self._stack.updates += forward == "UPDATE"
            before = dict(self._resources)
            changed = [
                name
                for name, body in bodies.items()
                if name not in before or before[name].body != body
            ]
            self.clock.run([partial(self._bring, name, bodies[name]) for name in changed])
            took = self.clock.time() - began
            self._stack.status = f"{forward}_COMPLETE_CLEANUP_IN_PROGRESS"
            gone = [
                (name, resource)
                for name, resource in before.items()
                if name not in bodies or self._resources[name].physical_id != resource.physical_id
            ]
            self._take_away(gone)
            for name in set(before) - set(bodies):
                del self._resources[name]
            self._stack.status = f"{forward}_COMPLETE"
            # Nobody uses the quota for a while, and functions are shut down.
            self.clock.pass_by(3600.0)
            for function in self._functions.values():
                function.idle.clear()
            return took

    def delete(self) -> None:
        """Delete the stack, side by side."""
        with self._inside():
            self._stack.status = "DELETE_IN_PROGRESS"
            self._take_away(list(self._resources.items()))
            self._resources.clear()

    def _bring(self, name: str, body: Body) -> None:
        self._spread()
        old = self._resources.get(name)
        more: dict[str, Any] = {}
        if old:
            more = {
                "PhysicalResourceId": old.physical_id,
                "OldResourceProperties": old.body["Properties"],
            }
        physical_id = self._request("Update" if old else "Create", name, body, **more)
        self._resources[name] = _Deployed(body=body, physical_id=physical_id)

    def _take_away(self, gone: Sequence[tuple[str, _Deployed]]) -> None:
        self.clock.run([partial(self._delete, name, resource) for name, resource in gone])

    def _delete(self, name: str, resource: _Deployed) -> None:
        self._spread()
        self._request("Delete", name, resource.body, PhysicalResourceId=resource.physical_id)

    def _spread(self) -> None:
        self.clock.sleep(random.uniform(0.0, _STARTED_WITHIN))  # noqa: S311 - spreads requests, protects nothing

    def _request(self, kind: str, name: str, body: Body, **more: Any) -> str:  # noqa: ANN401 - members of an event
        """Do what the Provider framework and its waiter do for a request."""
        event: dict[str, Any] = {
            "RequestType": kind,
            "StackId": f"arn:aws:cloudformation:{roles.HOME}:123456789012:stack/Benchmark/1",
            "RequestId": f"request-{next(self._numbers)}",
            "LogicalResourceId": name,
            "ResourceType": body["Type"],
            "ResourceProperties": body["Properties"],
            **more,
        }
        event |= self._invoke("on_event", event)
        self.usage.transitions += 1
        while True:
            self.usage.transitions += 1
            if self._invoke("is_complete", event)["IsComplete"]:
                return str(event["PhysicalResourceId"])
            self.clock.sleep(QUERY_SECONDS)

    # -- Lambda ----------------------------------------------------------------------------------

    def _invoke(self, handler: str, event: dict[str, Any]) -> dict[str, Any]:
        function = self._functions[handler]
        if not function.idle:
            self.usage.containers += 1
            function.idle.append(Provider(clients=SimulatedClients()))
        provider = function.idle.pop()
        began = self.clock.time()
        context = _Context(self.clock, began + function.seconds)
        answer: dict[str, Any] = getattr(provider, handler)(event, context)
        self.usage.invocations += 1
        self.usage.seconds += self.clock.time() - began
        function.idle.append(provider)
        return answer

    @contextmanager
    def _inside(self) -> Iterator[None]:
        connect_to(self)
        with (
            patch.dict(os.environ, {"LEDGER_TABLE_NAME": TABLE}),
            simulated_time(cast("SimulatedClock", self.clock)),
        ):
            yield

    # -- AWS -------------------------------------------------------------------------------------

    def answer(
        self, *, service: str, region: str, operation: str, request: AWSPreparedRequest
    ) -> AWSResponse:
        """Stand in for AWS."""
        self.clock.sleep(LATENCY[service] * random.uniform(0.5, 1.5))  # noqa: S311 - as above
        if service == "cloudformation":
            body = self._stack.described().decode()
            return response(request, 200, body, {"content-type": "text/xml"})
        if service == "connect":
            return self.connect.answer(region, operation, request)
        answer = self.ledger.answer(operation, request)
        self._meter(operation, answer)
        return answer

    def _meter(self, operation: str, answer: AWSResponse) -> None:
        self.usage.requests += 1
        call = self.ledger.calls[-1]
        if call.writes:
            self.usage.writes += _units(_size(call.body.get("Item", {})), of=1024)
            return
        told = json.loads(answer.text)
        items = told.get("Items", []) if operation == "Query" else [told.get("Item", {})]
        self.usage.reads += _units(sum(map(_size, items)), of=4096)


def _units(size: int, *, of: int) -> int:
    """Return how many units of so many bytes a request takes: at least one."""
    return max(1, -(-size // of))


def _size(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Return about how many bytes an item has, as DynamoDB counts them."""
    size = 0
    for name, value in item.items():
        ((kind, held),) = value.items()
        size += len(name)
        if kind == "B":
            size += len(held) * 3 // 4  # base64
        elif kind == "N":
            size += len(held) // 2 + 1
        else:
            size += len(held) if isinstance(held, str) else 1
    return size
