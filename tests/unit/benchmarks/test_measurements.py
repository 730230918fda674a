"""The measurements that deploy nothing work, and count what they say."""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

import boto3
import pytest
from benchmarks import aws, code_size, own_code, walk
from benchmarks.simulation import Site, Usage

from lifecycle.cast import RED, membership, single

if TYPE_CHECKING:
    from pathlib import Path

    from connect_provider.handler import Provider

USERS = [f"99999999-aaaa-4aaa-8aaa-{number:012d}" for number in range(8)]


@pytest.fixture(autouse=True)
def _reproducible() -> None:
    random.seed(0)


def test_lines_of_code_are_neither_blank_nor_comments_nor_docstrings(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        '"""Says\nmuch."""\n\n# why\nX = (\n    1,  # one\n)\n\n\ndef f():\n    """D."""\n'
    )
    assert code_size.lines_of_code(file) == len(["X = (", "1,", ")", "def f():"])


def test_the_way_of_a_single_user_begins_at_the_handlers() -> None:
    passed = walk.walk()
    assert list(passed) == [
        (kind, handler)
        for kind in ("Create", "Update", "Delete")
        for handler in ("on_event", "is_complete")
    ]
    for (_, handler), codes in passed.items():
        names = {code.co_name for code in codes}
        assert handler in names
        assert not any(name.startswith("<") for name in names)


def test_two_measurements_may_need_an_empty_ledger() -> None:
    for _ in range(2):
        with aws.serving([]) as served, served.entered():
            table = boto3.client("dynamodb").scan(TableName=aws.TABLE)
            assert table["Count"] == 0


class Deep:
    def on_event(self, _event: object) -> dict[str, object]:
        return {"names": sorted(str(number) for number in range(3))}

    is_complete = on_event


def test_what_is_not_of_the_package_is_no_part_of_the_way() -> None:
    stranger: Provider = Deep()  # type: ignore[assignment] # has its methods
    watched = walk.Watched(stranger)
    watched.on_event({})
    assert watched.passed["on_event"] == set()


def test_our_own_code_is_measured() -> None:
    (section,) = own_code.measure()
    assert all(isinstance(figure.ours, float) and figure.ours > 0 for figure in section.figures)


def test_a_stack_lives_in_simulated_time() -> None:
    began = time.time()
    site = Site(USERS)
    bodies = {f"User{number}": single(RED, user) for number, user in enumerate(USERS[:7])}
    assert site.deploy(**bodies) > 1.0, "two of seven have to wait for the quota"
    assert site.connect.members == set(USERS[:7])
    created = site.usage.requests
    assert created == len(site.ledger.calls)
    site.deploy(**bodies | {"User0": single(RED, USERS[7])})
    assert site.connect.members == set(USERS[1:])
    site.delete()
    assert site.connect.members == set()
    assert site.usage.requests > created
    assert time.time() - began < 60, "and it is over"
    assert "LEDGER_TABLE_NAME" not in os.environ


def test_a_large_claim_takes_more_units() -> None:
    used = []
    for count in (1, 8):
        site = Site(USERS)
        site.deploy(Agents=membership(RED, *USERS[:count]))
        used.append(site.usage)
    few, many = used
    assert (few.invocations, few.containers, few.transitions) == (2, 2, 2)
    assert many.seconds > few.seconds, "eight do not fit into a burst of five"


def test_usage_adds_up() -> None:
    one = Usage(reads=1, seconds=2.0)
    assert one + one == one.over(2)
    assert one + one - one == one
