"""`verify`: the command."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connect_associations.cli import options, screen
from connect_associations.cli.errors import CommandError
from connect_associations.cli.exits import DRIFT, FAILURE, INTERRUPTED
from connect_associations.cli.verify import site
from connect_associations.cli.verify.calls import (
    Caller,
    CannotTellError,
    NotAllowedError,
    SessionOverError,
)
from connect_associations.cli.verify.experiments import EXPERIMENTS
from connect_associations.cli.verify.journal import Journal
from connect_associations.cli.verify.lab import Group
from connect_associations.cli.verify.report import Report
from connect_associations.cli.verify.restoring import Restoring, in_words
from connect_associations.cli.verify.trial import Trial
from connect_provider.identifiers import last_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from connect_associations.cli.session import Session
    from connect_associations.cli.verify.experiment import Experiment
    from connect_associations.cli.verify.lab import Lab

_JOURNAL = "verify-journal.json"


def verify(  # noqa: PLR0913 - a command's options
    *,
    instance_id: Annotated[
        str | None, typer.Option(help="The instance's ID or ARN. Default: you are asked.")
    ] = None,
    traffic_distribution_group_id: Annotated[
        str | None,
        typer.Option(help="A group whose users may change for a moment: its ID or ARN."),
    ] = None,
    second_traffic_distribution_group_id: Annotated[
        str | None, typer.Option(help="Another group of the instance, for a user in two.")
    ] = None,
    user_id: Annotated[
        list[str] | None,
        typer.Option(help="A user who may be moved; give it twice, for two of them."),
    ] = None,
    contact_flow_id: Annotated[
        str | None,
        typer.Option(help="A flow that puts tasks into a queue; tasks are made with it."),
    ] = None,
    queue_id: Annotated[
        str | None, typer.Option(help="A queue that a task may be transferred to.")
    ] = None,
    create: Annotated[
        bool, typer.Option("--create", help="Make groups and users, and delete them at the end.")
    ] = False,
    cloudformation: Annotated[
        bool,
        typer.Option(
            "--cloudformation", help="Also try out CloudFormation, with stacks of its own."
        ),
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only try out what changes nothing.")
    ] = False,
    clean_up: Annotated[
        bool, typer.Option("--clean-up", help="Only put back what an earlier run left behind.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    report: Annotated[
        Path, typer.Option(help="Where the report goes; .md and .json are added.")
    ] = Path("connect-report"),
    journal: Annotated[
        Path | None,
        typer.Option(help="Where it is noted what is to be put back. Default: in your home."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="The instance's Region. Default: the configured one.")
    ] = None,
    profile: options.Profile = None,
) -> None:
    """Try out on a real instance what is assumed about Amazon Connect.

    Exit code 0: all that could be seen is as expected; 1: something is not; 2: the command could
    not do its work, or not everything could be put back.
    """
    if create and read_only:
        raise CommandError("--create makes things, and --read-only forbids it: choose one")
    session = options.session(
        instance_id, traffic_distribution_group_id, region=region, profile=profile
    )
    place = journal or Path(typer.get_app_dir("connect-associations")) / _JOURNAL
    run = _Run(session, Journal(place), yes=yes)
    with _sigterm_interrupts():
        code = run.clean_up()
    if clean_up or code:
        raise typer.Exit(code)
    if instance_id is None:
        instance_id = _ask("The instance's ID or ARN")
        if not (create or read_only):
            traffic_distribution_group_id = traffic_distribution_group_id or _ask(
                "The ID or ARN of a group whose users may change for a moment", optional=True
            )
            user_id = user_id or list(
                filter(None, [_ask("The ID of a user who may be moved", optional=True)])
            )
            if len(user_id) == 1:
                user_id.append(_ask("The ID of another one"))
    named = site.Named(
        instance_id=instance_id,
        group_id=traffic_distribution_group_id or None,
        second_group_id=second_traffic_distribution_group_id,
        user_ids=user_id or (),
        contact_flow_id=contact_flow_id,
        queue_id=queue_id,
        create=create,
        read_only=read_only,
        cloudformation=cloudformation,
    )
    with _sigterm_interrupts():
        code = run.carry_out(named, EXPERIMENTS, report)
    raise typer.Exit(code)


@contextlib.contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Let whoever ends the program have everything put back, as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Run:
    """One run of the command.

    :param session: the account and Region.
    :param journal: what is to be put back.
    :param yes: whether questions are answered already.
    """

    def __init__(self, session: Session, journal: Journal, *, yes: bool) -> None:
        self._session = session
        self._journal = journal
        self._yes = yes
        self._callers: dict[tuple[str, str], Caller] = {}
        self._restoring = Restoring(self._caller, journal, sleep=_sleep, now=time.time)

    def clean_up(self) -> int:
        """Put back what an earlier run left, and return the exit code."""
        left = self._journal.notes
        if not left:
            return 0
        screen.warn(f"an earlier run was not finished; {self._journal.path} says what is left:")
        for note in left:
            screen.warn(f"  {in_words(note)}")
        self._confirm("Put this back?")
        return self._finish(lambda: self._restoring.put_back(left))

    def carry_out(self, named: site.Named, experiments: Sequence[Experiment], report: Path) -> int:
        """Try everything out, write the report, and return the exit code."""
        lab = self._look(named)
        self._show(lab, experiments)
        if not lab.read_only:
            self._confirm("Carry this out?")
            if lab.users:
                lab.note_members()
        trial = Trial(lab, self._restoring, screen.warn)
        interrupted = False
        try:
            trial.carry_out(experiments)
        except KeyboardInterrupt:
            interrupted = True
            screen.warn("interrupted; putting everything back (a second Ctrl-C leaves it)")
        except SessionOverError as over:
            return self._say_what_is_left(str(over))
        code = self._finish(trial.put_back)
        surprises = self._write(trial, lab, report)
        self._say_what_was_denied(trial, lab)
        if code or interrupted:
            return code or INTERRUPTED
        return DRIFT if surprises else 0

    def _look(self, named: site.Named) -> Lab:
        try:
            return site.look(
                named,
                region=self._session.region,
                callers=self._caller,
                journal=self._journal,
                sleep=_sleep,
                now=time.time,
            )
        except NotAllowedError as error:
            raise CommandError(
                f"{error}; nothing works without it, nor without the other reads: connect:Describe*"
                " and connect:List*"
            ) from error
        except CannotTellError as error:
            raise CommandError(str(error)) from error
        except SessionOverError as over:
            raise CommandError(f"{over}; sign in again") from over

    def _finish(self, put_back: Callable[[], list[str]]) -> int:
        """Put things back, say what stays, and return the exit code."""
        try:
            problems = put_back()
        except SessionOverError as over:
            return self._say_what_is_left(str(over))
        except KeyboardInterrupt:
            return self._say_what_is_left("interrupted again") and INTERRUPTED
        for problem in problems:
            screen.warn(f"could not be put back: {problem}")
        if problems:
            return self._say_what_is_left("not everything could be put back")
        return 0

    def _say_what_is_left(self, why: str) -> int:
        screen.warn(f"{why}; what is left to put back:")
        for note in self._journal.notes:
            screen.warn(f"  {in_words(note)}")
        screen.warn(
            f"{self._journal.path} remembers it: run the command again with --clean-up, signed in "
            "to the same account"
        )
        return FAILURE

    def _show(self, lab: Lab, experiments: Sequence[Experiment]) -> None:
        console = screen.output()
        console.print(f"Instance {lab.instance_id} in {lab.home}", end="")
        console.print(f", replicated to {lab.replica}" if lab.replica else ", not replicated")
        for title, group in (("Group", lab.group), ("Second group", lab.second)):
            if group:
                console.print(f"{title} {group.arn}: {len(lab.census[group.arn]):,} users")
        for user_id in lab.users:
            places = [
                arn for arn, users in lab.census.items() if user_id in map(last_segment, users)
            ]
            console.print(f"User {user_id}, who may be moved, is in {', '.join(places) or 'none'}")
        console.print("\nWill be tried out:")
        hoped = self._with_what_is_made(lab)
        for experiment in experiments:
            why_not = experiment.lacks(hoped)
            console.print(f"  {'-' if why_not else '+'} {experiment.plan}", end="")
            console.print(f" (left out: {why_not})" if why_not else "")
        console.print(
            "\nNothing is changed."
            if lab.read_only
            else "\nNobody else is moved, and no other group, user or contact is changed. "
            "Everything is put back; tasks that were made stay in the contact records, ended. An "
            "agent who is signed in is offered these tasks."
        )

    @staticmethod
    def _with_what_is_made(lab: Lab) -> Lab:
        """Return the lab as it will be when all has been made that may be made."""
        if not (lab.create and lab.replica):
            return lab
        new = Group("a new one")
        return replace(
            lab,
            group=lab.group or new,
            second=lab.second or new,
            users=lab.users or ["a new one", "another new one"],
        )

    def _write(self, trial: Trial, lab: Lab, path: Path) -> list[str]:
        """Write the report, and return what is not as expected."""
        report = Report.of(
            trial.findings,
            region=lab.home,
            replica_region=lab.replica,
            date=dt.datetime.now(tz=dt.UTC).date(),
        )
        for suffix, text in ((".md", report.as_markdown()), (".json", report.as_json())):
            file = path.with_name(path.name + suffix)
            try:
                file.write_text(text, encoding="utf-8")
            except OSError as error:
                raise CommandError(f"the report cannot be written to {file}: {error}") from error
        screen.warn(
            f"{len(report.observed)} of {len(report.observed) + len(report.unsettled)} assumptions "
            f"were observed; the report, without names and IDs, is in {path}.md and {path}.json"
        )
        surprises = report.surprises()
        if surprises:
            screen.warn(f"not as expected, please publish the report: {', '.join(surprises)}")
        return surprises

    def _say_what_was_denied(self, trial: Trial, lab: Lab) -> None:
        if not trial.denied:
            return
        for action in trial.denied:
            screen.warn(f"{action} is not allowed")
        arn = next(iter(lab.census), f"arn:aws:connect:{lab.home}:*:")
        screen.warn("this policy allows all that the experiments need that were left out for it:")
        partition, account = arn.split(":")[1], arn.split(":")[4]
        text = site.policy(lab, account=account, partition=partition, actions=trial.wanted)
        screen.output().print(json.dumps(text, indent=2))

    def _caller(self, region: str, service: str = "connect") -> Caller:
        key = service, region
        if key not in self._callers:
            self._callers[key] = Caller(
                self._session.client(service, region),
                service=service,
                sleep=_sleep,
                before_call=lambda _: None,
            )
        return self._callers[key]

    def _confirm(self, question: str) -> None:
        if self._yes:
            return
        try:
            agreed = typer.confirm(question, err=True)
        except typer.Abort:
            agreed = False
        if not agreed:
            raise CommandError("nothing was changed; --yes answers the question")


def _ask(what: str, *, optional: bool = False) -> str:
    """Ask the person; an empty answer to an optional question leaves out what needs it."""
    if not sys.stdin.isatty():
        raise CommandError("name the instance with --instance-id, and see --help for the rest")
    default = "" if optional else None
    answer: str = typer.prompt(what, default=default, show_default=False, err=True)
    return answer


def _sleep(seconds: float) -> None:
    time.sleep(seconds)
