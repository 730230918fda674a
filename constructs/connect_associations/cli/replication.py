"""Why Connect could not replicate a user to the other Region, as far as it tells.

ListReplicationFindings came with botocore 1.43.120, and answers for instances that are set up for
Global Resiliency. Only findings that need somebody's action are listed: an empty list proves
nothing, so that nothing is ever concluded from it.

Source: `ListReplicationFindings
<https://docs.aws.amazon.com/connect/latest/APIReference/API_ListReplicationFindings.html>`_.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connect_associations.cli.errors import explain as explained
from connect_associations.cli.inventory import GROUP, State
from connect_provider.errors import StillWaiting, UnsupportedRuntimeError
from connect_provider.failures import CallError, Failure
from connect_provider.identifiers import last_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connect_associations.cli.inventory import Inventory
    from connect_associations.cli.session import Session

_PAGE = 100


def explain(
    session: Session,
    inventory: Inventory,
    *,
    seen: Callable[[str], None],
    warn: Callable[[str], None],
) -> None:
    """Say in the notes of missing users that they are not replicated, and why.

    :param seen: is told what is looked at, for a progress bar.
    :param warn: is told, once, why nothing is known.
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
    """Return why users of an instance are not replicated, by their IDs; empty where it cannot tell.

    :param region: the Region of the source instance, which is the groups' home.
    :param seen: is told what is looked at, for a progress bar.
    :param warn: is told if the question is refused.
    """
    connect = session.connect(region)
    request: dict[str, Any] = {
        "InstanceId": instance_id,
        "ResourceType": "AGENT",
        "MaxResults": _PAGE,
    }
    found: dict[str, list[str]] = {}
    try:
        while True:
            seen("replication findings")
            page = connect.send("ListReplicationFindings", **request)
            for finding in page["ReplicationFindingsList"]:
                found.setdefault(last_segment(finding["Id"]), []).append(_text(finding))
            if not page.get("NextToken"):
                break
            request["NextToken"] = page["NextToken"]
    except UnsupportedRuntimeError:
        return {}
    except StillWaiting as error:
        warn(f"why users are not replicated is not known: {error}")
    except CallError as error:
        # Anything else says that the instance has no such findings.
        if error.heals or error.failure is Failure.ACCESS_DENIED:
            warn(f"why users are not replicated is not known: {explained(error)}")
    return {user_id: "; ".join(texts) for user_id, texts in found.items()}


def _text(finding: Mapping[str, str]) -> str:
    where = f" (in {finding['Region']})" if "Region" in finding else ""
    why = finding.get("Message", "").strip().rstrip(".")
    code = f"[{finding['ReferenceCode']}]" if "ReferenceCode" in finding else ""
    said = " ".join(filter(None, (why, code)))
    return f"not replicated{where}" + (f": {said}" if said else "")
