"""Identifiers as Connect takes them: an ID, or the ARN that ends in it."""

from __future__ import annotations

from dataclasses import dataclass

from connect_associations import _grammar


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
        match = _grammar.ARN.fullmatch(text)
        if match is None:
            return cls(text)
        path = match["resource"]
        return cls(path.rpartition("/")[2], match["region"], match["account"], path)


def arn(*, region: str, account_id: str, path: str) -> str:
    """Return a Connect ARN, in the partition of *region*: one that has groups."""
    standard, government = _grammar.GROUP_PARTITIONS
    partition = government if region.startswith("us-gov-") else standard
    return _grammar.arn(partition, region, account_id, path)
