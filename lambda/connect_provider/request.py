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
from connect_provider.identifiers import Account
from connect_provider.ledger.claim import Owner

if TYPE_CHECKING:
    from collections.abc import Mapping


_STACK = re.compile(
    r"arn:(?P<partition>[^:]+):cloudformation:(?P<region>[^:]+):(?P<account>[^:]+):stack/[^:]+"
)
_MAY_BE_MISSING: Mapping[str, Any] = {
    "PhysicalResourceId": "",
    "ResourceProperties": {},
    "OldResourceProperties": {},
    "Claim": {},
    "Data": {},
    "StartedAt": 0.0,
}


class RequestType(Enum):
    """What CloudFormation asks for."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class Request(NamedTuple):
    """One request of CloudFormation, as the Provider framework passes it on.

    :ivar account: the stack's partition, Region and account.
    :ivar physical_id: on Create the ID that ``on_event`` chose, empty before.
    :ivar claim: what ``on_event`` wants claimed; empty before, and where nothing is to change.
    :ivar data: the attributes that ``on_event`` answered.
    :ivar started_at: when ``on_event`` began, in seconds since the epoch; 0 before.
    """

    type: RequestType
    resource_type: str
    stack_id: str
    account: Account
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
        match {**_MAY_BE_MISSING, **event}:
            case {
                "RequestType": "Create" | "Update" | "Delete" as kind,
                "ResourceType": str(resource_type),
                "StackId": str(stack_id),
                "RequestId": str(request_id),
                "LogicalResourceId": str(logical_id),
                "PhysicalResourceId": str(physical_id),
                "ResourceProperties": dict(properties),
                "OldResourceProperties": dict(old_properties),
                "Claim": dict(claim),
                "Data": dict(data),
                "StartedAt": int(started_at) | float(started_at),
            } if stack := _STACK.fullmatch(stack_id):
                return cls(
                    type=RequestType(kind),
                    resource_type=resource_type,
                    stack_id=stack_id,
                    account=Account(**stack.groupdict()),
                    request_id=request_id,
                    logical_id=logical_id,
                    physical_id=physical_id,
                    properties=properties,
                    old_properties=old_properties,
                    claim=claim,
                    data=data,
                    started_at=started_at,
                )
        raise InvalidEventError(
            "this is not the event of a CloudFormation custom resource: RequestType, ResourceType, "
            "StackId, RequestId and LogicalResourceId are strings in one, and its properties, "
            "claim and data objects."
        )

    @property
    def owner(self) -> Owner:
        """The resource, as the ledger names it."""
        return Owner(stack_id=self.stack_id, logical_id=self.logical_id)

    def version(self, began: str) -> str:
        """Return what names the version that this request makes.

        CloudFormation uses a RequestId again when a failed deployment is retried, so the beginning
        of the deployment is part of the name.

        :param began: when the deployment began.
        """
        return self.request_key + fingerprint(began)[:4]

    @property
    def made_up_version(self) -> str:
        """The version under a physical ID that this provider did not make."""
        return fingerprint(self.physical_id)[:12]

    @property
    def request_key(self) -> str:
        """The prefix of every version that this request makes, in any deployment."""
        return fingerprint(self.request_id)[:8]


def fingerprint(*texts: str) -> str:
    """Return hexadecimal digits that differ where the *texts* differ."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def read_flag(properties: Mapping[str, Any], name: str) -> bool:
    """Read the property *name*: true or false, as a string or not; False where it is missing.

    :raises InvalidEventError: it is something else.
    """
    value = properties.get(name, False)
    text = str(value).lower()
    if text not in ("true", "false"):
        raise InvalidEventError(f"{name} is neither true nor false: got {value!r:.100}.")
    return text == "true"
