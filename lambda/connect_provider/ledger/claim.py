"""A claim: what one version of one resource declares, and how far it has come.

Also how it is stored in the table, and in the JSON that ``on_event`` passes to ``is_complete``.

::

    PENDING ──converged──► LIVE ──Delete, or replaced──► ENDING ──converged──► ENDED
       └───────────── given up, rolled back ───────────────┘

ENDED is a tombstone: it keeps late events from beginning again, and expires after seven days.
"""

from __future__ import annotations

import base64
import time
import uuid
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider.connect.client import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TOMBSTONE_SECONDS = 7 * 24 * 3600
CLAIM = "claim#"
"""What the sort key of a claim begins with."""


class Phase(StrEnum):
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
    :ivar names: stands for the names that the users were found by; empty for IDs and rules.
    :ivar rule: the rule that the users meet, which audits evaluate again; empty for IDs and names.
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
    group: Group
    instance_id: str = ""
    users: frozenset[str] = frozenset()
    began: str = ""
    since: float = 0.0
    exclusive: bool = False
    replaces: str = ""
    rollback: bool = False
    repeated: bool = False
    resync: str = ""
    names: str = ""
    rule: str = ""
    phase: Phase = Phase.PENDING
    adopted: frozenset[str] | None = None
    expelled: frozenset[str] = frozenset()
    moved: frozenset[str] = frozenset()
    removed: int = 0
    undo: bool = False
    doubt: bool = False
    problem: str = ""
    revision: int = 0

    @property
    def physical_id(self) -> str:
        """What CloudFormation calls the version: ``REGION:GROUP/VERSION``."""
        return f"{self.group.region}:{self.group.id}/{self.version}"

    @property
    def key(self) -> tuple[Owner, str]:
        """What distinguishes the claim from the others of its group."""
        return self.owner, self.version

    @property
    def made_by(self) -> str:
        """What identifies the request and the deployment that made the claim."""
        return self.version


class Offer(StrEnum):
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

    :ivar assignment: identifies the request and the deployment that named the user.
    :ivar previous_user_id: to whom a rollback assigns the contact again.
    :ivar previous_offer: what is known about the offer to that user.
    :ivar queue_id: the queue that the contact came from.
    :ivar began: as in :class:`GroupClaim`, and so are the others.
    """

    owner: Owner
    version: str
    instance_id: str
    contact_id: str
    user_id: str = ""
    assignment: str = ""
    began: str = ""
    since: float = 0.0
    previous_user_id: str = ""
    previous_offer: Offer = Offer.NONE
    queue_id: str = ""
    rollback: bool = False
    repeated: bool = False
    phase: Phase = Phase.PENDING
    offer: Offer = Offer.NONE
    undo: bool = False
    doubt: bool = False
    revision: int = 0

    @property
    def physical_id(self) -> str:
        """What CloudFormation calls the version: ``contact:INSTANCE:CONTACT/VERSION``."""
        return f"contact:{self.instance_id}:{self.contact_id}/{self.version}"

    @property
    def made_by(self) -> str:
        """What identifies the request and the deployment that named the user."""
        return self.assignment


Claim = GroupClaim | ContactClaim

_USERS = ("users", "adopted", "expelled", "moved")
_ALWAYS = ("phase", "revision")
_TOMBSTONE = ("began", "since", "phase", "revision")
_UUID_BYTES = 16


def group_key(group: Group) -> str:
    """Return the partition key of a group."""
    return f"group#{group.region}:{group.id}"


def contact_key(instance_id: str, contact_id: str) -> str:
    """Return the partition key of a contact."""
    return f"contact#{instance_id}:{contact_id}"


def key_of(claim: Claim) -> dict[str, str]:
    """Return the key of a claim: all that has no default."""
    if isinstance(claim, GroupClaim):
        pk = group_key(claim.group)
    else:
        pk = contact_key(claim.instance_id, claim.contact_id)
    return {"pk": pk, "sk": f"{CLAIM}{claim.owner}#{claim.version}"}


def to_item(claim: Claim) -> dict[str, Any]:
    """Return a claim as plain values, without defaults and most of a tombstone.

    Users are packed, 16 bytes each.
    """
    item: dict[str, Any] = key_of(claim)
    defaults = claim._field_defaults
    if claim.phase is Phase.ENDED:
        defaults = {name: defaults[name] for name in _TOMBSTONE}
        item["expires_at"] = int(time.time()) + TOMBSTONE_SECONDS
    elif isinstance(claim, GroupClaim) and claim.adopted:
        # Each user is in one of the two, so that an item has room for more of them.
        claim = claim._replace(users=claim.users - claim.adopted)
    for name, default in defaults.items():
        value = getattr(claim, name)
        if name in _USERS and value != default:
            item[name] = b"".join(uuid.UUID(user).bytes for user in sorted(value))
        elif name in _ALWAYS or value != default:
            item[name] = value
    return item


def to_event(claim: Claim) -> dict[str, Any]:
    """Return a claim as JSON values: an item whose bytes are in base 64."""
    return {
        name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in to_item(claim).items()
    }


def from_item(item: Mapping[str, Any]) -> Claim:
    """Return the claim that :func:`to_item` or :func:`to_event` wrote.

    :raises KeyError, TypeError, ValueError: it is none.
    """
    kind, _, place = item["pk"].partition("#")
    where, _, id_ = place.partition(":")
    owner, _, version = item["sk"].removeprefix(CLAIM).rpartition("#")
    claimed = GroupClaim if kind == "group" else ContactClaim
    values = {
        name: _READ[name](item[name]) if name in _READ else item[name]
        for name in claimed._field_defaults
        if name in item or name in _ALWAYS
    }
    made_by = (Owner(*owner.rsplit("/", 1)), version)
    if claimed is ContactClaim:
        return ContactClaim(*made_by, where, id_, **values)
    claim = GroupClaim(*made_by, Group(id=id_, region=where), **values)
    return claim._replace(users=claim.users | (claim.adopted or frozenset()))


def _unpacked(users: Any) -> frozenset[str]:  # noqa: ANN401 - bytes, what boto3 makes of them, or base 64
    packed = base64.b64decode(users, validate=True) if isinstance(users, str) else bytes(users)
    return frozenset(
        str(uuid.UUID(bytes=packed[start : start + _UUID_BYTES]))
        for start in range(0, len(packed), _UUID_BYTES)
    )


_READ: Mapping[str, Callable[[Any], Any]] = {
    "phase": Phase,
    "offer": Offer,
    "previous_offer": Offer,
    "since": float,
    "removed": int,
    "revision": int,
    **dict.fromkeys(_USERS, _unpacked),
}
