"""The claims of one ledger, or of the several that a stack and its nested stacks use."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from connect_associations.cli.errors import CommandError
from connect_provider.connect.client import Group
from connect_provider.errors import LedgerError, StillWaiting
from connect_provider.failures import CallError, call
from connect_provider.ledger.claim import Phase
from connect_provider.ledger.table import Lease, LedgerMissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from connect_associations.cli.session import Session, Table
    from connect_provider.ledger.claim import ContactClaim, GroupClaim
    from connect_provider.ledger.table import Ledger

_GROUP, _CONTACT = "group", "contact"
_CLAIM = "claim#"


class _Place(NamedTuple):
    """What is claimed: GROUP, Region and ID, or CONTACT, instance and ID."""

    kind: str
    where: str
    id: str


class Claims(NamedTuple):
    """What is claimed, without what has ended."""

    groups: dict[Group, list[GroupClaim]]
    contacts: list[ContactClaim]

    @property
    def stack_ids(self) -> set[str]:
        """The stacks that claim something."""
        of_groups = {claim.owner.stack_id for claims in self.groups.values() for claim in claims}
        return of_groups | {claim.owner.stack_id for claim in self.contacts}


class Ledgers:
    """Ledgers read as one.

    :param tables: where they are.
    """

    def __init__(self, session: Session, tables: Sequence[Table]) -> None:
        self._session = session
        self._tables = [(table, session.ledger(table)) for table in tables]

    @property
    def names(self) -> list[str]:
        """The names of the tables."""
        return [table.name for table, _ in self._tables]

    def claims(self, *, seen: Callable[[str], None], of: Collection[str] | None = None) -> Claims:
        """Return all claims on the groups and contacts that stacks claim.

        :param seen: receives what is being looked at, for a progress bar.
        :param of: the stacks' IDs. Default: all
        :raises CommandError: a table is no ledger.
        :raises CallError: a table cannot be read.
        """
        owners: dict[Table, dict[_Place, set[str]]] = {}
        for table, ledger in self._tables:
            seen(f"ledger {table.name}")
            with _explained(table):
                owners[table] = self._owners(table, ledger)
        # One group may be claimed in several ledgers, or be named in a wrong Region.
        ids = {
            place.id
            for places in owners.values()
            for place, stack_ids in places.items()
            if of is None or not stack_ids.isdisjoint(of)
        }
        groups: dict[Group, list[GroupClaim]] = {}
        contacts: list[ContactClaim] = []
        for table, ledger in self._tables:
            for place in sorted(place for place in owners[table] if place.id in ids):
                seen(f"ledger {table.name}")
                with _explained(table):
                    if place.kind == _GROUP:
                        group = Group(id=place.id, region=place.where)
                        groups.setdefault(group, []).extend(_not_ended(ledger.of_group(group)))
                    else:
                        contacts += _not_ended(ledger.of_contact(place.where, place.id))
        groups = {group: claims for group, claims in groups.items() if claims}
        return Claims(groups=groups, contacts=contacts)

    def of_group(self, group: Group) -> list[GroupClaim]:
        """Return the claims on users of *group*, without what has ended.

        :raises CommandError: a table is no ledger.
        :raises CallError: a table cannot be read.
        """
        claims: list[GroupClaim] = []
        for table, ledger in self._tables:
            with _explained(table):
                claims += _not_ended(ledger.of_group(group))
        return claims

    @contextlib.contextmanager
    def lease(self, group: Group) -> Iterator[Callable[[], None]]:
        """Keep everybody else from changing *group*, as the functions of the stacks do.

        It gives what makes sure of that before a write, for as long as a command may take.

        :raises StillWaiting: somebody else is changing the group.
        """
        with contextlib.ExitStack() as leases:
            held = []
            for table, ledger in self._tables:
                with _explained(table):
                    lease = Lease(ledger, f"{_GROUP}#{group.region}:{group.id}")
                    # Before it is taken, as Ctrl-C may come at any time.
                    leases.callback(_give_back, lease)
                    try:
                        lease.hold()
                    except StillWaiting as wait:
                        text = f"a deployment or another repair changes {group}"
                        raise StillWaiting(text) from wait
                    held.append(lease)

            def hold() -> None:
                for lease in held:
                    lease.hold()

            yield hold

    def _owners(self, table: Table, ledger: Ledger) -> dict[_Place, set[str]]:
        """Return what is claimed, with the IDs of the stacks that do."""
        # A query tells whether the table has a ledger's keys, a scan does not.
        ledger.of_group(Group(id="-", region="-"))
        client = self._session.client("dynamodb", table.region)
        request: dict[str, Any] = {
            "TableName": table.name,
            "ProjectionExpression": "pk, sk, phase",
            "ConsistentRead": True,
        }
        found: dict[_Place, set[str]] = {}
        while True:
            page = call("Scan", f"ledger {table.name}", lambda: client.scan(**request))
            for item in page["Items"]:
                kind, _, rest = item["pk"]["S"].partition("#")
                where, _, id_ = rest.partition(":")
                sort_key = item["sk"]["S"]
                if kind not in (_GROUP, _CONTACT) or not sort_key.startswith(_CLAIM):
                    continue
                if Phase(item["phase"]["S"]) is not Phase.ENDED:
                    owner = sort_key.removeprefix(_CLAIM).rpartition("/")[0]
                    found.setdefault(_Place(kind, where, id_), set()).add(owner)
            if "LastEvaluatedKey" not in page:
                return found
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _not_ended(claims: Sequence[Any]) -> list[Any]:
    return [claim for claim in claims if claim.phase is not Phase.ENDED]


def _give_back(lease: Lease) -> None:
    # A lease that cannot be given back expires.
    with contextlib.suppress(CallError, LedgerError):
        lease.give_back()


@contextlib.contextmanager
def _explained(table: Table) -> Iterator[None]:
    """Say in a person's words what is wrong with a table."""
    try:
        yield
    except LedgerMissingError as error:
        raise CommandError(
            f"there is no table {table.name!r} in {table.region}: check the name, --region and "
            "--profile; if the table was deleted, deploy the stack of its "
            "ConnectAssociationProvider again"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise CommandError(
            f"table {table.name!r} holds something other than claims, so it is not a ledger "
            f"({error!r})"
        ) from error
