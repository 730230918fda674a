"""IDs and ARNs of Connect resources, brought to one canonical spelling.

The canonical spelling is the lower-case UUID: the last segment of the ARN. Source:
`Resource types defined by Amazon Connect
<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonconnect.html>`_.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from connect_provider.errors import InvalidEventError

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]", re.ASCII)
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):connect:(?P<region>[a-z0-9-]+):(?P<account>[0-9]+):"
    r"(?P<resource>[A-Za-z0-9/-]+)",
    re.ASCII,
)
_SHOWN_LENGTH = 100


class Kind(Enum):
    """A kind of identifier: the property's noun and the shape of the ARN's resource part."""

    INSTANCE = ("instance", ("instance", "{}"))
    TRAFFIC_DISTRIBUTION_GROUP = (
        "traffic distribution group",
        ("traffic-distribution-group", "{}"),
    )
    USER = ("user", ("instance", "{}", "agent", "{}"))
    CONTACT = ("contact", ("instance", "{}", "contact", "{}"))
    CONTACT_FLOW = ("contact flow", ("instance", "{}", "contact-flow", "{}"))
    QUEUE = ("queue", ("instance", "{}", "queue", "{}"))

    def __init__(self, noun: str, shape: tuple[str, ...]) -> None:
        self.noun = noun
        self.shape = shape


class Owner(NamedTuple):
    """Whose resources a stack may name: those of its own partition and account.

    Empty strings stand for "not known", which matches everything.
    """

    partition: str = ""
    account: str = ""
    region: str = ""

    @classmethod
    def of_stack(cls, stack_id: str) -> Owner:
        """Read the owner from a stack's ARN."""
        parts = stack_id.split(":")
        if len(parts) < 6 or parts[0] != "arn":  # noqa: PLR2004 - an ARN has six parts
            return cls()
        return cls(partition=parts[1], region=parts[3], account=parts[4])


class Identifier(NamedTuple):
    """A resource's canonical ID, with what its ARN said beyond it (None for a bare ID)."""

    id: str
    region: str | None = None
    instance_id: str | None = None


def parse(value: object, *, kind: Kind, name: str, owner: Owner) -> Identifier:
    """Read an ID or an ARN.

    :param value: what the event holds; anything but a string is an error.
    :param kind: which resource the identifier must name.
    :param name: the property's name, for the message.
    :param owner: the partition and account that an ARN must belong to.
    :raises InvalidEventError: not an ID, nor an ARN of this kind, partition and account.
    """
    if not isinstance(value, str) or not value.strip():
        raise InvalidEventError(
            f"{name} is missing: give the ID or the ARN of a {kind.noun}, got {_shown(value)}."
        )
    text = value.strip()
    if not text.startswith("arn:"):
        return Identifier(id=_canonical(text, kind=kind, name=name))
    match = _ARN.fullmatch(text)
    segments = match["resource"].split("/") if match else []
    if (
        match is None
        or len(segments) != len(kind.shape)
        or any(want not in ("{}", have) for want, have in zip(kind.shape, segments, strict=True))
    ):
        shape = "/".join(kind.shape).format("<id>", "<id>")
        raise InvalidEventError(
            f"{name} is not the ARN of a {kind.noun}: got {_shown(text)}, expected "
            f"arn:<partition>:connect:<region>:<account>:{shape}."
        )
    for what, have, want in (
        ("partition", match["partition"], owner.partition),
        ("account", match["account"], owner.account),
    ):
        if want and have != want:
            raise InvalidEventError(
                f"{name} belongs to {what} {have!r}, the stack to {want!r}: {_shown(text)}. "
                f"Associations cannot cross a {what}."
            )
    return Identifier(
        id=_canonical(segments[-1], kind=kind, name=name),
        region=match["region"],
        instance_id=(
            _canonical(segments[1], kind=Kind.INSTANCE, name=name) if len(segments) > 2 else None  # noqa: PLR2004 - instance/I/type/ID
        ),
    )


def last_segment(identifier: str) -> str:
    """Return the canonical ID at the end of what Connect answered: an ID or an ARN."""
    return identifier.rsplit("/", 1)[-1].lower()


def parse_region(value: object, *, name: str) -> str:
    """Read a Region's name.

    :raises InvalidEventError: it does not look like one.
    """
    if not isinstance(value, str) or not _REGION.fullmatch(value.strip()):
        raise InvalidEventError(
            f"{name} is not the name of a Region: got {_shown(value)}, expected e.g. 'us-east-1'."
        )
    return value.strip()


def _canonical(text: str, *, kind: Kind, name: str) -> str:
    lowered = text.lower() if text.isascii() else text
    if not _UUID.fullmatch(lowered):
        raise InvalidEventError(
            f"{name} is not the ID of a {kind.noun}: got {_shown(text)}, expected a UUID such as "
            "'12345678-90ab-cdef-1234-567890abcdef', or the ARN."
        )
    return lowered


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else text[:_SHOWN_LENGTH] + "…"
