"""The experiment on CloudFormation, with a stack of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_associations.cli.verify.calls import CannotTellError
from connect_associations.cli.verify.experiment import Experiment, Finding, Need
from connect_associations.cli.verify.staging import NOT_LISTED, template
from connect_associations.testing import assumptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connect_associations.cli.verify.lab import Lab
    from connect_associations.cli.verify.staging import Event, Stage

FIRST, SECOND, THIRD, SLOW = "First", "Second", "Third", "Slow"
_GIVEN_UP_AFTER = 30
_COMPLETE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
_BOTH = {FIRST: {}, SECOND: {"DependsOn": FIRST}}


class CustomResources(Experiment):
    """What CloudFormation tells and asks in each phase of a deployment."""

    plan = (
        "deploy, fail, repeat and delete a stack of its own: a queue, a role, a function and up to "
        "three custom resources"
    )
    settles = (
        assumptions.TEMPLATE_DURING_UPDATE,
        assumptions.TEMPLATE_DURING_UPDATE_ROLLBACK,
        assumptions.LAST_UPDATED_TIME_IN_ROLLBACK,
        assumptions.LAST_OPERATIONS,
        assumptions.ROLLBACK_OF_REPLACEMENT,
        assumptions.REQUEST_ID_ON_RETRY,
        assumptions.DELETE_OF_GIVEN_UP_CREATE,
        assumptions.REMOVED_RESOURCE_IN_CLEANUP,
        assumptions.DELETED_RESOURCE_LISTED,
    )
    operations = ()
    needs = (Need.WRITE, Need.CLOUDFORMATION)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Go through the phases, one deployment after the other."""
        stage = lab.make_stage()
        _create(stage)
        yield from self._fail(stage)
        yield from self._give_up(stage)
        yield from self._remove(stage)

    def _fail(self, stage: Stage) -> Iterator[Finding]:
        """Fail after a replacement, and do the same again."""
        stage.submit("UpdateStack", template(2, _BOTH))
        failed, began, request_id, back = False, "", "", list[str]()
        for event in stage.events():
            look = stage.look()
            if not failed and event.logical_id == FIRST:
                began, request_id = look.began, event.request_id
                yield Finding(
                    assumptions.TEMPLATE_DURING_UPDATE, "new" if look.version == "2" else "old"
                )
                stage.answer(event, "another")
            elif not failed:
                failed = True
                stage.answer(event, event.physical_id, failing="it was asked to")
            else:
                if event.logical_id == FIRST:
                    back.append(event.type)
                yield Finding(
                    assumptions.TEMPLATE_DURING_UPDATE_ROLLBACK,
                    "new" if look.version == "2" else "old",
                )
                yield Finding(
                    assumptions.LAST_UPDATED_TIME_IN_ROLLBACK,
                    "kept" if look.began == began else "changed",
                )
                yield Finding(assumptions.LAST_OPERATIONS, look.operations)
                stage.answer(event, _former(event))
        yield Finding(assumptions.ROLLBACK_OF_REPLACEMENT, ",".join(back) or "none")
        stage.submit("UpdateStack", template(2, _BOTH))
        for event in stage.events():
            if event.logical_id == FIRST and event.type == "Update":
                same = event.request_id == request_id
                yield Finding(assumptions.REQUEST_ID_ON_RETRY, "same" if same else "another")
            stage.answer(event, event.physical_id)
        _expect(stage, "UPDATE_COMPLETE")

    def _give_up(self, stage: Stage) -> Iterator[Finding]:
        """Never answer a Create."""
        slow = {SLOW: {"DependsOn": SECOND, "ServiceTimeout": _GIVEN_UP_AFTER}}
        stage.submit("UpdateStack", template(3, {**_BOTH, **slow}))
        deleted = False
        for event in stage.events():
            if event.logical_id == SLOW and event.type == "Create":
                stage.leave(event)
                continue
            deleted = deleted or event.logical_id == SLOW
            stage.answer(event, event.physical_id)
        yield Finding(assumptions.DELETE_OF_GIVEN_UP_CREATE, "made up" if deleted else "none sent")
        _expect(stage, "UPDATE_ROLLBACK_COMPLETE")

    def _remove(self, stage: Stage) -> Iterator[Finding]:
        """Remove custom resources, of which one depends on the other."""
        stage.submit("UpdateStack", template(8, {}))
        for event in stage.events():
            if event.type == "Delete" and event.logical_id == SECOND:
                status = stage.resource_status(FIRST)
                yield Finding(
                    assumptions.REMOVED_RESOURCE_IN_CLEANUP,
                    "complete" if status in _COMPLETE else status,
                )
            stage.answer(event, event.physical_id)
        _expect(stage, "UPDATE_COMPLETE")
        listed = stage.resource_status(FIRST) != NOT_LISTED
        yield Finding(assumptions.DELETED_RESOURCE_LISTED, "yes" if listed else "no")


class WithoutRollback(Experiment):
    """What CloudFormation asks where rollback is disabled, as ``cdk deploy --no-rollback`` does."""

    plan = "deploy and fail another stack of its own with rollback disabled, and delete it"
    settles = (
        assumptions.NEW_PHYSICAL_ID_WITHOUT_ROLLBACK,
        assumptions.OLD_PROPERTIES_ON_RETRY,
        assumptions.FAILED_CREATE_ON_RETRY,
    )
    operations = ()
    needs = (Need.WRITE, Need.CLOUDFORMATION)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Go through the phases, one deployment after the other."""
        stage = lab.make_stage()
        _create(stage)
        yield from self._replace(stage)
        yield from self._repeat(stage)

    def _replace(self, stage: Stage) -> Iterator[Finding]:
        """Answer a new physical ID while rollback is disabled."""
        stage.submit("UpdateStack", template(4, _BOTH), DisableRollback=True)
        for event in stage.events():
            replaced = event.logical_id == FIRST and event.type == "Update"
            stage.answer(event, "yet another" if replaced else event.physical_id)
        accepted = stage.status() == "UPDATE_COMPLETE"
        yield Finding(
            assumptions.NEW_PHYSICAL_ID_WITHOUT_ROLLBACK, "accepted" if accepted else "refused"
        )
        if not accepted:
            stage.roll_back()
            _carry_on(stage, "UPDATE_ROLLBACK_COMPLETE")

    def _repeat(self, stage: Stage) -> Iterator[Finding]:
        """Fail an Update and a Create while rollback is disabled, and deploy again."""
        stage.submit("UpdateStack", template(5, _BOTH), DisableRollback=True)
        for event in stage.events():
            stage.answer(event, event.physical_id, failing="it was asked to")
        _expect(stage, "UPDATE_FAILED")
        third = {THIRD: {"DependsOn": SECOND}}
        stage.submit("UpdateStack", template(6, {**_BOTH, **third}), DisableRollback=True)
        for event in stage.events():
            if event.logical_id == FIRST and event.type == "Update":
                attempted = event.old_version == "5"
                yield Finding(
                    assumptions.OLD_PROPERTIES_ON_RETRY, "attempted" if attempted else "last good"
                )
            failing = "it was asked to" if event.logical_id == THIRD else ""
            stage.answer(event, event.physical_id or THIRD, failing=failing)
        _expect(stage, "UPDATE_FAILED")
        stage.submit("UpdateStack", template(7, {**_BOTH, **third}), DisableRollback=True)
        asked = []
        for event in stage.events():
            if event.logical_id == THIRD:
                asked.append(event.type)
            stage.answer(event, event.physical_id or f"another {THIRD}")
        yield Finding(assumptions.FAILED_CREATE_ON_RETRY, ",".join(asked) or "none")
        _expect(stage, "UPDATE_COMPLETE")


def _create(stage: Stage) -> None:
    stage.submit("CreateStack", template(1, _BOTH))
    _carry_on(stage, "CREATE_COMPLETE")


def _carry_on(stage: Stage, status: str) -> None:
    """Let everything succeed."""
    for event in stage.events():
        stage.answer(event, event.physical_id or f"{event.logical_id} of old")
    _expect(stage, status)


def _expect(stage: Stage, status: str) -> None:
    found = stage.status()
    if found != status:
        raise CannotTellError(f"the stack is {found} instead of {status}")


def _former(event: Event) -> str:
    """Return the physical ID with which to answer what a rollback asks for."""
    if event.logical_id == FIRST and event.type == "Update":
        return f"{FIRST} of old"
    return event.physical_id
