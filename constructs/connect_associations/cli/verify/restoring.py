"""Puts back what the journal notes, by looking first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connect_associations.cli.verify import listing
from connect_associations.cli.verify.calls import SUCCEEDS, CannotTellError
from connect_associations.cli.verify.staging import Stage
from connect_provider.connect.client import ASSOCIATE_USER, DISASSOCIATE_USER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from connect_associations.cli.verify.calls import Callers
    from connect_associations.cli.verify.journal import Journal, Note

MEMBERS, USER, GROUP, TASK, TRANSFER, STACK = (
    "members",
    "user",
    "group",
    "task",
    "transfer",
    "stack",
)

_LOOKS = 30
_PAUSE = 2.0
_BELIEVED_AFTER = 10
"""Looks after which what is not found is not there: what was just made is found a little later."""


class Restoring:
    """Puts things back.

    :param callers: returns what calls a service in a Region.
    :param journal: the notes; one that is put back is forgotten.
    :param sleep: waits for as many seconds.
    :param now: the time in seconds; only differences matter.
    """

    def __init__(
        self,
        callers: Callers,
        journal: Journal,
        *,
        sleep: Callable[[float], None],
        now: Callable[[], float],
    ) -> None:
        self._callers = callers
        self._journal = journal
        self._sleep = sleep
        self._now = now

    def put_back(self, notes: Iterable[Note]) -> list[str]:
        """Put notes back, the latest first, and return what could not be and why.

        :raises SessionOverError: the credentials have expired; the rest stays in the journal.
        """
        problems = []
        # So users who were made leave the groups before they are deleted: nobody could take them
        # out then.
        for note in reversed(list(notes)):
            try:
                _HOW[note["kind"]](self, note)
            except CannotTellError as error:
                problems.append(f"{in_words(note)}: {error}")
            else:
                self._journal.done(note)
        return problems

    def members(self, note: Note, *, only: Iterable[str] | None = None) -> None:
        """Put users back into the groups they were in, and out of the others.

        :param only: the ARNs of the groups to look at. Default: all that were noted.
        :raises CannotTellError: somebody is not where they were.
        """
        groups: Mapping[str, list[str]] = note["groups"]
        arns = sorted(groups if only is None else groups.keys() & set(only))
        wrong: list[tuple[bool, str, str]] = []
        for _ in range(_LOOKS):
            wrong = [
                (user_id in groups[arn], arn, user_id)
                for arn in arns
                for members in [listing.group_users(self._callers(arn.split(":")[3]), arn)]
                if members is not None
                for user_id in note["users"]
                if (user_id in members) != (user_id in groups[arn])
            ]
            if not wrong:
                return
            # Leave first: who is in another group may not be allowed to join.
            for belongs, arn, user_id in sorted(wrong):
                self._callers(arn.split(":")[3]).ask(
                    ASSOCIATE_USER if belongs else DISASSOCIATE_USER,
                    InstanceId=note["instance_id"],
                    TrafficDistributionGroupId=arn,
                    UserId=user_id,
                )
            self._sleep(_PAUSE)
        raise CannotTellError(f"{len(wrong)} memberships are not as they were")

    def _user(self, note: Note) -> None:
        caller, instance_id = self._callers(note["region"]), note["instance_id"]
        known = note.get("user_id")
        for _ in range(_BELIEVED_AFTER):
            ids = [known] if known else listing.users_named(caller, instance_id, note["username"])
            codes = [
                caller.ask("DeleteUser", InstanceId=instance_id, UserId=user_id).code
                for user_id in ids
            ]
            if SUCCEEDS in codes:
                return
            refused = set(codes) - {listing.NOT_FOUND}
            if refused:
                raise CannotTellError(f"DeleteUser answered {refused.pop()}")
            self._sleep(_PAUSE)

    def _group(self, note: Note) -> None:
        caller, missed = self._callers(note["region"]), 0
        for _ in range(_LOOKS):
            found = [
                group
                for group in listing.groups(caller, note["instance_id"])
                if group["Name"] == note["name"] and group["Status"] != "PENDING_DELETION"
            ]
            # A group that was deleted is seen to be gone; one that was never made is waited for.
            missed += not found
            if missed > (1 if note.get("group_id") else _BELIEVED_AFTER):
                return
            for group in found:
                caller.ask("DeleteTrafficDistributionGroup", TrafficDistributionGroupId=group["Id"])
            self._sleep(_PAUSE)
        raise CannotTellError("the group is still there")

    def _task(self, note: Note) -> None:
        contact_id = note.get("contact_id")
        if not contact_id:
            # The same token answers the same contact, if there was one; else it is a new one.
            contact_id = self._callers(note["region"]).must("StartTaskContact", **note["request"])[
                "ContactId"
            ]
        self._stop(note, contact_id)

    def _transfer(self, note: Note) -> None:
        contact_id = note.get("contact_id")
        if not contact_id:
            reply = self._callers(note["region"]).ask("TransferContact", **note["request"])
            if not reply.succeeded:
                return  # nothing was transferred, or it has ended since
            contact_id = reply.answer["ContactId"]
        self._stop(note, contact_id)

    def _stack(self, note: Note) -> None:
        Stage(
            self._callers,
            region=note["region"],
            name=note["stack_name"],
            sleep=self._sleep,
            now=self._now,
        ).delete()

    def _stop(self, note: Note, contact_id: str) -> None:
        caller = self._callers(note["region"])
        names: dict[str, Any] = {
            "InstanceId": note["request"]["InstanceId"],
            "ContactId": contact_id,
        }
        for _ in range(_LOOKS):
            caller.ask("StopContact", **names)
            reply = caller.ask("DescribeContact", **names)
            if reply.code == listing.NOT_FOUND:
                return
            if reply.succeeded and "DisconnectTimestamp" in reply.answer["Contact"]:
                return
            self._sleep(_PAUSE)
        raise CannotTellError(f"contact {contact_id} does not end")


_HOW: dict[str, Callable[[Restoring, Note], None]] = {
    MEMBERS: Restoring.members,
    USER: Restoring._user,  # noqa: SLF001 - its own
    GROUP: Restoring._group,  # noqa: SLF001 - as above
    TASK: Restoring._task,  # noqa: SLF001 - as above
    TRANSFER: Restoring._transfer,  # noqa: SLF001 - as above
    STACK: Restoring._stack,  # noqa: SLF001 - as above
}


def in_words(note: Note) -> str:
    """Return what is to be done about a note, for a person."""
    kind = note["kind"]
    if kind == MEMBERS:
        places = "; ".join(
            f"in {arn}: {', '.join(users) or 'none of them'}"
            for arn, users in note["groups"].items()
        )
        return f"users {', '.join(note['users'])}: {places}"
    if kind == USER:
        return f"delete user {note['username']} of instance {note['instance_id']}"
    if kind == GROUP:
        return f"delete traffic distribution group {note['name']} in {note['region']}"
    if kind == STACK:
        return f"delete stack {note['stack_name']} in {note['region']}"
    contact = note.get("contact_id") or f"with client token {note['request']['ClientToken']}"
    return f"stop contact {contact} in {note['region']}"
