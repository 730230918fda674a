"""Who declares what where no stack's own template says it: deployed with the real CDK CLI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ssm as ssm

from connect_associations import (
    ConnectAssociationProvider,
    TrafficDistributionGroupMembership,
    TrafficDistributionGroupUser,
)
from connect_associations.testing.seed import (
    GROUP_ID,
    HOME_REGION,
    INSTANCE_ID,
    REPLICA_GROUP_ID,
    REPLICA_REGION,
    USERS,
)
from deployment import ENVIRONMENT, AppDeployment, Deployment, Fails, writes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation

pytestmark = pytest.mark.deploy

ANN, BOB, CYD, DAN = (USERS[name] for name in ("ann", "bob", "cyd", "dan"))
LEAVE = "DisassociateTrafficDistributionGroupUser"
TABLE = "Shared-Ledger"


@pytest.fixture
def app(
    environment: EmbeddedEnvironment, connect: ConnectEmulation, tmp_path: Path
) -> AppDeployment:
    """An app on the untouched contact centre; nothing is deployed yet."""
    del connect  # only has to be reset
    return AppDeployment(environment=environment, folder=tmp_path)


def who_left(connect: ConnectEmulation) -> set[str]:
    """Return who was taken out of a group since the last time."""
    return {user for operation, _, user in writes(connect) if operation == LEAVE}


# -- identifiers from another stack, templates that are not JSON -----------------------------------

CONSUMERS = {
    "Consumer": (GROUP_ID, HOME_REGION),
    "Legacy": (REPLICA_GROUP_ID, REPLICA_REGION),
}
"""Which group the users of a stack join. The CDK CLI sends the template of the second as YAML."""


class Producer(cdk.Stack):
    """Tells other stacks what there is in Connect."""

    def __init__(self, scope: cdk.App) -> None:
        super().__init__(scope, "Producer", env=ENVIRONMENT)
        self.told: dict[str, str] = {}
        for number, identifier in enumerate(
            (INSTANCE_ID, GROUP_ID, REPLICA_GROUP_ID, ANN, BOB, CYD)
        ):
            parameter = ssm.StringParameter(self, f"Identifier{number}", string_value=identifier)
            self.told[identifier] = parameter.string_value
            # Exported all the time: what is imported no more is so only after this stack.
            self.export_value(parameter.string_value)


def consumers(*users: str, single: str, fails: bool = False) -> Callable[[cdk.App], object]:
    """Declare users, and Cyd as a construct of that name, in both stacks."""

    def build(app: cdk.App) -> None:
        told = Producer(app).told
        for name, (group, region) in CONSUMERS.items():
            legacy = cdk.LegacyStackSynthesizer() if name == "Legacy" else None
            stack = cdk.Stack(app, name, env=ENVIRONMENT, synthesizer=legacy)
            members = TrafficDistributionGroupMembership(
                stack,
                "Members",
                instance_id=told[INSTANCE_ID],
                traffic_distribution_group_id=told[group],
                region=region,
                user_ids=[told[user] for user in users],
            )
            cyd = TrafficDistributionGroupUser(
                stack,
                single,
                instance_id=told[INSTANCE_ID],
                traffic_distribution_group_id=told[group],
                region=region,
                user_id=told[CYD],
            )
            if fails:
                cyd.node.add_dependency(members)
                Fails(stack, after=cyd)

    return build


def template_body(environment: EmbeddedEnvironment, *, stack: str) -> str:
    """Return the template as CloudFormation keeps it."""
    cloudformation = environment.session().client(
        "cloudformation", endpoint_url=environment.aws_url
    )
    # Parsed only if it is JSON, whatever the types say.
    return str(cloudformation.get_template(StackName=stack)["TemplateBody"])


def test_imported_identifiers_and_yaml_templates(
    app: AppDeployment, connect: ConnectEmulation, environment: EmbeddedEnvironment
) -> None:
    def members() -> list[frozenset[str]]:
        return [connect.members(group) for group, _ in CONSUMERS.values()]

    app.deploy(consumers(ANN, BOB, single="Cyd"))
    assert members() == [{ANN, BOB, CYD}] * 2
    assert "Fn::ImportValue" in str(app.template("Consumer")["Resources"]["Members"])
    assert "Fn::ImportValue: " in template_body(environment, stack="Legacy")
    assert who_left(connect) == set()

    app.deploy(consumers(ANN, single="Renamed"))
    assert members() == [{ANN, CYD}] * 2
    assert who_left(connect) == {BOB}

    run = app.deploy(consumers(BOB, single="RenamedAgain", fails=True), check=False)
    assert not run.succeeded
    assert {app.status(name) for name in CONSUMERS} == {"UPDATE_ROLLBACK_COMPLETE"}
    assert members() == [{ANN, CYD}] * 2
    assert who_left(connect) == {BOB}

    app.destroy()
    assert members() == [set()] * 2


# -- nested stacks ---------------------------------------------------------------------------------


def test_a_new_nested_stack_whose_parent_fails(
    stack: Deployment, connect: ConnectEmulation
) -> None:
    def parent(scope: cdk.Stack) -> None:
        cdk.CfnWaitConditionHandle(scope, "Anything")

    def parent_of_agents(scope: cdk.Stack) -> None:
        parent(scope)
        nested = cdk.NestedStack(scope, "Agents")
        TrafficDistributionGroupMembership(
            nested,
            "Members",
            instance_id=INSTANCE_ID,
            traffic_distribution_group_id=GROUP_ID,
            user_ids=[ANN, BOB],
        )
        Fails(scope, after=nested)

    stack.deploy(parent)
    connect.put_member(GROUP_ID, ANN)
    run = stack.deploy(parent_of_agents, check=False)
    assert not run.succeeded
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert connect.members(GROUP_ID) == {ANN}
    assert who_left(connect) == {BOB}


# -- several stacks, one ledger --------------------------------------------------------------------


def two_stacks(
    *, east: set[str], west: set[str], resync: str | None = None
) -> Callable[[cdk.App], object]:
    """Declare members of a group in two stacks, deployed in this order; none where nobody is."""

    def build(app: cdk.App) -> None:
        string = dynamodb.AttributeType.STRING
        table = dynamodb.Table(
            cdk.Stack(app, "Ledger-of-both", env=ENVIRONMENT),
            "Table",
            table_name=TABLE,
            partition_key=dynamodb.Attribute(name="pk", type=string),
            sort_key=dynamodb.Attribute(name="sk", type=string),
            time_to_live_attribute="expires_at",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        stacks: list[cdk.Stack] = []
        for name, users in (("East", east), ("West", west)):
            if not users:
                continue
            stack = cdk.Stack(app, name, env=ENVIRONMENT)
            ConnectAssociationProvider(stack, "Provider", ledger=table, resync=resync)
            TrafficDistributionGroupMembership(
                stack,
                "Members",
                instance_id=INSTANCE_ID,
                traffic_distribution_group_id=GROUP_ID,
                user_ids=sorted(users),
            )
            for before in stacks:
                stack.add_dependency(before)
            stacks.append(stack)

    return build


def empty_ledger(environment: EmbeddedEnvironment) -> None:
    resource = environment.session().resource("dynamodb", endpoint_url=environment.aws_url)
    table = resource.Table(TABLE)
    items = table.scan()["Items"]
    assert items
    for item in items:
        table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})


def test_two_stacks_with_one_ledger_that_is_lost(
    app: AppDeployment, connect: ConnectEmulation, environment: EmbeddedEnvironment
) -> None:
    app.deploy(two_stacks(east={ANN, BOB}, west={BOB, CYD}))
    assert connect.members(GROUP_ID) == {ANN, BOB, CYD}
    writes(connect)

    # Ann moves to the stack that is deployed last, Cyd to the one that is deployed first.
    app.deploy(two_stacks(east={BOB, CYD}, west={ANN, BOB}))
    assert connect.members(GROUP_ID) == {ANN, BOB, CYD}
    assert who_left(connect) == {ANN}

    app.destroy("East")
    assert connect.members(GROUP_ID) == {ANN, BOB}

    empty_ledger(environment)
    app.deploy(two_stacks(east=set(), west={BOB, DAN}))
    # Nobody knows who brought Ann.
    assert connect.members(GROUP_ID) == {ANN, BOB, DAN}
    assert "is kept as it is: the ledger does not know" in environment.lambda_log()
    app.destroy()
    assert connect.members(GROUP_ID) == {ANN}


@pytest.mark.soak
def test_resync_after_the_ledger_was_emptied(
    app: AppDeployment, connect: ConnectEmulation, environment: EmbeddedEnvironment
) -> None:
    app.deploy(two_stacks(east={ANN, BOB}, west=set()))
    writes(connect)
    empty_ledger(environment)

    app.deploy(two_stacks(east={ANN, BOB}, west=set(), resync="after the loss"))
    assert writes(connect) == [], "everybody was there"

    # The ledger knows again who brought Bob.
    app.deploy(two_stacks(east={ANN}, west=set(), resync="after the loss"))
    assert connect.members(GROUP_ID) == {ANN}
    connect.remove_member(GROUP_ID, ANN)
    app.deploy(two_stacks(east={ANN}, west=set(), resync="somebody was removed by hand"))
    assert connect.members(GROUP_ID) == {ANN}
    app.destroy()
    assert connect.members(GROUP_ID) == set()
