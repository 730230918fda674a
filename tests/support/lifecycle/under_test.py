"""The handlers under test as the simulator starts them, and worlds that run them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connect_provider.handler import Provider
from lifecycle.emulated_connect import EmulatedConnect, behaviour
from lifecycle.world import World

if TYPE_CHECKING:
    from lifecycle.clients import SimulatedClients
    from lifecycle.framework import FrameworkSettings, Handlers
    from lifecycle.stack_parts import StackSettings
    from lifecycle.world import HandlersFactory

CONVERGENCE_TIMEOUT_SECONDS = 600
"""How long the handlers may wait in a simulation; the framework's own time-out is longer."""


def association_provider(*, clients: SimulatedClients) -> Handlers:
    """Start a container with the project's handlers."""
    return Provider(clients=clients)


def emulated_world(
    *,
    handlers: HandlersFactory = association_provider,
    stack: StackSettings | None = None,
    framework: FrameworkSettings | None = None,
    **switches: Any,
) -> World:
    """Return a world on the Connect emulation.

    :param handlers: what runs in it. Default: the project's
    :param switches: how undocumented behaviour turns out.
    """
    return World(
        handlers=handlers,
        connect=lambda clock: EmulatedConnect(clock, behaviour=behaviour(**switches)),
        stack=stack,
        framework=framework,
    )
