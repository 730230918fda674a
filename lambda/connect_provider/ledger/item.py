"""A claim as an item of the table, and as the JSON that ``on_event`` hands to ``is_complete``."""

from __future__ import annotations

import base64
import time
import uuid
from typing import TYPE_CHECKING, Any

from connect_provider.connect.client import Group
from connect_provider.ledger.claim import ContactClaim, GroupClaim, Offer, Owner, Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connect_provider.ledger.claim import Claim

TOMBSTONE_SECONDS = 7 * 24 * 3600
CLAIM = "claim#"
_IN_KEY = ("owner", "version", "group", "contact_id")
_TOMBSTONE = ("instance_id", "began", "since", "phase", "revision")
_USERS = ("users", "adopted", "expelled", "moved")
_UUID_BYTES = 16


def group_key(group: Group) -> str:
    """Return the partition key of a group."""
    return f"group#{group.region}:{group.id}"


def contact_key(instance_id: str, contact_id: str) -> str:
    """Return the partition key of a contact."""
    return f"contact#{instance_id}:{contact_id}"


def key_of(claim: Claim) -> dict[str, str]:
    """Return the key of a claim."""
    if isinstance(claim, GroupClaim):
        pk = group_key(claim.group)
    else:
        pk = contact_key(claim.instance_id, claim.contact_id)
    return {"pk": pk, "sk": f"{CLAIM}{claim.owner}#{claim.version}"}


def to_item(claim: Claim) -> dict[str, Any]:
    """Return a claim as plain values; what is empty is left out, and most of a tombstone."""
    fields = claim._asdict()
    item: dict[str, Any] = key_of(claim)
    if isinstance(claim, GroupClaim) and claim.adopted is not None:
        # Each user stands in one of the two, so that an item has room for more of them.
        fields["users"] = claim.users - claim.adopted
        item["noted"] = True
    if claim.phase is Phase.ENDED:
        fields = {name: fields[name] for name in _TOMBSTONE}
        item["expires_at"] = int(time.time()) + TOMBSTONE_SECONDS
    for name, value in fields.items():
        if name in _USERS and value:
            item[name] = b"".join(uuid.UUID(user).bytes for user in sorted(value))
        elif isinstance(value, Phase | Offer):
            item[name] = value.value
        elif name not in _IN_KEY and (value or name == "revision"):
            item[name] = value
    return item


def from_item(item: Mapping[str, Any]) -> Claim:
    """Return the claim that :func:`to_item` wrote."""
    kind, _, place = item["pk"].partition("#")
    first, _, second = place.partition(":")
    owner, _, version = item["sk"].removeprefix(CLAIM).rpartition("#")
    values = {
        "instance_id": "",
        "began": "",
        **item,
        "owner": Owner(*owner.rsplit("/", 1)),
        "version": version,
        "phase": Phase(item["phase"]),
        "since": float(item.get("since", 0)),
        "revision": int(item["revision"]),
    }
    if kind == "contact":
        values = {"user_id": "", "assignment": "", **values, "contact_id": second}
        for name in ("offer", "previous_offer"):
            values[name] = Offer(item.get(name, Offer.NONE.value))
        return ContactClaim(**_known(ContactClaim, values))
    values["group"] = Group(id=second, region=first)
    values["removed"] = int(item.get("removed", 0))
    for name in _USERS:
        packed = bytes(item.get(name, b""))
        values[name] = frozenset(
            str(uuid.UUID(bytes=packed[start : start + _UUID_BYTES]))
            for start in range(0, len(packed), _UUID_BYTES)
        )
    values["users"] |= values["adopted"]
    values["adopted"] = values["adopted"] if item.get("noted") else None
    return GroupClaim(**_known(GroupClaim, values))


def to_event(claim: Claim) -> dict[str, Any]:
    """Return a claim as JSON values."""
    return {
        name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in to_item(claim).items()
    }


def from_event(event: Mapping[str, Any]) -> Claim:
    """Return the claim that :func:`to_event` wrote.

    :raises KeyError, TypeError, ValueError: it is none.
    """
    return from_item(
        {
            name: base64.b64decode(value, validate=True) if name in _USERS else value
            for name, value in event.items()
        }
    )


def _known(kind: type[Claim], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in kind._fields if name in values}
