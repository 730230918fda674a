"""What the properties of a contact's assignment declare, checked and in canonical IDs."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider.errors import InvalidEventError
from connect_provider.identifiers import Kind, parse
from connect_provider.request import read_flag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connect_provider.identifiers import Account

CONTACT_USER = "Custom::ConnectContactUserAssignment"


class ReleaseMode(Enum):
    """What happens to the contact when its assignment is deleted."""

    RETAIN = "RETAIN"
    STOP = "STOP"
    TRANSFER_TO_QUEUE = "TRANSFER_TO_QUEUE"


class Release(NamedTuple):
    """A release mode with what TransferContact needs for it."""

    mode: ReleaseMode = ReleaseMode.RETAIN
    contact_flow_id: str | None = None
    queue_id: str | None = None


class ContactUser(NamedTuple):
    """A contact that is to be assigned to a user."""

    instance_id: str
    contact_id: str
    user_id: str
    release: Release
    allow_voice: bool


def read(properties: Mapping[str, Any], *, owner: Account) -> ContactUser:
    """Read a contact assignment's properties.

    :raises InvalidEventError: naming the property and what is wrong with it.
    """
    instance = parse(
        properties.get("InstanceId"), kind=Kind.INSTANCE, name="InstanceId", owner=owner
    )

    def of_instance(value: object, name: str, kind: Kind) -> str:
        return parse(value, kind=kind, name=name, owner=owner, instance=instance).id

    return ContactUser(
        instance_id=instance.id,
        contact_id=of_instance(properties.get("ContactId"), "ContactId", Kind.CONTACT),
        user_id=of_instance(properties.get("UserId"), "UserId", Kind.USER),
        release=_release(properties.get("Release"), of_instance),
        allow_voice=read_flag(properties, "AllowVoice"),
    )


def _release(value: object, of_instance: Callable[[object, str, Kind], str]) -> Release:
    if value is None:
        return Release()
    modes = ", ".join(mode.value for mode in ReleaseMode)
    if not isinstance(value, dict) or value.get("Mode") not in list(ReleaseMode.__members__):
        raise InvalidEventError(f"Release.Mode is none of {modes}: got {value!r:.100}.")
    mode = ReleaseMode(value["Mode"])
    if mode is not ReleaseMode.TRANSFER_TO_QUEUE:
        return Release(mode=mode)
    flow, queue = value.get("ContactFlowId"), value.get("QueueId")
    return Release(
        mode=mode,
        contact_flow_id=of_instance(flow, "Release.ContactFlowId", Kind.CONTACT_FLOW),
        queue_id=of_instance(queue, "Release.QueueId", Kind.QUEUE) if queue else None,
    )
