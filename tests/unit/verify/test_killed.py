"""Killed at any point, and run again: Connect is as before."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from botocore_models import since_2026
from clinic import everything
from connect_associations.testing import seed, serving
from documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clinic import Clinic
    from connect_associations.testing.responses import Request, Response

pytestmark = since_2026
CALLS = 150
"""About as many as a whole run makes."""
POINTS = sorted(random.Random(17).sample(range(5, CALLS), 10))  # noqa: S311 - the same every time
WORLDS: dict[str, dict[str, Any]] = {
    "the likeliest": {},
    "only one group for each user": {"user_in_several_groups": "ResourceConflictException"},
    "everything late": {
        "visible_after_calls": 2,
        "user_replicated_after_calls": 2,
        "group_active_after_calls": 2,
        "accept_after_calls": 2,
        "deleted_user_stays_member": True,
    },
}


class Killed(BaseException):
    """The process is gone: no call gets through any more."""


class Killer:
    """Kills at a call: its effect is there or not, and nobody gets to know.

    :param after_effect: whether it is carried out.
    """

    def __init__(self, clinic: Clinic, *, call: int, after_effect: bool) -> None:
        self._respond = clinic.emulation.respond
        self._left = call
        self._after_effect = after_effect

    def __call__(self, request: Request) -> Response:
        self._left -= 1
        if self._left > 0:
            return self._respond(request)
        if self._left == 0 and self._after_effect:
            self._respond(request)
        raise Killed


@contextmanager
def killed(clinic: Clinic, *, call: int, after_effect: bool) -> Iterator[None]:
    """Let the process be killed at a call."""
    killer = Killer(clinic, call=call, after_effect=after_effect)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clinic.emulation, "respond", killer)
        yield


@pytest.mark.parametrize(
    ("call", "world", "after_effect"),
    [
        # In turn, before or after the call takes effect; the soak has the other half.
        pytest.param(
            call,
            world,
            after_effect,
            id=f"{call}-{world}-{'after' if after_effect else 'before'}",
            marks=[pytest.mark.soak] if (number + place + after_effect) % 2 else [],
        )
        for number, call in enumerate(POINTS)
        for place, world in enumerate(WORLDS)
        for after_effect in (False, True)
    ],
)
def test_a_second_run_finishes_the_clean_up(
    clinic: Clinic, call: int, world: str, *, after_effect: bool
) -> None:
    clinic.emulation.behave(**WORLDS[world])
    # Both users have a place that they must come back to.
    clinic.emulation.put_member(seed.GROUP_ID, seed.USERS["ann"])
    clinic.emulation.put_member(seed.REPLICA_GROUP_ID, seed.USERS["bob"])
    before = clinic.state()
    with killed(clinic, call=call, after_effect=after_effect), pytest.raises(Killed):
        clinic.run()
    assert clinic.clean_up() == []
    assert clinic.state() == before
    assert not clinic.journal_path.exists()


@pytest.mark.parametrize("call", [*POINTS[2::2], None])
def test_users_who_were_made_are_in_no_group_when_they_are_deleted(
    clinic: Clinic, call: int | None
) -> None:
    clinic.emulation.behave(deleted_user_stays_member=True)
    before = clinic.state()
    named = everything(user_ids=())
    if call is None:
        clinic.run(named)
    else:
        with killed(clinic, call=call, after_effect=True), pytest.raises(Killed):
            clinic.run(named)
        assert clinic.clean_up() == []
    assert clinic.state() == before


@pytest.mark.parametrize("call", POINTS[::3])
def test_the_clean_up_may_be_killed_too(clinic: Clinic, call: int) -> None:
    before = clinic.state()
    with killed(clinic, call=call, after_effect=True), pytest.raises(Killed):
        clinic.run()
    for again in (2, 4, 7):
        with killed(clinic, call=again, after_effect=True), contextlib.suppress(Killed):
            clinic.clean_up()
    assert clinic.clean_up() == []
    assert clinic.state() == before


@pytest.mark.parametrize("calls", [45, pytest.param(100, marks=pytest.mark.soak)])
def test_a_process_that_is_killed_leaves_nothing_for_good(clinic: Clinic, calls: int) -> None:
    before = clinic.state()
    with serving(clinic.emulation) as url:
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL_CONNECT": url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": seed.HOME_REGION,
            "PYTHONPATH": str(ROOT / "constructs"),
        }
        command = [
            *(sys.executable, "-m", "connect_associations.cli", "verify", "--yes"),
            *("--journal", str(clinic.journal_path), "--report", str(clinic.folder / "report")),
        ]
        named = [
            *("--instance-id", seed.INSTANCE_ID, "--create"),
            *("--traffic-distribution-group-id", seed.GROUP_ID),
            *("--user-id", seed.USERS["ann"], "--user-id", seed.USERS["bob"]),
            *("--contact-flow-id", seed.CONTACT_FLOW_ID, "--queue-id", seed.QUEUE_ID),
        ]
        with subprocess.Popen(  # noqa: S603 - our own command
            [*command, *named], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            while len(clinic.emulation.calls) < calls and process.poll() is None:
                time.sleep(0.002)
            process.kill()
        assert process.returncode == -9, "it was over before it could be killed"
        assert clinic.journal_path.exists()
        done = subprocess.run(  # noqa: S603 - as above
            [*command, "--clean-up"], env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert clinic.state() == before
    assert not clinic.journal_path.exists()
