"""One round of an audit through all groups, which may take several invocations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connect_provider.connect.client import Group
    from connect_provider.ledger.table import Ledger

_ROUND = "round"


class Round(NamedTuple):
    """How far a round has come.

    :ivar began: when it began, in seconds since the epoch; tells one round from the next.
    :ivar after: the group that it has finished last, ``REGION:ID``; empty at the beginning.
    :ivar counts: what it has counted so far.
    """

    began: float
    after: str
    counts: Mapping[str, float]

    @classmethod
    def of(cls, event: Mapping[str, Any], *, now: float) -> Round:
        """Return the round that an event goes on with, or a new one."""
        detail = event.get("detail")
        state = detail.get(_ROUND) if isinstance(detail, dict) else None
        if not isinstance(state, dict):
            return cls(began=now, after="", counts={})
        counts = {str(name): float(value) for name, value in dict(state["counts"]).items()}
        return cls(began=float(state["began"]), after=str(state["after"]), counts=counts)

    def to_detail(self) -> dict[str, Any]:
        """Return what :meth:`of` reads in an event's detail."""
        return {_ROUND: self._asdict()}

    def left(self, groups: list[Group]) -> list[Group]:
        """Return the groups that are still to be compared, in their order."""
        return sorted((it for it in groups if place(it) > self.after), key=place)

    # A round keeps others from beginning; one that failed does so for its invocation's time.

    def hold(self, ledger: Ledger, stack_id: str, *, now: float, until: float) -> bool:
        """Make sure that this is the only round of the stack; return whether it is.

        :param until: when the next invocation holds it, at the latest.
        """
        written = ledger.send(
            "put_item",
            Item={**_key(stack_id), "began": self.began, "held_until": until},
            ConditionExpression="attribute_not_exists(pk) OR began = :mine OR held_until < :now",
            ExpressionAttributeValues={":mine": self.began, ":now": now},
        )
        return written is not None

    def give_back(self, ledger: Ledger, stack_id: str) -> None:
        """Let the next round begin."""
        ledger.send(
            "delete_item",
            Key=_key(stack_id),
            ConditionExpression="began = :mine",
            ExpressionAttributeValues={":mine": self.began},
        )


def place(group: Group) -> str:
    """Return what groups are ordered by."""
    return f"{group.region}:{group.id}"


def _key(stack_id: str) -> dict[str, str]:
    return {"pk": f"audit#{stack_id}", "sk": _ROUND}
