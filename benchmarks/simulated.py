"""Hundreds of singles at once, what the ledger is asked, and what it all costs."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, Limit, Section
from benchmarks.simulation import LATENCY, QUERY_SECONDS, Site, Usage
from connect_associations.testing.throttle import ThrottleSettings
from lifecycle.cast import RED, membership, single

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connect_associations.testing.recorder import Call

_JOIN = "AssociateTrafficDistributionGroupUser"
_LEAVE = "DisassociateTrafficDistributionGroupUser"
_LIST = "ListTrafficDistributionGroupUsers"

_SINGLES = 200
_THERE_BEFORE = 300
_MEMBERS = 1000
_CHANGED = 10
_DEPLOYMENTS = 30
_QUOTA = ThrottleSettings().default
_IDEAL = (_SINGLES - _QUOTA.burst) / _QUOTA.rate

_OVER_IDEAL = Limit(most=1.15)
_OVER_NECESSARY = Limit(most=1.15)
_LISTINGS = Limit(most=3)
_WHOLE_LIFE = Limit(most=20)
_ANY_SIZE = 15
_FEW_SECONDS = 4.0
"""What a membership may ask the ledger: so often, and once more every few seconds."""

_MEMORY_GB = 0.25
_FRAMEWORK_MEMORY_GB = 0.125
_COLD_START_SECONDS = 2.0
_GB = 1e9
_OVERHEAD_BYTES = 100
"""What DynamoDB adds to every item that it stores."""
_PRICES = {
    "read": 0.125e-6,
    "write": 0.625e-6,
    "stored GB": 0.25 + 0.20,
    "GB-second, Arm": 13.3334e-6,
    "GB-second, x86": 16.6667e-6,
    "invocation": 0.20e-6,
    "transition": 25e-6,
}
"""US dollars, on demand, in us-east-1, without the free tier."""


def measure() -> list[Section]:
    """Simulate."""
    random.seed(0)  # the provider spreads its calls at random; the same figures every time
    at_once = _AtOnce()
    many = _Many()
    return [
        Section(
            title="Hundreds of singles at once",
            method=(
                f"{_SINGLES} single users that CloudFormation creates at once, in simulated time, "
                "each with Lambda environments of its own, in a group that already has "
                f"{_THERE_BEFORE} users and is listed in pages of ten. Connect allows 2 calls per "
                f"second with a burst of 5, and answers within {LATENCY['connect']:.2f} s. Time "
                "is from the first call to the last, divided by (N - burst) / rate. The last one "
                "is answered a little later, because a waiter polls every "
                f"{QUERY_SECONDS:.0f} seconds."
            ),
            figures=tuple(at_once.figures()),
        ),
        Section(
            title="Requests to the ledger",
            method=(
                "What reaches DynamoDB, in the same simulation. A membership of any size may make "
                f"{_ANY_SIZE} requests, and one more for every {_FEW_SECONDS:.0f} seconds of "
                "converging: the claims are read again every 5 seconds, and the lease is renewed "
                "every 15. Singles that are created at once make more requests, because each of "
                f"them looks at its claim every {QUERY_SECONDS:.0f} seconds."
            ),
            figures=(*_lonely(), *many.requests(), *at_once.requests()),
        ),
        Section(
            title="What 1,000 users cost per month",
            method=(
                f"US cents for 1,000 users who are created once, and {_DEPLOYMENTS} deployments "
                f"that replace {_CHANGED} of them each; as one membership, or as "
                f"{_MEMBERS // _SINGLES} stacks of {_SINGLES} singles, one of which is "
                "deployed. Computed from the requests and the simulated time of the functions, "
                "with these list prices for us-east-1, without the free tier: DynamoDB on demand "
                f"${_PRICES['write'] * 1e6:.3f} per million writes of 1 KB and "
                f"${_PRICES['read'] * 1e6:.3f} per million reads of 4 KB, $0.25 per GB stored "
                "and $0.20 per GB of point-in-time recovery; Lambda $0.20 per million invocations, "
                f"${_PRICES['GB-second, Arm']:.10f} per GB-second on Arm (the handlers, 256 MB) "
                f"and ${_PRICES['GB-second, x86']:.10f} on x86 (the framework's functions, 128 MB, "
                f"which wait for the handlers), and {_COLD_START_SECONDS:.0f} s for every cold "
                "start of a handler; Step Functions $25 per million transitions. Logs and assets "
                "are left out."
            ),
            figures=tuple(_costs(at_once, many)),
        ),
    ]


def _agents(first: int, count: int) -> list[str]:
    return [f"99999999-aaaa-4aaa-8aaa-{number:012d}" for number in range(first, first + count)]


class _AtOnce:
    """Many singles that are created, changed and deleted at once."""

    def __init__(self) -> None:
        there_before = _agents(0, _THERE_BEFORE)
        users = _agents(_THERE_BEFORE, _SINGLES + _CHANGED)
        site = Site([*there_before, *users])
        site.connect.put_members(there_before)
        bodies = {
            f"User{number}": single(RED, user) for number, user in enumerate(users[:_SINGLES])
        }
        self.seconds = site.deploy(**bodies)
        _expect(site, there_before, users[:_SINGLES])
        self.created, self.calls = replace(site.usage), list(site.connect.calls)
        self.stored = _stored(site)
        replaced = {
            f"User{number}": single(RED, user) for number, user in enumerate(users[_SINGLES:])
        }
        site.deploy(**bodies | replaced)
        _expect(site, there_before, users[_CHANGED:])
        self.changed = site.usage - self.created
        before = replace(site.usage)
        seen = len(site.connect.calls)
        site.delete()
        _expect(site, there_before, [])
        self.deleted, self.calls_of_delete = site.usage - before, site.connect.calls[seen:]

    def figures(self) -> Iterator[Figure]:
        """Return what the quota was used for."""
        for what, calls, operation in (
            ("create", self.calls, _JOIN),
            ("delete", self.calls_of_delete, _LEAVE),
        ):
            writes = [call for call in calls if call.operation == operation]
            yield Figure(
                name=f"{what} {_SINGLES} at once: time over ideal",
                ours=(writes[-1].timestamp - writes[0].timestamp) / _IDEAL,
                limit=_OVER_IDEAL,
            )
            yield Figure(
                name=f"{what} {_SINGLES} at once: calls over necessary",
                ours=len(writes) / _SINGLES,
                limit=_OVER_NECESSARY,
            )
            yield Figure(
                name=f"{what} {_SINGLES} at once: listings of the group",
                ours=_listings(calls),
                limit=_LISTINGS,
            )
        yield Figure(
            name=f"create {_SINGLES} at once: until the last is answered, over ideal",
            ours=self.seconds / _IDEAL,
        )

    def requests(self) -> Iterator[Figure]:
        """Return what the ledger was asked."""
        yield Figure(
            name=f"a single, of {_SINGLES} created at once", ours=self.created.requests / _SINGLES
        )


class _Many:
    """A large membership that is created, changed and deleted."""

    def __init__(self) -> None:
        users = _agents(0, _MEMBERS + _CHANGED)
        site = Site(users)
        self.phases: dict[str, tuple[Usage, float]] = {}
        for phase, declared in (
            ("create", users[:_MEMBERS]),
            (f"change {_CHANGED} of", users[_CHANGED:]),
            ("delete", []),
        ):
            before, seen = replace(site.usage), len(site.connect.calls)
            if declared:
                site.deploy(Agents=membership(RED, *declared))
                self.stored = _stored(site)
            else:
                site.delete()
            _expect(site, declared)
            calls = site.connect.calls[seen:]
            self.phases[phase] = (
                site.usage - before,
                calls[-1].timestamp - calls[0].timestamp,
            )

    def requests(self) -> Iterator[Figure]:
        """Return what the ledger was asked."""
        for phase, (usage, seconds) in self.phases.items():
            yield Figure(
                name=f"{phase} a membership of {_MEMBERS:,}, which takes {seconds:,.0f} s",
                ours=usage.requests,
                limit=Limit(most=int(_ANY_SIZE + seconds / _FEW_SECONDS)),
            )


def _lonely() -> Iterator[Figure]:
    """Return what one single user's life takes."""
    first, second = _agents(0, 2)
    site = Site([first, second])
    site.deploy(Agent=single(RED, first))
    site.delete()
    yield Figure(
        name="a single's whole life, from create to delete",
        ours=site.usage.requests,
        limit=_WHOLE_LIFE,
    )
    site = Site([first, second])
    site.deploy(Agent=single(RED, first))
    site.deploy(Agent=single(RED, second))
    site.delete()
    yield Figure(name="the same with a change of user in between", ours=site.usage.requests)


def _costs(at_once: _AtOnce, many: _Many) -> Iterator[Figure]:
    changed, _ = many.phases[f"change {_CHANGED} of"]
    for way, usage, stored in (
        ("membership", many.phases["create"][0] + changed.over(_DEPLOYMENTS), many.stored),
        (
            "singles",
            at_once.created.over(_MEMBERS / _SINGLES) + at_once.changed.over(_DEPLOYMENTS),
            at_once.stored * _MEMBERS // _SINGLES,
        ),
    ):
        table = (
            usage.reads * _PRICES["read"]
            + usage.writes * _PRICES["write"]
            + stored / _GB * _PRICES["stored GB"]
        )
        # Each handler is called by a function of the framework, which waits for it.
        own = (usage.seconds + usage.containers * _COLD_START_SECONDS) * _MEMORY_GB
        framework = (usage.seconds + usage.containers * _COLD_START_SECONDS) * _FRAMEWORK_MEMORY_GB
        functions = (
            2 * usage.invocations * _PRICES["invocation"]
            + own * _PRICES["GB-second, Arm"]
            + framework * _PRICES["GB-second, x86"]
        )
        waiter = usage.transitions * _PRICES["transition"]
        for name, dollars in (
            ("table", table),
            ("functions", functions),
            ("waiter", waiter),
            ("total", table + functions + waiter),
        ):
            yield Figure(name=f"{way}, {name}: US cents", ours=dollars * 100)


def _listings(calls: Sequence[Call]) -> int:
    return sum(call.operation == _LIST and not call.parameters.get("NextToken") for call in calls)


def _stored(site: Site) -> int:
    """Return about how many bytes the table holds."""
    return sum(
        _OVERHEAD_BYTES
        + sum(
            len(name) + (len(value) if isinstance(value, (str, bytes)) else 8)
            for name, value in item.items()
        )
        for item in site.ledger.items()
    )


def _expect(site: Site, *users: Sequence[str]) -> None:
    wanted = {user for each in users for user in each}
    if site.connect.members != wanted:
        raise AssertionError(f"the group does not hold the {len(wanted):,} users")
