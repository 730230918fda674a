"""The emulator of AWS, with nested stacks that look as they do in CloudFormation.

Run by the Python of the emulator's virtual environment, in place of ``python -m ministack``, which

- leaves ``ParentId`` and ``RootId`` out of DescribeStacks, so that nobody can see that the parent
  of a nested stack rolls back;
- leaves a nested stack at rest, as ``CREATE_COMPLETE``, while its resources are deleted.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Stack = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

_PACKAGE = "ministack.services.cloudformation"


def describing(
    describe: Callable[[Stack], Response], stacks: dict[str, Stack]
) -> Callable[[Stack], Response]:
    """Return DescribeStacks with the parent and the root of nested stacks."""

    def answer(parameters: Stack) -> Response:
        status, headers, body = describe(parameters)
        text = body.decode()
        for stack in list(stacks.values()):
            parent = root = stacks.get(stack.get("_parent_stack_name", ""))
            while root and root.get("_parent_stack_name"):
                root = stacks.get(root["_parent_stack_name"])
            if parent and root:
                known = f"<StackId>{stack['StackId']}</StackId>"
                text = text.replace(
                    known,
                    f"{known}<ParentId>{parent['StackId']}</ParentId>"
                    f"<RootId>{root['StackId']}</RootId>",
                )
        return status, headers, text.encode()

    return answer


def deleting(
    delete: Callable[[str, Stack], None], stacks: dict[str, Stack]
) -> Callable[[str, Stack], None]:
    """Return the deletion of a nested stack that says what it does."""

    def delete_nested(physical_id: str, properties: Stack) -> None:
        for name, stack in list(stacks.items()):
            if physical_id in (name, stack["StackId"]):
                stack["StackStatus"] = "DELETE_IN_PROGRESS"
        delete(physical_id, properties)

    return delete_nested


def main() -> None:
    """Serve until the program is ended."""
    # It is installed for the Python that runs this, not for the one that checks it.
    package, handlers, provisioners = (
        importlib.import_module(name)
        for name in (_PACKAGE, f"{_PACKAGE}.handlers", f"{_PACKAGE}.provisioners")
    )
    stacks: dict[str, Stack] = package._stacks  # noqa: SLF001 - there is no other way
    actions = handlers._ACTION_HANDLERS  # noqa: SLF001 - see above
    actions["DescribeStacks"] = describing(actions["DescribeStacks"], stacks)
    nested = provisioners._RESOURCE_HANDLERS["AWS::CloudFormation::Stack"]  # noqa: SLF001 - see above
    nested["delete"] = deleting(nested["delete"], stacks)
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()
