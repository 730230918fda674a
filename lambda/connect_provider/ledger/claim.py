"""A claim: what one version of one resource declares, and how far it has come.

::

    PENDING ──converged──► LIVE ──Delete, or replaced──► ENDING ──converged──► ENDED
       └───────────── given up, rolled back ───────────────┘

ENDED is a tombstone: it keeps late events from beginning again, and expires after seven days.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from connect_provider.connect.client import Group


class Phase(Enum):
    """How far a claim has come."""

    PENDING = "PENDING"
    LIVE = "LIVE"
    ENDING = "ENDING"
    ENDED = "ENDED"


OPEN = (Phase.PENDING, Phase.LIVE)
"""The phases in which a claim wants what it names."""


class Owner(NamedTuple):
    """The resource that claims; its versions come and go."""

    stack_id: str
    logical_id: str

    def __str__(self) -> str:
        return f"{self.stack_id}/{self.logical_id}"


class GroupClaim(NamedTuple):
    """Users whom one version of a resource wants in a traffic distribution group.

    :ivar users: canonical IDs.
    :ivar began: when the deployment that made the version began, as CloudFormation says it.
    :ivar since: when the request began; once LIVE or ENDING, when it became so. In seconds since
        the epoch.
    :ivar replaces: the physical ID of the version before it; empty for a Create.
    :ivar rollback: a rollback's own Update made it.
    :ivar repeated: its request was seen in an earlier deployment: CloudFormation tries again, or
        the event comes late.
    :ivar resync: what the property ``Resync`` says.
    :ivar adopted: the users who were members before the claim's first write; None while unknown,
        which means that nothing was written.
    :ivar expelled: members whom nobody declared, and whom an exclusive claim takes out.
    :ivar moved: the users who had to leave the group of the version before.
    :ivar removed: how many members the version removes, now or in the clean-up.
    :ivar undo: the end puts back what the version changed.
    :ivar doubt: when it ended, its last calls were too recent for a listing to be trusted.
    :ivar problem: why it cannot be converged.
    :ivar revision: counts the changes, so that two writers do not overwrite each other.
    """

    owner: Owner
    version: str
    instance_id: str
    group: Group
    users: frozenset[str]
    began: str
    since: float
    exclusive: bool = False
    replaces: str = ""
    rollback: bool = False
    repeated: bool = False
    resync: str = ""
    phase: Phase = Phase.PENDING
    adopted: frozenset[str] | None = None
    expelled: frozenset[str] = frozenset()
    moved: frozenset[str] = frozenset()
    removed: int = 0
    undo: bool = False
    doubt: bool = False
    problem: str = ""
    revision: int = 0


class Offer(Enum):
    """What is known about the offer of a contact to the claimed user."""

    NONE = "NONE"
    """Nothing was offered."""
    MAYBE = "MAYBE"
    """AssociateContactWithUser was about to be called, or its answer was lost."""
    MADE = "MADE"
    """Connect took the offer."""
    ADOPTED = "ADOPTED"
    """The user had accepted the contact before the claim."""


class ContactClaim(NamedTuple):
    """The user to whom one resource wants a contact assigned.

    :ivar assignment: stands for the request and the deployment that named the user.
    :ivar previous_user_id: to whom a rollback assigns the contact again.
    :ivar previous_offer: what is known about the offer to that user.
    :ivar queue_id: the queue that the contact came from.
    :ivar began: as in :class:`GroupClaim`, and so are the others.
    """

    owner: Owner
    version: str
    instance_id: str
    contact_id: str
    user_id: str
    assignment: str
    began: str
    since: float
    previous_user_id: str = ""
    previous_offer: Offer = Offer.NONE
    queue_id: str = ""
    rollback: bool = False
    phase: Phase = Phase.PENDING
    offer: Offer = Offer.NONE
    undo: bool = False
    doubt: bool = False
    revision: int = 0


Claim = GroupClaim | ContactClaim
