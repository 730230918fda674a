from __future__ import annotations

from typing import TYPE_CHECKING

from connect_associations.testing.emulator.patched_ministack import deleting, describing

if TYPE_CHECKING:
    from connect_associations.testing.emulator.patched_ministack import Response, Stack

PARENT_OF = {"Top": "", "Middle": "Top", "Bottom": "Middle", "Other": ""}


def stacks() -> dict[str, Stack]:
    return {
        name: {
            "StackId": f"arn:{name}/1",
            "StackStatus": "CREATE_COMPLETE",
            **({"_parent_stack_name": parent} if parent else {}),
        }
        for name, parent in PARENT_OF.items()
    }


def test_nested_stacks_are_described_with_parent_and_root() -> None:
    def describe(asked_for: Stack) -> Response:
        listed = "".join(f"<StackId>arn:{name}/1</StackId><S/>" for name in asked_for["names"])
        return 200, {"Content-Type": "application/xml"}, listed.encode()

    answer = describing(describe, stacks())({"names": ["Top", "Middle", "Bottom"]})
    status, headers, body = answer
    assert (status, headers) == (200, {"Content-Type": "application/xml"})
    assert body.decode() == (
        "<StackId>arn:Top/1</StackId><S/>"
        "<StackId>arn:Middle/1</StackId>"
        "<ParentId>arn:Top/1</ParentId><RootId>arn:Top/1</RootId><S/>"
        "<StackId>arn:Bottom/1</StackId>"
        "<ParentId>arn:Middle/1</ParentId><RootId>arn:Top/1</RootId><S/>"
    )


def test_a_nested_stack_says_that_it_is_deleted_before_its_resources_are() -> None:
    here = stacks()
    seen = []

    def delete(physical_id: str, properties: Stack) -> None:
        seen.append((physical_id, properties, here["Bottom"]["StackStatus"]))

    deleting(delete, here)("arn:Bottom/1", {"TemplateURL": "…"})
    assert seen == [("arn:Bottom/1", {"TemplateURL": "…"}, "DELETE_IN_PROGRESS")]
    assert here["Middle"]["StackStatus"] == "CREATE_COMPLETE"
