"""The policies of a stack against the calls of its handlers: neither has more than the other.

The real handlers run in the lifecycle simulator, which records every call. A policy is taken apart
into single actions on single resources, and so is what every call needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs

import aws_cdk as cdk
import pytest
from aws_cdk.aws_events import Schedule
from aws_cdk.aws_kms import Key

from connect_associations import (
    Audit,
    ConnectAssociationProvider,
    ContactRelease,
    ContactUserAssignment,
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
    UserLookup,
    _permissions,
)
from connect_associations.contact_release import ReleaseMode
from connect_associations.testing.entities import GroupStatus
from iam import Access, Grant, grants, needed, policies
from lifecycle.cast import (
    ANN,
    BLUE,
    BOB,
    CHAT,
    CYD,
    FLOW,
    HOME,
    INSTANCE,
    QUEUE,
    RED,
    REPLICA,
    TASK,
    WEST,
    sibling,
)
from lifecycle.ledger import TABLE
from lifecycle.seen import seen_world
from lifecycle.stack_parts import ACCOUNT, StackSettings
from lifecycle.under_test import CONVERGENCE_TIMEOUT_SECONDS
from service_authorization import NEWER, dependents, is_known
from synthesis import new_stack, of_type, synthesize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aws_cdk.aws_kms import IKey
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from connect_associations.testing import ConnectEmulation
    from lifecycle.ledger import LedgerCall
    from lifecycle.world import World

NO_USER = "99999999-9999-4999-8999-999999999999"
NO_CONTACT = "88888888-8888-4888-8888-888888888888"
DECLARED = "Declared"

BY_LAMBDA = {"logs:CreateLogStream", "logs:PutLogEvents"}
"""What Lambda does with the function's role, beside the handlers' calls."""

OF_EVERY_PROVIDER = {
    "cloudformation:DescribeStackResource",
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
}
"""Granted to every provider; lookups need none of it."""

NOT_FOR_CONTACTS = {"cloudformation:ListStackResources"}
"""Granted to every provider; only users of groups need it."""

TABLE_ARN = f"arn:aws:dynamodb:{HOME}:{ACCOUNT}:table/{TABLE}"

PREFERRED = "connect:PreferredUserArn"

NOT_NEEDED = {"cloudformation:ListStacks"}
"""What DescribeStacks depends on where it names no stack, which the provider always does.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
"""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVERGENCE_TIMEOUT_SECONDS", str(CONVERGENCE_TIMEOUT_SECONDS))
    monkeypatch.setenv("LEDGER_TABLE_NAME", TABLE)


@dataclass(slots=True)
class Run:
    """A stack's life: what was granted at the time, and what was needed.

    :ivar documents: the policies in force.
    :ivar before: those before the last deployment.
    :ivar asked: what was asked of CloudFormation in the last one.
    :ivar table: what the templates call the ledger's ARN.
    """

    folder: Path
    world: World
    emulation: ConnectEmulation
    documents: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    asked: set[Access] = field(default_factory=set)
    needed: set[Access] = field(default_factory=set)
    granted: set[Grant] = field(default_factory=set)
    deployments: int = 0
    table: str = ""

    def deploy(self, build: Callable[[cdk.Stack], object], *, fails: bool = False) -> str:
        """Deploy what *build* declares; a policy is updated before what depends on it."""
        self.deployments += 1
        template = synthesize(self._stack(build))
        self.before = self.documents
        self.documents = {**self.before, **policies(template)}
        (table,) = of_type(template, "AWS::DynamoDB::Table")
        self.table = f"{table}.Arn"
        resources = {
            name: {
                "Type": resource["Type"],
                "Properties": {
                    key: value
                    for key, value in resource["Properties"].items()
                    if key not in ("ServiceToken", "ServiceTimeout")
                },
            }
            for name, resource in template["Resources"].items()
            if resource["Type"].startswith("Custom::Connect")
        }
        if fails:
            resources["Failing"] = sibling(after=tuple(resources))
            self.world.sabotage_next(seconds={}, fails={("Failing", "Create")})
        status = self.world.deploy({"Resources": resources})
        self._check(rolled_back="ROLLBACK" in status)
        if "ROLLBACK" not in status:
            self.documents = policies(template)
        return status

    def delete(self) -> str:
        status = self.world.delete()
        self._check(rolled_back=False)
        return status

    def _stack(self, build: Callable[[cdk.Stack], object]) -> cdk.Stack:
        stack = new_stack(
            self.folder / str(self.deployments), env=cdk.Environment(account=ACCOUNT, region=HOME)
        )
        build(stack)
        return stack

    def _check(self, *, rolled_back: bool) -> None:
        """Refuse what was not granted; forget the calls."""
        references = {"AWS::StackId": self.world.stack.stack_id, self.table: TABLE_ARN}
        granted = grants(self.documents.values(), references)
        if rolled_back:
            granted |= grants(self.before.values(), references)
        accesses = {
            access for call in self.emulation.calls for access in needed(call, account=ACCOUNT)
        } | self.asked
        accesses |= {Access(f"dynamodb:{call.operation}", TABLE_ARN) for call in self.used}
        denied = [
            access
            for access in sorted(accesses)
            if not any(grant.covers(access) for grant in granted)
        ]
        assert not denied, f"{denied}\n{self.world.story()}"
        self.needed |= accesses
        self.granted |= granted
        self.emulation.recorder.clear()
        self.asked.clear()
        self.used.clear()

    @property
    def used(self) -> list[LedgerCall]:
        """What was called of the ledger in the last deployment."""
        return self.world.ledger.calls


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[..., Run]:
    numbers = iter(range(100))

    def new(**settings: Any) -> Run:
        world, emulation = seen_world(stack=StackSettings(**settings))
        run = Run(folder=tmp_path / str(next(numbers)), world=world, emulation=emulation)
        answer = world.cloudformation.answer

        def recorded(operation: str, request: AWSPreparedRequest) -> AWSResponse:
            body = request.body
            query = parse_qs(body.decode() if isinstance(body, bytes) else str(body))
            run.asked.add(Access(f"cloudformation:{operation}", query["StackName"][0]))
            return answer(operation, request)

        world.cloudformation.answer = recorded  # type: ignore[method-assign]  # listens in
        return run

    return new


def idle(granted: set[Grant], accesses: set[Access]) -> set[Grant]:
    """Return the grants without which everything would be allowed just the same."""
    return {
        grant
        for grant in granted
        if all(
            any(other.covers(access) for other in granted - {grant})
            for access in accesses
            if grant.covers(access)
        )
    }


def assert_exact(runs: list[Run], *, unused: set[str]) -> None:
    """Check that every grant is needed but those that are documented, and these stand alone."""
    granted = {
        Grant(
            grant.action,
            in_any_run(grant.resource),
            tuple((operator, key, in_any_run(value)) for operator, key, value in grant.condition),
        )
        for run in runs
        for grant in run.granted
    }
    accesses = {
        Access(
            access.action,
            in_any_run(access.resource),
            tuple((key, in_any_run(value)) for key, value in access.context),
        )
        for run in runs
        for access in run.needed
    }
    assert {grant.action for grant in idle(granted, accesses)} == unused


def in_any_run(resource: str) -> str:
    """Return an ARN in which the parts are alike in which runs differ.

    Whether each run keeps to its own is checked while it runs.
    """
    for user in (ANN.id, BOB.id, CYD.id, NO_USER):
        resource = resource.replace(user, "USER")
    return re.sub(r":stack/.*", ":stack", resource.replace(NO_CONTACT, TASK.id))


# What is declared ---------------------------------------------------------------------------------


def single(
    user: str, group: str = RED.arn, *, name: str = DECLARED
) -> Callable[[cdk.Stack], object]:
    return lambda stack: TrafficDistributionGroupUser(
        stack,
        name,
        instance_id=INSTANCE.id,
        traffic_distribution_group_id=group,
        user_id=user,
    )


def membership(
    *users: str, exclusive: bool = False, name: str = DECLARED
) -> Callable[[cdk.Stack], object]:
    return lambda stack: TrafficDistributionGroupMembership(
        stack,
        name,
        instance_id=INSTANCE.id,
        traffic_distribution_group_id=RED.arn,
        user_ids=users,
        exclusive=exclusive,
    )


def assignment(
    release: ContactRelease,
    *,
    user: str = ANN.id,
    contact: str = TASK.id,
    preferred: bool = False,
    name: str = DECLARED,
) -> Callable[[cdk.Stack], object]:
    return lambda stack: ContactUserAssignment(
        stack,
        name,
        instance_id=INSTANCE.id,
        contact_id=contact,
        user_id=user,
        release=release,
        preferred_user_only=preferred,
    )


def lookup(*names: str, name: str = DECLARED) -> Callable[[cdk.Stack], object]:
    return lambda stack: UserLookup(stack, name, instance_id=INSTANCE.id, usernames=names)


RETAIN = ContactRelease.retain()
STOP = ContactRelease.stop()
TRANSFER = ContactRelease.transfer_to_queue(contact_flow_id=FLOW.id)
TRANSFER_TO = ContactRelease.transfer_to_queue(contact_flow_id=FLOW.id, queue_id=QUEUE.id)


# The lives of stacks ------------------------------------------------------------------------------


def lives_of_a_group(
    new_run: Callable[..., Run],
    build: Callable[..., Callable[[cdk.Stack], object]],
) -> Iterator[Run]:
    plain = new_run()
    assert plain.deploy(build(ANN.id)) == "CREATE_COMPLETE"
    assert plain.deploy(build(BOB.id)) == "UPDATE_COMPLETE"
    assert plain.deploy(build(CYD.id), fails=True) == "UPDATE_ROLLBACK_COMPLETE"
    assert plain.delete() == "DELETE_COMPLETE"
    yield plain

    unknown_user = new_run()
    assert unknown_user.deploy(build(NO_USER)) == "ROLLBACK_COMPLETE"
    yield unknown_user

    renamed = new_run()
    assert renamed.deploy(build(ANN.id)) == "CREATE_COMPLETE"
    assert renamed.deploy(build(ANN.id, name="Renamed")) == "UPDATE_COMPLETE"
    yield renamed

    # CloudFormation uses a RequestId again when a deployment is retried.
    retried = new_run(reuses_request_ids=True)
    assert retried.deploy(build(ANN.id)) == "CREATE_COMPLETE"
    for status in ("UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE"):
        assert retried.deploy(build(BOB.id), fails="ROLLBACK" in status) == status
    yield retried

    not_replicated = new_run()
    not_replicated.emulation.add_finding(ANN.id, reference_code="CODE", message="said")
    assert not_replicated.deploy(build(ANN.id)) == "ROLLBACK_COMPLETE"
    yield not_replicated

    inactive_group = new_run()
    emulation = inactive_group.emulation
    emulation.set_group_status(RED.id, GroupStatus.CREATION_FAILED)
    assert inactive_group.deploy(build(ANN.id)) == "ROLLBACK_COMPLETE"
    yield inactive_group


def lives_of_a_contact(
    new_run: Callable[..., Run], release: ContactRelease, *, preferred: bool
) -> Iterator[Run]:
    def declared(**more: Any) -> Callable[[cdk.Stack], object]:
        return assignment(release, preferred=preferred, **more)

    for region in (HOME, REPLICA):
        plain = new_run()
        contact = plain.emulation.world.contacts[TASK.id]
        contact.active_region = region
        contact.previous_contact_id = CHAT.id
        assert plain.deploy(declared()) == "CREATE_COMPLETE"
        assert plain.delete() == "DELETE_COMPLETE"
        assert (contact.ended_at is not None) == (release is not RETAIN)
        yield plain

    reassigned = new_run()
    reassigned.emulation.behave(accept_after_calls=None)
    reassigned.deploy(declared())
    assert reassigned.deploy(declared(user=BOB.id)) == "UPDATE_COMPLETE"
    yield reassigned

    retried = new_run(reuses_request_ids=True)
    retried.emulation.behave(accept_after_calls=None)
    retried.deploy(ConnectAssociationProvider.get_or_create)
    for status in ("UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE"):
        assert retried.deploy(declared(), fails="ROLLBACK" in status) == status
    yield retried

    refused = new_run()
    refused.deploy(declared())
    assert refused.deploy(declared(user=BOB.id)) == "UPDATE_ROLLBACK_COMPLETE"
    yield refused

    unknown_user = new_run()
    assert unknown_user.deploy(declared(user=NO_USER)) == "ROLLBACK_COMPLETE"
    yield unknown_user

    for contact_id in (TASK.id, NO_CONTACT):
        gone = new_run()
        gone.emulation.world.contacts[TASK.id].ended_at = 1.0
        assert gone.deploy(declared(contact=contact_id)) == "ROLLBACK_COMPLETE"
        yield gone


def remove_from_a_full_group(new_run: Callable[..., Run]) -> Run:
    """An exclusive membership also takes users out."""
    run = new_run()
    run.emulation.put_member(RED.id, CYD.id)
    assert run.deploy(membership(ANN.id, BOB.id, exclusive=True)) == "CREATE_COMPLETE"
    assert run.emulation.members(RED.id) == {ANN.id, BOB.id}
    return run


@pytest.mark.parametrize("build", [single, membership])
def test_users_of_a_group(new_run: Callable[..., Run], build: Any) -> None:
    assert_exact(list(lives_of_a_group(new_run, build)), unused=BY_LAMBDA)


def test_an_exclusive_membership_needs_nothing_more(new_run: Callable[..., Run]) -> None:
    run = remove_from_a_full_group(new_run)
    assert ("connect:DisassociateTrafficDistributionGroupUser", CYD.arn) in {
        (access.action, access.resource) for access in run.needed
    }


def test_another_home_region(new_run: Callable[..., Run]) -> None:
    run = new_run()
    assert run.deploy(single(ANN.id, WEST.arn)) == "CREATE_COMPLETE"
    assert run.deploy(single(ANN.id, BLUE.arn)) == "UPDATE_COMPLETE"
    regions = {
        access.resource.split(":")[3]
        for access in run.needed
        if access.action == "connect:AssociateTrafficDistributionGroupUser"
    }
    assert regions == {HOME, REPLICA}


@pytest.mark.parametrize("preferred", [False, True])
@pytest.mark.parametrize(
    ("release", "unused"),
    [
        pytest.param(RETAIN, set(), id="retain"),
        pytest.param(STOP, set(), id="stop"),
        # The contact itself is one of the instance's contacts, which are described in its stead.
        pytest.param(TRANSFER, {"connect:DescribeContact"}, id="transfer"),
        pytest.param(TRANSFER_TO, {"connect:DescribeContact"}, id="transfer-to-a-queue"),
    ],
)
def test_contacts(
    new_run: Callable[..., Run], release: ContactRelease, unused: set[str], *, preferred: bool
) -> None:
    runs = list(lives_of_a_contact(new_run, release, preferred=preferred))
    assert_exact(runs, unused=BY_LAMBDA | NOT_FOR_CONTACTS | unused)


def test_lookups(new_run: Callable[..., Run]) -> None:
    run = new_run()
    assert run.deploy(lookup("ann", "bob")) == "CREATE_COMPLETE"
    assert run.deploy(lookup("ann", "nobody")) == "UPDATE_ROLLBACK_COMPLETE"
    assert run.delete() == "DELETE_COMPLETE"
    assert_exact([run], unused=BY_LAMBDA | OF_EVERY_PROVIDER)


# What the actions depend on -----------------------------------------------------------------------


@pytest.mark.parametrize("repair", [False, True])
def test_what_an_action_depends_on_is_granted_with_it(tmp_path: Path, *, repair: bool) -> None:
    """Of every role: the handlers', the audit's, the framework's and the waiter's."""
    stack = new_stack(tmp_path)
    ConnectAssociationProvider(
        stack,
        "Provider",
        audit=Audit(schedule=Schedule.rate(cdk.Duration.hours(1)), repair=repair),
        encryption_key=cast("IKey", Key(stack, "Key")),
        tracing=True,
    )
    single(ANN.id, name="Single")(stack)
    lookup("ann", name="Lookup")(stack)
    assignment(TRANSFER_TO, name="Transferred")(stack)
    assignment(STOP, contact=CHAT.id, name="Stopped")(stack)
    granted: dict[str, set[str]] = {}
    for policy in of_type(synthesize(stack), "AWS::IAM::Policy").values():
        (role,) = policy["Properties"]["Roles"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            granted.setdefault(role["Ref"], set()).update(
                [statement["Action"]]
                if isinstance(statement["Action"], str)
                else statement["Action"]
            )
    assert len(granted) == 6
    missing = {
        role: {other for action in actions for other in dependents(action)} - actions
        for role, actions in granted.items()
    }
    assert set().union(*missing.values()) == NOT_NEEDED


def test_only_what_the_data_lack_is_added_to_them() -> None:
    assert not [action for action in NEWER if is_known(action)]


# Whether the comparison would notice --------------------------------------------------------------


def test_a_call_that_is_not_granted_is_noticed(
    new_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_permissions, "_READ_GROUP", ("connect:DescribeTrafficDistributionGroup",))
    with pytest.raises(AssertionError):
        new_run().deploy(single(ANN.id))


def test_a_grant_that_no_call_needs_is_noticed(
    new_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        _permissions._RELEASE_ACTIONS,  # noqa: SLF001 - grants too much on purpose
        ReleaseMode.RETAIN,
        "connect:StopContact",
    )
    runs = list(lives_of_a_contact(new_run, RETAIN, preferred=False))
    with pytest.raises(AssertionError, match="StopContact"):
        assert_exact(runs, unused=BY_LAMBDA | NOT_FOR_CONTACTS)


def test_what_a_statement_says_in_vain_is_noticed() -> None:
    statement = {
        "Effect": "Allow",
        "Action": ["connect:StopContact", "connect:DescribeUser"],
        "Resource": TASK.arn,
    }
    with pytest.raises(ValueError, match=r"\['connect:DescribeUser'\]"):
        grants([{"Statement": [statement]}], {})


@pytest.mark.parametrize(
    ("grant", "allowed"),
    [
        (Grant("connect:StopContact", TASK.arn), True),
        (Grant("connect:StopContact", TASK.arn.replace(HOME, "*")), True),
        (Grant("connect:StopContact", TASK.arn.replace(TASK.id, "*")), True),
        (Grant("connect:DescribeContact", TASK.arn), False),
        (Grant("connect:StopContact", CHAT.arn), False),
        (Grant("connect:StopContact", TASK.arn.replace(HOME, REPLICA)), False),
        (Grant("connect:StopContact", TASK.arn.replace(ACCOUNT, "111111111111")), False),
        (Grant("connect:StopContact", TASK.arn, (("ArnLike", PREFERRED, ANN.arn),)), True),
        (Grant("connect:StopContact", TASK.arn, (("ArnLike", PREFERRED, BOB.arn),)), False),
        (Grant("connect:StopContact", TASK.arn, (("ArnLike", "connect:Other", ANN.arn),)), False),
    ],
)
def test_what_a_grant_covers(grant: Grant, *, allowed: bool) -> None:
    access = Access("connect:StopContact", TASK.arn, ((PREFERRED, ANN.arn),))
    assert grant.covers(access) is allowed


@pytest.mark.parametrize(
    ("name", "actions"),
    [("_SEARCH_USERS", ["connect:SearchUsers"]), ("_READ_USERS", ["connect:DescribeUser"])],
)
@pytest.mark.parametrize("build", [single(ANN.id), lookup("ann")], ids=["single", "lookup"])
def test_a_missing_dependency_is_noticed(
    new_run: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
    build: Any,
    name: str,
    actions: Any,
) -> None:
    monkeypatch.setattr(_permissions, name, actions)
    with pytest.raises(AssertionError, match="ListUserProficiencies"):
        new_run().deploy(build)


def test_the_preferred_user_is_the_only_one(new_run: Callable[..., Run]) -> None:
    run = new_run()
    run.deploy(assignment(RETAIN, preferred=True))
    for user, allowed in ((ANN, True), (BOB, False)):
        access = Access("connect:AssociateContactWithUser", TASK.arn, ((PREFERRED, user.arn),))
        assert any(grant.covers(access) for grant in run.granted) is allowed
