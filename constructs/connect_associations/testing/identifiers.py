"""Identifiers as Connect takes them: an ID, or the ARN that ends in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identifier:
    """An ID, and what its ARN said if it came as one.

    :ivar id: the last segment.
    :ivar region: the ARN's Region; None for a plain ID.
    :ivar account_id: the ARN's account; None for a plain ID.
    :ivar path: the ARN's resource, for example ``instance/I/agent/U``; None for a plain ID.
    """

    id: str
    region: str | None = None
    account_id: str | None = None
    path: str | None = None

    @classmethod
    def parse(cls, text: str) -> Identifier:
        """Read an ID or an ARN; what is neither is taken for an ID, which then is not found."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or parts[2] != "connect":  # noqa: PLR2004 - an ARN has six parts
            return cls(text)
        return cls(parts[5].rsplit("/", 1)[-1], parts[3], parts[4], parts[5])


def partition_of(region: str) -> str:
    """Return the partition of a Region; Connect's groups exist in these two only."""
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def arn(*, region: str, account_id: str, path: str) -> str:
    """Return a Connect ARN."""
    return f"arn:{partition_of(region)}:connect:{region}:{account_id}:{path}"
