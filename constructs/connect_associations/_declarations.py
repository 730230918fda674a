"""What the constructs of one stack declare, and where two of them contradict each other."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jsii
from constructs import IValidation

from connect_associations import _identifiers
from connect_associations._permissions import MAX_POLICY_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import aws_cdk as cdk
    from constructs import Construct

    from connect_associations._identifiers import Identifier
    from connect_associations._permissions import Permissions

_NO_COMMON_LEDGER = (
    "The two stacks have no ledger in common, so each of them removes users whom the other one "
    "declares: create both providers with the same ledger, or declare the members in one stack"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One construct's claim on group members or on a contact.

    :param construct: who claims.
    :param resource: its custom resource.
    :param target: the group or contact.
    :param users: the users; empty for a contact, and for a list that is only known at deploy time.
    :param exclusive: whether nobody else may be in the group.
    """

    construct: Construct
    resource: cdk.CfnResource
    target: Identifier
    users: tuple[Identifier, ...] = ()
    exclusive: bool = False

    def target_key(self) -> str:
        """Return what tells the group or contact from others; known at synth."""
        return self._key(self.target)

    def user_keys(self) -> frozenset[str]:
        """Return what tells the users from others; known at synth."""
        return frozenset(map(self._key, self.users))

    def _key(self, identifier: Identifier) -> str:
        if identifier.literal:
            return identifier.key
        return _identifiers.at_synth(identifier, stack=self.resource.stack).key

    def members_in_app(self) -> dict[str, str]:
        """Return the user keys, by keys that tell them from the users of all other stacks."""
        return {self._key_in_app(user): self._key(user) for user in self.users}

    def target_in_app(self) -> str:
        """Return what tells the group or contact from those of all other stacks."""
        return self._key_in_app(self.target)

    def _key_in_app(self, identifier: Identifier) -> str:
        stack = self.resource.stack
        known = _identifiers.at_synth(identifier, stack=stack)
        if known.literal or known.origin:
            return known.key
        return f"{known.key} of stack {stack.node.path}"

    @property
    def path(self) -> str:
        """Return the construct's path; asked for only when there is something to report."""
        return self.construct.node.path

    def is_certain(self) -> bool:
        """Tell whether the resource is deployed in any case.

        It is not when it has a condition, or when it was taken out of the tree again.
        """
        lineage = self.construct.node.scopes
        return self.resource.cfn_options.condition is None and all(
            parent.node.try_find_child(child.node.id) is child
            for parent, child in itertools.pairwise(lineage)
        )


@jsii.implements(IValidation)
class Declarations:
    """The claims of one stack; as a validation it finds those that contradict each other.

    A resource with a condition is left out: its rival may have the opposite condition.

    :param permissions: the policies that the claims need, whose size is checked as well.
    """

    def __init__(self, permissions: Permissions) -> None:
        self._permissions = permissions
        self._singles: list[Declaration] = []
        self._memberships: list[Declaration] = []
        self._contacts: list[Declaration] = []

    def add_single(self, declaration: Declaration) -> None:
        """Register one user of a group."""
        self._singles.append(declaration)

    def add_membership(self, declaration: Declaration) -> None:
        """Register a group's list of users."""
        self._memberships.append(declaration)

    def add_contact(self, declaration: Declaration) -> None:
        """Register the assignment of a contact."""
        self._contacts.append(declaration)

    @property
    def members(self) -> list[Declaration]:
        """What is declared of group members."""
        return [*self._singles, *self._memberships]

    def find_rivals(self, other: Declarations) -> Iterator[tuple[Construct, str]]:
        """Return what is declared here and in another stack, whose provider does not know of it.

        :param other: the declarations of the other stack, which has another ledger.
        :returns: a construct of this stack, and what about it.
        """
        theirs: dict[str, list[Declaration]] = {}
        for declaration in other.members:
            theirs.setdefault(declaration.target_in_app(), []).append(declaration)
        for mine in self.members if theirs else []:
            for rival in theirs.get(mine.target_in_app(), []):
                if (problem := _rivalry(mine, rival)) and _all_certain(mine, rival):
                    yield mine.construct, f"{problem}. {_NO_COMMON_LEDGER}"

    def validate(self) -> list[str]:
        """Return one sentence for each contradiction; called by the CDK at synth."""
        return [
            *self._doubled_members(),
            *self._broken_exclusivity(),
            *self._doubled_contacts(),
            *self._too_many_permissions(),
        ]

    def _doubled_members(self) -> list[str]:
        claims: dict[tuple[str, str], Declaration] = {}
        doubled: dict[tuple[str, str], list[str]] = {}
        for declaration in self.members:
            target = declaration.target_key()
            for user in sorted(declaration.user_keys()):
                first = claims.setdefault((target, user), declaration)
                if first is not declaration and _all_certain(first, declaration):
                    doubled.setdefault((first.path, declaration.path), []).append(user)
        return [
            f"{first} and {second} declare the same user in the same traffic distribution "
            f"group: {_some(users)}; declare each user only once per group in a stack"
            for (first, second), users in doubled.items()
        ]

    def _broken_exclusivity(self) -> list[str]:
        others: dict[str, list[Declaration]] = {}
        for declaration in self.members:
            others.setdefault(declaration.target_key(), []).append(declaration)
        return [
            f"{owner.path} is exclusive, but {other.path} declares members of the same traffic "
            f"distribution group, whom it would remove; put all of them into one membership"
            for owner in self._memberships
            if owner.exclusive
            for other in others[owner.target_key()]
            # Two exclusive memberships are reported once.
            if other is not owner
            and not (other.exclusive and other.path < owner.path)
            and _all_certain(owner, other)
        ]

    def _doubled_contacts(self) -> list[str]:
        claims: dict[str, Declaration] = {}
        problems = []
        for declaration in self._contacts:
            first = claims.setdefault(declaration.target_key(), declaration)
            if first is not declaration and _all_certain(first, declaration):
                problems.append(
                    f"{first.path} and {declaration.path} assign the same contact; "
                    f"a contact has one user, so assign it only once in a stack"
                )
        return problems

    def _too_many_permissions(self) -> list[str]:
        size = self._permissions.size
        if size <= MAX_POLICY_CHARACTERS:
            return []
        problem = (
            f"the groups and contacts of this stack need about {size:,} characters of inline "
            f"policies, but a role holds {MAX_POLICY_CHARACTERS:,}; split them over several "
            f"stacks"
        )
        return [problem]


def _rivalry(mine: Declaration, theirs: Declaration) -> str | None:
    """Tell how two declarations of one group in different stacks get into each other's way."""
    members = mine.members_in_app()
    shared = sorted(members[user] for user in members.keys() & theirs.members_in_app().keys())
    if shared:
        return (
            f"{mine.path} and {theirs.path} declare the same user in the same traffic "
            f"distribution group: {_some(shared)}"
        )
    if mine.exclusive or theirs.exclusive:
        owner, other = (mine, theirs) if mine.exclusive else (theirs, mine)
        return (
            f"{owner.path} is exclusive, and {other.path} declares members of the same traffic "
            f"distribution group"
        )
    return None


def _all_certain(*declarations: Declaration) -> bool:
    return all(declaration.is_certain() for declaration in declarations)


def _some(users: list[str], limit: int = 5) -> str:
    more = f" and {len(users) - limit} more" if len(users) > limit else ""
    return ", ".join(users[:limit]) + more
