#!/usr/bin/env python3
"""An example to deploy as it is: users of a traffic distribution group, and a contact's agent.

    cdk deploy -c instance_id=… -c traffic_distribution_group_id=… -c user_ids=…,…

``_CONTEXT`` below lists what ``-c`` takes; every identifier may be an ID or an ARN. On the embedded
environment (``make emulator``) what is not given is taken from what the Connect emulation holds.
"""

from __future__ import annotations

import json
import os
import sys
from collections import ChainMap
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk

# In a checkout the library needs no installation.
sys.path.insert(0, str(Path(__file__).resolve().parent / "constructs"))

from connect_associations import (
    ContactRelease,
    ContactUserAssignment,
    InvalidAssociationError,
    TrafficDistributionGroupUser,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUIRED = ("instance_id", "traffic_distribution_group_id", "user_ids")
_CONTEXT = {
    "instance_id": "the Connect instance",
    "traffic_distribution_group_id": "the traffic distribution group",
    "user_ids": "the users to put into the group, separated by commas",
    "group_region": "the group's home Region (default: that of its ARN, else the stack's)",
    "contact_id": "a live contact to assign (default: none)",
    "contact_user_id": "the user who gets the contact",
    "contact_release": "what becomes of the contact: retain (default), stop or transfer_to_queue",
    "contact_flow_id": "the flow that transfer_to_queue runs",
}

SEED_VARIABLE = "CONNECT_ASSOCIATIONS_EXAMPLE"
"""Set by the embedded environment: a JSON object with context that holds there."""


class ContextError(Exception):
    """Context is missing or wrong; the message is one line that says which."""


class ExampleStack(cdk.Stack):
    """Associations in one Connect instance.

    :param scope: the app.
    :param construct_id: the stack's name.
    :param context: values by the names in ``_CONTEXT``.
    :param env: the account and Region.
    :raises ContextError: if a value is missing or wrong.
    """

    def __init__(
        self,
        scope: cdk.App,
        construct_id: str,
        *,
        context: Mapping[str, str],
        env: cdk.Environment,
    ) -> None:
        missing = [name for name in _REQUIRED if not context.get(name)]
        if context.get("contact_id") and not context.get("contact_user_id"):
            missing.append("contact_user_id")
        if missing:
            listed = ", ".join(f"{name} ({_CONTEXT[name]})" for name in missing)
            raise ContextError(f"missing context: {listed}; give each as `-c NAME=VALUE`")
        release = _release(context)

        super().__init__(
            scope,
            construct_id,
            env=env,
            description="Users of an Amazon Connect traffic distribution group, and a contact.",
        )
        for user_id in _list(context["user_ids"]):
            # Named by the user, so that changing the list touches only who was added or dropped.
            TrafficDistributionGroupUser(
                self,
                f"User-{_last_segment(user_id)}",
                instance_id=context["instance_id"],
                traffic_distribution_group_id=context["traffic_distribution_group_id"],
                user_id=user_id,
                region=context.get("group_region"),
            )
        if context.get("contact_id"):
            ContactUserAssignment(
                self,
                "Contact",
                instance_id=context["instance_id"],
                contact_id=context["contact_id"],
                user_id=context["contact_user_id"],
                release=release,
            )


def _list(text: str) -> list[str]:
    users = {_last_segment(part): part.strip() for part in text.split(",") if part.strip()}
    if not users:
        raise ContextError("user_ids names no user: give at least one, separated by commas")
    return list(users.values())


def _last_segment(identifier: str) -> str:
    """Return what an ID and the ARN of the same thing have in common."""
    return identifier.strip().rpartition("/")[2].lower()


def _release(context: Mapping[str, str]) -> ContactRelease:
    match context.get("contact_release", "retain").lower():
        case "retain":
            return ContactRelease.retain()
        case "stop":
            return ContactRelease.stop()
        case "transfer_to_queue":
            flow = context.get("contact_flow_id")
            if not flow:
                raise ContextError("missing context: contact_flow_id, for transfer_to_queue")
            return ContactRelease.transfer_to_queue(contact_flow_id=flow)
        case other:
            raise ContextError(
                f"contact_release is {other!r}: use retain, stop or transfer_to_queue"
            )


def main() -> None:
    """Synthesize the example from the context of the CDK CLI."""
    app = cdk.App()
    given = {
        name: str(value)
        for name in _CONTEXT
        if (value := app.node.try_get_context(name)) not in (None, "")
    }
    try:
        ExampleStack(
            app,
            "ConnectAssociations",
            context=ChainMap(given, json.loads(os.environ.get(SEED_VARIABLE, "{}"))),
            env=cdk.Environment(
                account=os.environ.get("CDK_DEFAULT_ACCOUNT"),
                region=os.environ.get("CDK_DEFAULT_REGION"),
            ),
        )
    except (ContextError, InvalidAssociationError) as error:
        raise SystemExit(f"app.py: {error}") from None
    app.synth()


if __name__ == "__main__":
    main()
