"""Who plays: the instance, groups, users and contacts of every simulated world, and templates."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from lifecycle.stack_parts import ACCOUNT, NESTED

HOME = "us-east-1"
REPLICA = "us-west-2"

GROUP_USER = "Custom::ConnectTrafficDistributionGroupUser"
GROUP_MEMBERSHIP = "Custom::ConnectTrafficDistributionGroupMembership"
CONTACT_USER = "Custom::ConnectContactUserAssignment"
USER_LOOKUP = "Custom::ConnectUserLookup"
SIBLING = "AWS::Test::Sibling"


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.lifecycle.test"))


@dataclass(frozen=True, slots=True, repr=False)
class Thing:
    """A Connect resource: what people call it, its ID and its ARN."""

    name: str
    id: str
    arn: str

    def __repr__(self) -> str:
        return self.name.upper()

    def __str__(self) -> str:
        return self.name


INSTANCE = Thing(
    "instance",
    _id("instance"),
    f"arn:aws:connect:{HOME}:{ACCOUNT}:instance/{_id('instance')}",
)


def _group(name: str, region: str) -> Thing:
    return Thing(
        name,
        _id(name),
        f"arn:aws:connect:{region}:{ACCOUNT}:traffic-distribution-group/{_id(name)}",
    )


def _part(name: str, kind: str) -> Thing:
    return Thing(name, _id(name), f"{INSTANCE.arn}/{kind}/{_id(name)}")


RED, BLUE = _group("red", HOME), _group("blue", HOME)
WEST = _group("west", REPLICA)
GROUPS = (RED, BLUE, WEST)
REGIONS = {RED.id: HOME, BLUE.id: HOME, WEST.id: REPLICA}

ANN, BOB, CYD, DAN, EVE = USERS = tuple(
    _part(name, "agent") for name in ("ann", "bob", "cyd", "dan", "eve")
)
NOBODY = "99999999-9999-4999-8999-999999999999"
"""The ID of a user whom the instance does not have."""
CHAT, TASK, VOICE = CONTACTS = tuple(_part(name, "contact") for name in ("chat", "task", "voice"))
CHANNELS = {CHAT.id: "CHAT", TASK.id: "TASK", VOICE.id: "VOICE"}
QUEUE = _part("queue", "queue")
FLOW = _part("flow", "contact-flow")

NAMES = {thing.id: thing.name for thing in (INSTANCE, *GROUPS, *USERS, *CONTACTS, QUEUE, FLOW)}

Body = dict[str, Any]


def named(text: str) -> str:
    """Replace the IDs in *text* by the names of what they stand for."""
    for identifier, name in NAMES.items():
        text = text.replace(identifier, f"<{name}>").replace(
            identifier.upper(), f"<{name.upper()}>"
        )
    return text


def single(group: Thing | Any, user: Thing | Any, **more: Any) -> Body:
    """Declare one user of a group; what is not a :class:`Thing` is put in as it is."""
    return _body(
        GROUP_USER,
        {"TrafficDistributionGroupId": _spelled(group), "UserId": _spelled(user)},
        group,
        more,
    )


def membership(
    group: Thing | Any,
    *users: Thing | Any,
    exclusive: bool | None = None,
    **more: Any,
) -> Body:
    """Declare users of a group."""
    properties: Body = {
        "TrafficDistributionGroupId": _spelled(group),
        "UserIds": [_spelled(user) for user in users],
    }
    if exclusive is not None:
        properties["Exclusive"] = exclusive
    return _body(GROUP_MEMBERSHIP, properties, group, more)


def assignment(
    contact: Thing,
    user: Thing | Any,
    *,
    release: str | None = None,
    **more: Any,
) -> Body:
    """Declare who serves a contact."""
    properties: Body = {"ContactId": _spelled(contact), "UserId": _spelled(user)}
    if release:
        properties["Release"] = {"Mode": release}
        if release == "TRANSFER_TO_QUEUE":
            properties["Release"]["ContactFlowId"] = FLOW.id
    if contact is VOICE:
        properties["AllowVoice"] = True
    return _body(CONTACT_USER, properties, None, more)


def lookup(*usernames: str) -> Body:
    """Declare users by their names."""
    return _body(USER_LOOKUP, {"Usernames": list(usernames)}, None, {})


def sibling(*, version: int = 1, after: tuple[str, ...] = ()) -> Body:
    """Declare a resource of another type."""
    return {"Type": SIBLING, "Properties": {"Version": version}, "DependsOn": list(after)}


def nested(template: dict[str, Any], **parameters: Any) -> Body:
    """Declare a nested stack."""
    return {
        "Type": NESTED,
        "Properties": {"Parameters": parameters},
        "Metadata": {"Template": template},
    }


def declared_user(user: Thing) -> Body:
    """Declare a user as a resource of the stack, for Ref and Fn::GetAtt."""
    return {
        "Type": "AWS::Connect::User",
        "Properties": {"Username": user.name},
        "Metadata": {"PhysicalId": user.arn},
    }


def stack_of(parameters: dict[str, Any] | None = None, **resources: Body) -> dict[str, Any]:
    """Return a template of *resources* by logical ID."""
    template: dict[str, Any] = {"Resources": resources}
    if parameters:
        template["Parameters"] = {name: {"Type": "String"} for name in parameters}
    return template


def _spelled(thing: Thing | Any) -> Any:
    return thing.id if isinstance(thing, Thing) else thing


def _body(kind: str, properties: Body, group: Thing | Any, more: Body) -> Body:
    properties = {"InstanceId": more.pop("instance", INSTANCE.id), **properties}
    if isinstance(group, Thing) and group is WEST:
        properties["Region"] = REPLICA
    body: Body = {"Type": kind, "Properties": properties}
    body.update({"DependsOn": list(more.pop("after"))} if "after" in more else {})
    body.update(more)
    return body
