"""Why Connect could not replicate a user to the other Region, as far as it tells.

ListReplicationFindings came with botocore 1.43.120, and answers for instances that are set up for
Global Resiliency. Only findings that need somebody's action are listed: an empty list proves
nothing, so that nothing is ever concluded from it.

Source: `ListReplicationFindings
<https://docs.aws.amazon.com/connect/latest/APIReference/API_ListReplicationFindings.html>`_.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from connect_associations.cli.errors import explain as explained
from connect_associations.cli.inventory import GROUP, State
from connect_provider.errors import StillWaiting, UnsupportedRuntimeError
from connect_provider.failures import CallError, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connect_associations.cli.inventory import Inventory
    from connect_associations.cli.session import Session


def explain(
    session: Session,
    inventory: Inventory,
    *,
    seen: Callable[[str], None],
    warn: Callable[[str], None],
) -> None:
    """Say in the notes of missing users that they are not replicated, and why.

    :param seen: receives what is being looked at, for a progress bar.
    :param warn: receives, once, the reason why nothing is known.
    """
    found: dict[tuple[str, str], Mapping[str, str]] = {}
    for at, row in enumerate(inventory.rows):
        if row.kind != GROUP or row.state is not State.MISSING:
            continue
        place = row.instance_id, row.region
        if place not in found:
            found[place] = findings(session, *place, seen=seen, warn=warn)
        finding = found[place].get(row.user_id)
        if finding:
            inventory.rows[at] = replace(row, note="; ".join(filter(None, (row.note, finding))))


def findings(
    session: Session,
    instance_id: str,
    region: str,
    *,
    seen: Callable[[str], None],
    warn: Callable[[str], None],
) -> Mapping[str, str]:
    """Return why users are not replicated, by their IDs; empty where Connect does not say.

    :param region: the Region of the source instance, which is the groups' home.
    :param seen: receives what is being looked at, for a progress bar.
    :param warn: receives the reason if the question is refused.
    """
    seen("replication findings")
    try:
        found = session.connect(region).replication_findings(instance_id=instance_id)
    except UnsupportedRuntimeError:
        return {}
    except StillWaiting as error:
        warn(f"why users are not replicated is not known: {error}")
        return {}
    except CallError as error:
        # Anything else says that the instance has no such findings.
        if error.heals or error.failure is Failure.ACCESS_DENIED:
            warn(f"why users are not replicated is not known: {explained(error)}")
        return {}
    return {user_id: f"not replicated: {finding}" for user_id, finding in found.items()}
