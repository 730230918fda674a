#!/usr/bin/env python3
"""The night shift of a list of agents, in a traffic distribution group.

    cdk deploy -c instance_id=… -c traffic_distribution_group_id=… -c agents=FILE

The file has a line for each agent; the columns ``user_id`` and ``shift`` count.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import aws_cdk as cdk

# In a checkout the library needs no installation.
sys.path.append(str(Path(__file__).resolve().parents[2] / "constructs"))

from connect_associations import InvalidAssociationError, TrafficDistributionGroupMembership

AGENTS = Path(__file__).with_name("agents.csv")
INSTANCE = "11111111-1111-4111-8111-111111111111"
GROUP = "22222222-2222-4222-8222-000000000001"


def night_shift(file: Path) -> list[str]:
    """Return the IDs of the agents on the night shift.

    :raises SystemExit: the file cannot be used; the message says why.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            agents = list(csv.DictReader(lines))
        return [agent["user_id"].strip() for agent in agents if agent["shift"] == "night"]
    except OSError as error:
        raise SystemExit(f"app.py: {file}: {error.strerror}") from None
    except KeyError as column:
        raise SystemExit(f"app.py: {file} has no column {column}") from None


def main() -> None:
    """Synthesize the list."""
    app = cdk.App()
    file = app.node.try_get_context("agents")
    try:
        TrafficDistributionGroupMembership(
            cdk.Stack(app, "NightShift"),
            "Agents",
            instance_id=app.node.try_get_context("instance_id") or INSTANCE,
            traffic_distribution_group_id=(
                app.node.try_get_context("traffic_distribution_group_id") or GROUP
            ),
            user_ids=night_shift(Path(file) if file else AGENTS),
        )
    except InvalidAssociationError as error:
        raise SystemExit(f"app.py: {error}") from None
    app.synth()


if __name__ == "__main__":
    main()
