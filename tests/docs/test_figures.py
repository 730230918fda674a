"""What the documentation says about the resources of a stack is what a stack has."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from connect_associations import TrafficDistributionGroupUser
from documents import ROOT
from synthesis import GROUP, INSTANCE, new_stack, synthesize, user

if TYPE_CHECKING:
    from pathlib import Path

ASSOCIATION = "Custom::"
WHAT_A_STACK_GETS = (ROOT / "docs" / "what-a-stack-gets.md").read_text(encoding="utf-8")
PREREQUISITES = (ROOT / "docs" / "prerequisites.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    """Count the resources of a stack with one association, by their types."""
    folder: Path = tmp_path_factory.mktemp("assembly")
    stack = new_stack(folder)
    TrafficDistributionGroupUser(
        stack, "User", instance_id=INSTANCE, traffic_distribution_group_id=GROUP, user_id=user(1)
    )
    return Counter(resource["Type"] for resource in synthesize(stack)["Resources"].values())


def rows(text: str) -> dict[str, int]:
    """Return what a table counts: the first number of the second column, by the first column."""
    return {
        what.strip(): int(number)
        for what, number in re.findall(r"^\| ([^|]+) \| (\d+)\b[^|]* \|", text, re.MULTILINE)
    }


def test_the_page_counts_what_a_stack_gets(types: Counter[str]) -> None:
    told = rows(WHAT_A_STACK_GETS.partition("## What it costs")[0])
    functions = sum(number for what, number in told.items() if "Lambda functions" in what)
    assert functions == types["AWS::Lambda::Function"]
    for what, kind in {
        "Step Functions state machine": "AWS::StepFunctions::StateMachine",
        "DynamoDB table": "AWS::DynamoDB::Table",
        "IAM roles": "AWS::IAM::Role",
        "Lambda invoke configuration": "AWS::Lambda::EventInvokeConfig",
        "log groups": "AWS::Logs::LogGroup",
    }.items():
        assert told[what] == types[kind], what
    provider = sum(number for kind, number in types.items() if not kind.startswith(ASSOCIATION))
    # The instance and the group have a policy each.
    assert re.search(r"That makes (\d+) resources", WHAT_A_STACK_GETS)[1] == str(provider - 2)  # type: ignore[index]


def test_the_deployer_may_make_what_a_stack_gets(types: Counter[str]) -> None:
    listed = set(re.findall(r"`(AWS::\w+::\w+)`", PREREQUISITES.partition("these types:")[2]))
    assert listed == {kind for kind in types if not kind.startswith(ASSOCIATION)}


def test_the_readme_counts_the_same(types: Counter[str]) -> None:
    (told,) = re.findall(r"\*\*What your stack gets:\*\*(.*?)\n\n", README, re.DOTALL)
    words = {"two": 2, "three": 3, "five": 5}
    found = re.findall(r"(two|three|five)\s+(?:Lambda|of the CDK|roles|log groups)", told)
    functions, framework, roles, logs = (words[word] for word in found)
    assert functions + framework == types["AWS::Lambda::Function"]
    assert roles == types["AWS::IAM::Role"]
    assert logs == types["AWS::Logs::LogGroup"]
