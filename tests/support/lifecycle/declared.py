"""What a stack declares, in a form that can be changed at random and compared with Connect."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from lifecycle import cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecycle.cast import Body, Thing

Pair = tuple[str, str]
"""A group's ID and a user's ID."""


class Spelling(Enum):
    """How identifiers are written in the template."""

    ID = "ID"
    ARN = "ARN"
    UPPER = "upper-case ID"
    PARAMETER = "Ref to a parameter"
    RESOURCE = "Fn::GetAtt of a resource of the stack"
    NAME = "usernames, where the resource takes them"

    def of(self, thing: Thing) -> Any:
        """Return *thing* in this spelling."""
        match self:
            case Spelling.ID | Spelling.NAME:
                return thing.id
            case Spelling.ARN:
                return thing.arn
            case Spelling.UPPER:
                return thing.id.upper()
            case Spelling.PARAMETER:
                return {"Ref": f"Parameter{thing.name.title()}"}
            case Spelling.RESOURCE if thing in cast.USERS:
                return {"Fn::GetAtt": [f"Declared{thing.name.title()}", "UserArn"]}
            case Spelling.RESOURCE:
                return thing.arn


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupUsers:
    """A single user of a group (*many* is False), or a membership."""

    group: Thing
    users: tuple[Thing, ...]
    many: bool
    exclusive: bool = False
    retain: bool = False
    spelling: Spelling = Spelling.ID

    @property
    def pairs(self) -> frozenset[Pair]:
        """The associations that it declares."""
        return frozenset((self.group.id, user.id) for user in self.users)

    def declares_the_same(self, other: GroupUsers) -> bool:
        """Whether only the words differ."""
        return (self.group, set(self.users), self.exclusive) == (
            other.group,
            set(other.users),
            other.exclusive,
        )

    def body(self) -> Body:
        """Return the resource's template body."""
        group = self.spelling.of(self.group)
        users = [self.spelling.of(user) for user in self.users]
        body = (
            cast.membership(group, *users, exclusive=self.exclusive or None)
            if self.many
            else cast.single(group, *users)
        )
        if self.many and self.spelling is Spelling.NAME:
            del body["Properties"]["UserIds"]
            body["Properties"]["Usernames"] = [user.name for user in self.users]
        if self.group is cast.WEST:
            body["Properties"]["Region"] = cast.REPLICA
        if self.retain:
            body.update(DeletionPolicy="Retain", UpdateReplacePolicy="Retain")
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactUser:
    """A contact's assignment."""

    contact: Thing
    user: Thing
    release: str | None = None
    spelling: Spelling = Spelling.ID
    retain: bool = False

    def body(self) -> Body:
        """Return the resource's template body."""
        body = cast.assignment(self.contact, self.spelling.of(self.user), release=self.release)
        if self.retain:
            body.update(DeletionPolicy="Retain", UpdateReplacePolicy="Retain")
        return body


Declared = GroupUsers | ContactUser


def pairs_of(declared: Mapping[str, Declared]) -> frozenset[Pair]:
    """Return all memberships that are declared."""
    return frozenset().union(
        *(one.pairs for one in declared.values() if isinstance(one, GroupUsers))
    )


def template_of(
    declared: Mapping[str, Declared], siblings: Mapping[str, Body]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a template and its parameters."""
    resources = {logical_id: one.body() for logical_id, one in declared.items()}
    parameters: dict[str, str] = {}
    for one in declared.values():
        users = one.users if isinstance(one, GroupUsers) else (one.user,)
        things = (*users, one.group) if isinstance(one, GroupUsers) else users
        if one.spelling is Spelling.PARAMETER:
            parameters |= {f"Parameter{thing.name.title()}": thing.arn for thing in things}
        if one.spelling is Spelling.RESOURCE:
            resources |= {
                f"Declared{user.name.title()}": cast.declared_user(user) for user in users
            }
    return cast.stack_of(parameters, **resources, **siblings), parameters
