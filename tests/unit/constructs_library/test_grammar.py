"""The constructs and the emulation read identifiers by the provider's grammar, in any process."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import TYPE_CHECKING

from connect_associations import _grammar
from connect_associations.testing.identifiers import Identifier, arn
from connect_provider import identifiers
from documents import ROOT
from synthesis import ACCOUNT, GROUP, INSTANCE, REGION, user, user_arn

if TYPE_CHECKING:
    from pathlib import Path

APP = f"""
import sys

sys.path.append({str(ROOT / "constructs")!r})
before = set(sys.modules)
import aws_cdk as cdk
import connect_associations as library

stack = cdk.Stack(cdk.App(), "Stack")
library.TrafficDistributionGroupUser(
    stack,
    "Agent",
    instance_id={INSTANCE!r},
    traffic_distribution_group_id={GROUP!r},
    user_id={user(1)!r},
)
stack.node.root.synth()
loaded = set(sys.modules) - before
assert "connect_associations._grammar.identifiers" in loaded
assert not [name for name in loaded if name.split(".")[0] in ("boto3", "botocore")]
assert "connect_provider" not in loaded

import connect_provider

print(connect_provider.NAME)
"""
"""An app in a checkout, which has a module of the provider's name."""


def test_it_is_the_providers_own() -> None:
    assert inspect.getsourcefile(_grammar.read) == inspect.getsourcefile(identifiers.read)
    assert [kind.value for kind in _grammar.Kind] == [kind.value for kind in identifiers.Kind]


def test_synthesis_needs_no_sdk_and_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "connect_provider.py").write_text("NAME = 'somebody else'\n")
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", APP], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "somebody else\n"


def test_the_emulation_reads_ids_and_arns() -> None:
    path = f"instance/{INSTANCE}/agent/{user(1)}"
    written = arn(region=REGION, account_id=ACCOUNT, path=path)
    assert written == user_arn(user(1))
    assert Identifier.parse(written) == Identifier(user(1), REGION, ACCOUNT, path)
    assert arn(region="us-gov-west-1", account_id=ACCOUNT, path="x").startswith("arn:aws-us-gov:")


def test_the_emulation_looks_for_what_is_neither() -> None:
    """It is stricter than the provider, which must send the canonical ID."""
    for text in ("nobody", user(1).upper(), written_elsewhere()):
        assert Identifier.parse(text) == Identifier(text)


def written_elsewhere() -> str:
    return user_arn(user(1)).replace(":connect:", ":lex:")
