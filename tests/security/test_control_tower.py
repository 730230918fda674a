"""Control Tower's rules find nothing but what is acknowledged; with all props, nothing at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unittest import mock

import aws_cdk as cdk
import pytest
from cdklabs.cdk_validator_cfnguard import CfnGuardValidator

from connect_associations import TrafficDistributionGroupUser, _acknowledgements
from connect_associations._acknowledgements import Acknowledgement
from nag import harden
from synthesis import ACCOUNT, GROUP, INSTANCE, REGION, user

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT = "Default"
HARDENED = "Hardened"


def find(folder: Path) -> dict[str, set[str]]:
    """Return the rules that find something in each stack."""
    app = cdk.App(outdir=str(folder), context={"aws:cdk:disable-asset-staging": True})
    for name in (DEFAULT, HARDENED):
        stack = cdk.Stack(app, name, env=cdk.Environment(account=ACCOUNT, region=REGION))
        if name == HARDENED:
            harden(stack)
        TrafficDistributionGroupUser(
            stack,
            "Agent",
            instance_id=INSTANCE,
            traffic_distribution_group_id=GROUP,
            user_id=user(1),
        )
    # It implements the interface of before, which the CDK still takes.
    plugin: Any = CfnGuardValidator()
    cdk.Validations.of(app).add_plugins(plugin)
    try:
        app.synth()
    except RuntimeError as error:
        assert str(error).startswith("ValidationFailed")  # noqa: PT017 - why is looked at below
    report = json.loads((folder / "validation-report.json").read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {DEFAULT: set(), HARDENED: set()}
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            for construct in violation["violatingConstructs"]:
                found[construct["constructPath"].partition("/")[0]].add(violation["ruleName"])
    return found


@pytest.mark.filterwarnings("ignore::Warning")
def test_the_props_satisfy_every_rule_and_the_default_is_acknowledged(tmp_path: Path) -> None:
    with mock.patch.object(_acknowledgements, "acknowledge", return_value=None):
        bare = find(tmp_path / "bare")
    known = {
        value.control
        for value in vars(_acknowledgements).values()
        if isinstance(value, Acknowledgement) and value.control
    }
    assert bare == {DEFAULT: known, HARDENED: set()}
    assert find(tmp_path / "acknowledged") == {DEFAULT: set(), HARDENED: set()}
