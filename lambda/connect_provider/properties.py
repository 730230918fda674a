"""Single properties of a custom resource, read with messages that name the property."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connect_provider import identifiers
from connect_provider.errors import InvalidEventError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connect_provider.identifiers import Identifier, Kind, Owner


def read_identifier(  # noqa: PLR0913 - what a property is called and must be, by keyword
    properties: Mapping[str, Any],
    name: str,
    *,
    kind: Kind,
    owner: Owner,
    instance: Identifier | None = None,
    prefix: str = "",
) -> Identifier:
    """Read the property *name*: an ID or an ARN.

    :param instance: the instance that an ARN must belong to.
    :param prefix: what the message puts before the name.
    :raises InvalidEventError: naming the property and what is wrong with it.
    """
    identifier = identifiers.parse(
        properties.get(name), kind=kind, name=f"{prefix}{name}", owner=owner
    )
    if instance and identifier.instance_id not in (None, instance.id):
        raise InvalidEventError(
            f"{prefix}{name} belongs to instance {identifier.instance_id}, InstanceId is "
            f"{instance.id}."
        )
    return identifier


def read_flag(properties: Mapping[str, Any], name: str) -> bool:
    """Read the property *name*: true or false, False where it is missing.

    :raises InvalidEventError: it is something else.
    """
    value = properties.get(name, False)
    text = str(value).lower()
    if text not in ("true", "false"):
        raise InvalidEventError(f"{name} is neither true nor false: got {value!r:.100}.")
    return text == "true"
