"""What a run of the machine has covered."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecycle.promises import Verdicts

MAX_EXCUSED = 0.02
"""The share of the checks that may be excused."""


class Statistics:
    """Counts by topic: examples, steps, statuses, faults, variants, checks, violations."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._made = 0

    def count(self, topic: str, what: object, times: int = 1) -> None:
        """Count *what* under *topic*."""
        self._counts[topic][str(what)] += times

    def total(self, topic: str) -> int:
        """Return the sum of a topic's counts."""
        return self._counts[topic].total()

    def add(self, verdicts: Verdicts) -> None:
        """Count checks and excuses."""
        self._made += verdicts.made
        for excuse, times in verdicts.excused.items():
            self.count("excuses", excuse, times)

    @property
    def excused(self) -> float:
        """The share of the checks that were excused."""
        return self.total("excuses") / self._made if self._made else 0.0

    def check_excuses(self) -> None:
        """Require that nearly everything was checked without an excuse.

        :raises AssertionError: more than two in a hundred were not.
        """
        assert self.excused <= MAX_EXCUSED, f"{self.excused:.2%} of the checks were excused\n{self}"

    def __str__(self) -> str:
        lines = [f"checks: {self._made:,}, excused: {self.excused:.2%}"]
        for topic, counts in self._counts.items():
            lines.append(f"{topic}: {counts.total():,}")
            lines.extend(f"    {count:7,}  {what}" for what, count in sorted(counts.items()))
        return "\n".join(lines)
