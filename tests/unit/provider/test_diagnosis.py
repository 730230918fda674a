"""What a failed call means for a user in a group, with the emulation to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connect_associations.testing.entities import GroupStatus
from connect_provider.connect.calls import Limits
from connect_provider.connect.client import Connect, Group
from connect_provider.connect.quota import Paces
from connect_provider.errors import AssociationFailedError, StillWaiting
from connect_provider.failures import CallError, Failure
from connect_provider.groups.diagnosis import Diagnosis, ElsewhereError, UserFailedError
from connect_provider.ledger.claim import GroupClaim, Owner
from lifecycle.cast import ANN, INSTANCE, RED, REPLICA, WEST
from lifecycle.seen import seen_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


MISSING = "99999999-9999-4999-8999-999999999999"
HOUR = 3600.0
CHANGING = (GroupStatus.CREATION_IN_PROGRESS, GroupStatus.UPDATE_IN_PROGRESS)
DEAD = (GroupStatus.CREATION_FAILED, GroupStatus.PENDING_DELETION, GroupStatus.DELETION_FAILED)


class Scene:
    """A group in trouble, and a claim of some age on it."""

    def __init__(self) -> None:
        self.world, self.emulation = seen_world()
        self.group = Group(id=RED.id, region="us-east-1")
        self.user_id = ANN.id
        self.age = HOUR

    def diagnosis(self) -> Diagnosis:
        region = self.group.region
        limits = Limits(deadline=self.world.clock.time() + 60, patience=10)
        connect = Connect(
            self.world.clients("connect", region), region, paces=Paces(), limits=limits
        )
        return Diagnosis(connect, self.group)

    def claim(self) -> GroupClaim:
        return GroupClaim(
            owner=Owner("stack", "A"),
            version="0",
            instance_id=INSTANCE.id,
            group=self.group,
            users=frozenset((self.user_id,)),
            began="",
            since=self.world.clock.time() - self.age,
        )

    def associated(self, failure: Failure) -> None:
        self.diagnosis().of_association(self.user_id, self.claim(), error_of(failure))

    def disassociated(self, failure: Failure) -> None:
        self.diagnosis().of_disassociation(self.user_id, self.claim(), error_of(failure))


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    with scene.world.inside():
        yield scene
    assert not scene.world.faulty.writes_since(0), "a diagnosis only reads"


def error_of(failure: Failure) -> CallError:
    return CallError(
        operation="Associate", subject="ann", failure=failure, code="Code", said="said"
    )


def is_missing(scene: Scene) -> None:
    scene.group = Group(id=MISSING, region="us-east-1")


def is_elsewhere(scene: Scene) -> None:
    """Ask for a group in a Region that is not its home, and that knows it all the same."""
    scene.world, scene.emulation = seen_world(plain_group_id_in_replica="Succeeds")
    scene.group = Group(id=WEST.id, region="us-east-1")


def has_status(status: GroupStatus) -> Callable[[Scene], None]:
    def change(scene: Scene) -> None:
        group = scene.emulation.world.groups[RED.id]
        scene.emulation.world.set_group_status(group, status)

    return change


def is_member(scene: Scene) -> None:
    scene.emulation.put_member(RED.id, ANN.id)


def user_is_missing(scene: Scene) -> None:
    scene.user_id = MISSING


def user_changed(seconds_ago: float) -> Callable[[Scene], None]:
    def change(scene: Scene) -> None:
        user = scene.emulation.world.users[ANN.id]
        user.last_modified = scene.world.clock.time() - seconds_ago

    return change


def listed_nowhere(scene: Scene) -> None:
    scene.world.connect.answer_with(
        "ResourceNotFoundException", "ListTrafficDistributionGroupUsers", times=None
    )


def both(*changes: Callable[[Scene], None]) -> Callable[[Scene], None]:
    def change(scene: Scene) -> None:
        for each in changes:
            each(scene)

    return change


def as_it_is(_scene: Scene) -> None:
    """Change nothing."""


# -- association -----------------------------------------------------------------------------------

DONE = None
WAITS, FAILS_ALL, FAILS = StillWaiting, AssociationFailedError, UserFailedError
ASSOCIATION: list[tuple[Failure, Callable[[Scene], None], object, str]] = [
    (Failure.NOT_FOUND, is_missing, FAILS_ALL, "There is no traffic distribution group"),
    (Failure.NOT_FOUND, as_it_is, WAITS, "failed: Code: said"),
    (Failure.NOT_FOUND, user_is_missing, FAILS, f"has no user {MISSING}"),
    *((Failure.NOT_FOUND, has_status(it), WAITS, f"The group is {it.value}") for it in CHANGING),
    *((Failure.NOT_FOUND, has_status(it), FAILS_ALL, f"is {it.value} and takes no") for it in DEAD),
    (Failure.CONFLICT, is_member, DONE, ""),
    (Failure.CONFLICT, as_it_is, ElsewhereError, "take the user out of that one first"),
    (Failure.CONFLICT, listed_nowhere, ElsewhereError, "take the user out of that one first"),
    (Failure.CONFLICT, has_status(CHANGING[0]), WAITS, "The group is"),
    (Failure.CONFLICT, has_status(DEAD[0]), FAILS_ALL, "takes no users"),
    (Failure.INVALID, is_member, DONE, ""),
    (Failure.INVALID, as_it_is, FAILS, "failed: Code: said"),
    (Failure.INVALID, user_is_missing, FAILS, f"has no user {MISSING}"),
    (Failure.INVALID, user_changed(44 * 60), WAITS, "may not have been replicated"),
    (Failure.INVALID, user_changed(46 * 60), FAILS, "failed: Code: said"),
    (Failure.INVALID, has_status(CHANGING[1]), WAITS, "The group is"),
    (Failure.OTHER, as_it_is, FAILS, "failed: Code: said"),
    (Failure.OTHER, is_member, FAILS, "failed: Code: said"),
]


@pytest.mark.parametrize(("failure", "happened", "means", "said"), ASSOCIATION)
def test_why_a_user_could_not_be_associated(
    scene: Scene, *, failure: Failure, happened: Callable[[Scene], None], means: Any, said: str
) -> None:
    happened(scene)
    if means is DONE:
        scene.associated(failure)
        return
    with pytest.raises((StillWaiting, AssociationFailedError)) as raised:
        scene.associated(failure)
    assert type(raised.value) is means
    assert said in str(raised.value)


@pytest.mark.parametrize("happened", [is_missing, user_is_missing])
@pytest.mark.parametrize("age", [0.0, 59.0, 61.0])
def test_what_is_not_found_is_believed_after_a_minute(
    scene: Scene, happened: Callable[[Scene], None], age: float
) -> None:
    happened(scene)
    scene.age = age
    expected = StillWaiting if age < 60 else AssociationFailedError
    with pytest.raises(expected, match="may have been created just now" if age < 60 else "check"):
        scene.associated(Failure.NOT_FOUND)


def test_who_cannot_come_back_yet_waits_alone(scene: Scene) -> None:
    with pytest.raises(StillWaiting, match="may not have taken the user out") as raised:
        scene.diagnosis().of_return(scene.user_id, scene.claim(), error_of(Failure.CONFLICT))
    assert not raised.value.shared
    with pytest.raises(UserFailedError):
        scene.diagnosis().of_return(scene.user_id, scene.claim(), error_of(Failure.OTHER))


def test_who_waits_alone_and_who_waits_with_the_others(scene: Scene) -> None:
    scene.age = 0.0
    user_is_missing(scene)
    with pytest.raises(StillWaiting) as alone:
        scene.associated(Failure.NOT_FOUND)
    assert not alone.value.shared, "another user may be there"
    is_missing(scene)
    with pytest.raises(StillWaiting) as together:
        scene.associated(Failure.NOT_FOUND)
    assert together.value.shared


def test_a_user_in_replication_keeps_nobody_else(scene: Scene) -> None:
    user_changed(0.0)(scene)
    with pytest.raises(StillWaiting) as raised:
        scene.associated(Failure.INVALID)
    assert not raised.value.shared


@pytest.mark.parametrize("failure", [Failure.NOT_FOUND, Failure.CONFLICT, Failure.INVALID])
def test_the_home_region_is_told(failure: Failure) -> None:
    scene = Scene()
    is_elsewhere(scene)
    with (
        scene.world.inside(),
        pytest.raises(AssociationFailedError, match=f"home Region is {REPLICA}"),
    ):
        scene.associated(failure)


@pytest.mark.parametrize("call", ["associated", "disassociated"])
def test_a_missing_permission_is_nobody_s_fault(scene: Scene, call: str) -> None:
    with pytest.raises(CallError) as raised:
        getattr(scene, call)(Failure.ACCESS_DENIED)
    assert raised.value.failure is Failure.ACCESS_DENIED
    assert scene.world.faulty.calls == [], "nothing is looked up for it"


# -- disassociation --------------------------------------------------------------------------------

DISASSOCIATION: list[tuple[Failure, Callable[[Scene], None], object, str]] = [
    (Failure.NOT_FOUND, as_it_is, DONE, ""),
    (Failure.CONFLICT, as_it_is, DONE, ""),
    (Failure.INVALID, as_it_is, DONE, ""),
    (Failure.OTHER, as_it_is, DONE, ""),
    (Failure.NOT_FOUND, is_missing, DONE, ""),
    *((Failure.NOT_FOUND, both(is_member, has_status(it)), DONE, "") for it in DEAD),
    *((Failure.NOT_FOUND, both(is_member, has_status(it)), WAITS, "is") for it in CHANGING),
    (Failure.NOT_FOUND, is_member, WAITS, "failed: Code: said"),
    (Failure.CONFLICT, is_member, FAILS, "failed: Code: said"),
    (Failure.INVALID, is_member, FAILS, "failed: Code: said"),
    (Failure.INVALID, both(is_member, user_changed(44 * 60)), WAITS, "failed: Code: said"),
    (Failure.INVALID, both(is_member, user_changed(46 * 60)), FAILS, "failed: Code: said"),
    (Failure.CONFLICT, both(is_member, user_changed(0)), FAILS, "failed: Code: said"),
    (Failure.OTHER, is_member, FAILS, "failed: Code: said"),
]


@pytest.mark.parametrize(("failure", "happened", "means", "said"), DISASSOCIATION)
def test_why_a_user_could_not_be_taken_out(
    scene: Scene, *, failure: Failure, happened: Callable[[Scene], None], means: Any, said: str
) -> None:
    happened(scene)
    if means is DONE:
        scene.disassociated(failure)
        return
    with pytest.raises((StillWaiting, AssociationFailedError)) as raised:
        scene.disassociated(failure)
    assert type(raised.value) is means
    assert said in str(raised.value)


def test_a_user_who_is_gone_is_out_of_the_group() -> None:
    world, emulation = seen_world(deleted_user_stays_member=True)
    scene = Scene()
    scene.world, scene.emulation = world, emulation
    is_member(scene)
    del emulation.world.users[ANN.id]
    with world.inside():
        scene.disassociated(Failure.NOT_FOUND)


# -- the group itself ------------------------------------------------------------------------------


def test_a_group_is_gone_after_a_minute(scene: Scene) -> None:
    is_missing(scene)
    assert scene.diagnosis().is_gone(scene.claim())
    scene.age = 59.0
    with pytest.raises(StillWaiting):
        scene.diagnosis().is_gone(scene.claim())


@pytest.mark.parametrize("status", GroupStatus)
def test_there_is_nobody_in_a_dead_group(scene: Scene, status: GroupStatus) -> None:
    has_status(status)(scene)
    if status in CHANGING:
        with pytest.raises(StillWaiting, match=status.value):
            scene.diagnosis().is_gone(scene.claim())
    else:
        assert scene.diagnosis().is_gone(scene.claim()) == (status in DEAD)


def test_a_group_elsewhere_is_not_gone() -> None:
    scene = Scene()
    is_elsewhere(scene)
    with (
        scene.world.inside(),
        pytest.raises(AssociationFailedError, match=f"home Region is {REPLICA}"),
    ):
        scene.diagnosis().is_gone(scene.claim())


@pytest.mark.parametrize(
    ("happened", "age", "means", "said"),
    [
        (as_it_is, HOUR, WAITS, "yet"),
        (is_missing, 0.0, WAITS, "created just now"),
        (is_missing, HOUR, FAILS_ALL, "There is no"),
        (has_status(CHANGING[0]), HOUR, WAITS, "The group is"),
        (has_status(DEAD[0]), HOUR, FAILS_ALL, "takes no users"),
    ],
)
def test_why_a_group_is_not_listed(
    scene: Scene, *, happened: Callable[[Scene], None], age: float, means: Any, said: str
) -> None:
    happened(scene)
    scene.age = age
    with pytest.raises((StillWaiting, AssociationFailedError)) as raised:
        scene.diagnosis().of_listing(scene.claim())
    assert type(raised.value) is means
    assert said in str(raised.value)
