"""What a measurement returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FAILS = "fails"
"""In place of a number: it was tried and failed."""

NOT_TRIED = "not tried"
"""In place of a number: the section says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """The target of a figure: the most that it should be.

    :ivar most: the most.
    :ivar of: whether the target is for our own value, or for its ratio to what it is compared with.
    """

    most: float
    of: Literal["ours", "ratio"] = "ours"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One row of the table.

    :ivar name: what was measured, with its unit.
    :ivar ours: our value, or :data:`FAILS`.
    :ivar other: the value that it is compared with, :data:`FAILS`, :data:`NOT_TRIED`, or None for
        no comparison.
    :ivar limit: its target. Default: none
    :ivar note: why a figure is above its target. Default: nothing
    """

    name: str
    ours: float | str
    other: float | str | None = None
    limit: Limit | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Our value over the other one; None where one of them is no number."""
        if isinstance(self.ours, str) or not isinstance(self.other, (int, float)) or not self.other:
            return None
        return self.ours / self.other

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.limit is None:
            return None
        value = self.ours if self.limit.of == "ours" else self.ratio
        return isinstance(value, (int, float)) and value <= self.limit.most


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Figures that are compared with the same thing.

    :ivar title: what they are about.
    :ivar method: how it was measured, in a sentence or two.
    :ivar figures: the figures.
    :ivar against: what the other values belong to. Default: there are none
    """

    title: str
    method: str
    figures: tuple[Figure, ...]
    against: str = ""
