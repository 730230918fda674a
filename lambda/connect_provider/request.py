"""The event of a custom resource, read once and typed.

Source: `Custom resource request objects
<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html>`_.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider import physical_id
from connect_provider.errors import InvalidEventError
from connect_provider.identifiers import Owner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connect_provider.physical_id import PhysicalId


_STACK = re.compile(r"arn:[^:]+:cloudformation:[^:]+:[^:]+:stack/[^:]+")


class RequestType(Enum):
    """What CloudFormation asks for."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class Request(NamedTuple):
    """One request of CloudFormation, as the Provider framework hands it on.

    :ivar physical_id: on Create the ID that ``on_event`` chose, empty before.
    :ivar plan: what ``on_event`` planned; empty before.
    """

    type: RequestType
    resource_type: str
    stack_id: str
    request_id: str
    logical_id: str
    physical_id: str
    properties: Mapping[str, Any]
    old_properties: Mapping[str, Any]
    plan: Mapping[str, Any]

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Read the *event*.

        :raises InvalidEventError: it is not a custom resource's event.
        """
        try:
            request_type = RequestType(event["RequestType"])
            return cls(
                type=request_type,
                resource_type=_text(event, "ResourceType"),
                stack_id=_stack_id(event),
                request_id=_text(event, "RequestId"),
                logical_id=_text(event, "LogicalResourceId"),
                physical_id=event.get("PhysicalResourceId") or "",
                properties=_mapping(event, "ResourceProperties"),
                old_properties=_mapping(event, "OldResourceProperties"),
                plan=_mapping(event, "Plan"),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise InvalidEventError(
                f"this is not the event of a CloudFormation custom resource: {error}"
            ) from error

    @property
    def parsed_physical_id(self) -> PhysicalId | None:
        """The physical ID; None if this provider did not make it."""
        return physical_id.parse(self.physical_id)

    @property
    def owner(self) -> Owner:
        """The stack's partition, Region and account."""
        return Owner.of_stack(self.stack_id)


def _stack_id(event: Mapping[str, Any]) -> str:
    value = _text(event, "StackId")
    if not _STACK.fullmatch(value):
        raise ValueError(f"StackId is not a stack's ARN: {value!r:.100}")
    return value


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is not a string")
    return value


def _mapping(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = event.get(name) or {}
    if not isinstance(value, dict):
        raise TypeError(f"{name} is not an object")
    return value
