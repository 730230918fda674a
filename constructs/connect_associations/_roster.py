"""Who is in a membership: users by ID, by name or by rule, as the template holds them."""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import aws_cdk as cdk
import jsii

from connect_associations import _identifiers, user_filter
from connect_associations._grammar import Kind
from connect_associations._identifiers import Reader

if TYPE_CHECKING:
    from connect_associations._identifiers import Identifier

MAX_USERS = 2_500
"""What one membership holds: Step Functions carries 256 KB from poll to poll, and the event of
an update holds the old and the new list."""

_MAX_CHARACTERS = 97_500
"""Characters of all names as JSON: as much as 2,500 IDs take."""

_LONGEST_NAME = 100


class Roster(NamedTuple):
    """The users of a membership.

    :ivar name: the property of the custom resource: ``UserIds``, ``Usernames`` or
        ``UsersMatching``.
    :ivar value: what it holds.
    :ivar users: who is known by ID at synth.
    """

    name: str
    value: object
    users: tuple[Identifier, ...] = ()

    @property
    def is_rule(self) -> bool:
        """Whether users are found by a rule, which audits evaluate again."""
        return self.name == "UsersMatching"


def read(
    reader: Reader,
    *,
    user_ids: object,
    usernames: object,
    users_matching: object,
    instance: Identifier,
) -> Roster:
    """Read the one of the three that was given; the others are None.

    :param instance: the instance that the users belong to.
    """
    given = {
        name: value
        for name, value in (
            ("user_ids", user_ids),
            ("usernames", usernames),
            ("users_matching", users_matching),
        )
        if value is not None
    }
    if len(given) != 1:
        said = f"got {' and '.join(given)}" if given else "none of them is given"
        reader.problems.append(
            f"user_ids, usernames, users_matching: expected exactly one of them, {said}"
        )
        return Roster("UserIds", [])
    if usernames is not None:
        return Roster("Usernames", _bounded(reader, read_names(reader, usernames)))
    if users_matching is not None:
        conditions = user_filter.read(
            reader, users_matching, instance=instance, name="users_matching"
        )
        return Roster("UsersMatching", conditions)
    users = read_ids(reader, user_ids, instance=instance)
    if users is None:
        return Roster("UserIds", user_ids)
    return Roster("UserIds", _in_order(users, stack=reader.stack), tuple(users))


def _bounded(reader: Reader, names: list[str]) -> list[str]:
    """Return names, of which one membership must be able to carry all."""
    if len(names) > MAX_USERS:
        reader.problems.append(
            f"usernames: {len(names):,} users; expected 1 to {MAX_USERS:,}, so split them over "
            f"several memberships"
        )
    elif len(json.dumps(names)) > _MAX_CHARACTERS:
        reader.problems.append(
            f"usernames: together they are longer than {_MAX_CHARACTERS:,} characters; split them "
            f"over several memberships"
        )
    return names


def read_names(reader: Reader, usernames: object) -> list[str]:
    """Return the names, sorted, so that the order in which they are given does not matter."""
    given = reader.listed(usernames)
    if not given:
        reader.problems.append(
            f"usernames: expected a list of at least one name, got {_identifiers.shown(usernames)}"
        )
        return []
    problems: list[str] = []
    names: dict[str, tuple[int, str]] = {}
    for index, name in enumerate(given):
        if isinstance(name, str) and _identifiers.is_token(name):
            problems.append(f"usernames[{index}]: must be known at synth, got a token")
        elif not isinstance(name, str) or not (
            1 <= len(name) <= _LONGEST_NAME or _identifiers.is_dummy(name)
        ):
            problems.append(
                f"usernames[{index}]: expected a name of 1 to {_LONGEST_NAME} characters, got "
                f"{_identifiers.shown(name)}"
            )
        elif name != name.strip():
            problems.append(f"usernames[{index}]: {name!r} begins or ends with white space")
        elif name.lower() in names:
            problems.append(
                f"usernames[{index}]: {name!r} is the same name as "
                f"usernames[{names[name.lower()][0]}]"
            )
        else:
            names[name.lower()] = (index, name)
    reader.problems += _identifiers.first_of(problems, name="usernames")
    return [name for _, (_, name) in sorted(names.items())]


def read_ids(reader: Reader, user_ids: object, *, instance: Identifier) -> list[Identifier] | None:
    """Return the users, or None when the list is one token whose value is not known."""
    given = reader.listed(user_ids)
    if given is None:
        reader.problems.append(
            f"user_ids: expected a list of users, got {_identifiers.shown(user_ids)}"
        )
        return []
    if len(given) == 1 and _is_list_token(given[0]):
        return None
    if not 1 <= len(given) <= MAX_USERS:
        reader.problems.append(
            f"user_ids: {len(given):,} users; expected 1 to {MAX_USERS:,}"
            + (", so split them over several memberships" if given else "")
        )
        return []
    users = Reader(reader.stack, asks=reader.asks)
    found: dict[str, tuple[int, Identifier]] = {}
    for index, value in enumerate(given):
        name = f"user_ids[{index}]"
        if _is_list_token(value):
            users.problems.append(
                f"{name}: a list that is only known at deploy time cannot be part of another; "
                f"give it a membership of its own"
            )
            continue
        user = users.identifier(
            value, kind=Kind.USER, name=name, instance=instance, in_policy=False
        )
        first, _ = found.setdefault(users.key(user), (index, user))
        if first != index and user.value:
            users.problems.append(
                f"{name}: {_identifiers.shown(value)} is the same user as user_ids[{first}], "
                f"{_identifiers.shown(given[first])}"
            )
    reader.met_token = reader.met_token or users.met_token
    reader.problems += _identifiers.first_of(users.problems, name="user_ids")
    return [user for _, user in found.values()]


def _is_list_token(value: object) -> bool:
    return isinstance(value, str) and _identifiers.is_list_token(value)


def _in_order(users: list[Identifier], *, stack: cdk.Stack) -> object:
    """Return the property, sorted, so that the order in which users are given does not matter.

    Tokens come last. What they are is not known before synth.
    """
    literals = sorted(user.value for user in users if user.literal)
    tokens = [user for user in users if not user.literal]
    return cdk.Lazy.any(_InOrder(literals, tokens, stack)) if tokens else literals


@jsii.implements(cdk.IStableAnyProducer)
class _InOrder:
    """Sorts the tokens among the users at synth."""

    def __init__(self, literals: list[str], tokens: list[Identifier], stack: cdk.Stack) -> None:
        self._literals = literals
        self._tokens = tokens
        self._stack = stack

    def produce(self) -> list[str]:
        found = [_identifiers.at_synth(user, stack=self._stack) for user in self._tokens]
        return [*self._literals, *(user.value for user in sorted(found, key=lambda each: each.key))]
