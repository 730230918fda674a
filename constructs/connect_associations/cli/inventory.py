"""What a stack declares beside what Connect holds: a row for each association.

CloudFormation's drift detection does not cover custom resources, so that nobody else looks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from connect_associations.cli.errors import CommandError, unreadable
from connect_provider import declaration, identifiers
from connect_provider.errors import InvalidEventError
from connect_provider.identifiers import Kind, Owner
from connect_provider.stack import StackUnknownError
from connect_provider.template import UnresolvableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connect_associations.cli.session import Session
    from connect_provider.connect import Group
    from connect_provider.declaration import ContactUser, GroupUsers
    from connect_provider.stack import Stack
    from connect_provider.template import Template


class State(Enum):
    """How an association stands."""

    IN_SYNC = "in sync"
    MISSING = "missing"
    EXTRA = "extra"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One association.

    :ivar logical_id: the resource that declares it; empty for an extra member.
    :ivar target: the group or the contact, by its canonical ID.
    :ivar region: the group's home Region; empty for a contact.
    :ivar user_id: the user; empty where the declaration cannot be read.
    :ivar with_user_id: another user, who has the contact.
    :ivar note: why the state is what it is, where that is not plain.
    """

    logical_id: str
    kind: str
    state: State
    instance_id: str = ""
    target: str = ""
    region: str = ""
    user_id: str = ""
    with_user_id: str = ""
    note: str = ""


GROUP, CONTACT = "traffic distribution group", "contact"


@dataclass(slots=True, kw_only=True)
class Inventory:
    """All rows of a stack.

    :ivar status: the stack's status, as CloudFormation names it.
    :ivar steady: no deployment is under way, and the template shows what the stack is.
    :ivar exclusive: the groups that a membership of the stack wants for itself.
    """

    stack_id: str
    status: str
    steady: bool
    rows: list[Row] = field(default_factory=list)
    exclusive: set[str] = field(default_factory=set)

    @property
    def drift(self) -> list[Row]:
        """What is not as declared: missing ones, and extra members of exclusive groups."""
        return [
            row
            for row in self.rows
            if row.state is State.MISSING
            or (row.state is State.EXTRA and row.target in self.exclusive)
        ]


@dataclass(slots=True)
class _Groups:
    """What the stack declares of groups.

    A group is known by its ID alone, as one declaration may name it in another Region.

    :ivar declared: logical IDs with what they declare.
    :ivar unreadable: logical IDs of declarations that the template does not show, with their
        group; None if that cannot be read either, so that it may be any.
    """

    declared: dict[Group, list[tuple[str, GroupUsers]]] = field(default_factory=dict)
    unreadable: list[tuple[str, str | None]] = field(default_factory=list)

    def users(self, group_id: str) -> set[str]:
        """Return who is declared."""
        return {
            user
            for group, declarations in self.declared.items()
            for _, declared in declarations
            for user in declared.users
            if group.id == group_id
        }

    def who_may_declare(self, group_id: str) -> list[str]:
        """Return the unreadable declarations that may be about the group."""
        return [logical_id for logical_id, of in self.unreadable if of in (None, group_id)]

    def exclusive(self) -> set[str]:
        """Return the groups that a declaration wants for itself."""
        return {
            group.id
            for group, declarations in self.declared.items()
            if any(declared.exclusive for _, declared in declarations)
        }


def take(session: Session, stack: Stack, *, seen: Callable[[str], None]) -> Inventory:
    """Compare a stack with Connect.

    :param seen: is told what is looked at, for a progress bar.
    :raises CommandError: the stack declares no associations, or cannot be read.
    :raises CallError: Connect refuses to answer.
    """
    template = _template(stack)
    inventory = Inventory(
        stack_id=stack.id,
        status=stack.status.name,
        steady=stack.status.shows_template and not stack.status.name.endswith("_IN_PROGRESS"),
    )
    groups = _Groups()
    for logical_id, declared in _declared(stack, template, inventory, groups):
        if isinstance(declared, declaration.GroupUsers):
            groups.declared.setdefault(declared.group, []).append((logical_id, declared))
        else:
            seen(f"contact {declared.contact_id}")
            inventory.rows.append(_contact_row(session, logical_id, declared))
    inventory.exclusive = groups.exclusive()
    for group in groups.declared:
        seen(str(group))
        inventory.rows += _group_rows(session, group, groups)
    if not inventory.rows:
        raise CommandError(
            f"stack {stack.id.split('/')[1]} declares no associations; check the name, or name "
            "the nested stack that does"
        )
    inventory.rows.sort(key=lambda row: (row.kind, row.target, row.logical_id, row.user_id))
    return inventory


def _template(stack: Stack) -> Template:
    """Read all of the stack, so that what follows cannot fail for want of it."""
    try:
        _ = stack.status, stack.resources
        return stack.template  # noqa: TRY300 - it is what may fail
    except StackUnknownError as error:
        raise unreadable(error) from error


def _declared(
    stack: Stack, template: Template, inventory: Inventory, groups: _Groups
) -> Iterator[tuple[str, GroupUsers | ContactUser]]:
    """Go through the declarations; rows for those that cannot be read are added at once."""
    owner = Owner.of_stack(stack.id)
    for logical_id, body in template.resources.items():
        kind = body.get("Type", "")
        resource = stack.resources.get(logical_id)
        if kind not in declaration.ASSOCIATION_TYPES or resource is None or resource.is_deleted:
            continue
        try:
            properties = template.properties(logical_id)
            if kind == declaration.CONTACT_USER:
                yield logical_id, declaration.contact_user(properties, owner=owner)
            else:
                yield logical_id, declaration.group_users(properties, kind, owner=owner)
        except (UnresolvableError, InvalidEventError) as error:
            group_id = None
            if kind != declaration.CONTACT_USER:
                group_id = _group_id(template, body, owner)
                groups.unreadable.append((logical_id, group_id))
            inventory.rows.append(
                Row(
                    logical_id=logical_id,
                    kind=CONTACT if kind == declaration.CONTACT_USER else GROUP,
                    state=State.UNKNOWN,
                    target=group_id or "",
                    note=f"the declaration cannot be read from the template: {error}",
                )
            )


def _group_id(template: Template, body: dict[str, Any], owner: Owner) -> str | None:
    """Return the group of a declaration whose other properties cannot be read."""
    name = "TrafficDistributionGroupId"
    try:
        value = template.resolve(body.get("Properties", {}).get(name))
        return identifiers.parse(
            value, kind=Kind.TRAFFIC_DISTRIBUTION_GROUP, name=name, owner=owner
        ).id
    except (UnresolvableError, InvalidEventError):
        return None


def _group_rows(session: Session, group: Group, groups: _Groups) -> Iterator[Row]:
    members = session.until_done(lambda: session.connect(group.region).list_group_users(group))
    row = Row(logical_id="", kind=GROUP, state=State.UNKNOWN, target=group.id, region=group.region)
    for logical_id, declared in groups.declared[group]:
        row = replace(row, instance_id=declared.instance_id)
        for user_id in declared.users:
            yield replace(
                row,
                logical_id=logical_id,
                user_id=user_id,
                state=State.IN_SYNC if user_id in (members or ()) else State.MISSING,
                note="" if members is not None else f"Connect does not find {group}",
            )
    state, note = State.EXTRA, "not declared in this stack"
    if group.id in groups.exclusive():
        note = "not declared, and the group is exclusive"
    if perhaps := groups.who_may_declare(group.id):
        # It must not look superfluous: `repair --exclusive` removes what does.
        state, note = State.UNKNOWN, f"may be declared by {', '.join(perhaps)}, which is unreadable"
    for user_id in sorted((members or frozenset()) - groups.users(group.id)):
        yield replace(row, user_id=user_id, state=state, note=note)


def _contact_row(session: Session, logical_id: str, declared: ContactUser) -> Row:
    contact = session.until_done(
        lambda: session.connect(session.region).describe_contact(
            instance_id=declared.instance_id, contact_id=declared.contact_id
        )
    )
    row = Row(
        logical_id=logical_id,
        kind=CONTACT,
        state=State.UNKNOWN,
        instance_id=declared.instance_id,
        target=declared.contact_id,
        user_id=declared.user_id,
    )
    if contact is None:
        return replace(row, note="Connect does not know the contact, or no longer")
    if contact.ended:
        return replace(row, note="the contact has ended")
    if contact.agent_id == declared.user_id:
        return replace(row, state=State.IN_SYNC)
    if contact.agent_id:
        return replace(
            row,
            state=State.MISSING,
            with_user_id=contact.agent_id,
            note="another user has accepted the contact",
        )
    return replace(row, note="nobody has accepted it yet; Connect does not show who is offered it")
