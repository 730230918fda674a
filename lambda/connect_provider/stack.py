"""What CloudFormation says about the stack that a request belongs to.

Three read calls on the own stack are all that the provider may make: DescribeStacks,
ListStackResources and GetTemplate.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from connect_provider.calls import CallError, call
from connect_provider.template import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mypy_boto3_cloudformation.client import CloudFormationClient

_T = TypeVar("_T")


class StackUnknownError(Exception):
    """CloudFormation would not say; the text says why."""


class StackStatus(NamedTuple):
    """A stack's status, as CloudFormation names it; empty if there is no such stack.

    Source: `Stack status codes
    <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html>`_.
    """

    name: str

    @property
    def rolls_back(self) -> bool:
        """Whether what happens now undoes a failed deployment."""
        return "ROLLBACK" in self.name

    @property
    def undoes(self) -> bool:
        """Whether a deployment was given up, or the stack is: what they did is to be undone."""
        return self.rolls_back or self.is_deleted

    @property
    def reverts(self) -> bool:
        """Whether resources are being updated back to what they were."""
        return self.name in ("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED")

    @property
    def is_complete(self) -> bool:
        """Whether the deployment is over, but for the clean-up of what it replaced or removed."""
        return "_COMPLETE" in self.name

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is under way, not even a clean-up."""
        return self.name.endswith("_COMPLETE")

    @property
    def shows_template(self) -> bool:
        """Whether GetTemplate surely answers what the stack is, or goes back to.

        Before a rollback is complete it may still be the template that failed: what
        CloudFormation answers until then is documented nowhere.
        """
        return not self.rolls_back or self.goes_away or self.is_at_rest

    @property
    def goes_away(self) -> bool:
        """Whether every resource of the stack is being deleted."""
        return self.name.startswith(("DELETE", "ROLLBACK")) or not self.name

    @property
    def is_deleted(self) -> bool:
        """Whether the stack itself is being deleted, or is gone."""
        return self.name.startswith("DELETE") or not self.name


class StackResource(NamedTuple):
    """A resource as ListStackResources shows it."""

    physical_id: str
    status: str
    changed_at: datetime

    @property
    def is_deleted(self) -> bool:
        """Whether it is gone or about to go."""
        return self.status.startswith("DELETE")

    @property
    def is_complete(self) -> bool:
        """Whether it was created or updated, and CloudFormation knows its physical ID."""
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")


class Stack:
    """The stack, read at most once.

    :param client: boto3's CloudFormation client in the stack's Region.
    :param stack_id: the stack's ARN, or its name.
    """

    def __init__(self, *, client: CloudFormationClient, stack_id: str) -> None:
        self._client = client
        self._stack_id = stack_id

    @property
    def id(self) -> str:
        """The stack's ARN.

        :raises StackUnknownError: CloudFormation would not say.
        """
        stack_id: str = self._description.get("StackId", self._stack_id)
        return stack_id

    @cached_property
    def _description(self) -> Mapping[str, Any]:
        try:
            stacks = call(
                "DescribeStacks",
                self._stack_id,
                lambda: self._client.describe_stacks(StackName=self._stack_id),
            )["Stacks"]
        except CallError as error:
            if error.code == "ValidationError" and "does not exist" in str(error):
                return {}
            raise StackUnknownError(str(error)) from error
        return stacks[0] if stacks else {}

    @property
    def status(self) -> StackStatus:
        """The stack's status.

        :raises StackUnknownError: CloudFormation would not say.
        """
        return StackStatus(self._description.get("StackStatus", ""))

    @property
    def updated_at(self) -> datetime | None:
        """When the last update began; None before the first.

        :raises StackUnknownError: CloudFormation would not say.
        """
        return self._description.get("LastUpdatedTime")

    @cached_property
    def resources(self) -> Mapping[str, StackResource]:
        """The stack's resources by logical ID.

        :raises StackUnknownError: CloudFormation would not say.
        """
        paginator = self._client.get_paginator("list_stack_resources")

        def read() -> dict[str, StackResource]:
            return {
                summary["LogicalResourceId"]: StackResource(
                    physical_id=summary.get("PhysicalResourceId", ""),
                    status=summary["ResourceStatus"],
                    changed_at=summary["LastUpdatedTimestamp"],
                )
                for page in paginator.paginate(StackName=self._stack_id)
                for summary in page["StackResourceSummaries"]
            }

        return self._read("ListStackResources", read)

    @cached_property
    def template(self) -> Template:
        """The stack's current template.

        :raises StackUnknownError: CloudFormation would not say, or the template is not JSON.
        """

        def read() -> Any:  # noqa: ANN401 - boto3 parses JSON templates and leaves others as text
            return self._client.get_template(StackName=self._stack_id)["TemplateBody"]

        body = self._read("GetTemplate", read)
        if not isinstance(body, dict):
            raise StackUnknownError("the stack's template is not JSON")
        parts = self.id.split(":")
        parameters = {
            "AWS::StackId": self.id,
            "AWS::Partition": parts[1],
            "AWS::Region": parts[3],
            "AWS::AccountId": parts[4],
            "AWS::StackName": parts[5].split("/")[1],
        }
        for parameter in self._description.get("Parameters", []):
            value = parameter.get("ResolvedValue") or parameter.get("ParameterValue")
            if value is not None:
                parameters[parameter["ParameterKey"]] = value
        return Template(
            resources=body.get("Resources", {}),
            physical_ids={
                logical_id: resource.physical_id for logical_id, resource in self.resources.items()
            },
            parameters=parameters,
        )

    def _read(self, operation: str, read: Callable[[], _T]) -> _T:
        try:
            return call(operation, self._stack_id, read)
        except CallError as error:
            raise StackUnknownError(str(error)) from error
