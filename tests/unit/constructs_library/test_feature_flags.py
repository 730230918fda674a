"""Every feature flag of the installed CDK, one by one: everything still synthesizes."""

from __future__ import annotations

import functools
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from connect_associations import (
    ConnectAssociationProvider,
    ContactRelease,
    ContactUserAssignment,
    TrafficDistributionGroupMembership,
    UserLookup,
)
from synthesis import CONTACT, GROUP, INSTANCE, new_stack, of_type, synthesize, user

LEAST_FLAGS = 70
"""The oldest CDK has about as many; a list that cannot be read would be a test of nothing."""

REFUSED = {"@aws-cdk/core:enableStackNameDuplicates"}
"""Flags of CDK 1 that CDK 2 raises at."""

NO_BUNDLING: dict[str, object] = {"aws:cdk:bundling-stacks": []}
"""The handlers' code is the same under every flag."""


@functools.cache
def flags() -> dict[str, Any]:
    """Return each flag with the value that the CDK recommends, True if it recommends none."""
    (package,) = (Path(cdk.__file__).parent / "_jsii").glob("aws-cdk-lib@*.tgz")
    wanted = {"package/cx-api/lib/features.js", "package/recommended-feature-flags.json"}
    texts: dict[str, str] = {}
    with tarfile.open(package) as archive:
        for member in archive:
            if member.name in wanted:
                file = archive.extractfile(member)
                assert file is not None
                texts[Path(member.name).name] = file.read().decode()
            if len(texts) == len(wanted):
                break
    recommended = json.loads(texts["recommended-feature-flags.json"])
    named = re.findall(r"""["'](@?aws-[\w./-]+:[\w.-]+)["']""", texts["features.js"])
    assert len(set(named)) >= LEAST_FLAGS
    every = {*named, *recommended} - REFUSED
    return {flag: recommended.get(flag, True) for flag in sorted(every)}


def declare_everything(stack: cdk.Stack) -> None:
    TrafficDistributionGroupMembership(
        stack,
        "Agents",
        instance_id=INSTANCE,
        traffic_distribution_group_id=GROUP,
        user_ids=[user(1), user(2)],
    )
    ContactUserAssignment(
        stack,
        "Assignment",
        instance_id=INSTANCE,
        contact_id=CONTACT,
        user_id=user(1),
        release=ContactRelease.stop(),
    )
    UserLookup(stack, "Lookup", instance_id=INSTANCE, usernames=["ann"])


@pytest.mark.parametrize(
    "flag",
    [
        # A third of them here, the others in the soak; all at once below.
        pytest.param(flag, marks=[pytest.mark.soak] if number % 3 else [])
        for number, flag in enumerate(flags())
    ],
)
def test_everything_synthesizes_with_the_flag(tmp_path: Path, flag: str) -> None:
    stack = new_stack(tmp_path, context={**NO_BUNDLING, flag: flags()[flag]})
    ConnectAssociationProvider(stack, "Provider", tracing=True, waiter_logging=True)
    declare_everything(stack)
    template = synthesize(stack)
    # A log group that the CDK manages would have the name of ours.
    assert len(of_type(template, "AWS::Logs::LogGroup")) == 4
    assert len(of_type(template, "AWS::Lambda::Function")) == 5


def test_everything_synthesizes_with_all_flags(tmp_path: Path) -> None:
    stack = new_stack(tmp_path, context=flags())
    declare_everything(stack)
    assert len(of_type(synthesize(stack), "AWS::Logs::LogGroup")) == 3
