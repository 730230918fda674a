"""What `status` and `repair` look at first: associations, and the names of their users."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING

from connect_associations.cli import inventory, replication, screen, stacks
from connect_associations.cli.activity import Activity
from connect_associations.cli.ledgers import Ledgers
from connect_associations.cli.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from connect_associations.cli.inventory import Inventory
    from connect_associations.cli.session import Session


@contextlib.contextmanager
def reading(session: Session) -> Iterator[Callable[[str], None]]:
    """Show the calls that are made meanwhile; yields a function to say what they are about."""
    with Activity("Reading") as activity:
        session.after_call = activity.called
        try:
            yield lambda what: activity.says(f"Reading {what}")
        finally:
            session.after_call = None


def look(session: Session, names: Sequence[str], ledger: str | None) -> tuple[Inventory, Names]:
    """Compare stacks, or all stacks that share a ledger, with Connect.

    :param names: the stacks' names or IDs; none: all stacks of the ledger.
    :param ledger: the table's name or ARN. None: what the stacks' functions say.
    :raises CommandError: there is no such stack, or nothing is declared.
    :raises CallError: AWS refuses to answer.
    """
    people = Names(session, warn=screen.warn)
    with reading(session) as seen:
        tables = [session.table(ledger)] if ledger else []
        if names:
            trees = [stacks.tree(session, name, seen=seen) for name in dict.fromkeys(names)]
            if not tables:
                found = (stacks.ledgers(session, tree, seen=seen) for tree in trees)
                tables = sorted(set(itertools.chain(*found)))
            ledgers = Ledgers(session, tables)
            inventoried = inventory.of_stacks(session, trees, ledgers, seen=seen)
        else:
            inventoried = inventory.of_ledger(
                session, Ledgers(session, tables), seen=seen, warn=screen.warn
            )
        replication.explain(session, inventoried, seen=seen, warn=screen.warn)
        for group in inventoried.groups:
            people.load_group(group, seen=seen)
        for (instance_id, region), wanted in _people(session, inventoried).items():
            people.load(instance_id=instance_id, region=region, wanted=wanted, seen=seen)
    return inventoried, people


def _people(session: Session, found: Inventory) -> dict[tuple[str, str], set[str]]:
    by_instance: dict[tuple[str, str], set[str]] = {}
    for row in found.rows:
        if row.instance_id:
            place = row.instance_id, row.region or session.region
            by_instance.setdefault(place, set()).update({row.user_id, row.with_user_id} - {""})
    return by_instance
