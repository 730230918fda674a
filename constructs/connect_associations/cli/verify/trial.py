"""Runs the experiments one by one, puts back what each changed, and keeps what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_associations.cli.verify.calls import CannotTellError, NotAllowedError
from connect_associations.cli.verify.experiment import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from connect_associations.cli.verify.experiment import Experiment
    from connect_associations.cli.verify.lab import Lab
    from connect_associations.cli.verify.restoring import Restoring


class Trial:
    """One run of experiments.

    :param lab: what they work with.
    :param restoring: puts things back.
    :param says: is told what goes on, a line each.
    :ivar findings: what became of each assumption, by its name.
    :ivar denied: the IAM actions that were missing.
    :ivar wanted: all actions of the experiments that missed one, which are likely to miss others.
    """

    def __init__(self, lab: Lab, restoring: Restoring, says: Callable[[str], None]) -> None:
        self._lab = lab
        self._restoring = restoring
        self._says = says
        self.findings: dict[str, Finding] = {}
        self.denied: list[str] = []
        self.wanted: set[str] = set()

    def carry_out(self, experiments: Sequence[Experiment]) -> None:
        """Run the experiments; those that lack something say what it is.

        :raises SessionOverError: the credentials have expired.
        """
        for number, experiment in enumerate(experiments, 1):
            where = f"{number}/{len(experiments)}"
            lacks = experiment.lacks(self._lab)
            if lacks:
                self._leave(experiment, lacks)
                self._says(f"{where} left out, {experiment.plan}: {lacks}")
                continue
            self._says(f"{where} {experiment.plan}")
            self._try(experiment)

    def put_back(self) -> list[str]:
        """Put back all that was changed, and return what could not be and why.

        :raises SessionOverError: the credentials have expired.
        """
        return self._restoring.put_back(self._lab.journal.notes)

    def _try(self, experiment: Experiment) -> None:
        before = len(self._lab.journal.notes)
        try:
            for finding in experiment.run(self._lab):
                self._keep(finding)
        except NotAllowedError as error:
            self._deny(error.action, experiment)
            self._leave(experiment, str(error))
        except CannotTellError as error:
            self._leave(experiment, str(error))
        if not experiment.keeps:
            for problem in self._tidy(before):
                self._says(f"to be put back at the end: {problem}")

    def _tidy(self, before: int) -> Iterator[str]:
        """Put back what one experiment changed."""
        lab = self._lab
        new = lab.journal.notes[before:]
        yield from self._restoring.put_back(note for note in new if note is not lab.members_note)
        if lab.members_note is not None:
            touched = [group.arn for group in (lab.group, lab.second) if group is not None]
            try:
                self._restoring.members(lab.members_note, only=touched)
            except CannotTellError as error:
                yield str(error)

    def _keep(self, finding: Finding) -> None:
        name = finding.assumption.name
        earlier = self.findings.get(name)
        if earlier is None or (finding.settled and not earlier.settled):
            self.findings[name] = finding
        if finding.settled:
            note = f" ({finding.note})" if finding.note else ""
            self._says(f"    {name}: {finding.value}{note}")

    def _leave(self, experiment: Experiment, why: str) -> None:
        for assumption in experiment.settles:
            self._keep(Finding.unsettled(assumption, why))

    def _deny(self, action: str, experiment: Experiment) -> None:
        if action not in self.denied:
            self.denied.append(action)
        self.wanted |= {action, *(f"connect:{each}" for each in experiment.operations)}
