"""Reads what synthesized stacks declare, and what CloudFormation knows of them already."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from connect_associations.cli import stacks
from connect_associations.cli.errors import explain
from connect_associations.cli.planning.assembly import NESTED
from connect_associations.cli.planning.declared import (
    ASSOCIATIONS,
    PlannedStack,
    has_associations,
)
from connect_associations.cli.planning.properties import Context, Properties
from connect_associations.cli.planning.template import DeployTimeError
from connect_provider.failures import CallError, Failure, call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connect_associations.cli.planning.assembly import Synthesized, Template
    from connect_associations.cli.session import Session
    from connect_associations.cli.stacks import Stack

_FUNCTION = "AWS::Lambda::Function"


class Reader:
    """Reads stacks, and below them their nested stacks.

    :param seen: receives what is being looked at, for a progress bar.
    :param warn: receives what is not known.
    """

    def __init__(
        self, session: Session, *, seen: Callable[[str], None], warn: Callable[[str], None]
    ) -> None:
        self._session = session
        self._seen = seen
        self._warn = warn
        self._exports: dict[str, dict[str, str]] = {}

    def read(self, synthesized: Synthesized) -> list[PlannedStack]:
        """Return a stack and its nested stacks.

        :raises CallError: AWS refuses to answer.
        """
        region = synthesized.region or self._session.region
        self._seen(f"stack {synthesized.name}")
        deployed = stacks.read(self._session, synthesized.name, region=region)
        return list(
            self._read(
                synthesized.name,
                synthesized.template,
                deployed,
                Context(
                    root=synthesized.name,
                    account=synthesized.account,
                    region=region,
                    parameters={},
                ),
            )
        )

    def _read(
        self, name: str, template: Template, deployed: Stack | None, context: Context
    ) -> Iterator[PlannedStack]:
        planned = PlannedStack(
            name=deployed.name if deployed else name,
            root=context.root,
            stack_id=deployed.id if deployed else f"new/{name}/{context.region}",
            region=context.region,
            deployed=deployed,
            read_before=cache(partial(self._template_of, deployed)),
            template=template,
        )
        reading = Properties(self._session, planned, context, self._exported)
        for logical_id, resource in template.resources.items():
            kind = resource.get("Type")
            if not self._is_there(planned, reading, logical_id, resource):
                continue
            if kind in ASSOCIATIONS:
                self._seen(f"{logical_id} of stack {name}")
                planned.declarations.append(reading.declaration(logical_id, resource))
            elif kind == _FUNCTION:
                planned.tables.update(reading.tables(resource))
            elif kind == NESTED:
                yield from self._read_nested(planned, reading, logical_id, resource, context)
        self._read_removed(planned)
        yield planned

    def _is_there(
        self,
        planned: PlannedStack,
        reading: Properties,
        logical_id: str,
        resource: Mapping[str, Any],
    ) -> bool:
        """Whether the condition of a resource holds, as far as that is known."""
        try:
            if "Condition" not in resource or reading.evaluation.holds(resource["Condition"]):
                return True
            planned.left_out.add(logical_id)
        except DeployTimeError as unknown:
            if resource.get("Type") in ASSOCIATIONS:
                planned.declarations.append(reading.unknown(logical_id, resource, unknown))
        return False

    def _read_nested(
        self,
        planned: PlannedStack,
        reading: Properties,
        logical_id: str,
        resource: Mapping[str, Any],
        context: Context,
    ) -> Iterator[PlannedStack]:
        template = planned.template.nested.get(logical_id)
        if template is None:
            missing = DeployTimeError("its template, which is not in the assembly")
            planned.declarations.append(reading.unknown(logical_id, resource, missing))
            return
        below = reading.physical_id(logical_id)
        yield from self._read(
            f"{planned.name}-{logical_id}",
            template,
            stacks.read(self._session, below) if below else None,
            replace(context, parameters=reading.parameters_of(resource)),
        )

    def _read_removed(self, planned: PlannedStack) -> None:
        for resource in planned.resources:
            if resource.type != NESTED or planned.has(resource.logical_id):
                continue
            below = stacks.tree(self._session, resource.physical_id, seen=self._seen)
            planned.removed += below
            if any(map(has_associations, below)):
                # Their templates are not at hand, their functions are.
                planned.tables.update(stacks.ledgers(self._session, below, seen=self._seen))

    def _template_of(self, stack: Stack | None) -> Mapping[str, Any] | None:
        if stack is None:
            return None
        client = self._session.client("cloudformation", stack.id.split(":")[3])
        try:
            body: Any = call(
                "GetTemplate",
                f"stack {stack.name}",
                lambda: client.get_template(StackName=stack.id, TemplateStage="Original"),
            )["TemplateBody"]
        except CallError as error:
            if error.failure is not Failure.ACCESS_DENIED:
                raise
            self._warn(
                f"whom removal policies keep in stack {stack.name} is not known: {explain(error)}"
            )
            return None
        return body if isinstance(body, dict) else None

    def _exported(self, region: str, name: str) -> str:
        """Return what another stack exports."""
        if region not in self._exports:
            client = self._session.client("cloudformation", region)
            try:
                pages = call(
                    "ListExports",
                    f"Region {region}",
                    lambda: list(client.get_paginator("list_exports").paginate()),
                )
            except CallError as error:
                if error.failure is not Failure.ACCESS_DENIED:
                    raise
                self._warn(f"what stacks export is not known: {explain(error)}")
                pages = []
            self._exports[region] = {
                each["Name"]: each["Value"] for page in pages for each in page["Exports"]
            }
        if name not in self._exports[region]:
            raise DeployTimeError(f"export {name}")
        return self._exports[region][name]
