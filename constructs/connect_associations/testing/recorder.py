"""What was called: every request that reached the emulation, in order."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SUCCEEDED = "Succeeded"
"""The outcome of a call that was answered with HTTP status 200."""

DROPPED = "ConnectionDropped"
"""The outcome of a call whose connection was closed without an answer."""

TIMED_OUT = "TimedOut"
"""The outcome of a call that was kept waiting until the caller gave up."""

_READ_PREFIXES = ("Describe", "List", "Search", "Get")


def is_write(operation: str) -> bool:
    """Return whether *operation* can change anything in Connect."""
    return not operation.startswith(_READ_PREFIXES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request as it arrived, and how it ended.

    :ivar number: 1 for the first call since the last reset.
    :ivar operation: the API's name, for example ``DescribeUser``.
    :ivar region: the Region in the request's signature (its SigV4 credential scope).
    :ivar access_key: the access key ID in the signature.
    :ivar parameters: the request's members, spelled as in the service model.
    :ivar timestamp: seconds since the epoch, by the emulation's clock.
    :ivar outcome: :data:`SUCCEEDED`, an error code, :data:`DROPPED` or :data:`TIMED_OUT`.
    :ivar took_effect: whether the operation was carried out without error; with an outcome of
        DROPPED or TIMED_OUT, the caller does not know.
    """

    number: int
    operation: str
    region: str
    access_key: str
    parameters: Mapping[str, Any]
    timestamp: float
    outcome: str = ""
    took_effect: bool = False

    @property
    def write(self) -> bool:
        """Whether the operation is one that can change something."""
        return is_write(self.operation)

    def as_dict(self) -> dict[str, Any]:
        """Return the call as JSON can carry it."""
        return {**asdict(self), "write": self.write}

    def ended(self, *, outcome: str, took_effect: bool) -> Call:
        """Return the call with its end."""
        return replace(self, outcome=outcome, took_effect=took_effect)


class Recorder:
    """The calls since the last reset."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._started = 0

    def next_number(self) -> int:
        """Return the number of the call that is arriving."""
        self._started += 1
        return self._started

    def record(self, call: Call) -> None:
        """Keep *call*, which has ended."""
        self._calls.append(call)

    def clear(self) -> None:
        """Forget all calls and count from 1 again."""
        self._calls.clear()
        self._started = 0

    def __iter__(self) -> Iterator[Call]:
        """Iterate over the calls in the order in which they ended."""
        return iter(tuple(self._calls))

    def __len__(self) -> int:
        """Return how many calls have ended."""
        return len(self._calls)
