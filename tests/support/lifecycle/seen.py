"""A simulated world with a view of the Connect emulation that it runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifecycle.emulated_connect import EmulatedConnect, behaviour
from lifecycle.under_test import association_provider
from lifecycle.world import World

if TYPE_CHECKING:
    from connect_associations.testing import ConnectEmulation
    from lifecycle.clock import SimulatedClock
    from lifecycle.stack_parts import StackSettings


def seen_world(
    *, stack: StackSettings | None = None, **switches: Any
) -> tuple[World, ConnectEmulation]:
    """Return a world with the project's handlers, and its emulation.

    :param stack: how CloudFormation behaves.
    :param switches: how undocumented behaviour turns out.
    """
    made: list[EmulatedConnect] = []

    def connect(clock: SimulatedClock) -> EmulatedConnect:
        made.append(EmulatedConnect(clock, behaviour(**switches)))
        return made[0]

    world = World(handlers=association_provider, connect=connect, stack=stack)
    return world, made[0].emulation
