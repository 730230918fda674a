"""Writes down the shapes of the operations of Amazon Connect that this project relies on.

``python -m tools.connect_model`` writes ``tests/unit/testing/connect_operations.txt`` from the
installed botocore. The tests fail when a later botocore says something else: read the difference,
change what has to be changed, and write the file again.
"""

# ruff: noqa: INP001 - a program that people run

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import botocore
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "tests" / "unit" / "testing" / "connect_operations.txt"
# In a checkout the library needs no installation.
sys.path.insert(0, str(ROOT / "constructs"))

from connect_associations.testing.service_model import (  # noqa: E402 - see above
    OPERATIONS,
    service_model,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CONSTRAINTS = ("min", "max", "pattern")


def model() -> ServiceModel:
    """Return what the installed botocore knows about Amazon Connect."""
    return service_model()


def described(operation: OperationModel) -> Iterator[str]:
    """Yield an operation's request, its members with their constraints, its answer and errors."""
    http = operation.http
    yield f"{operation.name}: {http['method']} {http['requestUri']}"
    yield f"  errors: {', '.join(sorted(shape.name for shape in operation.error_shapes))}"
    if operation.input_shape is not None:
        yield from _members(operation.input_shape, "  in ", ())
    if operation.output_shape is not None:
        yield from _members(operation.output_shape, "  out ", ())


def _members(shape: Shape, path: str, above: tuple[str, ...]) -> Iterator[str]:
    if shape.name in above:  # search criteria hold search criteria
        return
    above = (*above, shape.name)
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            where = member.serialization.get("location", "")
            yield _line(
                f"{path}{name}", member, required=name in shape.required_members, where=where
            )
            yield from _members(member, f"{path}{name}.", above)
    elif isinstance(shape, ListShape):
        yield from _members(shape.member, f"{path}[].", above)
    elif isinstance(shape, MapShape):
        yield from _members(shape.value, f"{path}{{}}.", above)


def _line(path: str, shape: Shape, *, required: bool, where: str) -> str:
    said = [shape.type_name, *(["required"] if required else []), *([where] if where else [])]
    said += [f"{name}={shape.metadata[name]}" for name in _CONSTRAINTS if name in shape.metadata]
    if shape.metadata.get("enum"):
        said.append("|".join(shape.metadata["enum"]))
    return f"{path}: {' '.join(said)}"


def text(operations: Iterable[str]) -> str:
    """Return the shapes of operations, one member a line."""
    known = model()
    return "".join(
        f"{line}\n" for name in operations for line in described(known.operation_model(name))
    )


def relied_on() -> tuple[str, list[str]]:
    """Return the version of botocore that the shapes were written down from, and the lines."""
    first, *lines = FILE.read_text(encoding="utf-8").splitlines()
    return first.rpartition(" ")[2], lines


if __name__ == "__main__":
    FILE.write_text(f"botocore {botocore.__version__}\n{text(OPERATIONS)}", encoding="utf-8")
