"""The table in which the provider records who declares what, and what a shared one needs."""

# Classes that jsii generates name their parameters differently from its protocols:
# pyright: reportArgumentType=false

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from connect_associations import _acknowledgements
from connect_associations._identifiers import Environment, is_token, shown

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

TABLE_NAME_VARIABLE = "LEDGER_TABLE_NAME"
"""The environment variable that names the table to the handlers."""

_LOGICAL_ID = "ConnectAssociationsLedger"
_KEYS = {"pk": "HASH", "sk": "RANGE"}
_TTL_ATTRIBUTE = "expires_at"
_CONTRACT = (
    f"a ledger has the string keys pk (partition) and sk (sort), and the time-to-live attribute "
    f"{_TTL_ATTRIBUTE}"
)
_ARN = re.compile(
    r"arn:(?P<partition>[^:]+):(?P<service>[^:]+):(?P<region>[^:]+):(?P<account>[^:]+):"
    r"(?P<resource>.+)"
)
_RESOURCE = re.compile(r"table/[^/:]+")

_TABLE_ACTIONS = (
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
)
_KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""What the user of a table that is encrypted with a customer managed key needs.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
"""


def create(scope: Construct, *, encryption_key: kms.IKey | None) -> dynamodb.Table:
    """Create a stack's own ledger, which goes with the stack.

    :param scope: the provider.
    :param encryption_key: encrypts the table. None: a key that AWS owns.
    """
    string = dynamodb.AttributeType.STRING
    pk, sk = (dynamodb.Attribute(name=name, type=string) for name in _KEYS)
    table = dynamodb.Table(
        scope,
        "Ledger",
        partition_key=pk,
        sort_key=sk,
        time_to_live_attribute=_TTL_ATTRIBUTE,
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        encryption_key=encryption_key,
        # Without associations the claims mean nothing.
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    # There is one in each stack. It must survive a new name or place of the provider.
    cast("cdk.CfnResource", table.node.default_child).override_logical_id(_LOGICAL_ID)
    _acknowledgements.acknowledge_on(
        table,
        _acknowledgements.NO_BACKUP_PLAN,
        None if encryption_key else _acknowledgements.LEDGER_WITHOUT_OWN_KEY,
    )
    return table


def grant(table: dynamodb.ITable, role: iam.Role) -> None:
    """Let *role* read and write the items of the table, and nothing else of DynamoDB."""
    role.add_to_policy(
        iam.PolicyStatement(actions=list(_TABLE_ACTIONS), resources=[table.table_arn])
    )
    if table.encryption_key:
        grant_key(table.encryption_key, role)


def grant_key(key: kms.IKey, role: iam.Role) -> None:
    """Let *role* use the table's key through DynamoDB."""
    key.grant(role, *_KEY_ACTIONS)


def find_problems(ledger: object, *, stack: cdk.Stack) -> list[str]:
    """Tell why a table cannot be the ledger of *stack*, as far as that can be seen at synth."""
    if not isinstance(getattr(ledger, "table_arn", None), str):
        problem = (
            f"ledger: expected a DynamoDB table, a Table or TableV2 of this app or one from "
            f"Table.from_table_arn(), got {shown(ledger)}"
        )
        return [problem]
    table = cast("dynamodb.ITable", ledger)
    return [*_find_wrong_place(table, stack), *_find_wrong_shape(table)]


def _find_wrong_place(table: dynamodb.ITable, stack: cdk.Stack) -> list[str]:
    """Compare what is known of the table's Region and account with the stack's."""
    region, account = table.env.region, table.env.account
    match = _ARN.fullmatch(table.table_arn)
    if match:
        # An imported table claims to be where the importing stack is.
        region, account = match["region"], match["account"]
        service, resource = match["service"], match["resource"]
        if service != "dynamodb" or not (is_token(resource) or _RESOURCE.fullmatch(resource)):
            return [f"ledger: {shown(table.table_arn)} is not the ARN of a DynamoDB table"]
    environment = Environment.of(stack)
    return [
        f"ledger: the table is in {what} {have!r}, but the stack goes to {want!r}; "
        f"stacks share a ledger within one account and Region"
        for what, have, want in (
            ("Region", region, environment.known_region),
            ("account", account, environment.known_account),
        )
        if want and not is_token(have) and have != want
    ]


def _find_wrong_shape(table: dynamodb.ITable) -> list[str]:
    """Look at the keys and at the time to live of a table that this app makes."""
    resource = table.node.default_child
    if not isinstance(resource, (dynamodb.CfnTable, dynamodb.CfnGlobalTable)):
        return []
    resolve = cdk.Stack.of(resource).resolve
    types = {
        each["attributeName"]: each["attributeType"]
        for each in resolve(resource.attribute_definitions)
    }
    keys = {each["attributeName"]: each["keyType"] for each in resolve(resource.key_schema)}
    problems = []
    if keys != _KEYS or {types[name] for name in keys} != {"S"}:
        named = ", ".join(f"{name} ({types[name]}, {role})" for name, role in keys.items())
        problems.append(f"ledger: the table's keys are {named}; {_CONTRACT}")
    time_to_live = resolve(resource.time_to_live_specification) or {}
    attribute = time_to_live.get("attributeName") if time_to_live.get("enabled") else None
    if attribute != _TTL_ATTRIBUTE:
        has = f"time-to-live attribute is {attribute!r}" if attribute else "items never expire"
        problems.append(f"ledger: the table's {has}; {_CONTRACT}")
    return problems
