"""AWS CDK constructs that declare who belongs to what in Amazon Connect.

* :class:`TrafficDistributionGroupUser` puts one user into a traffic distribution group,
* :class:`TrafficDistributionGroupMembership` puts up to 2,500 users into one,
* :class:`ContactUserAssignment` assigns a live contact to a user,
* :class:`UserLookup` finds users by their names,
* :class:`UserFilter` finds the users of a membership by a rule,
* :class:`ConnectAssociationProvider` is the stack's one provider behind them all,
* :class:`Audit` compares the members of groups with what is declared, on a schedule.

The names are loaded when they are first used: importing the package, or only
``connect_associations.testing``, starts neither Node nor the CDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connect_associations import _lazy_names
from connect_associations._version import __version__

if TYPE_CHECKING:
    from connect_associations.audit import Audit, MaxChange
    from connect_associations.connect_association_provider import ConnectAssociationProvider
    from connect_associations.contact_release import ContactRelease
    from connect_associations.contact_user_assignment import ContactUserAssignment
    from connect_associations.invalid_association_error import InvalidAssociationError
    from connect_associations.traffic_distribution_group_membership import (
        TrafficDistributionGroupMembership,
    )
    from connect_associations.traffic_distribution_group_user import (
        TrafficDistributionGroupUser,
    )
    from connect_associations.user_filter import UserFilter
    from connect_associations.user_lookup import UserLookup

__all__ = [
    "Audit",
    "ConnectAssociationProvider",
    "ContactRelease",
    "ContactUserAssignment",
    "InvalidAssociationError",
    "MaxChange",
    "TrafficDistributionGroupMembership",
    "TrafficDistributionGroupUser",
    "UserFilter",
    "UserLookup",
    "__version__",
]

_HOMES = {
    "Audit": "audit",
    "ConnectAssociationProvider": "connect_association_provider",
    "ContactRelease": "contact_release",
    "ContactUserAssignment": "contact_user_assignment",
    "InvalidAssociationError": "invalid_association_error",
    "MaxChange": "audit",
    "TrafficDistributionGroupMembership": "traffic_distribution_group_membership",
    "TrafficDistributionGroupUser": "traffic_distribution_group_user",
    "UserFilter": "user_filter",
    "UserLookup": "user_lookup",
}

if not TYPE_CHECKING:
    # A type checker would believe that the package has every name that there is.
    __getattr__, __dir__ = _lazy_names.loader(__name__, _HOMES)
