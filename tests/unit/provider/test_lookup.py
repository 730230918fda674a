"""Users by their names, as the handlers look them up."""

from __future__ import annotations

import pytest

from lifecycle.cast import ANN, BOB, CYD, INSTANCE, lookup, stack_of
from lifecycle.seen import seen_world

NEW = "99999999-9999-4999-8999-999999999999"


def test_users_come_in_the_order_of_their_names_whatever_the_case() -> None:
    world, _ = seen_world()
    assert world.deploy(stack_of(Names=lookup("cyd", "ANN", "bob"))) == "CREATE_COMPLETE"
    found = world.stack.resources["Names"].attributes["UserIds"]
    assert found == ",".join(user.id for user in (CYD, ANN, BOB))
    assert world.ledger.calls == [], "nothing is claimed"
    assert not world.faulty.writes_since(0)


def test_a_name_of_two_users_is_refused_and_names_both() -> None:
    world, emulation = seen_world()
    instance = emulation.world.instances[INSTANCE.id]
    emulation.add_user(instance, user_id=NEW, username="Ann")
    began = world.clock.time()
    assert world.stack.create(stack_of(Names=lookup("ann", "bob"))) == "ROLLBACK_COMPLETE"
    first, second = sorted((ANN.id, NEW))
    assert f"'ann' names users {first} and {second}" in world.stack.reason
    assert "bob" not in world.stack.reason
    assert world.clock.time() - began < 10, "waiting makes it no clearer"


def test_every_name_that_nobody_has_is_told() -> None:
    world, _ = seen_world()
    names = lookup("ann", "nobody", "no one")
    assert world.stack.create(stack_of(Names=names)) == "ROLLBACK_COMPLETE"
    assert "nobody is named 'nobody'; nobody is named 'no one'" in world.stack.reason


def test_the_physical_id_stands_for_the_users() -> None:
    """So that one who is renamed stays the same, and whoever uses the IDs is not replaced."""
    world, _ = seen_world()
    world.deploy(stack_of(Names=lookup("ann", "bob")))
    before = world.stack.resources["Names"].physical_id
    assert before
    assert before.startswith(f"users:{INSTANCE.id}/")
    world.connect.rename(ANN, "anna")
    assert world.deploy(stack_of(Names=lookup("anna", "bob"))) == "UPDATE_COMPLETE"
    assert world.stack.resources["Names"].physical_id == before
    assert world.deploy(stack_of(Names=lookup("anna", "cyd"))) == "UPDATE_COMPLETE"
    assert world.stack.resources["Names"].physical_id != before


@pytest.mark.parametrize("count", [11, 40])
def test_more_names_than_one_search_takes(count: int) -> None:
    world, emulation = seen_world()
    instance = emulation.world.instances[INSTANCE.id]
    users = [f"99999999-9999-4999-8999-{number:012d}" for number in range(count)]
    for number, user_id in enumerate(users):
        emulation.add_user(instance, user_id=user_id, username=f"agent{number}")
    names = lookup(*(f"agent{number}" for number in range(count)))
    assert world.deploy(stack_of(Names=names)) == "CREATE_COMPLETE"
    assert world.stack.resources["Names"].attributes["UserIds"] == ",".join(users)
