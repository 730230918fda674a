"""What the CDK CLI does between two passes of synth, and what it publishes."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from embedded.cdk_cli import CdkCli
from embedded.environment import ACCOUNT, REGION

from connect_associations.testing.seed import GROUP_ID, INSTANCE_ID, USERS
from documents import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from embedded.cdk_cli import CdkRun
    from embedded.environment import EmbeddedEnvironment

    from connect_associations.testing import ConnectEmulation

pytestmark = pytest.mark.deploy

START = f"""
import sys

sys.path[:0] = [{str(ROOT / "constructs")!r}]
import aws_cdk as cdk
from connect_associations import ConnectAssociationProvider, TrafficDistributionGroupMembership

app = cdk.App()
env = cdk.Environment(account={ACCOUNT!r}, region={REGION!r})
"""
LATE_VALUES = """
from aws_cdk import aws_ssm as ssm

stack = cdk.Stack(app, "LateValues", env=env)


def looked_up(name):
    return ssm.StringParameter.value_from_lookup(stack, f"/late-values/{name}")


TrafficDistributionGroupMembership(
    stack,
    "Agents",
    instance_id=looked_up("instance"),
    traffic_distribution_group_id=looked_up("group"),
    user_ids=looked_up("users").split(","),
)
app.synth()
"""
REFERENCES = f"""
from aws_cdk import aws_connect as connect

references = cdk.Stack(app, "References", env=env)
ConnectAssociationProvider(references, "Provider", bundle_sdk=True)
instance_arn = "arn:aws:connect:{REGION}:{ACCOUNT}:instance/{INSTANCE_ID}"
TrafficDistributionGroupMembership(
    references,
    "Agents",
    instance_id=instance_arn,
    traffic_distribution_group_id=connect.CfnTrafficDistributionGroup(
        references, "Group", instance_arn=instance_arn, name="group"
    ),
    user_ids={{
        connect.CfnUser(
            references,
            name,
            instance_arn=instance_arn,
            phone_config={{"phoneType": "SOFT_PHONE"}},
            routing_profile_arn=f"{{instance_arn}}/routing-profile/{GROUP_ID}",
            security_profile_arns=[f"{{instance_arn}}/security-profile/{GROUP_ID}"],
            username=name,
        )
        for name in ("ann", "bob")
    }},
)
app.synth()
"""


def project(environment: EmbeddedEnvironment, tmp_path: Path, app: str) -> CdkCli:
    """Return the CDK CLI in a project of the test's own, where it may note what it looked up."""
    (tmp_path / "app.py").write_text(START + app)
    (tmp_path / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    return CdkCli(environment=environment.env, project=tmp_path)


@pytest.fixture
def parameters(environment: EmbeddedEnvironment) -> Any:
    """SSM's parameters, of which the test's own are deleted."""
    client = environment.session().client("ssm", endpoint_url=environment.aws_url)
    yield client
    names = [f"/late-values/{name}" for name in ("instance", "group", "users")]
    client.delete_parameters(Names=names)


def refused(run: CdkRun) -> str:
    assert not run.succeeded, run.output
    return run.output


def test_look_ups_are_made_between_two_passes_of_synth(
    environment: EmbeddedEnvironment,
    connect: ConnectEmulation,
    parameters: Any,
    tmp_path: Path,
) -> None:
    cli = project(environment, tmp_path, LATE_VALUES)

    def put(name: str, value: str) -> None:
        parameters.put_parameter(
            Name=f"/late-values/{name}", Value=value, Type="String", Overwrite=True
        )

    put("instance", INSTANCE_ID)
    put("group", GROUP_ID)
    put("users", f"ann,{USERS['bob']}")
    wrong = refused(cli.run("synth", "--quiet", check=False))
    assert "user_ids[0]: 'ann' is not the ID of a user" in wrong

    put("users", f"{USERS['ann']},{USERS['bob']}")
    (tmp_path / "cdk.context.json").unlink()
    previous = os.umask(0o077)
    try:
        cli.deploy()
    finally:
        os.umask(previous)
    try:
        assert {USERS["ann"], USERS["bob"]} <= connect.members(GROUP_ID)
        assert published_modes(environment) == {0o644}
    finally:
        cli.destroy(app=tmp_path / "cdk.out")


def published_modes(environment: EmbeddedEnvironment) -> set[int]:
    """Return the modes of the files in the handlers' code that was published last."""
    storage = environment.session().client("s3", endpoint_url=environment.aws_url)
    bucket = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
    found = sorted(
        storage.list_objects_v2(Bucket=bucket)["Contents"],
        key=lambda each: each["LastModified"],
        reverse=True,
    )
    for each in found:
        content = storage.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
        if each["Key"].endswith(".zip"):
            files = zipfile.ZipFile(io.BytesIO(content)).infolist()
            if any(file.filename == "connect_provider/handler.py" for file in files):
                return {file.external_attr >> 16 & 0o777 for file in files if not file.is_dir()}
    raise AssertionError("the handlers' code was not published")


def test_references_are_synthesized(environment: EmbeddedEnvironment, tmp_path: Path) -> None:
    project(environment, tmp_path, REFERENCES).run("synth", "--quiet")
    template = json.loads((tmp_path / "cdk.out" / "References.template.json").read_text())
    (declared,) = (
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "Custom::ConnectTrafficDistributionGroupMembership"
    )
    assert declared["TrafficDistributionGroupId"] == {
        "Fn::GetAtt": ["Group", "TrafficDistributionGroupArn"]
    }
    assert declared["UserIds"] == [{"Fn::GetAtt": [name, "UserArn"]} for name in ("ann", "bob")]
