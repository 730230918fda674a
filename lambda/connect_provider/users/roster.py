"""Rosters by name: which user each name means, once, when a version is planned."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING

from connect_provider.connect.client import SEARCH_PAGE_SIZE
from connect_provider.errors import AssociationFailedError, InvalidEventError, StillWaiting
from connect_provider.lifecycle import RECENT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connect_provider.connect.client import Connect, UserPage

LONGEST_USERNAME = 100
MAX_CHARACTERS = 97_500
"""Characters of the names as JSON: what 2,500 IDs take of Step Functions' 256 KB of input."""

_SHOWN_PROBLEMS = 10
_NAMES_A_SEARCH = 10
"""Names in one call: few, because how many conditions SearchUsers takes is not documented."""


def read(value: object, *, name: str, limit: int) -> tuple[str, ...]:
    """Read a property of user names.

    :param name: the property's name, for the message.
    :param limit: the most names that it may have.
    :raises InvalidEventError: naming the element and what is wrong with it.
    """
    if not isinstance(value, list) or not 1 <= len(value) <= limit:
        raise InvalidEventError(
            f"{name} is not a list of 1 to {limit:,} names: got {value!r:.100}."
        )
    first: dict[str, int] = {}
    for index, each in enumerate(value):
        if not isinstance(each, str) or not 1 <= len(each) <= LONGEST_USERNAME:
            raise InvalidEventError(
                f"{name}[{index}] is not a name of 1 to {LONGEST_USERNAME} characters: got "
                f"{each!r:.150}."
            )
        if each != each.strip():
            raise InvalidEventError(f"{name}[{index}] begins or ends with white space: {each!r}.")
        if first.setdefault(each.lower(), index) != index:
            raise InvalidEventError(
                f"{name}[{index}] is the same name as {name}[{first[each.lower()]}]: {each!r}."
            )
    if len(json.dumps(value)) > MAX_CHARACTERS:
        raise InvalidEventError(
            f"{name} is longer than {MAX_CHARACTERS:,} characters: split it into several "
            "memberships of the same group."
        )
    return tuple(value)


def find(
    connect: Connect, *, instance_id: str, usernames: Sequence[str]
) -> dict[str, frozenset[str]]:
    """Return the IDs of the users with each of the names, in whatever case, in the fewest calls.

    For many names, it reads all users if the instance is small enough for that to be cheaper.
    """
    found: dict[str, set[str]] = {name.lower(): set() for name in usernames}
    conditions = [
        {"StringCondition": {"FieldName": "Username", "Value": name, "ComparisonType": "EXACT"}}
        for name in usernames
    ]
    searches: list[Iterable[UserPage]] = [
        connect.search(
            instance_id=instance_id,
            SearchCriteria={"OrConditions": conditions[start : start + _NAMES_A_SEARCH]},
        )
        for start in range(0, len(conditions), _NAMES_A_SEARCH)
    ]
    if len(searches) > 1:
        everybody = connect.search(instance_id=instance_id)
        page = next(everybody)
        if page.total / SEARCH_PAGE_SIZE <= len(usernames) / _NAMES_A_SEARCH:
            searches = [[page], everybody]
    for page in itertools.chain.from_iterable(searches):
        for user_id, name in page.usernames.items():
            found.get(name.lower(), set()).add(user_id)
    return {name: frozenset(found[name.lower()]) for name in usernames}


def claimed(
    connect: Connect, *, instance_id: str, usernames: Sequence[str], since: float
) -> tuple[str, ...]:
    """Return the user of each name, in the order of the names.

    :param since: when the request began, in seconds since the epoch.
    :raises StillWaiting: somebody may be found later.
    :raises AssociationFailedError: names belong to nobody, or to several users.
    """
    found = find(connect, instance_id=instance_id, usernames=usernames)
    if not all(found.values()) and time.time() - since < RECENT_SECONDS:
        raise StillWaiting("SearchUsers does not find all of them")
    return one_each(found, where=f"in instance {instance_id} in {connect.region}")


def one_each(found: Mapping[str, frozenset[str]], *, where: str) -> tuple[str, ...]:
    """Return the user of each name.

    :param found: the users by name.
    :param where: where the names were searched, for the message.
    :raises AssociationFailedError: names belong to nobody, or to several users.
    """
    problems = [
        f"{name!r} names users {' and '.join(sorted(users))}"
        if users
        else f"nobody is named {name!r}"
        for name, users in found.items()
        if len(users) != 1
    ]
    if problems:
        more = len(problems) - _SHOWN_PROBLEMS
        rest = f", and {more:,} more of {len(found):,} names" if more > 0 else ""
        raise AssociationFailedError(
            f"SearchUsers: {where} {'; '.join(problems[:_SHOWN_PROBLEMS])}{rest}. Check the names, "
            "or give the users' IDs. Nothing was changed."
        )
    return tuple(next(iter(users)) for users in found.values())
