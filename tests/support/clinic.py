"""The emulated Amazon Connect, and `verify` run on it in this process."""

from __future__ import annotations

import datetime as dt
import functools
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from connect_associations.cli.verify import site
from connect_associations.cli.verify.calls import Caller
from connect_associations.cli.verify.experiments import EXPERIMENTS
from connect_associations.cli.verify.journal import Journal
from connect_associations.cli.verify.report import Report
from connect_associations.cli.verify.restoring import Restoring
from connect_associations.cli.verify.trial import Trial
from connect_associations.testing import ConnectEmulation, mock_connect, seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from connect_associations.cli.verify.calls import Callers
    from connect_associations.cli.verify.experiment import Experiment
    from connect_associations.cli.verify.lab import Lab

TODAY = dt.date(2026, 11, 25)


@functools.cache
def client(region: str) -> Any:
    """Return a client, which takes longer to make than most tests do."""
    return boto3.client(
        "connect",
        region_name=region,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - nothing leaves the machine
        config=Config(retries={"total_max_attempts": 1}),
    )


@dataclass
class Clock:
    """Time that passes when somebody sleeps."""

    now: float = 1_800_000_000.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def everything(**other: Any) -> site.Named:
    """Return what names all that experiments need."""
    named: dict[str, Any] = {
        "instance_id": seed.INSTANCE_ID,
        "group_id": seed.GROUP_ID,
        "second_group_id": seed.REPLICA_GROUP_ID,
        "user_ids": [seed.USERS["ann"], seed.USERS["bob"]],
        "contact_flow_id": seed.CONTACT_FLOW_ID,
        "queue_id": seed.OTHER_QUEUE_ID,
        "create": True,
    }
    return site.Named(**{**named, **other})


@dataclass
class Clinic:
    """The small contact centre, with what tries it out.

    :ivar before_call: is told of every call before it is made.
    """

    folder: Path
    clock: Clock = field(default_factory=Clock)
    said: list[str] = field(default_factory=list)
    before_call: Callable[[str], None] = lambda _: None
    emulation: ConnectEmulation = field(init=False)
    trial: Trial = field(init=False)

    def __post_init__(self) -> None:
        self.emulation = ConnectEmulation(clock=self.clock.time)
        seed.seed(self.emulation)
        # Somebody is in the group already, and nobody of ours.
        self.emulation.put_member(seed.GROUP_ID, seed.USERS["cyd"])
        self.emulation.put_member(seed.REPLICA_GROUP_ID, seed.USERS["dan"])

    @property
    def journal_path(self) -> Path:
        return self.folder / "journal.json"

    def crowd(self, size: int) -> None:
        """Add a third group with as many users."""
        emulation = self.emulation
        group = emulation.add_group(seed.INSTANCE_ID, name="Crowd")
        for user in emulation.add_users(
            seed.INSTANCE_ID, [f"crowd{number}" for number in range(size)]
        ):
            group.members[user.id] = None

    @contextmanager
    def open(self) -> Iterator[Callers]:
        """Let boto3 reach the emulation, and give what calls it in a Region."""
        callers: dict[str, Caller] = {}

        def caller(region: str, service: str = "connect") -> Caller:
            assert service == "connect"
            if region not in callers:
                callers[region] = Caller(
                    client(region),
                    service="connect",
                    sleep=self.clock.sleep,
                    before_call=self.before_call,
                )
            return callers[region]

        with mock_connect(self.emulation):
            yield caller

    def look(self, caller: Callers, named: site.Named, journal: Journal) -> Lab:
        return site.look(
            named,
            region=seed.HOME_REGION,
            callers=caller,
            journal=journal,
            sleep=self.clock.sleep,
            now=self.clock.time,
        )

    def run(
        self, named: site.Named | None = None, experiments: Sequence[Experiment] = EXPERIMENTS
    ) -> Report:
        """Try everything out as the command does, and put everything back."""
        with self.open() as caller:
            journal = Journal(self.journal_path)
            lab = self.look(caller, named or everything(), journal)
            if lab.users and not lab.read_only:
                lab.note_members()
            self.trial = Trial(
                lab,
                Restoring(caller, journal, sleep=self.clock.sleep, now=self.clock.time),
                self.said.append,
            )
            self.trial.carry_out(experiments)
            assert self.trial.put_back() == []
        return Report.of(
            self.trial.findings, region=lab.home, replica_region=lab.replica, date=TODAY
        )

    def clean_up(self) -> list[str]:
        """Put back what a run left, as the next run does."""
        with self.open() as caller:
            journal = Journal(self.journal_path)
            return Restoring(caller, journal, sleep=self.clock.sleep, now=self.clock.time).put_back(
                journal.notes
            )

    def state(self) -> dict[str, Any]:
        """Return what is to be as before: ended contacts that were made are no difference."""
        state = self.emulation.state()
        before = {contact_id for ids in seed.CONTACTS.values() for contact_id in ids}
        state["contacts"] = {
            contact_id: contact
            for contact_id, contact in state["contacts"].items()
            if contact_id in before or not contact["ended"]
        }
        return state
