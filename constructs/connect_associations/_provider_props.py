"""The properties of the provider, and what can be wrong with them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aws_cdk as cdk

from connect_associations import _lambda_asset, _time_outs
from connect_associations._identifiers import is_token, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs

    from connect_associations.audit import Audit

_LONGEST_RESYNC = 100
_OLDEST_RUNTIME = (3, 11)
_MEMORY = (128, 10_240)
"""What Lambda allows, in MiB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderProps:
    """What :class:`~connect_associations.ConnectAssociationProvider` was given, which says more."""

    ledger: dynamodb.ITable | None
    resync: str | None
    audit: Audit | None
    convergence_timeout: cdk.Duration | None
    log_group: logs.ILogGroup | None
    log_retention: logs.RetentionDays | None
    log_removal_policy: cdk.RemovalPolicy | None
    waiter_logging: bool
    tracing: bool
    permissions_boundary: iam.IManagedPolicy | None
    vpc: ec2.IVpc | None
    vpc_subnets: ec2.SubnetSelection | None
    security_groups: Sequence[ec2.ISecurityGroup] | None
    encryption_key: kms.IKey | None
    reserved_concurrent_executions: int | None
    memory_size: int | None
    architecture: lambda_.Architecture | None
    runtime: lambda_.Runtime | None
    layers: Sequence[lambda_.ILayerVersion] | None
    bundle_sdk: bool

    def find_problems(self) -> Iterator[str]:
        """Return one sentence for each property that cannot be deployed.

        The ledger is looked at by :mod:`connect_associations._ledger`.
        """
        if self.resync is not None and not _is_short_text(self.resync):
            yield (
                f"resync: expected a string of 1 to {_LONGEST_RESYNC} characters, such as a date, "
                f"got {shown(self.resync)}"
            )
        if self.audit is not None:
            if hasattr(self.audit, "find_problems"):
                yield from self.audit.find_problems()
            else:
                yield f"audit: expected an Audit, got {shown(self.audit)}"
        yield from self._wrong_time_out()
        yield from self._wrong_functions()
        for name in ("waiter_logging", "tracing", "bundle_sdk"):
            if not isinstance(getattr(self, name), bool):
                yield f"{name}: expected True or False, got {shown(getattr(self, name))}"
        if not self.vpc and (self.vpc_subnets or self.security_groups):
            yield "vpc: is missing, but vpc_subnets or security_groups are given"
        if self.log_group and (self.log_retention or self.log_removal_policy):
            yield (
                "log_group: is given, so set its retention and removal policy there, instead of "
                "log_retention and log_removal_policy"
            )

    def _wrong_time_out(self) -> Iterator[str]:
        timeout = self.convergence_timeout
        if timeout is None:
            return
        if timeout.is_unresolved():
            yield "convergence_timeout: must be known at synth, got a token"
            return
        seconds = timeout.to_seconds(integral=False)
        if not 1 <= seconds <= _time_outs.MAX_CONVERGENCE or seconds != int(seconds):
            yield (
                f"convergence_timeout: {timeout.to_human_string()} is out of range; expected whole "
                f"seconds, 1 second to 1 hour"
            )

    def _wrong_functions(self) -> Iterator[str]:
        if self.runtime is not None and not _is_usable(self.runtime):
            yield (
                f"runtime: {self.runtime.name!r} cannot run the handlers; expected Python "
                f"{'.'.join(map(str, _OLDEST_RUNTIME))} or newer"
            )
        least, most = _MEMORY
        if not _is_count(self.memory_size, least=least, most=most):
            yield (
                f"memory_size: expected whole MiB from {least} to {most:,}, got "
                f"{shown(self.memory_size)}"
            )
        if not _is_count(self.reserved_concurrent_executions, least=1):
            yield (
                f"reserved_concurrent_executions: expected at least 1, got "
                f"{shown(self.reserved_concurrent_executions)}; none would stop the handlers"
            )
        if self.bundle_sdk and (problem := _lambda_asset.find_sdk_problem()):
            yield f"bundle_sdk: {problem}"


def _is_count(value: object, *, least: int, most: float = math.inf) -> bool:
    """Tell whether a property that may be left out is in its range, or will be known later."""
    if value is None or cdk.Token.is_unresolved(value):
        return True
    return isinstance(value, int) and least <= value <= most


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= _LONGEST_RESYNC


def _is_usable(runtime: lambda_.Runtime) -> bool:
    name = runtime.name
    version = re.fullmatch(r"python(\d+)\.(\d+)", name)
    if version is None:
        return is_token(name)
    return (int(version[1]), int(version[2])) >= _OLDEST_RUNTIME
