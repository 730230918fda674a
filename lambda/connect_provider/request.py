"""The event of a custom resource, read once and typed.

Source: `Custom resource request objects
<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html>`_.
"""

from __future__ import annotations

import hashlib
import re
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider.errors import InvalidEventError
from connect_provider.identifiers import Owner as Account
from connect_provider.ledger.claim import Owner

if TYPE_CHECKING:
    from collections.abc import Mapping


_STACK = re.compile(r"arn:[^:]+:cloudformation:[^:]+:[^:]+:stack/[^:]+")


class RequestType(Enum):
    """What CloudFormation asks for."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class Request(NamedTuple):
    """One request of CloudFormation, as the Provider framework hands it on.

    :ivar physical_id: on Create the ID that ``on_event`` chose, empty before.
    :ivar claim: what ``on_event`` wants claimed; empty before, and where nothing is to change.
    :ivar data: the attributes that ``on_event`` answered.
    :ivar started_at: when ``on_event`` began, in seconds since the epoch; 0 before.
    """

    type: RequestType
    resource_type: str
    stack_id: str
    request_id: str
    logical_id: str
    physical_id: str
    properties: Mapping[str, Any]
    old_properties: Mapping[str, Any]
    claim: Mapping[str, Any]
    data: Mapping[str, Any]
    started_at: float

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Read the *event*.

        :raises InvalidEventError: it is not a custom resource's event.
        """
        try:
            return cls(
                type=RequestType(event["RequestType"]),
                resource_type=_text(event, "ResourceType"),
                stack_id=_stack_id(event),
                request_id=_text(event, "RequestId"),
                logical_id=_text(event, "LogicalResourceId"),
                physical_id=event.get("PhysicalResourceId") or "",
                properties=_mapping(event, "ResourceProperties"),
                old_properties=_mapping(event, "OldResourceProperties"),
                claim=_mapping(event, "Claim"),
                data=_mapping(event, "Data"),
                started_at=float(event.get("StartedAt", 0)),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise InvalidEventError(
                f"this is not the event of a CloudFormation custom resource: {error}"
            ) from error

    @property
    def account(self) -> Account:
        """The stack's partition, Region and account."""
        return Account.of_stack(self.stack_id)

    @property
    def owner(self) -> Owner:
        """The resource, as the ledger names it."""
        return Owner(stack_id=self.stack_id, logical_id=self.logical_id)

    def version(self, began: str) -> str:
        """Return what names the version that this request makes.

        CloudFormation uses a RequestId again when a failed deployment is retried, so that the
        beginning of the deployment is part of it.

        :param began: when the deployment began.
        """
        return self.request_key + fingerprint(began)[:4]

    @property
    def made_up_version(self) -> str:
        """What stands for a version under an ID that this provider did not make."""
        return fingerprint(self.physical_id)[:12]

    @property
    def request_key(self) -> str:
        """What a version begins with that this request makes in any deployment."""
        return fingerprint(self.request_id)[:8]


def fingerprint(*texts: str) -> str:
    """Return hexadecimal digits that differ where the *texts* differ."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


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
