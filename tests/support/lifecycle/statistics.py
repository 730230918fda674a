"""What a run of the machine has covered."""

from __future__ import annotations

from collections import Counter, defaultdict


class Statistics:
    """Counts by topic: examples, steps, statuses, faults, variants, violations."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)

    def count(self, topic: str, what: object, times: int = 1) -> None:
        """Count *what* under *topic*."""
        self._counts[topic][str(what)] += times

    def total(self, topic: str) -> int:
        """Return the sum of a topic's counts."""
        return self._counts[topic].total()

    def __str__(self) -> str:
        lines = []
        for topic, counts in self._counts.items():
            lines.append(f"{topic}: {counts.total():,}")
            lines.extend(f"    {count:7,}  {what}" for what, count in sorted(counts.items()))
        return "\n".join(lines)
