"""Who a roster by name or by rule means, without the life cycle around it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from connect_associations.testing import ConnectEmulation, mock_connect
from connect_associations.testing.seed import HOME_REGION, INSTANCE_ID, USERS, seed
from connect_provider.connect.calls import Limits
from connect_provider.connect.client import Connect
from connect_provider.connect.quota import Paces
from connect_provider.errors import AssociationFailedError, InvalidEventError
from connect_provider.identifiers import Account
from connect_provider.users import filter as rules
from connect_provider.users import roster

if TYPE_CHECKING:
    from collections.abc import Iterator

ANN, BOB, CYD, DAN = (USERS[name] for name in ("ann", "bob", "cyd", "dan"))
SITE, SALES, AGENT, SUPERVISOR = (
    f"77777777-aaaa-4aaa-8aaa-{number:012d}" for number in range(1, 5)
)
OWNER = Account(partition="aws", account="123456789012", region=HOME_REGION)


@pytest.fixture
def emulation() -> Iterator[ConnectEmulation]:
    emulation = ConnectEmulation()
    seed(emulation)
    with mock_connect(emulation):
        yield emulation


@pytest.fixture
def connect(emulation: ConnectEmulation) -> Connect:
    del emulation  # answers the client's requests
    client = boto3.client(
        "connect",
        region_name=HOME_REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - nothing is sent anywhere
    )
    limits = Limits(deadline=time.time() + 60, patience=1)
    return Connect(client, HOME_REGION, paces=Paces(), limits=limits)


# -- by name ---------------------------------------------------------------------------------------


def crowd(emulation: ConnectEmulation, size: int) -> dict[str, str]:
    users = {f"agent{number}": f"99999999-aaaa-4aaa-8aaa-{number:012d}" for number in range(size)}
    for name, user_id in users.items():
        emulation.add_user(emulation.world.instances[INSTANCE_ID], username=name, user_id=user_id)
    return users


@pytest.mark.parametrize(
    ("names", "instance", "calls"),
    [
        pytest.param(10, 10, 1, id="ten names are one search"),
        pytest.param(30, 600, 2, id="everybody is two pages, the names three searches"),
        pytest.param(11, 1200, 3, id="the names are two searches, everybody three pages"),
    ],
)
def test_names_are_found_in_the_fewest_calls(
    connect: Connect, emulation: ConnectEmulation, names: int, instance: int, calls: int
) -> None:
    users = crowd(emulation, instance)
    sought = list(users)[:names]
    found = roster.find(
        connect, instance_id=INSTANCE_ID, usernames=[each.upper() for each in sought]
    )
    assert found == {name.upper(): {users[name]} for name in sought}
    assert len(emulation.calls) == calls


def test_2500_names_take_as_many_calls_as_the_instance_has_pages(
    connect: Connect, emulation: ConnectEmulation
) -> None:
    users = crowd(emulation, 2500)
    found = roster.find(connect, instance_id=INSTANCE_ID, usernames=list(users))
    assert roster.one_each(found, where="here") == tuple(users.values())
    assert len(emulation.calls) == 6, "2,500 and the few users of the seed"


def test_every_problem_is_named_up_to_ten_and_counted() -> None:
    nobody = {f"agent{number}": frozenset[str]() for number in range(11)}
    with pytest.raises(AssociationFailedError) as refused:
        roster.one_each(
            {"ann": frozenset((ANN, BOB)), "cyd": frozenset((CYD,)), **nobody}, where=""
        )
    said = str(refused.value)
    first, second = sorted((ANN, BOB))
    assert f"'ann' names users {first} and {second}" in said
    assert said.count("nobody is named") == 9
    assert "and 2 more of 13 names" in said
    assert "cyd" not in said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "not a list of 1 to 3 names"),
        ([], "not a list of 1 to 3 names"),
        (["a", "b", "c", "d"], "not a list of 1 to 3 names"),
        (["ann", 7], r"Usernames\[1\] is not a name"),
        (["x" * 101], r"Usernames\[0\] is not a name of 1 to 100"),
        (["ann", "bob "], r"Usernames\[1\] begins or ends with white space: 'bob '"),
        (["ann", "bob", "ANN"], r"Usernames\[2\] is the same name as Usernames\[0\]"),
    ],
)
def test_names_that_cannot_be_used(value: object, said: str) -> None:
    with pytest.raises(InvalidEventError, match=said):
        roster.read(value, name="Usernames", limit=3)


def test_names_longer_than_an_event_can_carry_are_refused() -> None:
    names = [f"{number:04d}{'é' * 36}" for number in range(440)]
    with pytest.raises(InvalidEventError, match="longer than 97,500 characters"):
        roster.read(names, name="Usernames", limit=2500)
    assert roster.read(names[:400], name="Usernames", limit=2500) == tuple(names[:400])


# -- by rule ---------------------------------------------------------------------------------------


def rule(*conditions: dict[str, Any]) -> str:
    return rules.read(list(conditions), name="UsersMatching", owner=OWNER)


def test_a_rule_has_one_spelling() -> None:
    arn = f"arn:aws:connect:{HOME_REGION}:123456789012:instance/{INSTANCE_ID}/agent-group/{SITE}"
    one = rule(
        {"HierarchyGroupIds": [arn], "Tags": {"b": "2", "a": "1"}},
        {"SecurityProfileIds": [SUPERVISOR, AGENT.upper(), AGENT]},
    )
    other = rule(
        {"SecurityProfileIds": [AGENT, SUPERVISOR]},
        {"Tags": {"a": "1", "b": "2"}, "HierarchyGroupIds": [SITE]},
    )
    assert one == other
    assert json.loads(one) == [
        {"HierarchyGroupIds": [SITE], "Tags": {"a": "1", "b": "2"}},
        {"SecurityProfileIds": [AGENT, SUPERVISOR]},
    ]


def test_who_matches(connect: Connect, emulation: ConnectEmulation) -> None:
    ann, bob, cyd, dan = (emulation.world.users[each] for each in (ANN, BOB, CYD, DAN))
    ann.tags = bob.tags = {"team": "east", "löslich": "ja"}
    ann.hierarchy_path = ("root", SITE)
    cyd.routing_profile_id = dan.routing_profile_id = SALES
    dan.security_profile_ids = [AGENT, SUPERVISOR]

    def who(*conditions: dict[str, Any]) -> set[str]:
        return set(rules.matching(connect, instance_id=INSTANCE_ID, rule=rule(*conditions)))

    assert who({"Tags": {"team": "east"}}) == {ANN, BOB}
    assert who({"Tags": {"team": "east", "löslich": "nein"}}) == set()
    assert who({"Tags": {"team": "east"}, "HierarchyGroupIds": [SITE]}) == {ANN}
    assert who({"RoutingProfileIds": [SALES]}) == {CYD, DAN}
    assert who({"SecurityProfileIds": [AGENT, SUPERVISOR]}) == {DAN}
    assert who({"HierarchyGroupIds": [SITE]}, {"RoutingProfileIds": [SALES]}) == {ANN, CYD, DAN}


def test_a_rule_costs_a_call_for_each_page_of_500(
    connect: Connect, emulation: ConnectEmulation
) -> None:
    users = crowd(emulation, 1001)
    for user_id in users.values():
        emulation.world.users[user_id].tags = {"team": "east"}
    found = rules.matching(connect, instance_id=INSTANCE_ID, rule=rule({"Tags": {"team": "east"}}))
    assert found == set(users.values())
    assert len(emulation.calls) == 3


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"Tags": {"a": "1"}}, "not a list of 1 to 20 conditions"),
        ([], "not a list of 1 to 20 conditions"),
        ([{"Tags": {"a": "1"}}] * 21, "not a list of 1 to 20 conditions"),
        ([{}], r"UsersMatching\[0\] is not an object with some of"),
        ([{"Tag": {"a": "1"}}], "not an object with some of"),
        ([{"Tags": {}}], "object of 1 to 25 tags"),
        ([{"Tags": {f"k{number}": "" for number in range(26)}}], "object of 1 to 25 tags"),
        ([{"Tags": {"aws:x": "1"}}], "'aws:x' cannot be the key of a tag"),
        ([{"Tags": {"a#b": "1"}}], "'a#b' cannot be the key of a tag"),
        ([{"Tags": {"a": 1}}], r"Tags\['a'\] is not a string"),
        ([{"Tags": {"a": "x" * 257}}], "at most 256 characters"),
        ([{"RoutingProfileIds": SALES}], "not a list of routing profiles"),
        ([{"RoutingProfileIds": []}], "not a list of routing profiles"),
        ([{"SecurityProfileIds": ["x"]}], r"SecurityProfileIds\[0\] is not the ID of a security"),
    ],
)
def test_rules_that_cannot_be_used(value: object, said: str) -> None:
    with pytest.raises(InvalidEventError, match=said):
        rules.read(value, name="UsersMatching", owner=OWNER)
