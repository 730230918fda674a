"""How much of the Lambda's code one user's requests pass, for those who have to follow it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import connect_provider
from benchmarks import aws, lambda_run, subjects
from benchmarks.figures import Figure, Limit, Section
from connect_provider.handler import Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType, FrameType

_FUNCTIONS = Limit(most=30)
_FILES = Limit(most=8)
_PACKAGE = str(Path(connect_provider.__file__).parent)


class Watched:
    """Handlers, and the functions that they run through.

    :param provider: what they are.
    :ivar passed: the functions, by handler.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.passed: dict[str, set[CodeType]] = {"on_event": set(), "is_complete": set()}

    def on_event(self, event: dict[str, Any]) -> Mapping[str, Any]:
        """Plan."""
        return self._watch("on_event", self._provider.on_event, event)

    def is_complete(self, event: dict[str, Any]) -> Mapping[str, Any]:
        """Converge."""
        return self._watch("is_complete", self._provider.is_complete, event)

    def _watch(
        self,
        name: str,
        handler: Callable[[dict[str, Any]], Mapping[str, Any]],
        event: dict[str, Any],
    ) -> Mapping[str, Any]:
        def note(frame: FrameType, what: str, _argument: object) -> None:
            if what == "call" and _is_own_function(frame.f_code):
                self.passed[name].add(frame.f_code)

        before = sys.getprofile()
        sys.setprofile(note)
        try:
            return handler(event)
        finally:
            sys.setprofile(before)


def _is_own_function(code: CodeType) -> bool:
    """Whether it is a function of the package with a name: no lambda, no generator expression."""
    return code.co_filename.startswith(_PACKAGE) and not code.co_name.startswith("<")


def walk() -> dict[tuple[str, str], set[CodeType]]:
    """Return the functions that are run through, by request type and handler."""
    first, second = subjects.agents(2)
    passed: dict[tuple[str, str], set[CodeType]] = {}
    with aws.serving([first, second]) as served, served.entered():

        def watch(kind: str, request: Callable[[lambda_run.Resource], None]) -> None:
            watched = Watched(Provider())
            resource.handlers = watched
            request(resource)
            passed.update({(kind, name): codes for name, codes in watched.passed.items()})

        resource = lambda_run.Resource(Provider())
        watch("Create", lambda it: it.create([first], as_membership=False))
        served.stack.status, served.stack.updates = "UPDATE_IN_PROGRESS", 1
        before = resource.physical_id
        watch("Update", lambda it: it.update([second]))
        served.stack.status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        resource.handlers = Provider()
        resource.clean_up(before)
        served.stack.status = "DELETE_IN_PROGRESS"
        watch("Delete", lambda it: it.delete())
    return passed


def measure() -> list[Section]:
    """Follow a single user's Create, Update and Delete."""
    passed = walk()
    return [
        Section(
            title="The path of a single user",
            method=(
                "The functions of the package that a single user's request runs through in each "
                "handler, and their files, in a new container with real boto3 clients. Lambdas and "
                "generator expressions belong to the function around them, and imports do not "
                "count. Before the ledger there were 60 to 73 functions in 15 files."
            ),
            figures=tuple(
                figure
                for (kind, name), codes in passed.items()
                for figure in (
                    Figure(name=f"{kind}, `{name}`: functions", ours=len(codes), limit=_FUNCTIONS),
                    Figure(
                        name=f"{kind}, `{name}`: files",
                        ours=len({code.co_filename for code in codes}),
                        limit=_FILES,
                    ),
                )
            ),
        )
    ]
