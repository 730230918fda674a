"""The deployment that a stack is in: going forward, back, away, or over.

Source: `Stack status codes
<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html>`_.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connect_provider.failures import CallError, Failure, call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudformation.client import CloudFormationClient

    from connect_provider.request import Request

_UNKNOWN_ROOT = "unknown"
_FAILED_ABOVE = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", _UNKNOWN_ROOT)
"""What a nested stack's root is doing while the nested one vanishes because of a failure."""


class Deployment(NamedTuple):
    """What DescribeStacks says about a stack, and about the root of a nested one.

    :ivar status: the stack's status; empty if there is no such stack.
    :ivar began: when the last update began, else when the stack was created. AWS does not document
        whether a rollback counts as an update: compare it only while the stack goes forward.
    :ivar root_status: the status of a nested stack's root; empty for any other stack.
    """

    status: str
    began: str = ""
    root_status: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing is under way, not even a clean-up."""
        return not self.status or self.status.endswith(("_COMPLETE", "_FAILED"))

    @property
    def is_settled(self) -> bool:
        """Whether what the stack and its root have deployed can no longer be rolled back."""
        return all(
            not status or status.endswith("_COMPLETE") for status in (self.status, self.root_status)
        )

    @property
    def rolls_back(self) -> bool:
        """Whether what happens now undoes a failed deployment of the stack or of its root."""
        return "ROLLBACK" in self.status or "ROLLBACK" in self.root_status

    @property
    def undoes(self) -> bool:
        """Whether a Delete that comes now puts back what the resource changed.

        A nested stack that vanishes while its root still goes forward was made by a deployment that
        failed further up. If the root cannot be read, the worst is assumed.
        """
        return self.rolls_back or (
            self.status.startswith("DELETE") and self.root_status in _FAILED_ABOVE
        )

    def goes_forward_since(self, began: str) -> bool:
        """Whether this is still the deployment that began then, on its way forward."""
        elsewhere = self.is_over or self.rolls_back or self.status.startswith("DELETE")
        return self.began == began and not elsewhere


def read(client: CloudFormationClient, stack_id: str) -> Deployment:
    """Return the deployment that the stack is in.

    :raises CallError: CloudFormation did not say.
    """
    try:
        stack = call(
            "DescribeStacks", stack_id, lambda: client.describe_stacks(StackName=stack_id)
        )["Stacks"][0]
    except CallError as error:
        if error.code == "ValidationError" and "does not exist" in str(error):
            return Deployment(status="")
        raise
    root_id = stack.get("RootId", stack_id)
    try:
        root_status = read(client, root_id).status if root_id != stack_id else ""
    except CallError as error:
        if error.failure is not Failure.ACCESS_DENIED:
            raise
        root_status = _UNKNOWN_ROOT
    return Deployment(
        status=stack["StackStatus"],
        began=str(stack.get("LastUpdatedTime") or stack.get("CreationTime")),
        root_status=root_status,
    )


def awaits(client: CloudFormationClient, request: Request) -> bool:
    """Whether CloudFormation waits for the answer to a request of this kind.

    :raises CallError: CloudFormation did not say.
    """
    resource = _resource(client, request)
    if resource.get("ResourceStatus") != f"{request.type.value.upper()}_IN_PROGRESS":
        return False
    known = resource.get("PhysicalResourceId")
    return not request.physical_id or not known or known == request.physical_id


def has_failed(client: CloudFormationClient, request: Request) -> bool:
    """Whether CloudFormation has given up a request of this kind.

    :raises CallError: CloudFormation did not say.
    """
    status = _resource(client, request).get("ResourceStatus")
    return bool(status == f"{request.type.value.upper()}_FAILED")


def _resource(client: CloudFormationClient, request: Request) -> Mapping[str, Any]:
    """Return what DescribeStackResource says; nothing if there is no such resource."""
    try:
        return call(
            "DescribeStackResource",
            f"{request.logical_id} of {request.stack_id}",
            lambda: client.describe_stack_resource(
                StackName=request.stack_id, LogicalResourceId=request.logical_id
            ),
        )["StackResourceDetail"]
    except CallError as error:
        if error.code == "ValidationError":
            return {}
        raise


def listed_ids(client: CloudFormationClient, stack_id: str) -> frozenset[str]:
    """Return the physical IDs of the stack's resources that are not gone or going.

    :raises CallError: CloudFormation did not say.
    """
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack_id)
    return frozenset(
        resource["PhysicalResourceId"]
        for page in call("ListStackResources", stack_id, lambda: list(pages))
        for resource in page["StackResourceSummaries"]
        if "PhysicalResourceId" in resource and not resource["ResourceStatus"].startswith("DELETE")
    )
