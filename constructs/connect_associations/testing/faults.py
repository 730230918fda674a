"""Injected failures: errors, refused permissions, lost connections, before or after the effect."""

from __future__ import annotations

import difflib
import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connect_associations.testing.exceptions import status_of
from connect_associations.testing.service_model import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from connect_associations.testing.recorder import Call


def check_operations(operations: Iterable[str]) -> None:
    """Refuse an operation that is not emulated, such as a misspelled one.

    :raises ValueError: naming it, and what was probably meant.
    """
    for operation in operations:
        if operation not in OPERATIONS:
            meant = difflib.get_close_matches(operation, OPERATIONS, n=1)
            raise ValueError(
                f"{operation} is not an operation that is emulated"
                + (f"; did you mean {meant[0]}?" if meant else f": {', '.join(OPERATIONS)}")
            )


class FaultKind(enum.StrEnum):
    """What goes wrong.

    ERROR answers with an error and has no effect. ERROR_AFTER_EFFECT carries the operation out and
    answers with the error all the same. DROP closes the connection without effect,
    DROP_AFTER_EFFECT carries the operation out first. TIME_OUT and TIME_OUT_AFTER_EFFECT keep the
    caller waiting instead of closing at once.
    """

    ERROR = "Error"
    ERROR_AFTER_EFFECT = "ErrorAfterEffect"
    DROP = "Drop"
    DROP_AFTER_EFFECT = "DropAfterEffect"
    TIME_OUT = "TimeOut"
    TIME_OUT_AFTER_EFFECT = "TimeOutAfterEffect"

    @property
    def after_effect(self) -> bool:
        """Whether the operation is carried out before things go wrong."""
        return self.value.endswith("AfterEffect")

    @property
    def is_error(self) -> bool:
        """Whether the caller gets an answer."""
        return self in {FaultKind.ERROR, FaultKind.ERROR_AFTER_EFFECT}

    @property
    def is_time_out(self) -> bool:
        """Whether the caller is kept waiting."""
        return self in {FaultKind.TIME_OUT, FaultKind.TIME_OUT_AFTER_EFFECT}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Which calls go wrong, and how.

    :ivar kind: what goes wrong.
    :ivar operations: the operations it is for. Default: empty, every operation.
    :ivar first: the first matching call that goes wrong, counted from 1 when the fault was added.
        Default: 1.
    :ivar count: how many matching calls go wrong from then on; None: all. Default: 1.
    :ivar region: only calls signed for this Region. Default: None, any.
    :ivar code: the error code. Default: InternalServiceException.
    :ivar message: the error's message. Default: None, one that names the code and the operation.
    :ivar status: the error's HTTP status. Default: None, the one that comes with the code.
    :ivar wait_seconds: how long a caller over HTTP is kept waiting before the connection is
        closed; in process, the time-out comes at once. Default: 60.
    :ivar where: a further condition on the call; it cannot be sent to a server in another process.
        Default: None.
    """

    kind: FaultKind = FaultKind.ERROR
    operations: frozenset[str] = frozenset()
    first: int = 1
    count: int | None = 1
    region: str | None = None
    code: str = "InternalServiceException"
    message: str | None = None
    status: int | None = None
    wait_seconds: float = 60.0
    where: Callable[[Call], bool] | None = None

    def __post_init__(self) -> None:
        """Refuse a fault that could never happen, or whose error has no status.

        :raises ValueError: naming the field, or the operation.
        """
        check_operations(self.operations)
        if self.first < 1:
            raise ValueError(f"first is counted from 1, not {self.first}")
        if self.count is not None and self.count < 1:
            raise ValueError(f"count must be at least 1, not {self.count}; None means all calls")
        if self.status is None:
            status_of(self.code)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Fault:
        """Return the fault that :meth:`as_dict` wrote; what is left out has its default."""
        given = dict(value)
        if "kind" in given:
            given["kind"] = FaultKind(given["kind"])
        if "operations" in given:
            given["operations"] = frozenset(given["operations"])
        return cls(**given)

    def as_dict(self) -> dict[str, Any]:
        """Return the fault as JSON can carry it.

        :raises ValueError: if it has a ``where``, which only works in process.
        """
        if self.where is not None:
            raise ValueError("a fault with a `where` condition works in process only")
        return {
            "kind": self.kind.value,
            "operations": sorted(self.operations),
            "first": self.first,
            "count": self.count,
            "region": self.region,
            "code": self.code,
            "message": self.message,
            "status": self.status,
            "wait_seconds": self.wait_seconds,
        }

    def matches(self, call: Call) -> bool:
        """Return whether the fault is for *call*, regardless of its turn."""
        return (
            (not self.operations or call.operation in self.operations)
            and (self.region is None or call.region == self.region)
            and (self.where is None or self.where(call))
        )


@dataclass(slots=True)
class _Ordered:
    fault: Fault
    seen: int = 0


class ConnectionLostError(ConnectionError):
    """The connection is to be closed without an answer.

    :param fault: the fault that says so.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"closed by a fault of kind {fault.kind}")
        self.fault = fault


class Faults:
    """The faults that are active."""

    def __init__(self) -> None:
        self._ordered: list[_Ordered] = []

    def add(self, fault: Fault) -> Fault:
        """Add *fault*; its calls are counted from now on."""
        self._ordered.append(_Ordered(fault))
        return fault

    def remove(self, fault: Fault) -> None:
        """Remove *fault*; nothing happens if it is not active."""
        self._ordered = [ordered for ordered in self._ordered if ordered.fault != fault]

    def clear(self) -> None:
        """Remove all faults."""
        self._ordered.clear()

    def next(self, call: Call) -> Fault | None:
        """Count *call* for every fault that matches it, and return the first whose turn it is."""
        turn: Fault | None = None
        for ordered in self._ordered:
            fault = ordered.fault
            if not fault.matches(call):
                continue
            ordered.seen += 1
            last = None if fault.count is None else fault.first + fault.count - 1
            due = ordered.seen >= fault.first and (last is None or ordered.seen <= last)
            if due and turn is None:
                turn = fault
        return turn
