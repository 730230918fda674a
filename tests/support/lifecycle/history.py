"""What happened, in an order and a form that people can follow; and which rules were broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecycle.clock import SimulatedClock


class BrokenRule(AssertionError):  # noqa: N818 - reads as the sentence that a test fails with
    """A rule of CloudFormation, of the Provider framework or of this project was broken."""


class History:
    """The log of one simulated world."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._start = clock.time()
        self._lines: list[str] = []
        self._broken: list[str] = []

    def note(self, who: str, what: str) -> None:
        """Write one line: *who* is ``stack``, ``event``, ``lambda``, ``connect``, ``fault``…"""
        self._lines.append(f"{self._clock.time() - self._start:9.2f}  {who:<8} {what}")

    def broken(self, rule: str) -> None:
        """Note a broken rule; :meth:`check` raises it later, outside of the handlers."""
        self.note("BROKEN", rule)
        self._broken.append(rule)

    def check(self) -> None:
        """Raise the broken rules, with the history.

        :raises BrokenRule: there are some.
        """
        if self._broken:
            raise BrokenRule("\n".join((*self._broken, "", str(self))))

    def __str__(self) -> str:
        return "\n".join(self._lines)
