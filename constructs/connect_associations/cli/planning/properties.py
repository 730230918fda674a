"""What is known of a resource's properties before it is deployed, by the provider's rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from connect_associations.cli import stacks
from connect_associations.cli.planning.declared import Declaration
from connect_associations.cli.planning.template import DeployTimeError, Evaluation
from connect_associations.cli.session import Table
from connect_provider import identifiers
from connect_provider.contacts import declaration as contacts
from connect_provider.contacts.declaration import CONTACT_USER
from connect_provider.errors import ProviderError
from connect_provider.groups import declaration
from connect_provider.ledger.claim import Owner
from connect_provider.users import filter as rules
from connect_provider.users import roster
from connect_provider.users.lookup import USER_LOOKUP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connect_associations.cli.planning.declared import PlannedStack
    from connect_associations.cli.session import Session
    from connect_provider.groups.declaration import GroupUsers

_FRAMEWORK = ("ServiceToken", "ServiceTimeout")
_AT_ONCE = 0.0
"""Users who are not found are not waited for, as if the request had begun long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where a stack goes.

    :ivar root: the name of the outermost stack.
    :ivar account: empty if that is not known.
    :ivar parameters: the values that a nested stack gets, as far as they are known.
    """

    root: str
    account: str
    region: str
    parameters: Mapping[str, Any]


class Properties:
    """What is known of the properties of one stack's resources.

    :param exported: returns what another stack exports in a Region; raises DeployTimeError.
    """

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

    def unknown(
        self, logical_id: str, resource: Mapping[str, Any], unknown: DeployTimeError
    ) -> Declaration:
        """Return a declaration of which nothing is known."""
        owner = Owner(self._planned.stack_id, logical_id)
        return Declaration(owner=owner, type=resource["Type"], unknown=(str(unknown),))

    def declaration(self, logical_id: str, resource: Mapping[str, Any]) -> Declaration:
        """Return what an association declares."""
        kind = resource["Type"]
        made = Declaration(owner=Owner(self._planned.stack_id, logical_id), type=kind)
        try:
            properties, unknown = self._properties(resource.get("Properties", {}))
            made = replace(made, unknown=unknown)
            if not properties:
                return made
            if kind == CONTACT_USER:
                return replace(made, contact=contacts.read(properties, owner=self._owner))
            return replace(made, wanted=self._wanted(properties, kind))
        except ProviderError as error:
            return replace(made, problem=str(error))

    def tables(self, function: Mapping[str, Any]) -> Iterator[Table]:
        """Return the ledger that a function uses, if it is known already."""
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
    def _owner(self) -> identifiers.Account:
        return identifiers.Account(
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
        # A secret is shown as asterisks, and Systems Manager's default is a name, not the value.
        is_secret = str(parameter.get("NoEcho", False)).lower() == "true"
        is_open = "Default" in parameter and "::SSM::" not in kind
        if is_secret or (name not in values and not is_open):
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
