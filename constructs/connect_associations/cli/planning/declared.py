"""What synthesized stacks declare by the provider's rules, and what only a deployment tells."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any

from connect_associations.cli import stacks
from connect_associations.cli.errors import explain
from connect_associations.cli.planning.assembly import NESTED
from connect_associations.cli.planning.template import DeployTimeError, Evaluation
from connect_associations.cli.session import Table
from connect_provider import identifiers
from connect_provider.contacts.declaration import CONTACT_USER
from connect_provider.errors import ProviderError
from connect_provider.failures import CallError, Failure, call
from connect_provider.groups import declaration
from connect_provider.groups.declaration import GROUP_USER, GROUP_USERS
from connect_provider.ledger.claim import Owner
from connect_provider.users import filter as rules
from connect_provider.users import roster
from connect_provider.users.lookup import USER_LOOKUP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connect_associations.cli.planning.assembly import Synthesized, Template
    from connect_associations.cli.session import Session
    from connect_associations.cli.stacks import Resource, Stack
    from connect_provider.groups.declaration import GroupUsers

_FUNCTION = "AWS::Lambda::Function"
_FRAMEWORK = ("ServiceToken", "ServiceTimeout")
_AT_ONCE = 0.0
"""Who is not found is not waited for, as if somebody had asked long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """An association in a template.

    :ivar wanted: what it declares, as far as that is known; None: nothing that could be used is.
    :ivar unknown: what is known only when it is deployed.
    :ivar problem: why the provider refuses it, or a name in it; empty if it does not.
    """

    owner: Owner
    type: str
    wanted: GroupUsers | None = None
    unknown: tuple[str, ...] = ()
    problem: str = ""


@dataclass(slots=True, kw_only=True)
class PlannedStack:
    """A stack as it is to be deployed.

    :ivar stack_id: of a stack that is not there yet one that nobody else has.
    :ivar deployed: the stack as it is; None if it is not there yet.
    :ivar left_out: the resources whose condition does not hold.
    :ivar read_before: reads the template that is deployed; None if it is not known.
    """

    name: str
    stack_id: str
    deployed: Stack | None
    read_before: Callable[[], Mapping[str, Any] | None]
    template: Template
    declarations: list[Declaration] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    tables: set[Table] = field(default_factory=set)

    def has(self, logical_id: str) -> bool:
        """Whether the stack is to have a resource."""
        return logical_id in self.template.resources and logical_id not in self.left_out

    def is_changed(self, logical_id: str) -> bool:
        """Whether CloudFormation has a reason to update a resource, as far as its text tells."""
        if not any(logical_id == resource.logical_id for resource in self.resources):
            return True
        before, after = (
            (body or {}).get("Resources", {}).get(logical_id, {}).get("Properties")
            for body in (self.read_before(), self.template.body)
        )
        return bool(before != after)

    def keeps(self, logical_id: str) -> bool:
        """Whether what a version of a resource claims stays when the stack loses the version.

        The policies that count are those of the template that the version was deployed with.
        """
        name = "UpdateReplacePolicy" if self.has(logical_id) else "DeletionPolicy"
        before = (self.read_before() or {}).get("Resources", {}).get(logical_id, {})
        return str(before.get(name, "Delete")).startswith("Retain")

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The resources that the deployed stack has."""
        found = self.deployed.resources if self.deployed else ()
        return tuple(resource for resource in found if resource.is_there)

    @property
    def concerns_connect(self) -> bool:
        """Whether the stack declares associations, or has some."""
        return bool(self.declarations) or any(
            resource.type in (GROUP_USER, GROUP_USERS, CONTACT_USER) for resource in self.resources
        )


class Reader:
    """Reads stacks, and below them their nested stacks.

    :param seen: is told what is looked at, for a progress bar.
    :param warn: is told what is not known.
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
                Context(account=synthesized.account, region=region, parameters={}),
            )
        )

    def _read(
        self, name: str, template: Template, deployed: Stack | None, context: Context
    ) -> Iterator[PlannedStack]:
        planned = PlannedStack(
            name=name,
            stack_id=deployed.id if deployed else f"new/{name}/stack",
            deployed=deployed,
            read_before=cache(partial(self._template_of, deployed)),
            template=template,
        )
        reading = _Reading(self._session, planned, context, self._exported)
        for logical_id, resource in template.resources.items():
            kind = resource.get("Type")
            try:
                if "Condition" in resource and not reading.evaluation.holds(resource["Condition"]):
                    planned.left_out.add(logical_id)
                    continue
            except DeployTimeError as unknown:
                if kind in (GROUP_USER, GROUP_USERS, CONTACT_USER):
                    planned.declarations.append(reading.unknown(logical_id, kind, unknown))
                continue
            if kind in (GROUP_USER, GROUP_USERS):
                self._seen(f"{logical_id} of stack {name}")
                planned.declarations.append(reading.declaration(logical_id, resource))
            elif kind == _FUNCTION:
                planned.tables.update(reading.tables(resource))
            elif kind == NESTED and logical_id in template.nested:
                below = reading.physical_id(logical_id)
                yield from self._read(
                    f"{name}-{logical_id}",
                    template.nested[logical_id],
                    stacks.read(self._session, below) if below else None,
                    Context(
                        account=context.account,
                        region=context.region,
                        parameters=reading.parameters_of(resource),
                    ),
                )
            elif kind == NESTED:
                missing = DeployTimeError("its template, which is not in the assembly")
                planned.declarations.append(reading.unknown(logical_id, NESTED, missing))
        yield planned

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where a stack goes.

    :ivar account: empty if that is not known.
    :ivar parameters: the values that a nested stack gets, as far as they are known.
    """

    account: str
    region: str
    parameters: Mapping[str, Any]


class _Reading:
    """Reads one stack."""

    def __init__(
        self,
        session: Session,
        planned: PlannedStack,
        context: Context,
        exported: Callable[[str, str], str],
    ) -> None:
        self._session = session
        self._planned = planned
        self._context = context
        deployed = planned.deployed
        self._partition = session.partition(context.region)
        self._account = deployed.id.split(":")[4] if deployed else context.account
        self._physical_ids = {
            resource.logical_id: resource.physical_id
            for resource in (deployed.resources if deployed else ())
            if resource.is_there and resource.physical_id
        }
        self.evaluation = Evaluation(
            planned.template.body,
            ref=self._ref,
            attribute=self._attribute,
            imported=lambda name: exported(context.region, name),
        )

    def physical_id(self, logical_id: str) -> str:
        """Return the physical ID that a resource has; empty if it has none."""
        return self._physical_ids.get(logical_id, "")

    def unknown(self, logical_id: str, kind: str, unknown: DeployTimeError) -> Declaration:
        """Return a declaration of which nothing is known."""
        owner = Owner(self._planned.stack_id, logical_id)
        return Declaration(owner=owner, type=kind, unknown=(str(unknown),))

    def declaration(self, logical_id: str, resource: Mapping[str, Any]) -> Declaration:
        """Return what a group user or a membership declares."""
        kind = resource["Type"]
        made = Declaration(owner=Owner(self._planned.stack_id, logical_id), type=kind)
        try:
            properties, unknown = self._properties(resource.get("Properties", {}))
            wanted = self._wanted(properties, kind) if properties else None
        except ProviderError as error:
            return replace(made, problem=str(error))
        return replace(made, wanted=wanted, unknown=unknown)

    def tables(self, function: Mapping[str, Any]) -> Iterator[Table]:
        """Return the ledger that a function is told to use, if it is known already."""
        variables = function.get("Properties", {}).get("Environment", {}).get("Variables", {})
        if stacks.TABLE_VARIABLE in variables:
            try:
                name = self.evaluation.value(variables[stacks.TABLE_VARIABLE])
            except DeployTimeError:
                return
            yield Table(name=name, region=self._context.region)

    def parameters_of(self, nested: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a nested stack gets, as far as that is known."""
        found = {}
        for name, value in nested.get("Properties", {}).get("Parameters", {}).items():
            try:
                found[name] = self.evaluation.value(value)
            except DeployTimeError:
                continue
        return found

    def _properties(self, properties: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return what is known of the properties, and what is not.

        Of a list of users some may be known. If anything else is not, nothing can be said.
        """
        found: dict[str, Any] = {}
        unknown: list[str] = []
        for name, value in properties.items():
            if name in _FRAMEWORK:
                continue
            if name == "UserIds" and isinstance(value, list):
                found[name] = []
                for each in value:
                    try:
                        found[name] += self.evaluation.value([each])
                    except DeployTimeError as error:
                        unknown.append(str(error))
                if found[name] or not unknown:
                    continue
                return {}, tuple(unknown)
            try:
                found[name] = self.evaluation.value(value)
            except DeployTimeError as error:
                return {}, (str(error),)
        return found, tuple(unknown)

    def _wanted(self, properties: Mapping[str, Any], kind: str) -> GroupUsers:
        """Return what the provider would make of the properties.

        :raises ProviderError: it would refuse them.
        """
        wanted = declaration.read(properties, kind, owner=self._owner)
        connect = self._session.connect(wanted.group.region)
        instance_id = wanted.instance_id
        if wanted.names:
            names = declaration.usernames(properties)
            found = roster.claimed(
                connect, instance_id=instance_id, usernames=names, since=_AT_ONCE
            )
            return wanted._replace(users=frozenset(found))
        if wanted.rule:
            users = rules.claimed(
                connect, instance_id=instance_id, rule=wanted.rule, since=_AT_ONCE
            )
            return wanted._replace(users=users)
        return wanted

    @cached_property
    def _owner(self) -> identifiers.Owner:
        return identifiers.Owner(
            partition=self._partition, account=self._account, region=self._context.region
        )

    def _ref(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        deployed = self._planned.deployed
        pseudo = {
            "AWS::Region": self._context.region,
            "AWS::Partition": self._partition,
            "AWS::AccountId": self._account,
            "AWS::StackName": deployed.name if deployed else "",
            "AWS::StackId": deployed.id if deployed else "",
        }
        parameters = self._planned.template.body.get("Parameters", {})
        if name in parameters:
            return self._parameter(name, parameters[name])
        found = pseudo.get(name) or self._physical_ids.get(name)
        if not found:
            raise DeployTimeError(name)
        return found

    def _parameter(self, name: str, parameter: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
        values: Mapping[str, Any] = {
            **(self._planned.deployed.parameters if self._planned.deployed else {}),
            **self._context.parameters,
        }
        kind = str(parameter.get("Type"))
        if name not in values and ("Default" not in parameter or "::SSM::" in kind):
            raise DeployTimeError(f"parameter {name}")
        value = values.get(name, parameter.get("Default"))
        is_list = kind.startswith("List<") or kind == "CommaDelimitedList"
        return str(value).split(",") if is_list else value

    def _attribute(self, logical_id: str, attribute: str) -> Any:  # noqa: ANN401 - any JSON value
        resource = self._planned.template.resources.get(logical_id, {})
        if resource.get("Type") == USER_LOOKUP and attribute == "UserIds":
            return self._looked_up(resource["Properties"])
        arn = self._physical_ids.get(logical_id, "")
        if identifiers.ARN.fullmatch(arn) and attribute.endswith(("Arn", "Id")):
            # What Connect's own resource types answer, of themselves.
            return arn if attribute.endswith("Arn") else identifiers.last_segment(arn)
        raise DeployTimeError(f"{logical_id}.{attribute}")

    def _looked_up(self, properties: Mapping[str, Any]) -> str:
        """Return the users whom a lookup finds, as its attribute has them.

        :raises ProviderError: a name belongs to nobody, or to several users.
        """
        instance = identifiers.parse(
            self.evaluation.value(properties["InstanceId"]),
            kind=identifiers.Kind.INSTANCE,
            name="InstanceId",
            owner=self._owner,
        )
        region = str(self.evaluation.value(properties.get("Region", self._context.region)))
        names = self.evaluation.value(properties["Usernames"])
        return ",".join(
            roster.claimed(
                self._session.connect(region),
                instance_id=instance.id,
                usernames=names,
                since=_AT_ONCE,
            )
        )
