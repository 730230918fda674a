"""The handlers under test, as the simulator starts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_provider.association_provider import AssociationProvider

if TYPE_CHECKING:
    from lifecycle.clients import SimulatedClients
    from lifecycle.clock import SimulatedClock
    from lifecycle.framework import Handlers

CONVERGENCE_TIMEOUT_SECONDS = 600
"""How long the handlers may wait in a simulation; the framework's own time-out is longer."""


def association_provider(*, clients: SimulatedClients, clock: SimulatedClock) -> Handlers:
    """Start a container with the project's handlers."""
    return AssociationProvider(clients=clients, clock=clock)
