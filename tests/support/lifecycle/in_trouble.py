"""Doing something in a world while things go wrong."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from connect_provider.request import Request
from lifecycle import cast
from lifecycle.cloudformation_api import ReadFaults
from lifecycle.faults import FaultPlan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifecycle.framework import Event
    from lifecycle.statistics import Statistics
    from lifecycle.trouble import Trouble
    from lifecycle.world import World


@contextlib.contextmanager
def in_trouble(
    world: World, trouble: Trouble, statistics: Statistics, *, creates: bool
) -> Iterator[None]:
    """Let *trouble* come over *world* until the block ends, and count what came.

    :param creates: whether the block creates a stack, whose permissions are new.
    """
    now = world.clock.time()
    first_event = len(world.events)
    happened = world.faulty.happened.copy()
    world.faulty.plan = trouble.plan(now, creates=creates)
    world.cloudformation.faults = trouble.read_faults(now)
    world.framework.twice = trouble.twice
    for thing, seconds in trouble.slow.items():
        if thing in cast.GROUPS:
            world.connect.group_becomes_active(thing, after=seconds)
            statistics.count("faults", "group not ACTIVE")
        else:
            world.connect.user_replicates(thing, after=seconds)
            statistics.count("faults", "user not replicated")

    def repeats(number: int) -> tuple[float, ...]:
        delay = trouble.repeats.get(number - first_event)
        return () if delay is None else (delay,)

    world.repeat_events(repeats)
    seen = [event for event in world.events if trouble.stale and _is_known(event, world)]
    for number, delay in trouble.stale.items() if seen else ():
        world.deliver_stale(seen[number % len(seen)], delay=delay)
        statistics.count("faults", "event of an earlier operation delivered again")
    yield
    for fault, count in (world.faulty.happened - happened).items():
        statistics.count("faults", fault, count)
    if world.repeated:
        statistics.count("faults", "event delivered twice", world.repeated)
    if trouble.sabotage:
        statistics.count("faults", "sibling failed")
    if trouble.twice:
        statistics.count("faults", "handler invoked twice")
    world.repeated = 0
    world.faulty.plan = FaultPlan()
    world.cloudformation.faults = ReadFaults()
    world.framework.twice = frozenset()
    world.repeat_events(lambda _number: ())


def _is_known(event: Event, world: World) -> bool:
    """Whether the provider can tell an event that comes late: it has claimed something for it.

    One that arrives for the first time looks like one of the deployment of now; docs/promise.md.
    """
    return event["RequestType"] == "Delete" or world.ledger.mentions(
        Request.from_event(event).request_key
    )
