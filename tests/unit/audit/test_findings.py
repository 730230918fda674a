"""What an audit decides, without AWS."""

from __future__ import annotations

import pytest

from connect_provider.audit import findings
from connect_provider.audit.findings import Change, Limit
from connect_provider.connect.client import Group
from connect_provider.deployment import Deployment
from connect_provider.ledger.claim import GroupClaim, Owner, Phase, from_item, to_item

ANN, BOB, CYD, DAN = (f"99999999-9999-4999-8999-{number:012d}" for number in range(4))
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Test/1"
CLAIM = GroupClaim(
    owner=Owner(STACK, "A"),
    version="0123456789ab",
    group=Group(id="22222222-2222-4222-8222-222222222222", region="us-east-1"),
    users=frozenset((ANN, BOB)),
    adopted=frozenset((BOB,)),
    expelled=frozenset((DAN,)),
    since=1.0,
    phase=Phase.LIVE,
    rule="[]",
)
NOBODY = frozenset[str]()


@pytest.mark.parametrize(
    ("limit", "change", "of", "allowed"),
    [
        (Limit(share=0.1, number=10), 10, 4, True),
        (Limit(share=0.1, number=10), 11, 4, False),
        (Limit(share=0.1, number=10), 250, 2500, True),
        (Limit(share=0.1, number=10), 251, 2500, False),
        (Limit(share=0.0, number=0), 1, 2500, False),
    ],
)
def test_the_larger_limit_counts(limit: Limit, change: int, of: int, *, allowed: bool) -> None:
    assert limit.allows(change, of=of) is allowed


def test_changes_of_a_rule() -> None:
    limit = Limit(share=0, number=2)
    assert findings.change(CLAIM, CLAIM.users, limit) == Change()
    one_each = findings.change(CLAIM, frozenset((BOB, CYD)), limit)
    assert one_each == Change(frozenset((CYD,)), frozenset((ANN,)))
    too_many = findings.change(CLAIM, frozenset((CYD,)), limit)
    assert (too_many.joined, too_many.left) == (NOBODY, NOBODY)
    assert "1 users would join and 2 leave, where 2 are declared" in too_many.stopped
    assert findings.change(CLAIM, NOBODY, Limit(share=1, number=99)).stopped


def test_a_claim_that_is_renewed_keeps_who_was_there_before() -> None:
    joined = frozenset((CYD, DAN))
    renewed = findings.renewed(CLAIM, joined, frozenset((DAN,)), now=9.0)
    assert renewed is not None
    assert renewed.users == {ANN, BOB, CYD, DAN}
    assert renewed.adopted == frozenset((BOB, DAN))
    assert (renewed.since, renewed.expelled) == (9.0, NOBODY)


def test_who_has_left_does_not_come_back_out_of_the_table() -> None:
    relieved = findings.relieved(CLAIM, frozenset((BOB,)))
    assert relieved is not None
    read = from_item(to_item(relieved))
    assert isinstance(read, GroupClaim)
    assert read.users == {ANN}


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.ENDING, Phase.ENDED])
def test_only_a_live_claim_is_changed(phase: Phase) -> None:
    claim = CLAIM._replace(phase=phase)
    assert findings.renewed(claim, frozenset((CYD,)), NOBODY, now=9.0) is None
    assert findings.relieved(claim, frozenset((ANN,))) is None


def test_a_claim_that_cannot_come_about_moves_nothing() -> None:
    pending = CLAIM._replace(phase=Phase.PENDING)
    assert findings.is_moving([CLAIM, pending])
    assert not findings.is_moving([CLAIM, pending._replace(problem="no such user")])
    assert findings.oldest_unsettled([CLAIM, pending], STACK, now=61.0) == 60.0
    assert findings.oldest_unsettled([CLAIM, pending], "another", now=61.0) == 0.0


@pytest.mark.parametrize(
    ("status", "root", "settled"),
    [
        ("UPDATE_COMPLETE", "", True),
        ("UPDATE_ROLLBACK_COMPLETE", "", True),
        ("UPDATE_FAILED", "", False),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "", False),
        ("CREATE_COMPLETE", "CREATE_COMPLETE", True),
        ("CREATE_COMPLETE", "CREATE_IN_PROGRESS", False),
        ("CREATE_COMPLETE", "unknown", False),
    ],
)
def test_what_may_still_be_rolled_back(status: str, root: str, *, settled: bool) -> None:
    assert Deployment(status=status, root_status=root).is_settled is settled
