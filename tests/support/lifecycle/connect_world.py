"""The Connect of a simulated world, as the simulator needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from lifecycle.cast import Thing


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactState:
    """What became of a contact.

    :ivar with_user: the ID of the user to whom it is offered, or else of who has it.
    :ivar agent: the ID of the user who accepted it last; while it is offered to another one,
        nothing in the API tells to whom.
    :ivar offers: to whom it has been offered, in order, by user ID.
    """

    with_user: str | None
    agent: str | None
    offers: tuple[str, ...]
    ended: bool
    transferred: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectState:
    """All that the provider may change: memberships, and contacts by ID."""

    pairs: frozenset[tuple[str, str]]
    contacts: Mapping[str, ContactState]


class ConnectWorld(Protocol):
    """Answers calls, and lets tests look and meddle behind the provider's back."""

    @property
    def one_group_per_user(self) -> bool:
        """Whether the service allows a user in only one group."""
        ...

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

    def group_becomes_active(self, group: Thing, *, after: float) -> None:
        """Let the group be new, or being updated if it has members, for some seconds."""
        ...

    def answer_with(self, code: str, operation: str, *, times: int | None) -> None:
        """Answer calls of *operation* with an error, from now on; None: for ever."""
        ...

    def answer_normally(self) -> None:
        """Forget about all errors."""
        ...

    def add_user(self, user_id: str) -> None:
        """Make another user of the instance."""
        ...

    def keep_offers(self) -> None:
        """Let offers of contacts stay offers: nobody accepts them by himself."""
        ...

    def rename(self, user: Thing, username: str) -> None:
        """Give the user another name out of band."""
        ...

    def user_replicates(self, user: Thing, *, after: float) -> None:
        """Let the user not be in the replica Region yet for some seconds."""
        ...

    def contact(self, contact: Thing) -> ContactState:
        """Return a contact's state."""
        ...

    def serve(self, contact: Thing, user: Thing) -> None:
        """Let a user take a contact out of band."""
        ...

    def end_transferred(self) -> None:
        """End the contacts that went on as another one when they were transferred."""
        ...
