"""Bring users into a group, or out of it: one pass, to be repeated until nobody is left.

What an error means is found by looking, never guessed: Connect answers ResourceNotFoundException
for a missing group, a group that is not ACTIVE, a missing user and the wrong Region alike, and
whether associating a member again is an error is documented nowhere.
"""

from __future__ import annotations

import logging
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING

from connect_provider.calls import CallError, Failure
from connect_provider.errors import AssociationFailedError, StillWaiting
from connect_provider.plan import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connect_provider.caller import Caller
    from connect_provider.connect import Connect, Group, GroupDescription
    from connect_provider.plan import Step

_LOGGER = logging.getLogger(__name__)

_REPLICATION_SECONDS = 45 * 60
"""Failed user replications are retried within 30 minutes; with some room."""

_WAIT = frozenset(("CREATION_IN_PROGRESS", "UPDATE_IN_PROGRESS"))
_DEAD = frozenset(("CREATION_FAILED", "PENDING_DELETION", "DELETION_FAILED"))
_PROGRESS_EVERY = 10.0


class Progress:
    """How far a step has come; lost with the Lambda's memory, and then found out by listing.

    :ivar done: users that need nothing more.
    :ivar failed: why users cannot be brought where they should be.
    """

    __slots__ = ("done", "failed")

    def __init__(self) -> None:
        self.done: set[str] = set()
        self.failed: dict[str, str] = {}


class GroupConvergence:
    """One step of a plan, in one invocation.

    :param connect: gives the client for a Region.
    :param caller: the invocation's calls, for its time.
    :param instance_id: the instance that the users belong to.
    :param step: what to do.
    :param progress: what earlier invocations of the same Lambda did.
    :param undoes: whom the step brings back was there before, and what stands in the way is being
        undone as well. Default: False
    """

    def __init__(  # noqa: PLR0913 - the collaborators of a step, all by keyword
        self,
        *,
        connect: Callable[[str], Connect],
        caller: Caller,
        instance_id: str,
        step: Step,
        progress: Progress,
        undoes: bool = False,
    ) -> None:
        self._connect_in = connect
        self._connect = connect(step.group.region)
        self._caller = caller
        self._instance_id = instance_id
        self._step = step
        self._group = step.group
        self._undoes = undoes
        self._progress = progress
        self._members: frozenset[str] | None = None
        self._all_wait = False
        self._began = caller.clock.time()
        self._shown = self._began
        self._begun_with = len(progress.done)

    def find_done(self) -> None:
        """Learn by listing what an earlier invocation did whose memory is lost."""
        members = self._list()
        if members is None:
            return
        users = set(self._step.users)
        self._progress.done |= (
            users & members if self._step.action is Action.ASSOCIATE else users - members
        )

    def run(self, *, still_wanted: Callable[[], bool]) -> None:
        """Go once through the users who are left.

        :param still_wanted: asked now and then; when it says no, the pass ends.
        :raises StillWaiting: some users are left for a later pass.
        :raises AssociationFailedError: some users cannot be brought where they should be; all of
            them were tried, and the rest is where it should be.
        """
        try:
            waiting = self._pass(still_wanted)
        except AssociationFailedError:
            self._return_to_origin()
            raise
        self._return_to_origin()
        if len(self._step.users) > 1:
            _LOGGER.info("%s", self._said())
        if waiting and not (self._progress.failed and self._all_tried(waiting)):
            raise waiting[0]
        if self._progress.failed:
            raise AssociationFailedError(self._failures())

    def _pass(self, still_wanted: Callable[[], bool]) -> list[StillWaiting]:
        waiting: list[StillWaiting] = []
        if self._step.action is Action.ASSOCIATE:
            move, explain = self._connect.associate_group_users, self._explain_association
        else:
            move, explain = self._connect.disassociate_group_users, self._explain_disassociation
        outcomes = move(
            instance_id=self._instance_id,
            group=self._group,
            user_ids=self._left(waiting, still_wanted),
        )
        # Closed, so that nothing is under way any more when this fails.
        with closing(outcomes):
            for user_id, error in outcomes:
                try:
                    if isinstance(error, CallError):
                        explain(user_id, error)
                    elif error:
                        raise error
                except StillWaiting as wait:
                    waiting.append(wait)
                    self._all_wait |= wait.shared
                except _UserFailedError as failure:
                    self._progress.failed[user_id] = str(failure)
                else:
                    self._progress.done.add(user_id)
        return waiting

    def _left(self, waiting: list[StillWaiting], still_wanted: Callable[[], bool]) -> Iterator[str]:
        """Yield the users who are left, until everybody has to wait."""
        for user_id in self._step.users:
            if user_id in self._progress.done or user_id in self._progress.failed:
                continue
            if self._all_wait:
                return
            if self._caller.out_of_time or not self._go_on(still_wanted):
                waiting.append(StillWaiting(self._said()))
                return
            yield user_id

    # -- one user ------------------------------------------------------------------------------

    def _explain_association(self, user_id: str, error: CallError) -> None:
        """Return if the user is a member all the same, else say whether waiting helps."""
        match error.failure:
            case Failure.NOT_FOUND:
                self._require_active(error)
                self._require_user(user_id, error)
                # The group has just become ACTIVE, or the user has just been made.
                raise StillWaiting(str(error)) from error
            case Failure.CONFLICT:
                if self._is_member(user_id, fresh=error.repeated):
                    return
                if user_id in self._step.origin_users:
                    self._swap(user_id)
                    return
                self._require_active(error)
                if self._undoes:
                    raise StillWaiting(
                        f"{error}. The rollback may have yet to take the user out of there.",
                        shared=False,
                    ) from error
                raise _UserFailedError(
                    f"{error}. The user may be in another traffic distribution group: take the "
                    "user out of that one first."
                ) from error
            case Failure.INVALID:
                if self._is_member(user_id, fresh=error.repeated):
                    return
                self._require_active(error)
                if self._may_be_replicating(user_id, error):
                    raise StillWaiting(
                        f"{error}. The user was changed lately and may not have been replicated "
                        "to the other Region yet.",
                        shared=False,
                    ) from error
                raise _UserFailedError(str(error)) from error
            case Failure.ACCESS_DENIED:
                raise AssociationFailedError(_denied(error)) from error
            case _:
                raise _UserFailedError(str(error)) from error

    def _swap(self, user_id: str) -> None:
        """Leave the old group and join the new one, where the service allows one group a user.

        Whoever does not arrive is brought back by :meth:`_return_to_origin`.
        """
        origin = self._origin
        try:
            self._connect_in(origin.region).disassociate_group_user(
                instance_id=self._instance_id, group=origin, user_id=user_id
            )
        except CallError as error:
            if user_id in (self._connect_in(origin.region).list_group_users(origin) or ()):
                raise _UserFailedError(str(error)) from error
        try:
            self._connect.associate_group_user(
                instance_id=self._instance_id, group=self._group, user_id=user_id
            )
        except CallError as error:
            if error.failure is Failure.CONFLICT and not self._is_member(user_id, fresh=True):
                raise _UserFailedError(
                    f"{error}. The user had left {origin} for it and was brought back."
                ) from error
            self._explain_association(user_id, error)

    def _return_to_origin(self) -> None:
        """Bring everybody back who left the old group and did not arrive in the new one."""
        stranded = self._step.origin_users - self._progress.done
        if not stranded:
            return
        origin = self._origin
        connect = self._connect_in(origin.region)
        try:
            for user_id in sorted(stranded - (connect.list_group_users(origin) or frozenset())):
                if self._is_member(user_id, fresh=True):
                    self._progress.done.add(user_id)
                    continue
                _LOGGER.info("user %s goes back to %s", user_id, origin)
                connect.associate_group_user(
                    instance_id=self._instance_id, group=origin, user_id=user_id
                )
        except (CallError, StillWaiting) as error:
            # The rollback's Delete knows the origin too, and tries again.
            _LOGGER.warning("could not bring everybody back to %s yet: %s", origin, error)

    def _explain_disassociation(self, user_id: str, error: CallError) -> None:
        """Return if the user is out of the group all the same, else say whether waiting helps."""
        if error.failure is Failure.ACCESS_DENIED:
            raise AssociationFailedError(_denied(error)) from error
        group = self._description
        if group is None or group.status in _DEAD:
            _LOGGER.info(
                "nobody to take out: %s is %s", self._group, group.status if group else "gone"
            )
            return
        self._require_home(group, error)
        if group.status in _WAIT:
            raise StillWaiting(f"{error}. The group is {group.status}.")
        if not self._is_member(user_id, fresh=error.repeated):
            return
        if self._connect.describe_user(instance_id=self._instance_id, user_id=user_id) is None:
            return
        if error.failure is Failure.NOT_FOUND or (
            error.failure is Failure.INVALID and self._may_be_replicating(user_id, error)
        ):
            raise StillWaiting(str(error), shared=False) from error
        raise _UserFailedError(str(error)) from error

    # -- looking -------------------------------------------------------------------------------

    @cached_property
    def _description(self) -> GroupDescription | None:
        return self._connect.describe_group(self._group)

    @property
    def _origin(self) -> Group:
        if self._step.origin is None:
            raise AssertionError("only users with an origin are swapped")
        return self._step.origin

    def _list(self) -> frozenset[str] | None:
        self._members = self._connect.list_group_users(self._group)
        return self._members

    def _is_member(self, user_id: str, *, fresh: bool = False) -> bool:
        members = self._list() if fresh or self._members is None else self._members
        return user_id in (members or ())

    def _require_active(self, error: CallError) -> None:
        group = self._description
        if group is None:
            raise AssociationFailedError(
                f"{error}. There is no {self._group}: check the ID, and that the Region is the "
                "group's home Region (give the group's ARN, or the prop region)."
            ) from error
        self._require_home(group, error)
        if group.status in _WAIT:
            raise StillWaiting(f"{error}. The group is {group.status}.") from error
        if group.status in _DEAD:
            raise AssociationFailedError(
                f"{error}. The group is {group.status} and takes no users: repair or replace it."
            ) from error

    def _require_home(self, group: GroupDescription, error: CallError) -> None:
        if group.home_region != self._group.region:
            raise AssociationFailedError(
                f"{error}. The group's home Region is {group.home_region}, and only there users "
                "can be associated: give the group's ARN, or the prop region."
            ) from error

    def _require_user(self, user_id: str, error: CallError) -> None:
        if self._connect.describe_user(instance_id=self._instance_id, user_id=user_id) is None:
            raise _UserFailedError(
                f"{error}. Instance {self._instance_id} in {self._group.region} has no user "
                f"{user_id}, or there is no such instance: check both IDs."
            ) from error

    def _may_be_replicating(self, user_id: str, error: CallError) -> bool:
        user = self._connect.describe_user(instance_id=self._instance_id, user_id=user_id)
        if user is None:
            raise _UserFailedError(
                f"{error}. Instance {self._instance_id} in {self._group.region} has no user "
                f"{user_id}, or there is no such instance: check both IDs."
            ) from error
        return (
            user.last_modified is not None
            and self._caller.clock.time() - user.last_modified < _REPLICATION_SECONDS
        )

    # -- saying --------------------------------------------------------------------------------

    def _go_on(self, still_wanted: Callable[[], bool]) -> bool:
        now = self._caller.clock.time()
        if now - self._shown < _PROGRESS_EVERY:
            return True
        self._shown = now
        _LOGGER.info("%s", self._said())
        return still_wanted()

    def _said(self) -> str:
        done, total = len(self._progress.done), len(self._step.users)
        verb = "associated" if self._step.action is Action.ASSOCIATE else "disassociated"
        text = f"{verb} {done:,} of {total:,}"
        elapsed = self._caller.clock.time() - self._began
        here = done - self._begun_with
        if here and done < total:
            text += f", {(total - done) * elapsed / here:,.0f} s left at the current rate"
        return f"{text} ({self._group})"

    def _all_tried(self, waiting: list[StillWaiting]) -> bool:
        tried = len(self._progress.done) + len(self._progress.failed) + len(waiting)
        return tried == len(self._step.users) and not any(wait.shared for wait in waiting)

    def _failures(self) -> str:
        failed = self._progress.failed
        if len(self._step.users) == 1:
            return next(iter(failed.values()))
        return (
            f"{len(failed):,} of {len(self._step.users):,} users could not be "
            f"{self._step.action.done_as} {self._group}: "
            + "; ".join(failed[user_id] for user_id in sorted(failed))
        )


class _UserFailedError(Exception):
    """One user cannot be brought where the user should be; others may."""


def _denied(error: CallError) -> str:
    return (
        f"{error}. The provider's role lacks the permission, or a permissions boundary, service "
        "control policy or condition takes it away."
    )
