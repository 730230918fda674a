#!/usr/bin/env python3
"""A task that waits in a queue, offered to one agent.

    cdk deploy -c contact_id=… -c user_id=… -c instance_id=… -c contact_flow_id=…

``cdk destroy`` sends the task back to the queue that it came from, as a new contact: Connect has no
operation that takes an assignment back.
"""

from __future__ import annotations

import sys
from pathlib import Path

import aws_cdk as cdk

# In a checkout the library needs no installation.
sys.path.append(str(Path(__file__).resolve().parents[2] / "constructs"))

from connect_associations import ContactRelease, ContactUserAssignment

DEFAULTS = {
    "instance_id": "11111111-1111-4111-8111-111111111111",
    "contact_id": "66666666-6666-4666-8666-000200000001",
    "user_id": "33333333-3333-4333-8333-00000000000a",
    "contact_flow_id": "55555555-5555-4555-8555-000000000001",
}


def main() -> None:
    """Synthesize the assignment."""
    app = cdk.App()
    given = {name: app.node.try_get_context(name) or value for name, value in DEFAULTS.items()}
    assignment = ContactUserAssignment(
        cdk.Stack(app, "Task"),
        "Assignment",
        instance_id=given["instance_id"],
        contact_id=given["contact_id"],
        user_id=given["user_id"],
        preferred_user_only=True,
        release=ContactRelease.transfer_to_queue(contact_flow_id=given["contact_flow_id"]),
    )
    cdk.CfnOutput(
        assignment,
        "Queue",
        value=assignment.queue_id,
        description="The queue that the task came from.",
    )
    app.synth()


if __name__ == "__main__":
    main()
