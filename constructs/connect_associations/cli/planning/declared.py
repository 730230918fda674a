"""What synthesized stacks declare: values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connect_provider.contacts.declaration import CONTACT_USER
from connect_provider.groups.declaration import GROUP_USER, GROUP_USERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connect_associations.cli.planning.assembly import Template
    from connect_associations.cli.session import Table
    from connect_associations.cli.stacks import Resource, Stack
    from connect_provider.contacts.declaration import ContactUser
    from connect_provider.groups.declaration import GroupUsers
    from connect_provider.ledger.claim import Owner

ASSOCIATIONS = (GROUP_USER, GROUP_USERS, CONTACT_USER)
"""The types of resources that are associations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """An association in a template.

    :ivar wanted: the users of a group whom it declares, as far as they are known; None: nothing
        that could be used is.
    :ivar contact: the contact that it assigns; None: it assigns none, or not enough is known.
    :ivar unknown: what is known only when it is deployed.
    :ivar problem: why the provider refuses it, or a name in it; empty if it does not.
    """

    owner: Owner
    type: str
    wanted: GroupUsers | None = None
    contact: ContactUser | None = None
    unknown: tuple[str, ...] = ()
    problem: str = ""


@dataclass(slots=True, kw_only=True)
class PlannedStack:
    """A stack as it is to be deployed.

    :ivar root: the name of the outermost stack.
    :ivar stack_id: of a stack that is not there yet one that nobody else has.
    :ivar deployed: the stack as it is; None if it is not there yet.
    :ivar left_out: the resources whose condition does not hold.
    :ivar removed: the nested stacks that the stack loses, with those below them.
    :ivar tables: the ledgers, as far as they are there already.
    :ivar read_before: reads the template that is deployed; None if it is not known.
    """

    name: str
    root: str
    stack_id: str
    region: str
    deployed: Stack | None
    read_before: Callable[[], Mapping[str, Any] | None]
    template: Template
    declarations: list[Declaration] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    removed: list[Stack] = field(default_factory=list)
    tables: set[Table] = field(default_factory=set)

    def has(self, logical_id: str) -> bool:
        """Whether the stack is to have a resource."""
        return logical_id in self.template.resources and logical_id not in self.left_out

    def is_changed(self, logical_id: str) -> bool:
        """Whether CloudFormation has a reason to update a resource, as far as its text tells."""
        if not any(logical_id == resource.logical_id for resource in self.resources):
            return True
        after = self.template.resources.get(logical_id, {})
        return bool(self.before(logical_id).get("Properties") != after.get("Properties"))

    def keeps(self, logical_id: str) -> bool:
        """Whether what a version of a resource claims stays when the stack loses the version.

        The policies that count are those of the template that the version was deployed with.
        """
        name = "UpdateReplacePolicy" if self.has(logical_id) else "DeletionPolicy"
        return str(self.before(logical_id).get(name, "Delete")).startswith("Retain")

    def before(self, logical_id: str) -> Mapping[str, Any]:
        """Return a resource as it was deployed; empty if that is not known."""
        found: Mapping[str, Any] = (self.read_before() or {}).get("Resources", {})
        resource: Mapping[str, Any] = found.get(logical_id, {})
        return resource

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The resources that the deployed stack has."""
        found = self.deployed.resources if self.deployed else ()
        return tuple(resource for resource in found if resource.is_there)

    @property
    def concerns_connect(self) -> bool:
        """Whether the stack declares associations, or has some."""
        deployed = (*self.removed, *([self.deployed] if self.deployed else ()))
        declares = any(declared.type in ASSOCIATIONS for declared in self.declarations)
        return declares or any(map(has_associations, deployed))


def has_associations(stack: Stack) -> bool:
    """Whether a deployed stack has associations."""
    return any(resource.is_there and resource.type in ASSOCIATIONS for resource in stack.resources)
