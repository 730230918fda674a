"""What may go wrong during one operation on a stack, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from hypothesis import strategies as st

from lifecycle import cast
from lifecycle.cloudformation_api import ReadFaults
from lifecycle.faults import CONNECT, LEDGER, Fault, FaultPlan, LedgerFault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from lifecycle.cast import Thing

_T = TypeVar("_T")

READS = ("DescribeStacks", "DescribeStackResource", "ListStackResources")
_MAX_FAULTS = 3
_MAX_KILLS = 2  # three at the same clean-up, and CloudFormation gives it up
_MAX_CALL = 24


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
class LedgerTrouble:
    """The table is out of reach for a while, some seconds after the operation began."""

    why: LedgerFault
    after: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What goes wrong.

    :ivar faults: by the number of the call.
    :ivar services: whose calls are counted.
    :ivar repeats: after how many seconds an event is delivered again, by its number.
    :ivar stale: delay by the number of an event of an earlier operation.
    :ivar twice: the numbers of the handler invocations that the framework makes twice.
    :ivar slow: for how many seconds a group is not ACTIVE, or a user not replicated.
    :ivar denied: for how many seconds Connect denies everything.
    :ivar unreadable: what CloudFormation denies, for some seconds.
    """

    faults: Mapping[int, Fault] = field(default_factory=dict)
    services: frozenset[str] = frozenset((CONNECT, LEDGER))
    writes_only: bool = False
    repeats: Mapping[int, float] = field(default_factory=dict)
    stale: Mapping[int, float] = field(default_factory=dict)
    twice: AbstractSet[int] = frozenset()
    slow: Mapping[Thing, float] = field(default_factory=dict)
    denied: float = 0.0
    unreadable: frozenset[str] = frozenset()
    unreadable_seconds: float = 0.0
    throttled_reads: int = 0
    ledger: LedgerTrouble | None = None
    sabotage: Sabotage | None = None

    @property
    def heals(self) -> bool:
        """Whether the operation should succeed nevertheless."""
        return self.sabotage is None and not any(fault.kills for fault in self.faults.values())

    @property
    def loses_calls(self) -> bool:
        """Whether it may be unknown whether a call took effect."""
        return any(
            fault.kills or fault in (Fault.LOST_ANSWER, Fault.SERVER_ERROR)
            for fault in self.faults.values()
        )

    def plan(self, now: float, *, creates: bool) -> FaultPlan:
        """Return which calls are hit, from *now* on."""
        plan = FaultPlan(
            at=dict(self.faults),
            services=self.services,
            writes_only=self.writes_only,
            denied_until=now + self.denied if creates else 0.0,
        )
        if self.ledger:
            plan.ledger = self.ledger.why
            plan.ledger_from = now + self.ledger.after
            plan.ledger_until = now + self.ledger.after + self.ledger.seconds
        return plan

    def read_faults(self, now: float) -> ReadFaults:
        """Return what goes wrong with reads from CloudFormation, from *now* on."""
        return ReadFaults(
            denied=self.unreadable,
            until=now + self.unreadable_seconds,
            throttled=self.throttled_reads,
        )


_delays = st.sampled_from((0.0, 0.1, 0.4, 2.0, 7.0, 60.0, 300.0, 1000.0))
_sabotage = st.builds(
    Sabotage,
    seconds=st.sampled_from((0.02, 0.2, 0.5, 2.0, 8.0, 30.0, 400.0)),
    last=st.booleans(),
    revert=st.sampled_from((False, False, False, True)),
)
_slow = st.dictionaries(
    st.sampled_from((*cast.GROUPS, *cast.USERS)),
    st.sampled_from((3.0, 30.0, 120.0)),
    min_size=1,
    max_size=2,
)
_ledger = st.builds(
    LedgerTrouble,
    why=st.sampled_from(LedgerFault),
    after=st.sampled_from((0.0, 0.2, 0.5, 2.0, 10.0)),
    seconds=st.sampled_from((0.3, 5.0, 20.0)),
)


def _faults(
    kinds: tuple[Fault, ...], *, most: int = _MAX_FAULTS
) -> st.SearchStrategy[dict[int, Fault]]:
    return st.dictionaries(
        st.integers(0, _MAX_CALL), st.sampled_from(kinds), min_size=1, max_size=most
    )


_kills = _faults((Fault.KILLED_BEFORE, Fault.KILLED_AFTER), most=_MAX_KILLS)
_healing = _faults(tuple(fault for fault in Fault if not fault.kills))
_lost_answers = st.dictionaries(
    st.integers(0, 7), st.just(Fault.LOST_ANSWER), min_size=2, max_size=_MAX_FAULTS
).map(lambda faults: Trouble(faults=faults, writes_only=True))
_repeats = st.dictionaries(st.integers(0, 4), _delays, min_size=1, max_size=3)
_stale = st.dictionaries(st.integers(0, 12), _delays, min_size=1, max_size=2)
_twice = st.frozensets(st.integers(0, 8), min_size=1, max_size=3)
_services = st.sampled_from(
    (frozenset((CONNECT, LEDGER)), frozenset((CONNECT,)), frozenset((LEDGER,)))
)
_nothing: dict[int, float] = {}


def _perhaps(strategy: st.SearchStrategy[_T], default: _T) -> st.SearchStrategy[_T]:
    return st.one_of(st.just(default), strategy)


troubles: st.SearchStrategy[Trouble] = st.one_of(
    st.builds(
        Trouble,
        faults=_healing,
        services=_services,
        denied=st.sampled_from((0.0, 10.0, 45.0)),
    ),
    st.builds(Trouble, faults=_kills, services=_services, writes_only=st.booleans()),
    _lost_answers,
    st.builds(Trouble, repeats=_repeats, faults=_perhaps(_healing, {})),
    st.builds(Trouble, twice=_twice, faults=_perhaps(_kills, {})),
    st.builds(Trouble, stale=_stale),
    st.builds(Trouble, slow=_slow, repeats=_perhaps(_repeats, _nothing)),
    st.builds(Trouble, ledger=_ledger),
    st.builds(Trouble, ledger=_ledger, sabotage=_sabotage),
    st.builds(Trouble, sabotage=_sabotage),
    st.builds(Trouble, sabotage=_sabotage, slow=_slow),
    st.builds(Trouble, sabotage=_sabotage, stale=_stale),
    st.builds(
        Trouble,
        sabotage=_sabotage,
        faults=_kills,
        services=_services,
        writes_only=st.booleans(),
    ),
    st.builds(
        Trouble,
        sabotage=_perhaps(_sabotage, None),
        unreadable=st.frozensets(st.sampled_from(READS), min_size=1),
        unreadable_seconds=st.sampled_from((2.0, 20.0)),
    ),
    st.builds(
        Trouble,
        faults=_perhaps(_healing, {}),
        services=_services,
        writes_only=st.booleans(),
        repeats=_perhaps(_repeats, _nothing),
        stale=_perhaps(_stale, _nothing),
        twice=_perhaps(_twice, frozenset()),
        slow=_perhaps(_slow, {}),
        throttled_reads=st.integers(0, 3),
        ledger=_perhaps(_ledger, None),
        sabotage=_perhaps(_sabotage, None),
    ),
)
"""One kind of trouble, two that meet, or any mixture."""
