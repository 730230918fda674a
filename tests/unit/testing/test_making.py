"""Filling an emulation: the same calls in process and over HTTP."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import boto3
import botocore.handlers
import botocore.session
import pytest
from moto import mock_aws
from moto.core.base_backend import BackendDict

from connect_associations.testing import (
    ConnectEmulation,
    EmulationClient,
    Fault,
    Quota,
    ThrottleSettings,
    mock_connect,
    seed,
    serving,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOWHERE = "99999999-9999-4999-8999-999999999999"
JOIN = "AssociateTrafficDistributionGroupUser"


class InProcess:
    """The emulation itself, as the client shows it: what is made is named by its ID."""

    def __init__(self) -> None:
        self._emulation = ConnectEmulation(seed=seed.seed)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._emulation, name)

        def made(*arguments: Any, **named: Any) -> Any:
            answer = call(*arguments, **named)
            if isinstance(answer, list):
                return [each.id for each in answer]
            return getattr(answer, "id", answer)

        return made

    def add_fault(self, **fault: Any) -> None:
        self._emulation.faults.add(Fault.from_dict(fault))


@pytest.fixture(params=["in process", "over HTTP"])
def centre(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "in process":
        yield InProcess()
    else:
        with serving(ConnectEmulation(seed=seed.seed)) as url:
            yield EmulationClient(url)


def test_800_users_and_several_groups_of_one_region(centre: Any) -> None:
    instance = centre.add_instance(region="eu-central-1", replica_region="eu-west-2")
    names = [f"agent{number:03}" for number in range(800)]
    users = centre.add_users(instance, names)
    early = centre.add_group(instance, name="Early", user_ids=users[:2])
    late = centre.add_group(instance, name="Late")
    state = centre.state()
    assert [state["users"][user] for user in users] == names
    assert (len(set(users)), early != late) == (800, True)
    assert [state["groups"][group]["region"] for group in (early, late)] == ["eu-central-1"] * 2
    assert centre.members(early) == set(users[:2])
    assert centre.members(late) == set()


def test_everything_can_have_an_id_of_its_own(centre: Any) -> None:
    ids = {
        name: f"{number}" * 8 + "-1111-4111-8111-111111111111"
        for number, name in enumerate(
            ["instance", "ann", "bob", "zoe", "group", "queue", "flow", "contact"]
        )
    }
    instance = centre.add_instance(instance_id=ids["instance"])
    users = centre.add_users(instance, {"ann": ids["ann"], "bob": ids["bob"]})
    user = centre.add_user(instance, username="zoe", user_id=ids["zoe"])
    group = centre.add_group(instance, group_id=ids["group"], region="us-west-2", user_ids=[user])
    queue = centre.add_queue(instance, queue_id=ids["queue"])
    flow = centre.add_contact_flow(instance, contact_flow_id=ids["flow"])
    contact = centre.add_contact(instance, channel="CHAT", queue=queue, contact_id=ids["contact"])
    assert [instance, *users, user, group, queue, flow, contact] == [*ids.values()]
    state = centre.state()
    assert state["contacts"][contact]["queue"] == queue
    assert (state["contacts"][contact]["channel"], state["users"][user]) == ("CHAT", "zoe")
    assert state["groups"][group]["members"] == [user]


def test_ids_that_nobody_has_are_refused(centre: Any) -> None:
    group = rf"there is no traffic distribution group {NOWHERE}; there are: {seed.GROUP_ID}, "
    calls: tuple[Callable[[], object], ...] = (
        lambda: centre.members(NOWHERE),
        lambda: centre.set_group_status(NOWHERE, "ACTIVE"),
        lambda: centre.put_member(NOWHERE, seed.USERS["ann"]),
        lambda: centre.remove_member(NOWHERE, seed.USERS["ann"]),
    )
    for call in calls:
        with pytest.raises(ValueError, match=group):
            call()
    with pytest.raises(ValueError, match=f"there is no user {NOWHERE}; there are: "):
        centre.put_member(seed.GROUP_ID, NOWHERE)
    with pytest.raises(ValueError, match=f"there is no user {NOWHERE}; there are: "):
        centre.remove_member(seed.GROUP_ID, NOWHERE)
    with pytest.raises(ValueError, match=f"there is no instance {NOWHERE}; there are: "):
        centre.add_users(NOWHERE, ["ann"])
    with pytest.raises(ValueError, match=f"there is no queue {NOWHERE}; there are: "):
        centre.add_contact(seed.INSTANCE_ID, channel="TASK", queue=NOWHERE)
    centre.add_users(seed.INSTANCE_ID, ["fay"])
    with pytest.raises(ValueError, match=r"there is no user .*, .* and 1 more$"):
        centre.put_member(seed.GROUP_ID, NOWHERE)


def test_ids_that_are_taken_are_refused(centre: Any) -> None:
    with pytest.raises(ValueError, match=f"there is a user {seed.USERS['ann']} already"):
        centre.add_users(seed.INSTANCE_ID, {"anna": seed.USERS["ann"]})


def test_a_reset_brings_back_the_seed_and_nothing_else(centre: Any) -> None:
    before = centre.state()
    centre.add_users(seed.INSTANCE_ID, ["fay"])
    centre.put_member(seed.GROUP_ID, seed.USERS["ann"])
    centre.behave(accept_after_calls=7)
    assert centre.state() != before
    centre.reset()
    assert centre.state() == before
    assert centre.add_users(seed.INSTANCE_ID, ["fay"]), "generated IDs start anew, too"


def test_a_misspelled_operation_is_refused(centre: Any) -> None:
    with pytest.raises(ValueError, match=f"did you mean {JOIN}\\?"):
        centre.add_fault(operations=["AssociateTrafficDistributionGroupUsr"])
    with pytest.raises(ValueError, match="MakeTea is not an operation that is emulated: Associate"):
        Fault(operations=frozenset({"MakeTea"}))
    with pytest.raises(ValueError, match="did you mean DescribeUser"):
        ThrottleSettings(operations={"DescribeUsr": Quota(1, 1)})


# mock_connect ---------------------------------------------------------------------------------


def username() -> str:
    client = boto3.client("connect", region_name=seed.HOME_REGION)
    answer = client.describe_user(InstanceId=seed.INSTANCE_ID, UserId=seed.USERS["ann"])
    name: str = answer["User"]["Username"]  # pyright: ignore[reportTypedDictNotRequiredAccess] # or the test fails
    return name


def test_mock_connect_has_a_small_contact_centre() -> None:
    with mock_aws(), mock_connect() as emulation:
        assert username() == "ann"
    assert [call.operation for call in emulation.calls] == ["DescribeUser"]


def test_sessions_of_any_age_take_part() -> None:
    session = boto3.Session("id", "secret", region_name=seed.HOME_REGION)
    with mock_connect():
        assert session.client("connect").list_users(InstanceId=seed.INSTANCE_ID)["UserSummaryList"]


def test_of_nested_blocks_the_innermost_answers() -> None:
    with mock_aws(), mock_connect() as outer, mock_connect() as inner:
        client = boto3.client("connect", region_name=seed.HOME_REGION)
        client.list_users(InstanceId=seed.INSTANCE_ID)
        assert (len(outer.calls), len(inner.calls)) == (0, 1)


def test_mock_aws_resets_it() -> None:
    with mock_connect() as emulation:
        emulation.put_member(seed.GROUP_ID, seed.USERS["ann"])
        with mock_aws():
            assert not emulation.members(seed.GROUP_ID)
            emulation.faults.add(Fault())
            emulation.put_member(seed.GROUP_ID, seed.USERS["bob"])
        assert not emulation.members(seed.GROUP_ID)
        with mock_aws():
            assert username() == "ann", "the fault is gone"


def test_outside_of_the_block_nothing_is_changed() -> None:
    def shared() -> list[object]:
        return [
            list(botocore.handlers.BUILTIN_HANDLERS),
            vars(botocore.session.Session)["create_client"],
            vars(BackendDict)["reset"],
        ]

    before = shared()
    with contextlib.suppress(RuntimeError), mock_connect():
        assert shared() != before
        raise RuntimeError
    assert shared() == before
