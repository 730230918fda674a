"""The experiments, in the order in which they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_associations.cli.verify.experiments import (
    cloudformation,
    contacts,
    groups,
    making,
    quotas,
    regions,
)

if TYPE_CHECKING:
    from connect_associations.cli.verify.experiment import Experiment

EXPERIMENTS: tuple[Experiment, ...] = (
    regions.ReplicationFindings(),
    regions.CrossRegionRouting(),
    making.NewGroup(),
    making.NewUser(),
    regions.GroupInTheOtherRegion(),
    regions.AssociateInTheOtherRegion(),
    groups.PageSize(),
    groups.SpellingOfUsers(),
    groups.AssociateTwice(),
    groups.DisassociateNonMember(),
    groups.SeveralGroups(),
    groups.UnknownUser(),
    making.DeletedUser(),
    contacts.TaskInTheOtherRegion(),
    contacts.OfferedTask(),
    contacts.TransferWithoutTarget(),
    contacts.TransferredTask(),
    quotas.Throttling(),
    cloudformation.CustomResources(),
    cloudformation.WithoutRollback(),
)
"""Those that make what others use come before them; what takes long comes last."""
