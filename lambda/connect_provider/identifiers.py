"""The one grammar of IDs and ARNs, for provider, constructs, command line and tests.

Every spelling is turned into the canonical one, the lower-case UUID: the ARN's last segment.
Source: `Resource types defined by Amazon Connect
<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonconnect.html>`_.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

# Relative, because the constructs load this module under a name of their own.
from .errors import InvalidEventError

UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+", re.ASCII)
GROUP_PARTITIONS = ("aws", "aws-us-gov")
"""The partitions that have traffic distribution groups."""

ARN = re.compile(
    rf"arn:(?P<partition>aws[a-z-]*):connect:(?P<region>{REGION.pattern}):(?P<account>[0-9]{{12}}):"
    r"(?P<resource>[A-Za-z0-9/-]+)",
    re.ASCII,
)
_SHOWN_LENGTH = 100


class Kind(Enum):
    """A kind of resource: its noun, and the resource part of its ARN."""

    INSTANCE = ("instance", "instance/{id}")
    TRAFFIC_DISTRIBUTION_GROUP = ("traffic distribution group", "traffic-distribution-group/{id}")
    USER = ("user", "instance/{instance}/agent/{id}")
    CONTACT = ("contact", "instance/{instance}/contact/{id}")
    CONTACT_FLOW = ("contact flow", "instance/{instance}/contact-flow/{id}")
    QUEUE = ("queue", "instance/{instance}/queue/{id}")
    HIERARCHY_GROUP = ("hierarchy group", "instance/{instance}/agent-group/{id}")
    ROUTING_PROFILE = ("routing profile", "instance/{instance}/routing-profile/{id}")
    SECURITY_PROFILE = ("security profile", "instance/{instance}/security-profile/{id}")

    def __init__(self, noun: str, resource: str) -> None:
        self.noun = noun
        self.a_noun = f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"
        self.resource = resource
        self.shape = resource.format(id="ID", instance="INSTANCE")
        self.pattern = re.compile(
            resource.format(id=f"(?P<id>{UUID.pattern})", instance=f"(?P<instance>{UUID.pattern})")
        )


class Account(NamedTuple):
    """Whose resources a stack may name: those of its own partition and account.

    An empty string means "not known", which matches everything.
    """

    partition: str = ""
    account: str = ""
    region: str = ""


class Identifier(NamedTuple):
    """A resource's canonical ID, with what its ARN said beyond it (None for a bare ID)."""

    id: str
    region: str | None = None
    instance_id: str | None = None
    partition: str | None = None
    account: str | None = None


def read(text: str, *, kind: Kind) -> Identifier | None:
    """Read an ID or an ARN; None: it is neither, or the ARN of something else."""
    text = text.strip()
    if UUID.fullmatch(text):
        return Identifier(text.lower())
    found = ARN.fullmatch(text)
    ids = found and kind.pattern.fullmatch(found["resource"])
    if not found or not ids:
        return None
    return Identifier(
        id=ids["id"].lower(),
        region=found["region"],
        instance_id=ids["instance"].lower() if "instance" in ids.groupdict() else None,
        partition=found["partition"],
        account=found["account"],
    )


def parse(
    value: object, *, kind: Kind, name: str, owner: Account, instance: Identifier | None = None
) -> Identifier:
    """Read an ID or an ARN, or say what is wrong with it.

    :param value: what the event holds; anything but a string is an error.
    :param kind: which resource the identifier must name.
    :param name: the property's name, for the message.
    :param owner: the partition and account that an ARN must belong to.
    :param instance: the instance that an ARN must belong to.
    :raises InvalidEventError: not an ID, nor an ARN of this kind and of these.
    """
    shown = _shown(value)
    if not isinstance(value, str) or not value.strip():
        raise InvalidEventError(
            f"{name} is missing: give the ID or the ARN of {kind.a_noun}, got {shown}."
        )
    identifier = read(value, kind=kind)
    if identifier is None:
        what = "ARN" if value.strip().startswith("arn:") else "ID"
        shape = arn("PARTITION", "REGION", "ACCOUNT", kind.shape)
        raise InvalidEventError(
            f"{name} is not the {what} of {kind.a_noun}: got {shown}, expected a UUID such as "
            f"'12345678-90ab-cdef-1234-567890abcdef', or {shape}."
        )
    for what, have, want in (
        ("a partition", identifier.partition, owner.partition),
        ("an account", identifier.account, owner.account),
    ):
        if have and want and have != want:
            raise InvalidEventError(
                f"{name} belongs to {what.split()[1]} {have!r}, the stack to {want!r}: {shown}. "
                f"Associations cannot cross {what}."
            )
    if instance and identifier.instance_id not in (None, instance.id):
        raise InvalidEventError(
            f"{name} belongs to instance {identifier.instance_id}, InstanceId is {instance.id}."
        )
    return identifier


def arn(partition: str, region: str, account: str, resource: str) -> str:
    """Return the ARN of a Connect resource."""
    return f"arn:{partition}:connect:{region}:{account}:{resource}"


def last_segment(identifier: str) -> str:
    """Return the canonical ID at the end of what Connect answered: an ID or an ARN."""
    return identifier.rsplit("/", 1)[-1].lower()


def parse_region(value: object, *, name: str) -> str:
    """Read a Region's name.

    :raises InvalidEventError: it does not look like one.
    """
    if not isinstance(value, str) or not REGION.fullmatch(value.strip()):
        raise InvalidEventError(
            f"{name} is not the name of a Region: got {_shown(value)}, expected e.g. 'us-east-1'."
        )
    return value.strip()


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else text[:_SHOWN_LENGTH] + "…"
