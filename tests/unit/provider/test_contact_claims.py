"""How the claims on a contact change: pure functions."""

from __future__ import annotations

import time
from typing import Any

import pytest

from connect_provider.contacts import claims as rules
from connect_provider.contacts.declaration import ContactUser, Release
from connect_provider.deployment import Deployment
from connect_provider.ledger.claim import OPEN, ContactClaim, Offer, Owner, Phase

INSTANCE = "11111111-2222-4333-8444-555555555555"
CONTACT = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
OWNER = Owner("arn:aws:cloudformation:us-east-1:123456789012:stack/Test/1", "A")
NOW = 1_800_000_000.0
FORWARD = Deployment("UPDATE_IN_PROGRESS", "monday")
BACK = Deployment("UPDATE_ROLLBACK_IN_PROGRESS", "monday")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)


def claimed(user: str = "ann", **changes: Any) -> ContactClaim:
    values: dict[str, Any] = {
        "owner": OWNER,
        "version": "0123456789ab",
        "instance_id": INSTANCE,
        "contact_id": CONTACT,
        "user_id": user,
        "assignment": user,
        "began": "monday",
        "since": NOW - 3600.0,
        "queue_id": "sales",
        **changes,
    }
    return ContactClaim(**values)


def live(user: str = "ann", **changes: Any) -> ContactClaim:
    return claimed(user, phase=Phase.LIVE, offer=Offer.MADE, **changes)


def moved(**changes: Any) -> ContactClaim:
    """Return a claim that went from Ann to Bob."""
    values = {"previous_user_id": "ann", "previous_offer": Offer.MADE, **changes}
    return claimed("bob", **values)


def declared(user: str) -> ContactUser:
    return ContactUser(
        instance_id=INSTANCE, contact_id=CONTACT, user_id=user, release=Release(), allow_voice=False
    )


# -- another user ----------------------------------------------------------------------------------


def test_another_user_takes_the_place_and_the_one_before_is_remembered() -> None:
    planned = claimed("bob", queue_id="other")
    assert rules.reassigned(live(), planned) == planned._replace(
        previous_user_id="ann", previous_offer=Offer.MADE, queue_id="sales"
    )
    assert rules.reassigned(live(queue_id=""), planned) == planned._replace(
        previous_user_id="ann", previous_offer=Offer.MADE
    )


def test_the_same_user_keeps_what_is_known() -> None:
    assert rules.reassigned(live(), claimed(assignment="again")) == live(assignment="again")


@pytest.mark.parametrize("phase", [Phase.ENDING, Phase.ENDED])
def test_nothing_is_assigned_again_that_ends_or_is_so_already(phase: Phase) -> None:
    assert rules.reassigned(live()._replace(phase=phase), claimed("bob")) is None
    assert rules.reassigned(live(), claimed("bob", assignment="ann")) is None


@pytest.mark.parametrize(
    ("offer", "known"),
    [
        (Offer.NONE, Offer.MADE),
        (Offer.MAYBE, Offer.MAYBE),
        (Offer.MADE, Offer.MAYBE),
    ],
)
def test_the_way_back_goes_to_the_user_of_before(offer: Offer, known: Offer) -> None:
    back = claimed("ann", rollback=True, assignment="back")
    assert rules.reassigned(moved(phase=Phase.LIVE, offer=offer), back) == back._replace(
        offer=known
    )
    assert rules.reassigned(moved(offer=offer), back._replace(rollback=False)) == back._replace(
        offer=known, rollback=False
    )


def test_a_change_to_the_user_before_last_is_no_way_back() -> None:
    again = claimed("ann", assignment="again")
    assert rules.reassigned(moved(phase=Phase.LIVE, offer=Offer.MADE), again) == again._replace(
        previous_user_id="bob", previous_offer=Offer.MADE
    )


def test_a_way_back_to_somebody_else_remembers_whom_it_comes_from() -> None:
    back = claimed("cyd", rollback=True)
    assert rules.reassigned(moved(phase=Phase.LIVE, offer=Offer.MADE), back) == back._replace(
        previous_user_id="bob", previous_offer=Offer.MADE
    )


def test_a_user_who_was_never_offered_the_contact_is_nobody_to_go_back_to() -> None:
    planned = claimed("cyd")
    assert rules.reassigned(moved(), planned) == planned._replace(
        previous_user_id="ann", previous_offer=Offer.MADE
    )


# -- given up, ended, withdrawn --------------------------------------------------------------------


def test_a_change_that_is_given_up_goes_back() -> None:
    assert rules.given_up(moved()) == claimed(
        "ann", assignment="", phase=Phase.LIVE, offer=Offer.MADE
    )
    assert rules.given_up(moved(phase=Phase.LIVE)) is None


def test_a_create_that_is_given_up_is_undone() -> None:
    assert rules.given_up(claimed()) == claimed(
        phase=Phase.ENDING, undo=True, doubt=True, since=NOW
    )


def test_what_ends_before_its_offer_ends_as_that_of_the_user_before() -> None:
    ended = rules.ended(moved(), now=NOW, undo=False)
    assert ended
    assert (ended.user_id, ended.offer, ended.phase) == ("ann", Offer.MADE, Phase.ENDING)
    ended = rules.ended(moved(offer=Offer.MAYBE), now=NOW, undo=False)
    assert ended
    assert (ended.user_id, ended.offer, ended.undo) == ("bob", Offer.MAYBE, True)


def test_what_is_withdrawn_is_over_at_once() -> None:
    assert rules.withdrawn(claimed()) == claimed(phase=Phase.ENDED)
    assert rules.withdrawn(claimed(phase=Phase.ENDED)) is None


# -- offers ----------------------------------------------------------------------------------------


def test_an_offer_is_noted_while_the_claim_is_pending() -> None:
    assert rules.offering(Offer.MAYBE)(claimed()) == claimed(offer=Offer.MAYBE, since=NOW)
    assert rules.offering(Offer.NONE)(claimed()) is None
    done = rules.offering(Offer.MADE, Phase.LIVE)
    assert done(claimed()) == claimed(offer=Offer.MADE, phase=Phase.LIVE, since=NOW)
    assert done(claimed(phase=Phase.ENDING)) is None


@pytest.mark.parametrize("offer", [Offer.MADE, Offer.ADOPTED])
def test_an_offer_that_is_certain_is_not_looked_for(offer: Offer) -> None:
    other = live(version="b")._replace(offer=Offer.ADOPTED if offer is Offer.MADE else Offer.MADE)
    assert rules.offered_before(claimed(offer=offer), [other]) is offer


@pytest.mark.parametrize(
    ("change", "offer"),
    [
        ({}, Offer.MADE),
        ({"phase": Phase.PENDING}, Offer.MADE),
        ({"phase": Phase.ENDING}, Offer.MAYBE),
        ({"user_id": "bob"}, Offer.MAYBE),
        ({"offer": Offer.MAYBE}, Offer.MAYBE),
        ({"offer": Offer.NONE}, Offer.MAYBE),
    ],
)
def test_another_claim_s_offer_to_the_same_user_counts(
    change: dict[str, Any], offer: Offer
) -> None:
    other = live(version="b")._replace(**change)
    assert rules.offered_before(claimed(offer=Offer.MAYBE), [other]) is offer


# -- events in time --------------------------------------------------------------------------------


def never() -> bool:
    raise AssertionError("CloudFormation was asked without need")


@pytest.mark.parametrize("phase", Phase)
def test_an_update_to_the_claimed_user_is_in_time_while_the_claim_is_open(phase: Phase) -> None:
    current = [claimed(phase=phase)]
    timely = rules.is_timely(current, declared("ann"), declared("bob"), FORWARD, never)
    assert timely == (phase in OPEN)
    assert not rules.is_timely(
        [claimed(phase=Phase.ENDED)], declared("bob"), declared("ann"), FORWARD, never
    )


def test_an_update_starts_from_a_user_whom_the_claim_knows() -> None:
    for before, timely in (("bob", True), ("ann", True), ("dan", False)):
        known = rules.is_timely([moved()], declared("cyd"), declared(before), FORWARD, never)
        assert known == timely


def test_a_rollback_goes_back_to_the_user_before_or_as_cloudformation_asks() -> None:
    assert rules.is_timely([moved()], declared("ann"), declared("bob"), BACK, never)
    users = declared("cyd"), declared("bob")
    assert rules.is_timely([moved()], *users, BACK, lambda: True)
    assert not rules.is_timely([moved()], *users, BACK, lambda: False)
    assert not rules.is_timely([moved()], declared("cyd"), declared("ann"), BACK, never)


def test_what_the_ledger_does_not_know_is_in_time() -> None:
    assert rules.is_timely([], declared("ann"), declared("bob"), FORWARD, never)
    assert rules.is_timely([claimed()], declared("bob"), None, FORWARD, never)
