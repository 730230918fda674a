"""The real handlers with something spoiled between them and AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connect_provider.handler import Provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecycle.clients import SimulatedClients
    from lifecycle.framework import Event

Answer = dict[str, Any]


class Spoiled:
    """A boto3 client some of whose methods do something else."""

    def __init__(self, client: object, **instead: Callable[..., Any]) -> None:
        self._client = client
        self.__dict__.update(instead)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class Wrapper:
    """The real handlers; subclasses break them."""

    def __init__(self, *, clients: SimulatedClients) -> None:
        self.clients = clients
        self.inner = Provider(clients=self.client)

    def client(self, service: str, region: str) -> Any:
        """Return the client that the real handlers see."""
        return self.clients(service, region)

    def on_event(self, event: Event, context: object) -> Answer:
        """Plan."""
        return self.inner.on_event(event, context)

    def is_complete(self, event: Event, context: object) -> Answer:
        """Converge."""
        return self.inner.is_complete(event, context)
