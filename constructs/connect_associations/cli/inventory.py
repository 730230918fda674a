"""What a stack declares beside what Connect holds: a row for each association.

CloudFormation's drift detection does not cover custom resources, so that nobody else looks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from connect_associations.cli.errors import CommandError
from connect_provider import declaration
from connect_provider.errors import InvalidEventError
from connect_provider.identifiers import Owner
from connect_provider.stack import StackUnknownError
from connect_provider.template import UnresolvableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connect_associations.cli.session import Session
    from connect_provider.connect import Contact, Group
    from connect_provider.declaration import ContactUser, GroupUsers
    from connect_provider.stack import Stack


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
    :ivar note: why the state is what it is, where that is not plain.
    """

    logical_id: str
    kind: str
    state: State
    instance_id: str = ""
    target: str = ""
    region: str = ""
    user_id: str = ""
    note: str = ""


GROUP, CONTACT = "traffic distribution group", "contact"


@dataclass(slots=True, kw_only=True)
class Inventory:
    """All rows of a stack.

    :ivar exclusive: the groups that a membership of the stack wants for itself.
    """

    stack_id: str
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


def take(session: Session, stack: Stack, *, seen: Callable[[str], None]) -> Inventory:
    """Compare a stack with Connect.

    :param seen: is told what is looked at, for a progress bar.
    :raises CommandError: the stack declares no associations, or cannot be read.
    :raises CallError: Connect refuses to answer.
    """
    inventory = Inventory(stack_id=stack.id)
    groups: dict[Group, list[tuple[str, GroupUsers]]] = {}
    for logical_id, declared in _declared(stack, inventory):
        if isinstance(declared, declaration.GroupUsers):
            groups.setdefault(declared.group, []).append((logical_id, declared))
            if declared.exclusive:
                inventory.exclusive.add(declared.group.id)
        else:
            seen(f"contact {declared.contact_id}")
            inventory.rows.append(_contact_row(session, logical_id, declared))
    for group, declarations in groups.items():
        seen(str(group))
        inventory.rows += _group_rows(session, group, declarations)
    if not inventory.rows:
        raise CommandError("the stack declares no associations")
    inventory.rows.sort(key=lambda row: (row.target, row.logical_id, row.user_id))
    return inventory


def _declared(stack: Stack, inventory: Inventory) -> Iterator[tuple[str, GroupUsers | ContactUser]]:
    owner = Owner.of_stack(stack.id)
    try:
        template, resources = stack.template, stack.resources
    except StackUnknownError as error:
        raise CommandError(" ".join(str(error).split())) from error
    for logical_id, body in template.resources.items():
        kind = body.get("Type", "")
        resource = resources.get(logical_id)
        if kind not in declaration.ASSOCIATION_TYPES or resource is None or resource.is_deleted:
            continue
        try:
            properties = template.properties(logical_id)
            if kind == declaration.CONTACT_USER:
                yield logical_id, declaration.contact_user(properties, owner=owner)
            else:
                yield logical_id, declaration.group_users(properties, kind, owner=owner)
        except (UnresolvableError, InvalidEventError) as error:
            inventory.rows.append(
                Row(
                    logical_id=logical_id,
                    kind=CONTACT if kind == declaration.CONTACT_USER else GROUP,
                    state=State.UNKNOWN,
                    note=f"the declaration cannot be read from the template: {error}",
                )
            )


def _group_rows(
    session: Session, group: Group, declarations: list[tuple[str, GroupUsers]]
) -> Iterator[Row]:
    members = session.until_done(lambda: session.connect(group.region).list_group_users(group))
    row = Row(logical_id="", kind=GROUP, state=State.UNKNOWN, target=group.id, region=group.region)
    claimed: set[str] = set()
    for logical_id, declared in declarations:
        claimed |= set(declared.users)
        for user_id in declared.users:
            yield replace(
                row,
                logical_id=logical_id,
                instance_id=declared.instance_id,
                user_id=user_id,
                state=State.IN_SYNC if user_id in (members or ()) else State.MISSING,
                note="" if members is not None else f"Connect does not find {group}",
            )
    for user_id in sorted((members or frozenset()) - claimed):
        yield replace(
            row,
            instance_id=declarations[0][1].instance_id,
            user_id=user_id,
            state=State.EXTRA,
            note="not declared in this stack",
        )


def _contact_row(session: Session, logical_id: str, declared: ContactUser) -> Row:
    contact = session.until_done(
        lambda: session.connect(session.region).describe_contact(
            instance_id=declared.instance_id, contact_id=declared.contact_id
        )
    )
    state, note = _contact_state(contact, declared.user_id)
    return Row(
        logical_id=logical_id,
        kind=CONTACT,
        state=state,
        instance_id=declared.instance_id,
        target=declared.contact_id,
        user_id=declared.user_id,
        note=note,
    )


def _contact_state(contact: Contact | None, user_id: str) -> tuple[State, str]:
    if contact is None:
        return State.UNKNOWN, "Connect does not know the contact, or no longer"
    if contact.ended:
        return State.UNKNOWN, "the contact has ended"
    if contact.agent_id == user_id:
        return State.IN_SYNC, ""
    if contact.agent_id:
        return State.MISSING, f"user {contact.agent_id} has the contact"
    return State.UNKNOWN, "nobody has accepted it yet; Connect does not show who is offered it"
