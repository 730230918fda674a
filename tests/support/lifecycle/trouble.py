"""What may go wrong during one operation on a stack, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from hypothesis import strategies as st

from lifecycle.cloudformation_api import ReadFaults
from lifecycle.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

_T = TypeVar("_T")

READS = ("DescribeStacks", "ListStackResources", "GetTemplate")
_MAX_FAULTS = 3
_MAX_CALL = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """A sibling that fails.

    :ivar seconds: after how long.
    :ivar last: whether it waits for all other resources.
    :ivar revert: whether its Update back fails as well, once.
    """

    seconds: float
    last: bool
    revert: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What goes wrong.

    :ivar faults: by the number of the Connect call.
    :ivar repeats: after how many seconds an event is delivered again, by its number.
    :ivar stale: delay by the number of an event of an earlier operation.
    :ivar denied: for how many seconds Connect denies everything.
    """

    faults: Mapping[int, Fault] = field(default_factory=dict)
    writes_only: bool = False
    repeats: Mapping[int, float] = field(default_factory=dict)
    stale: Mapping[int, float] = field(default_factory=dict)
    denied: float = 0.0
    unreadable: frozenset[str] = frozenset()
    throttled_reads: int = 0
    sabotage: Sabotage | None = None

    @property
    def heals(self) -> bool:
        """Whether the operation should succeed nevertheless."""
        return (
            self.sabotage is None
            and not self.unreadable
            and not any(fault.kills for fault in self.faults.values())
        )

    def read_faults(self) -> ReadFaults:
        """Return what goes wrong with reads from CloudFormation."""
        return ReadFaults(denied=self.unreadable, throttled=self.throttled_reads)


_delays = st.sampled_from((0.0, 0.1, 0.4, 2.0, 7.0, 60.0, 300.0, 1000.0))
_sabotage = st.builds(
    Sabotage,
    seconds=st.sampled_from((0.02, 0.2, 0.5, 2.0, 8.0, 30.0, 400.0)),
    last=st.booleans(),
    revert=st.sampled_from((False, False, False, True)),
)


def _rarely(strategy: st.SearchStrategy[_T], default: _T) -> st.SearchStrategy[_T]:
    usual = st.just(default)
    return st.one_of(usual, usual, usual, strategy)


troubles: st.SearchStrategy[Trouble] = st.one_of(
    st.just(Trouble()),
    st.builds(
        Trouble,
        faults=st.dictionaries(
            st.integers(0, _MAX_CALL), st.sampled_from(Fault), max_size=_MAX_FAULTS
        ),
        writes_only=st.booleans(),
        repeats=_rarely(st.dictionaries(st.integers(0, 5), _delays, max_size=3), {}),
        stale=_rarely(st.dictionaries(st.integers(0, 12), _delays, max_size=2), {}),
        denied=_rarely(st.sampled_from((10.0, 45.0)), 0.0),
        unreadable=_rarely(st.frozensets(st.sampled_from(READS), min_size=1), frozenset()),
        throttled_reads=_rarely(st.integers(1, 3), 0),
        sabotage=st.one_of(st.none(), _sabotage),
    ),
)
"""Nothing at all, or any mixture."""
