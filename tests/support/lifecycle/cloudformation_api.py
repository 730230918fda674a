"""What CloudFormation's read API answers about the simulated stack."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from lifecycle.clients import response

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from lifecycle.cloudformation import Stack

_PAGE = 3  # small, so that every listing is paginated
_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


@dataclass(slots=True, kw_only=True)
class ReadFaults:
    """What goes wrong when the provider reads from CloudFormation.

    :ivar denied: operations that are denied for good.
    :ivar throttled: how many calls from now on are throttled.
    """

    denied: frozenset[str] = frozenset()
    throttled: int = 0


class CloudFormationApi:
    """Answers DescribeStacks, ListStackResources and GetTemplate.

    :param find: returns the stack of that name or ID, or None.
    """

    def __init__(self, find: Callable[[str], Stack | None]) -> None:
        self._find = find
        self.faults = ReadFaults()
        self.unreadable = 0
        self.calls: list[str] = []

    def answer(self, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        """Answer one call."""
        self.calls.append(operation)
        if operation in self.faults.denied:
            self.unreadable += 1
            return self._error(
                request,
                403,
                "AccessDenied",
                f"not authorized to perform cloudformation:{operation}",
            )
        if self.faults.throttled:
            self.faults.throttled -= 1
            self.unreadable += 1
            return self._error(request, 400, "Throttling", "Rate exceeded")
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
            return self._error(
                request, 400, "ValidationError", f"Stack with id {name} does not exist"
            )
        if operation == "DescribeStacks":
            result = self._describe(stack)
        elif operation == "ListStackResources":
            result = self._list(stack, int(arguments.get("NextToken", "0")))
        elif operation == "GetTemplate":
            assert stack.shown is not None
            template = escape(json.dumps(stack.shown.template))
            result = (
                f"<TemplateBody>{template}</TemplateBody><StagesAvailable><member>Original</member>"
                "<member>Processed</member></StagesAvailable>"
            )
        else:
            raise NotImplementedError(f"the provider has no business calling {operation}")
        return response(
            request,
            200,
            f'<{operation}Response xmlns="{_NAMESPACE}"><{operation}Result>{result}'
            f"</{operation}Result></{operation}Response>",
            {"content-type": "text/xml"},
        )

    @staticmethod
    def _describe(stack: Stack) -> str:
        assert stack.shown is not None
        parameters = "".join(
            f"<member><ParameterKey>{escape(key)}</ParameterKey>"
            f"<ParameterValue>{escape(value)}</ParameterValue></member>"
            for key, value in stack.shown.parameters.items()
        )
        updated = (
            f"<LastUpdatedTime>{_moment(stack.updated_at)}</LastUpdatedTime>"
            if stack.updated_at is not None
            else ""
        )
        return (
            f"<Stacks><member><StackName>{stack.name}</StackName><StackId>{stack.stack_id}</StackId>"
            f"<CreationTime>2026-01-01T00:00:00Z</CreationTime>"
            f"<StackStatus>{stack.status}</StackStatus><Parameters>{parameters}</Parameters>"
            f"{updated}</member></Stacks>"
        )

    @staticmethod
    def _list(stack: Stack, start: int) -> str:
        shown = [
            resource
            for resource in stack.resources.values()
            if stack.lists_deleted or resource.status != "DELETE_COMPLETE"
        ]
        members = []
        for resource in itertools.islice(shown, start, start + _PAGE):
            physical_id = (
                f"<PhysicalResourceId>{escape(resource.physical_id)}</PhysicalResourceId>"
                if resource.physical_id
                else ""
            )
            members.append(
                f"<member><LogicalResourceId>{resource.logical_id}</LogicalResourceId>{physical_id}"
                f"<ResourceType>{resource.type}</ResourceType>"
                f"<LastUpdatedTimestamp>{_moment(resource.changed_at)}</LastUpdatedTimestamp>"
                f"<ResourceStatus>{resource.status}</ResourceStatus></member>"
            )
        more = f"<NextToken>{start + _PAGE}</NextToken>" if len(shown) > start + _PAGE else ""
        return f"<StackResourceSummaries>{''.join(members)}</StackResourceSummaries>{more}"

    @staticmethod
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
