"""Experiments on tasks: contacts that can be made, and ended, without a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_associations.cli.verify.calls import CannotTellError
from connect_associations.cli.verify.experiment import Experiment, Finding, Need
from connect_associations.testing import assumptions
from connect_associations.testing.assumptions import TransferredContact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connect_associations.cli.verify.lab import Lab

_MAKE = ("StartTaskContact", "StopContact", "DescribeContact")
_OFFER = "AssociateContactWithUser"
_TRANSFER = "TransferContact"
_LOOKS = 15
_PAUSE = 2.0
_GONE = "DescribeContact no longer finds an ended task"


class TaskInTheOtherRegion(Experiment):
    """A contact outside of its active Region."""

    plan = "make a task, and describe, offer and stop it in the other Region"
    settles = (
        assumptions.DESCRIBE_IN_OTHER_REGION,
        assumptions.ASSOCIATE_IN_OTHER_REGION,
        assumptions.STOP_IN_OTHER_REGION,
    )
    operations = (*_MAKE, _OFFER)
    needs = (Need.WRITE, Need.FLOW, Need.REPLICA, Need.USERS)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Try each there."""
        task = lab.make_task()
        there = lab.in_replica
        described = there.ask("DescribeContact", InstanceId=lab.instance_id, ContactId=task)
        yield Finding(assumptions.DESCRIBE_IN_OTHER_REGION, described.code)
        offered = lab.offer(task, lab.users[0], caller=there)
        yield Finding(assumptions.ASSOCIATE_IN_OTHER_REGION, offered.code)
        yield Finding(assumptions.STOP_IN_OTHER_REGION, lab.stop(task, caller=there).code)


class OfferedTask(Experiment):
    """A contact that is offered, accepted and ended."""

    plan = "make a task, offer it to the first user several times, and end it"
    settles = (
        assumptions.ACCEPT_AFTER_CALLS,
        assumptions.ASSOCIATE_OFFERED_CONTACT,
        assumptions.ASSOCIATE_CONNECTED_CONTACT,
        assumptions.ENDED_CONTACT_VANISHES_AFTER,
        assumptions.ASSOCIATE_ENDED_CONTACT,
        assumptions.STOP_ENDED_CONTACT,
    )
    operations = (*_MAKE, _OFFER)
    needs = (Need.WRITE, Need.FLOW, Need.USERS)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Offer it in each of its states."""
        task = lab.make_task()
        reply = lab.offer(task, lab.users[0])
        if not reply.succeeded:
            raise CannotTellError(f"a task in a queue could not be offered: {reply.code}")
        yield from self._while_offered(lab, task)
        lab.stop(task)
        yield from self._after_its_end(lab, task)

    def _while_offered(self, lab: Lab, task: str) -> Iterator[Finding]:
        began, calls, answered = lab.now(), 0, ""
        between = False
        for _ in range(_LOOKS):
            if "AgentInfo" in lab.describe_contact(task):
                break
            between = bool(answered)
            calls += 1
            if not answered:
                answered = lab.offer(task, lab.users[0]).code
                # It is another offer, which the agent has not seen yet.
                calls = 0 if answered == assumptions.Answer.SUCCEEDS else calls
            lab.sleep(_PAUSE)
        else:
            yield Finding(assumptions.ACCEPT_AFTER_CALLS, None, "not within half a minute")
            yield Finding(assumptions.ASSOCIATE_OFFERED_CONTACT, answered)
            yield Finding.unsettled(
                assumptions.ASSOCIATE_CONNECTED_CONTACT, "the agent did not accept the task"
            )
            return
        took = f"accepted {lab.now() - began:.0f} s after the first offer"
        yield Finding(assumptions.ACCEPT_AFTER_CALLS, calls, took)
        if between:
            yield Finding(assumptions.ASSOCIATE_OFFERED_CONTACT, answered)
        else:
            yield Finding.unsettled(
                assumptions.ASSOCIATE_OFFERED_CONTACT, "the agent accepted the task too soon"
            )
        again = lab.offer(task, lab.users[0])
        yield Finding(assumptions.ASSOCIATE_CONNECTED_CONTACT, again.code)

    def _after_its_end(self, lab: Lab, task: str) -> Iterator[Finding]:
        ended = lab.now()
        for _ in range(_LOOKS):
            contact = lab.describe_contact(task)
            if not contact:
                after = lab.now() - ended
                yield Finding(assumptions.ENDED_CONTACT_VANISHES_AFTER, float(round(after)))
                raise CannotTellError(_GONE)
            if "DisconnectTimestamp" in contact:
                break
            lab.sleep(_PAUSE)
        else:
            raise CannotTellError("a stopped task does not end within 30 s")
        yield Finding(assumptions.ENDED_CONTACT_VANISHES_AFTER, None, "still there after its end")
        yield Finding(assumptions.ASSOCIATE_ENDED_CONTACT, lab.offer(task, lab.users[0]).code)
        yield Finding(assumptions.STOP_ENDED_CONTACT, lab.stop(task).code)


class TransferWithoutTarget(Experiment):
    """A transfer to nobody and nowhere."""

    plan = "make a task, and transfer it with neither a queue nor a user"
    settles = (assumptions.TRANSFER_WITHOUT_TARGET,)
    operations = (*_MAKE, _TRANSFER)
    needs = (Need.WRITE, Need.FLOW)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Transfer it."""
        reply = lab.transfer(lab.make_task(), queue_id=None)
        yield Finding(assumptions.TRANSFER_WITHOUT_TARGET, reply.code)


class TransferredTask(Experiment):
    """What becomes of a contact that is transferred."""

    plan = "make a task, transfer it to the queue, and end what came of it"
    settles = (assumptions.TRANSFERRED_CONTACT,)
    operations = (*_MAKE, _TRANSFER)
    needs = (Need.WRITE, Need.FLOW, Need.QUEUE)

    def run(self, lab: Lab) -> Iterator[Finding]:
        """Transfer it, and look at the old one."""
        task = lab.make_task()
        reply = lab.transfer(task, queue_id=lab.queue_id)
        if not reply.succeeded:
            raise CannotTellError(f"a task in a queue could not be transferred: {reply.code}")
        if reply.answer["ContactId"] == task:
            yield Finding(assumptions.TRANSFERRED_CONTACT, TransferredContact.SAME.value)
            return
        for _ in range(_LOOKS):
            old = lab.describe_contact(task)
            if not old or "DisconnectTimestamp" in old:
                ends = TransferredContact.NEW_AND_OLD_ENDS
                break
            lab.sleep(_PAUSE)
        else:
            ends = TransferredContact.NEW_AND_OLD_STAYS
        yield Finding(assumptions.TRANSFERRED_CONTACT, ends.value)
