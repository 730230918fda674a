"""The Connect of a simulated world, as the simulator needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from lifecycle.cast import Thing


class ConnectWorld(Protocol):
    """Answers calls, and lets tests look and meddle behind the provider's back."""

    def answer(self, region: str, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        """Answer one call."""
        ...

    def memberships(self) -> frozenset[tuple[str, str]]:
        """Return the pairs of group ID and user ID."""
        ...

    def join(self, group: Thing, user: Thing) -> None:
        """Associate a user with a group out of band."""
        ...

    def leave(self, group: Thing, user: Thing) -> None:
        """Take a user out of a group out of band."""
        ...
