"""What CloudFormation's read API answers about the simulated stacks."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from lifecycle.clients import response

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from lifecycle.clock import SimulatedClock
    from lifecycle.cloudformation import Stack
    from lifecycle.stack_parts import Resource

_PAGE = 3  # small, so that every listing is paginated
_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
_LATENCY = 0.02


@dataclass(slots=True, kw_only=True)
class ReadFaults:
    """What goes wrong when the provider reads from CloudFormation.

    :ivar denied: operations that are denied.
    :ivar until: until then, in simulated seconds.
    :ivar throttled: how many calls from now on are throttled.
    """

    denied: frozenset[str] = frozenset()
    until: float = math.inf
    throttled: int = 0


class CloudFormationApi:
    """Answers DescribeStacks, DescribeStackResource and ListStackResources.

    :param find: returns the stack of that name or ID, or None.
    :ivar calls: the operations that were called, oldest first.
    """

    def __init__(self, clock: SimulatedClock, find: Callable[[str], Stack | None]) -> None:
        self._clock = clock
        self._find = find
        self.faults = ReadFaults()
        self.calls: list[str] = []

    def answer(self, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        """Answer one call."""
        self._clock.sleep(_LATENCY)
        self.calls.append(operation)
        if operation in self.faults.denied and self._clock.time() < self.faults.until:
            said = f"not authorized to perform cloudformation:{operation}"
            return _error(request, 403, "AccessDenied", said)
        if self.faults.throttled:
            self.faults.throttled -= 1
            return _error(request, 400, "Throttling", "Rate exceeded")
        body = request.body or b""
        query = parse_qs(body.decode() if isinstance(body, bytes) else str(body))
        arguments = {name: values[0] for name, values in query.items()}
        name = arguments["StackName"]
        stack = self._find(name)
        by_name_only = stack is not None and name != stack.stack_id
        if (
            stack is None
            or not stack.status
            or (by_name_only and stack.status == "DELETE_COMPLETE")
        ):
            return _error(request, 400, "ValidationError", f"Stack with id {name} does not exist")
        if operation == "DescribeStacks":
            result = _describe(stack)
        elif operation == "ListStackResources":
            result = _list(stack, int(arguments.get("NextToken", "0")))
        elif operation == "DescribeStackResource":
            logical_id = arguments["LogicalResourceId"]
            if logical_id not in stack.resources:
                said = f"Resource {logical_id} does not exist for stack {stack.name}"
                return _error(request, 400, "ValidationError", said)
            detail = _resource(stack.resources[logical_id])
            result = f"<StackResourceDetail>{detail}</StackResourceDetail>"
        else:
            raise NotImplementedError(f"the provider has no business calling {operation}")
        return response(
            request,
            200,
            f'<{operation}Response xmlns="{_NAMESPACE}"><{operation}Result>{result}'
            f"</{operation}Result></{operation}Response>",
            {"content-type": "text/xml"},
        )


def _describe(stack: Stack) -> str:
    members = {
        "StackName": stack.name,
        "StackId": stack.stack_id,
        "CreationTime": _moment(stack.created_at),
        "StackStatus": stack.status,
    }
    if stack.updated_at is not None:
        members["LastUpdatedTime"] = _moment(stack.updated_at)
    if stack.parent:
        members |= {"ParentId": stack.parent.stack_id, "RootId": stack.root.stack_id}
    return f"<Stacks><member>{_members(members)}</member></Stacks>"


def _list(stack: Stack, start: int) -> str:
    shown = [
        resource
        for resource in stack.resources.values()
        if stack.lists_deleted or resource.status != "DELETE_COMPLETE"
    ]
    members = "".join(
        f"<member>{_resource(resource)}</member>"
        for resource in itertools.islice(shown, start, start + _PAGE)
    )
    more = f"<NextToken>{start + _PAGE}</NextToken>" if len(shown) > start + _PAGE else ""
    return f"<StackResourceSummaries>{members}</StackResourceSummaries>{more}"


def _resource(resource: Resource) -> str:
    members = {
        "LogicalResourceId": resource.logical_id,
        "ResourceType": resource.type,
        "LastUpdatedTimestamp": _moment(resource.changed_at),
        "ResourceStatus": resource.status,
    }
    if resource.physical_id:
        members["PhysicalResourceId"] = resource.physical_id
    return _members(members)


def _members(values: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())


def _error(request: AWSPreparedRequest, status: int, code: str, said: str) -> AWSResponse:
    return response(
        request,
        status,
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(said)}</Message></Error><RequestId>0</RequestId></ErrorResponse>",
        {"content-type": "text/xml"},
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat()
