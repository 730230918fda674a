"""A stack whose custom resources wait for a person's program to answer, instead of a Lambda."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple

from connect_associations.cli.verify.calls import CannotTellError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connect_associations.cli.verify.calls import Callers, Reply

PATIENCE = 900.0
"""Seconds without an event or a change after which a stack is given up."""
NOT_LISTED = "not listed"
_PAUSE = 2.0
_CODE = """\
import json, os, boto3

def handler(event, context):
    queue = boto3.client("sqs")
    queue.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(event))
"""
"""It passes every event on; who answers is the program that reads the queue."""


class Event(NamedTuple):
    """What CloudFormation asks a custom resource for.

    :ivar type: Create, Update or Delete.
    :ivar physical_id: the physical ID; empty for a Create.
    :ivar old_version: the version of the template that an Update names as the old one.
    :ivar receipt: what takes it out of the queue.
    """

    type: str
    logical_id: str
    physical_id: str
    request_id: str
    stack_id: str
    response_url: str
    old_version: str
    receipt: str


class Look(NamedTuple):
    """How a stack looked at one moment.

    :ivar version: of the template that GetTemplate answers.
    :ivar began: LastUpdatedTime, or CreationTime.
    :ivar operations: the types in LastOperations.
    """

    version: str
    began: str
    operations: str


def template(version: int, resources: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a template with custom resources that pass on what they are asked for.

    :param version: a number that GetTemplate tells again.
    :param resources: what each custom resource has beside the defaults, by logical ID: its
        ``DependsOn`` and its ``ServiceTimeout`` in seconds.
    """
    custom = {
        name: {
            "Type": "Custom::ConnectAssociationsVerify",
            **({"DependsOn": more["DependsOn"]} if "DependsOn" in more else {}),
            "Properties": {
                "ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]},
                "ServiceTimeout": more.get("ServiceTimeout", 600),
                "Version": str(version),
            },
        }
        for name, more in resources.items()
    }
    send = {
        "Effect": "Allow",
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
    }
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"},
    }
    return json.dumps(
        {
            "Description": f"connect-associations verify, version {version}",
            "Resources": {
                "Queue": {"Type": "AWS::SQS::Queue"},
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {
                        "AssumeRolePolicyDocument": _policy(trust),
                        "Policies": [{"PolicyName": "Send", "PolicyDocument": _policy(send)}],
                    },
                },
                "Function": {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {
                        "Handler": "index.handler",
                        "Runtime": "python3.13",
                        "Timeout": 30,
                        "MemorySize": 256,
                        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                        "Environment": {"Variables": {"QUEUE_URL": {"Ref": "Queue"}}},
                        "Code": {"ZipFile": _CODE},
                    },
                },
                **custom,
            },
        }
    )


class Stage:
    """The stack, and the events of its custom resources.

    :param callers: returns what calls a service in a Region.
    :param region: the stack's Region.
    :param name: the stack's name.
    :param sleep: waits for as many seconds.
    :param now: the time in seconds.
    """

    def __init__(
        self,
        callers: Callers,
        *,
        region: str,
        name: str,
        sleep: Callable[[float], None],
        now: Callable[[], float],
    ) -> None:
        self._cloudformation = callers(region, "cloudformation")
        self._sqs = callers(region, "sqs")
        self._name = name
        self._sleep = sleep
        self._now = now
        self._queue_url = ""

    def submit(self, operation: str, body: str, **more: object) -> None:
        """Create or update the stack.

        :param operation: CreateStack or UpdateStack.
        :raises CannotTellError: CloudFormation refuses.
        """
        self._cloudformation.must(
            operation,
            StackName=self._name,
            TemplateBody=body,
            Capabilities=["CAPABILITY_IAM"],
            **more,
        )

    def roll_back(self) -> None:
        """Roll back what failed while rollback was disabled."""
        self._cloudformation.must("RollbackStack", StackName=self._name)

    def delete(self) -> None:
        """Delete the stack, and answer whatever its custom resources are asked for.

        :raises CannotTellError: it does not go.
        """
        self._answer_all()
        if self.status() is None:
            return
        self._cloudformation.must("DeleteStack", StackName=self._name)
        self._answer_all()
        status = self.status()
        if status is not None:
            raise CannotTellError(f"stack {self._name} is {status}")

    def status(self) -> str | None:
        """Return the stack's status; None if there is no such stack."""
        stack = self._described()
        status: str = stack.get("StackStatus", "DELETE_COMPLETE")
        return None if status == "DELETE_COMPLETE" else status

    def look(self) -> Look:
        """Return how the stack looks now."""
        stack = self._described()
        body = self._cloudformation.must("GetTemplate", StackName=self._name)["TemplateBody"]
        plain = json.loads(body) if isinstance(body, str) else body
        operations = [each["OperationType"] for each in stack.get("LastOperations", [])]
        return Look(
            version=plain.get("Description", "").rpartition(" ")[2],
            began=str(stack.get("LastUpdatedTime") or stack.get("CreationTime")),
            operations=",".join(operations) or "none",
        )

    def resource_status(self, logical_id: str) -> str:
        """Return the status of a resource, as ListStackResources shows it."""
        answer = self._cloudformation.must("ListStackResources", StackName=self._name)
        found = {
            each["LogicalResourceId"]: each["ResourceStatus"]
            for each in answer["StackResourceSummaries"]
        }
        status: str = found.get(logical_id, NOT_LISTED)
        return status

    def events(self) -> Iterator[Event]:
        """Yield what the custom resources are asked for, until the stack is at rest.

        :raises CannotTellError: nothing happens for a long time.
        """
        quiet_since = self._now()
        while self._now() - quiet_since < PATIENCE:
            event = self._receive()
            if event is not None:
                yield event
                quiet_since = self._now()
            elif not (self.status() or "").endswith("_IN_PROGRESS"):
                return
        raise CannotTellError(f"stack {self._name} has been {self.status()} for too long")

    def answer(self, event: Event, physical_id: str, *, failing: str = "") -> None:
        """Answer an event.

        :param failing: why it fails. Default: it succeeds
        :raises CannotTellError: the answer cannot be delivered.
        """
        body = {
            "Status": "FAILED" if failing else "SUCCESS",
            "Reason": failing or "as asked",
            "PhysicalResourceId": physical_id,
            "StackId": event.stack_id,
            "RequestId": event.request_id,
            "LogicalResourceId": event.logical_id,
        }
        request = urllib.request.Request(  # noqa: S310 - CloudFormation's own address
            event.response_url,
            data=json.dumps(body).encode(),
            method="PUT",
            headers={"Content-Type": ""},
        )
        try:
            with urllib.request.urlopen(request, timeout=20):  # noqa: S310 - as above
                pass
        except urllib.error.HTTPError as error:
            error.close()  # somebody has answered it, or CloudFormation has given it up
        except OSError as error:
            raise CannotTellError(f"CloudFormation cannot be answered: {error}") from error
        self.leave(event)

    def leave(self, event: Event) -> None:
        """Take an event out of the queue; if it was not answered, it never will be."""
        self._sqs.ask("DeleteMessage", QueueUrl=self._queue_url, ReceiptHandle=event.receipt)

    def _answer_all(self) -> None:
        for event in self.events():
            self.answer(event, event.physical_id or event.logical_id)

    def _described(self) -> dict[str, Any]:
        reply = self._cloudformation.ask("DescribeStacks", StackName=self._name)
        stacks: list[dict[str, Any]] = reply.answer.get("Stacks", [])
        return stacks[0] if stacks else {}

    def _receive(self) -> Event | None:
        """Return the next event; None if there is none within a moment."""
        if not self._queue_url:
            reply = self._cloudformation.ask(
                "DescribeStackResource", StackName=self._name, LogicalResourceId="Queue"
            )
            self._queue_url = reply.answer.get("StackResourceDetail", {}).get(
                "PhysicalResourceId", ""
            )
        if not self._queue_url:
            self._sleep(_PAUSE)
            return None
        # Until it is answered it stays, for the next run if this one does not get that far.
        reply = self._sqs.ask(
            "ReceiveMessage", QueueUrl=self._queue_url, WaitTimeSeconds=1, VisibilityTimeout=15
        )
        if not reply.succeeded:  # the stack is being deleted, and has no queue any more
            self._sleep(_PAUSE)
        return next(_events(reply), None)


def _policy(statement: Mapping[str, object]) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": [statement]}


def _events(reply: Reply) -> Iterator[Event]:
    for message in reply.answer.get("Messages", []):
        told = json.loads(message["Body"])
        yield Event(
            type=told["RequestType"],
            logical_id=told["LogicalResourceId"],
            physical_id=told.get("PhysicalResourceId", ""),
            request_id=told["RequestId"],
            stack_id=told["StackId"],
            response_url=told["ResponseURL"],
            old_version=told.get("OldResourceProperties", {}).get("Version", ""),
            receipt=message["ReceiptHandle"],
        )
