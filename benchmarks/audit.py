"""What an audit of thousands of users asks Connect and the ledger."""

from __future__ import annotations

import io
from collections import Counter
from contextlib import redirect_stdout

import pytest

from auditing import Stage
from benchmarks.figures import Figure, Limit, Section
from connect_associations.testing.throttle import ThrottleSettings
from lifecycle.cast import GROUPS, INSTANCE, membership, stack_of

_USERS = 2500
_GROUPS = 5
_EACH = _USERS // _GROUPS
_LARGE_PAGE, _SMALL_PAGE = 1000, 10
_SEARCH_PAGE = 500
_QUOTA = ThrottleSettings().default
_OK = 200
_QUIET = {"AuditsFinished", "Matching"}
"""What an audit counts that finds no difference."""

_OVER_NECESSARY = Limit(most=1.0)
_OVER_IDEAL = Limit(most=1.15)


def measure() -> list[Section]:
    """Audit without a difference, in simulated time."""
    return [
        Section(
            title="An audit",
            method=(
                f"An audit that finds no difference among {_USERS:,} users in {_GROUPS} groups, in "
                f"simulated time. Connect allows {_QUOTA.rate:g} calls per second and operation "
                f"with a burst of {_QUOTA.burst:g}. Necessary are the pages of the listings, and "
                f"one SearchUsers for each {_SEARCH_PAGE} users of a rule. The ideal time for N "
                "calls of an operation is (N - burst) / rate."
            ),
            figures=(
                *_audited(_LARGE_PAGE, by_rule=False),
                *_audited(_SMALL_PAGE, by_rule=False),
                *_audited(_LARGE_PAGE, by_rule=True),
                *_audited(_SMALL_PAGE, by_rule=True),
            ),
        )
    ]


def _audited(page: int, *, by_rule: bool) -> list[Figure]:
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()):
        stage = Stage(patch)
        stage.emulation.behave(group_users_page_size=page)
        _deploy(stage, by_rule=by_rule)
        stage.emulation.limit(ThrottleSettings())
        before, requests = len(stage.world.faulty.calls), len(stage.world.ledger.calls)
        began = stage.world.clock.time()
        counts = stage.audit()
        took = stage.world.clock.time() - began
        calls = Counter(call.status == _OK for call in stage.world.faulty.calls[before:])
        asked = len(stage.world.ledger.calls) - requests
    if not counts.keys() <= _QUIET:
        raise RuntimeError(f"the audit was not quiet: {counts}")
    listings = _GROUPS * -(-_EACH // page)
    necessary = listings + (_GROUPS * -(-_EACH // _SEARCH_PAGE) if by_rule else 0)
    ideal = (listings - _QUOTA.burst) / _QUOTA.rate
    what = f"{'rules' if by_rule else 'lists'}, pages of {page:,}"
    figures = [
        Figure(
            name=f"{what}: answered calls over necessary",
            ours=calls[True] / necessary,
            limit=_OVER_NECESSARY,
        ),
        Figure(name=f"{what}: answered calls", ours=calls[True]),
        Figure(name=f"{what}: calls that the quota refused", ours=calls[False]),
        Figure(name=f"{what}: seconds", ours=took),
        Figure(name=f"{what}: requests to the ledger", ours=asked),
    ]
    if ideal > 0:
        figures.append(
            Figure(name=f"{what}: time over ideal", ours=took / ideal, limit=_OVER_IDEAL)
        )
    return figures


def _deploy(stage: Stage, *, by_rule: bool) -> None:
    instance = stage.emulation.world.instances[INSTANCE.id]
    users = stage.emulation.add_users(instance, [f"agent-{n}" for n in range(_USERS)])
    more = range(_GROUPS - len(GROUPS))
    groups = [*GROUPS, *(stage.emulation.add_group(instance, name=f"group-{n}").id for n in more)]
    memberships = {}
    for number, group in enumerate(groups):
        members = users[number * _EACH : (number + 1) * _EACH]
        body = memberships[f"M{number}"] = membership(group, *(user.id for user in members))
        for user in members:
            user.tags = {"team": str(number)}
        if by_rule:
            del body["Properties"]["UserIds"]
            body["Properties"]["UsersMatching"] = [{"Tags": {"team": str(number)}}]
    if stage.world.deploy(stack_of(**memberships)) != "CREATE_COMPLETE":
        raise RuntimeError(stage.world.story())
    stage.settle()
