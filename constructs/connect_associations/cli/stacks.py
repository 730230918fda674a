"""A stack with its nested stacks, as CloudFormation shows it, and the ledgers that it uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connect_associations.cli.errors import CommandError
from connect_associations.cli.session import Table
from connect_provider.failures import CallError, Failure, call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from connect_associations.cli.session import Session

_NESTED = "AWS::CloudFormation::Stack"
_FUNCTION = "AWS::Lambda::Function"
TABLE_VARIABLE = "LEDGER_TABLE_NAME"
"""The environment variable in which the provider's functions find their ledger."""
_NOT_THERE = ("DELETE_COMPLETE", "DELETE_SKIPPED")


class Resource(NamedTuple):
    """A resource as ListStackResources shows it."""

    logical_id: str
    physical_id: str
    type: str
    status: str

    @property
    def is_there(self) -> bool:
        """Whether the stack still has it."""
        return self.status not in _NOT_THERE

    @property
    def is_settled(self) -> bool:
        """Whether it was created or updated, and is listed with the physical ID that it has."""
        return self.is_there and self.status.endswith("_COMPLETE")


class Stack(NamedTuple):
    """A stack.

    :ivar status: as CloudFormation names it.
    :ivar root_id: the outermost stack, of a nested one; else empty.
    :ivar parameters: the values of its parameters.
    """

    id: str
    status: str
    root_id: str
    resources: tuple[Resource, ...]
    parameters: Mapping[str, str]

    @property
    def name(self) -> str:
        """The stack's name."""
        return name_of(self.id)

    @property
    def steady(self) -> bool:
        """Whether no deployment is under way, nor one that has yet to be finished."""
        return not self.status.endswith(("_IN_PROGRESS", "ROLLBACK_FAILED"))


def name_of(stack_id: str) -> str:
    """Return the name in a stack's ARN."""
    return stack_id.split("/")[1] if "/" in stack_id else stack_id


def read(session: Session, name: str, *, region: str | None = None) -> Stack | None:
    """Return the stack of that name or ID; None if there is none.

    :param region: where it is. Default: what the ID says, else the session's
    :raises CallError: CloudFormation would not say.
    """
    parts = name.split(":")
    client = session.client("cloudformation", parts[3] if parts[0] == "arn" else region)
    try:
        described = call(
            "DescribeStacks", f"stack {name}", lambda: client.describe_stacks(StackName=name)
        )["Stacks"]
    except CallError as error:
        if error.code == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    if not described or described[0]["StackStatus"] == "DELETE_COMPLETE":
        return None
    found = described[0]
    pages = client.get_paginator("list_stack_resources").paginate(StackName=found["StackId"])
    resources = tuple(
        Resource(
            logical_id=each["LogicalResourceId"],
            physical_id=each.get("PhysicalResourceId", ""),
            type=each["ResourceType"],
            status=each["ResourceStatus"],
        )
        for page in call("ListStackResources", f"stack {name}", lambda: list(pages))
        for each in page["StackResourceSummaries"]
    )
    root_id = found.get("RootId", "")
    return Stack(
        id=found["StackId"],
        status=found["StackStatus"],
        root_id="" if root_id == found["StackId"] else root_id,
        resources=resources,
        parameters={
            # A parameter of Systems Manager has its value next to its name.
            each["ParameterKey"]: each.get("ResolvedValue", each.get("ParameterValue", ""))
            for each in found.get("Parameters", [])
        },
    )


def tree(session: Session, name: str, *, seen: Callable[[str], None]) -> list[Stack]:
    """Return the stack of that name or ID, and below it its nested stacks.

    :param seen: receives what is being looked at, for a progress bar.
    :raises CommandError: there is no such stack.
    :raises CallError: CloudFormation would not say.
    """
    found = _tree(session, name, seen)
    if not found:
        raise CommandError(
            f"there is no stack {name!r} in {session.region}; check the name, --region and "
            "--profile"
        )
    return found


def _tree(session: Session, name: str, seen: Callable[[str], None]) -> list[Stack]:
    seen(f"stack {name_of(name)}")
    stack = read(session, name)
    if stack is None:
        return []
    found = [stack]
    for resource in stack.resources:
        if resource.type == _NESTED and resource.physical_id and resource.is_there:
            found += _tree(session, resource.physical_id, seen)
    return found


def ledgers(session: Session, stacks: list[Stack], *, seen: Callable[[str], None]) -> list[Table]:
    """Return the ledgers that the functions of *stacks* use.

    Their environment is right where the table belongs to another stack, or to none. A nested stack
    may be served by functions of the stacks around it.

    :param stacks: a stack and its nested stacks.
    :raises CommandError: there is none.
    :raises CallError: a function cannot be read.
    """
    found = _tables(session, stacks, seen)
    root_id = stacks[0].root_id
    if not found and root_id:
        found = _tables(session, _tree(session, root_id, seen), seen)
    if not found:
        raise CommandError(
            f"no function of stack {stacks[0].name} names a ledger in {TABLE_VARIABLE}: the stack "
            "declares no associations, its provider belongs to another stack, or its provider is "
            "older than the ledger; check the name, or name the table with --ledger"
        )
    return sorted(found)


def _tables(session: Session, stacks: Iterable[Stack], seen: Callable[[str], None]) -> set[Table]:
    found = set()
    for stack, function in _functions(stacks):
        seen(f"function {function.logical_id}")
        region = stack.id.split(":")[3]
        name = _variables(session.client("lambda", region), function).get(TABLE_VARIABLE)
        if name:
            found.add(Table(name=name, region=region))
    return found


def _functions(stacks: Iterable[Stack]) -> Iterator[tuple[Stack, Resource]]:
    for stack in stacks:
        for resource in stack.resources:
            if resource.type == _FUNCTION and resource.physical_id and resource.is_there:
                yield stack, resource


def _variables(client: Any, function: Resource) -> dict[str, str]:  # noqa: ANN401 - boto3's client
    """Return a function's environment; empty if the function was deleted by hand.

    :raises CommandError: it is encrypted with a key that may not be used.
    """
    try:
        environment: dict[str, Any] = call(
            "GetFunctionConfiguration",
            f"function {function.physical_id}",
            lambda: client.get_function_configuration(FunctionName=function.physical_id),
        ).get("Environment", {})
    except CallError as error:
        if error.failure is Failure.NOT_FOUND:
            return {}
        raise
    if "Error" in environment:
        raise CommandError(
            f"the environment of function {function.physical_id} cannot be read: "
            f"{environment['Error'].get('Message', 'it is encrypted')}; allow kms:Decrypt on its "
            "key, or name the table with --ledger"
        )
    variables: dict[str, str] = environment.get("Variables", {})
    return variables
