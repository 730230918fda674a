"""cdk-nag finds nothing in the constructs but what is acknowledged, each with a documented reason.

``UPDATE_NAG_REPORT=1`` writes ``docs/nag-report.md`` anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest

from connect_associations import ConnectAssociationProvider, _acknowledgements
from connect_associations._acknowledgements import Acknowledgement
from nag import PACKS, Finding, Inspection, documented, inspect, metadata, report
from synthesis import new_stack, synthesize

if TYPE_CHECKING:
    from collections.abc import Iterable

DOCS = Path(__file__).parents[2] / "docs"
HARDENED = "ProviderHardened"


@pytest.fixture(scope="module")
def inspection(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    return inspect(tmp_path_factory.mktemp("nag"))


def rules(findings: Iterable[Finding], *, stack: str) -> set[str]:
    return {finding.rule.partition("[")[0] for finding in findings if finding.stack == stack}


def test_nothing_is_left_to_find(inspection: Inspection) -> None:
    assert sorted(inspection.left) == []


def test_nothing_is_acknowledged_that_is_not_found(inspection: Inspection) -> None:
    assert inspection.reasons.keys() == inspection.found


def test_the_packs_do_find_something(inspection: Inspection) -> None:
    """Otherwise the tests above would show nothing."""
    for stack in inspection.stacks:
        packs = {rule.rpartition("-")[0] for rule in rules(inspection.found, stack=stack)}
        assert packs == {
            "AwsSolutions",
            "HIPAA.Security",
            "NIST.800.53.R4",
            "NIST.800.53.R5",
            "PCI.DSS.321",
            "Serverless",
        }


def test_props_that_satisfy_a_rule_leave_nothing_to_acknowledge(inspection: Inspection) -> None:
    alone = rules(inspection.reasons, stack="ProviderAlone")
    hardened = rules(inspection.reasons, stack=HARDENED)
    repeated = ("HIPAA.Security", "NIST.800.53.R4", "NIST.800.53.R5", "PCI.DSS.321")
    assert alone - hardened == {
        *(f"{pack}-LambdaInsideVPC" for pack in repeated),
        *(f"{pack}-CloudWatchLogGroupEncrypted" for pack in repeated),
        "AwsSolutions-SF1",
        "AwsSolutions-SF2",
        "Serverless-LambdaTracing",
        "Serverless-StepFunctionStateMachineXray",
    }
    sharing = rules(inspection.reasons, stack="ProviderSharingLedger")
    assert alone - sharing == {
        f"{pack}-DynamoDBInBackupPlan"
        for pack in ("HIPAA.Security", "NIST.800.53.R4", "NIST.800.53.R5")
    }
    limited = {
        finding.resource
        for finding in inspection.reasons
        if finding.stack == HARDENED and finding.rule == "NIST.800.53.R5-LambdaConcurrency"
    }
    # The framework's own functions cannot be limited; ours are.
    assert len(limited) == 3
    assert all("/Provider/framework-" in resource for resource in limited)


def test_reasons_are_documented(inspection: Inspection) -> None:
    text = (DOCS / "security.md").read_text(encoding="utf-8")
    table = text.partition("| rule | where | why it stays |")[2].partition("\n\n")[0]
    rows = set(re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$", table, re.MULTILINE))
    declared = [
        value for value in vars(_acknowledgements).values() if isinstance(value, Acknowledgement)
    ]
    assert rows == {(documented(known), known.reason) for known in declared}
    assert {
        (finding.rule.partition("[")[0], reason) for finding, reason in inspection.reasons.items()
    } == {(rule, known.reason) for known in declared for rule in known.rules}


def test_the_report_is_current(inspection: Inspection) -> None:
    path = DOCS / "nag-report.md"
    text = report(inspection)
    if os.environ.get("UPDATE_NAG_REPORT"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, (
        "docs/nag-report.md is out of date: run this file with UPDATE_NAG_REPORT=1"
    )


def test_an_app_that_runs_the_packs_synthesizes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stack = new_stack(tmp_path)
    ConnectAssociationProvider(stack, "Provider")
    app = stack.node.root
    cdk.Validations.of(app).add_plugins(*(pack() for pack in PACKS))
    synthesize(stack)
    told = capfd.readouterr().err.splitlines()
    assert [line for line in told if not line.startswith("Bundling asset ")] == []


def test_the_template_tells_the_same_to_older_versions(tmp_path: Path) -> None:
    stack = new_stack(tmp_path)
    provider = ConnectAssociationProvider(stack, "Provider")
    acknowledged = 0
    for construct in provider.node.find_all():
        if not isinstance(construct, cdk.CfnResource):
            continue
        written = {
            f"{rule['id']}[{finding}]" if finding else rule["id"]: rule["reason"]
            for rule in metadata(construct)
            for finding in rule.get("applies_to", [None])
        }
        native = {
            name.partition("::")[2]: reason
            for entry in construct.node.metadata
            if entry.type == cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY
            for name, reason in entry.data.items()
            if not name.startswith("cdk-validator-cfnguard::")
        }
        assert written == native
        assert all(reason.isascii() for reason in written.values())
        acknowledged += len(written)
    assert acknowledged > 20
