"""The examples, synthesized; tests/deploy/test_examples.py deploys some of them."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import tarfile
from importlib import resources
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
import yaml  # type: ignore[import-untyped] # its stubs are no dependency of ours

from connect_associations import TrafficDistributionGroupMembership
from connect_associations.testing import seed
from connect_associations.testing.entities import Channel
from documents import ROOT
from synthesis import ASSIGNMENT, MEMBERSHIP, new_stack, of_type, only

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Synthesize = Callable[..., dict[str, Any]]

EXAMPLES = ROOT / "examples"


@pytest.fixture
def synthesize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Synthesize:
    """Run an example with a context, in this process: jsii takes seconds to start anew.

    What comes out is the template of the only stack, or of the one that is named.
    """

    def run(
        name: str, context: Mapping[str, str] | None = None, *, stack: str = "*"
    ) -> dict[str, Any]:
        new_app = cdk.App

        def app() -> cdk.App:
            settings = {"aws:cdk:disable-asset-staging": True, **(context or {})}
            return new_app(outdir=str(tmp_path), context=settings)

        # An example adds the library's folder.
        monkeypatch.setattr(sys, "path", [*sys.path])
        with monkeypatch.context() as patch:
            patch.setattr(cdk, "App", app)
            runpy.run_path(str(EXAMPLES / name / "app.py"), run_name="__main__")
        (template,) = tmp_path.glob(f"{stack}.template.json")
        return dict(json.loads(template.read_text()))

    return run


def test_all_of_them_are_tested() -> None:
    folders = {folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()}
    assert folders == {
        "agents_from_csv",
        "one_stack",
        "plain_template",
        "shared_ledger",
        "task_assignment",
        "two_regions",
    }
    for name in folders:
        settings = json.loads((EXAMPLES / name / "cdk.json").read_text())
        assert settings == {"app": "python3 app.py"}


def test_one_stack_has_everything_and_the_membership_comes_last(synthesize: Synthesize) -> None:
    template = synthesize("one_stack", {"alias": "acme"})
    assert of_type(template, "AWS::Connect::Instance")
    (group,) = of_type(template, "AWS::Connect::TrafficDistributionGroup")
    users = of_type(template, "AWS::Connect::User")
    membership = only(template, MEMBERSHIP)["Properties"]
    assert membership["TrafficDistributionGroupId"]["Fn::GetAtt"][0] == group
    assert {each["Fn::GetAtt"][0] for each in membership["UserIds"]} == set(users)
    assert len(users) == 3


def test_one_stack_before_the_instance_is_replicated(synthesize: Synthesize) -> None:
    template = synthesize("one_stack", {"group": "no"})
    assert len(of_type(template, "AWS::Connect::User")) == 3
    assert not of_type(template, "AWS::Connect::TrafficDistributionGroup")
    assert not of_type(template, MEMBERSHIP)


def test_one_stack_for_what_is_there(synthesize: Synthesize) -> None:
    context = {
        "instance_id": seed.INSTANCE_ID,
        "traffic_distribution_group_id": seed.GROUP_ID,
        "user_ids": ",".join(seed.USERS.values()),
    }
    template = synthesize("one_stack", context)
    assert only(template, MEMBERSHIP)["Properties"]["UserIds"] == sorted(seed.USERS.values())
    assert not of_type(template, "AWS::Connect::Instance")


def test_agents_come_from_the_file(synthesize: Synthesize, tmp_path: Path) -> None:
    night = [seed.USERS["ann"], seed.USERS["bob"]]
    assert only(synthesize("agents_from_csv"), MEMBERSHIP)["Properties"]["UserIds"] == night

    other = tmp_path / "other.csv"
    # A byte order mark, as spreadsheets write it.
    other.write_text(f"user_id,shift\n{seed.USERS['eve']},night\n", encoding="utf-8-sig")
    template = synthesize("agents_from_csv", {"agents": str(other)})
    assert only(template, MEMBERSHIP)["Properties"]["UserIds"] == [seed.USERS["eve"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        ("id,shift\n1,night\n", "no column 'user_id'"),
        ("user_id,shift\nnobody,night\n", r"user_ids\[0\]"),
        ("user_id,shift\n", "0 users"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(
    synthesize: Synthesize, tmp_path: Path, content: str | None, message: str
) -> None:
    file = tmp_path / "agents.csv"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SystemExit, match=message):
        synthesize("agents_from_csv", {"agents": str(file)})


def test_two_regions_call_each_groups_own(synthesize: Synthesize) -> None:
    memberships = of_type(synthesize("two_regions"), MEMBERSHIP).values()
    regions = {each["Properties"]["Region"] for each in memberships}
    assert regions == {seed.HOME_REGION, seed.REPLICA_REGION}


def test_two_stacks_share_a_ledger(synthesize: Synthesize, tmp_path: Path) -> None:
    first = synthesize("shared_ledger", stack="Sales")
    second = json.loads((tmp_path / "Support.template.json").read_text())
    exported = json.loads((tmp_path / "Ledger.template.json").read_text())["Outputs"]
    exports = {output["Export"]["Name"] for output in exported.values()}
    tables = [
        function["Properties"]["Environment"]["Variables"]["LEDGER_TABLE_NAME"]["Fn::ImportValue"]
        for template in (first, second)
        for function in of_type(template, "AWS::Lambda::Function").values()
        if function["Properties"]["Handler"].startswith("connect_provider.")
    ]
    assert len(tables) == 4
    assert set(tables) < exports
    declared = [set(only(each, MEMBERSHIP)["Properties"]["UserIds"]) for each in (first, second)]
    assert declared[0] & declared[1] == {seed.USERS["bob"]}
    assert declared[0] | declared[1] == {seed.USERS[name] for name in ("ann", "bob", "cyd")}
    for template in (first, second):
        membership = only(template, MEMBERSHIP)["Properties"]
        assert membership["TrafficDistributionGroupId"] == seed.GROUP_ID


def test_the_teams_come_from_the_context(synthesize: Synthesize) -> None:
    context = {"instance_id": seed.INSTANCE_ID, "Support": seed.USERS["eve"]}
    template = synthesize("shared_ledger", context, stack="Support")
    assert only(template, MEMBERSHIP)["Properties"]["UserIds"] == [seed.USERS["eve"]]


def test_a_task_is_assigned_and_goes_back(synthesize: Synthesize) -> None:
    other = seed.CONTACTS[Channel.TASK][1]
    properties = only(synthesize("task_assignment", {"contact_id": other}), ASSIGNMENT)[
        "Properties"
    ]
    assert properties["ContactId"] == other
    assert properties["Release"] == {
        "Mode": "TRANSFER_TO_QUEUE",
        "ContactFlowId": seed.CONTACT_FLOW_ID,
    }


# -- templates that are not written in Python ------------------------------------------------------

JSII_PACKAGES = (
    "aws_cdk",
    "aws_cdk.asset_awscli_v1",
    "aws_cdk.asset_node_proxy_agent_v6",
    "aws_cdk.cloud_assembly_schema",
    "constructs",
)
"""What holds the CDK's packages for Node as archives."""


def written_by_hand() -> dict[str, Any]:
    """Return ``members.yaml``, with CloudFormation's short forms written out."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc] # yaml has no types
        pass

    def get_att(loader: Any, node: Any) -> dict[str, Any]:
        return {"Fn::GetAtt": loader.construct_scalar(node).split(".")}

    def import_value(loader: Any, node: Any) -> dict[str, Any]:
        return {"Fn::ImportValue": loader.construct_scalar(node)}

    Loader.add_constructor("!GetAtt", get_att)
    Loader.add_constructor("!ImportValue", import_value)
    text = (EXAMPLES / "plain_template" / "members.yaml").read_text(encoding="utf-8")
    return dict(yaml.load(text, Loader))  # noqa: S506 - derived from SafeLoader


def test_typescript_declares_what_the_template_declares(tmp_path: Path) -> None:
    modules = tmp_path / "node_modules"
    for package in JSII_PACKAGES:
        (archive,) = (resources.files(package) / "_jsii").glob("*.tgz")  # type: ignore[attr-defined] # a folder on disk
        with tarfile.open(archive) as packed:
            # The first releases of Python 3.11 know no filter, and later ones want one.
            safely: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            packed.extractall(tmp_path / archive.name, **safely)  # noqa: S202 - the CDK's own
        package_folder = tmp_path / archive.name / "package"
        manifest = json.loads((package_folder / "package.json").read_text(encoding="utf-8"))
        folder = modules / manifest["name"]
        folder.parent.mkdir(parents=True, exist_ok=True)
        package_folder.rename(folder)
    program = tmp_path / "members.ts"
    program.write_bytes((EXAMPLES / "plain_template" / "members.ts").read_bytes())
    subprocess.run(  # noqa: S603 - our own example
        [ROOT / ".venv" / "bin" / "node", program],
        env={**os.environ, "CDK_OUTDIR": str(tmp_path / "cdk.out")},
        check=True,
    )
    template = json.loads((tmp_path / "cdk.out" / "Members.template.json").read_text())
    by_hand = written_by_hand()
    assert (
        only(template, MEMBERSHIP)["Properties"] == by_hand["Resources"]["NightShift"]["Properties"]
    )
    assert template["Outputs"] == by_hand["Outputs"]


def allowed(template: dict[str, Any]) -> set[tuple[str, str]]:
    """Return what the provider's role may do in Connect: the action, and on which resource."""
    return {
        (action, json.dumps(resource))
        for policy in of_type(template, "AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if action.startswith("connect:")
    }


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_the_role_may_do_what_a_construct_would_ask_for(
    synthesize: Synthesize, tmp_path: Path
) -> None:
    stack = new_stack(tmp_path / "constructs")
    declared = written_by_hand()["Resources"]["NightShift"]["Properties"]
    TrafficDistributionGroupMembership(
        stack,
        "NightShift",
        instance_id=declared["InstanceId"],
        traffic_distribution_group_id=declared["TrafficDistributionGroupId"],
        user_ids=declared["UserIds"],
    )
    root = stack.node.root
    assert isinstance(root, cdk.App)
    template = root.synth().get_stack_by_name(stack.stack_name).template
    granted = allowed(synthesize("plain_template"))
    assert granted
    assert granted == allowed(template)
