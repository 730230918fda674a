"""The names of users and groups, for people who do not know them by UUID."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connect_associations.cli.errors import explain, permission
from connect_provider.errors import StillWaiting
from connect_provider.failures import CallError, Failure
from connect_provider.identifiers import last_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from connect_associations.cli.session import Session
    from connect_provider.connect.client import Group

_PAGE = 500  # the most that SearchUsers takes; a page may hold less


class Facts(NamedTuple):
    """What a group is called, and its status."""

    name: str = ""
    status: str = ""


class Names:
    """Names by ID. Those of users come from SearchUsers, many per call, else from DescribeUser.

    Names are for people to read, so that no command fails for want of them.

    :param warn: receives, once, the reason why there are no names.
    """

    def __init__(self, session: Session, *, warn: Callable[[str], None]) -> None:
        self._session = session
        self._warn = warn
        self._names: dict[str, str] = {}
        self._groups: dict[Group, Facts] = {}
        self._missing: set[str] = set()
        self._may_search = True
        self._may_describe = True
        self._may_describe_groups = True

    def load(
        self, *, instance_id: str, region: str, wanted: Iterable[str], seen: Callable[[str], None]
    ) -> None:
        """Learn the names of *wanted* users.

        :param seen: receives what is being looked at, for a progress bar.
        """
        missing = set(wanted) - self._names.keys()
        try:
            if self._may_search:
                self._may_search = self._search(instance_id, region, missing, seen)
            if not self._may_search and self._may_describe:
                self._may_describe = self._describe(instance_id, region, missing, seen)
                if not self._may_describe:
                    self._warn(
                        "users are shown without names: neither "
                        f"{permission('SearchUsers')} nor {permission('DescribeUser')} is allowed"
                    )
        except CallError as error:
            self._warn(f"some users are shown without names: {explain(error)}")
        except StillWaiting as error:
            self._warn(f"some users are shown without names: {error}")

    def load_group(self, group: Group, *, seen: Callable[[str], None]) -> None:
        """Learn the name and status of *group*.

        :param seen: receives what is being looked at, for a progress bar.
        """
        if not self._may_describe_groups or group in self._groups:
            return
        seen(str(group))
        try:
            answer = self._session.connect(group.region).send(
                "DescribeTrafficDistributionGroup", TrafficDistributionGroupId=group.id
            )
        except CallError as error:
            if error.failure is Failure.NOT_FOUND:
                return
            if error.failure is Failure.ACCESS_DENIED:
                self._may_describe_groups = False
            self._warn(f"groups are shown without names: {explain(error)}")
        except StillWaiting as error:
            self._warn(f"some groups are shown without names: {error}")
        else:
            found = answer["TrafficDistributionGroup"]
            self._groups[group] = Facts(found.get("Name", ""), found.get("Status", ""))

    def of_group(self, group: Group) -> Facts:
        """Return what is known of a group."""
        return self._groups.get(group, Facts())

    def place(self, group: Group) -> str:
        """Return a group as a person reads it: the name, the ID next to it, and its home Region."""
        name = self.of_group(group).name
        return f"{name} ({group.id}) in {group.region}" if name else str(group)

    def of(self, user_id: str) -> str:
        """Return the name of a user; empty if it is not known."""
        return self._names.get(user_id, "")

    def is_missing(self, user_id: str) -> bool:
        """Whether Connect was asked about a user, and knows nobody of this ID."""
        return user_id in self._missing

    def person(self, user_id: str) -> str:
        """Return a user as a person reads it: the name, and the ID next to it."""
        name = self.of(user_id)
        return f"{name} ({user_id})" if name else user_id

    def _search(
        self, instance_id: str, region: str, missing: set[str], seen: Callable[[str], None]
    ) -> bool:
        """Read no more pages than are needed; False if that is not allowed."""
        connect = self._session.connect(region)
        request: dict[str, Any] = {"InstanceId": instance_id, "MaxResults": _PAGE}
        while missing:
            seen(f"names of {len(missing):,} users")
            try:
                page = connect.send("SearchUsers", **request)
            except CallError as error:
                if error.failure is Failure.ACCESS_DENIED:
                    return False
                raise
            for user in page.get("Users", []):
                if "Username" in user and "Id" in user:
                    self._names[last_segment(user["Id"])] = user["Username"]
            missing -= self._names.keys()
            token = page.get("NextToken")
            if not token:
                self._missing |= missing
                break
            request["NextToken"] = token
        return True

    def _describe(
        self, instance_id: str, region: str, missing: set[str], seen: Callable[[str], None]
    ) -> bool:
        """Ask for one user after the other; False if that is not allowed."""
        connect = self._session.connect(region)
        for number, user_id in enumerate(sorted(missing)):
            seen(f"names of {len(missing) - number:,} users")
            try:
                user = connect.send("DescribeUser", InstanceId=instance_id, UserId=user_id)["User"]
            except CallError as error:
                if error.failure is Failure.NOT_FOUND:
                    self._missing.add(user_id)
                    continue
                if error.failure is Failure.ACCESS_DENIED:
                    return False
                raise
            if "Username" in user:
                self._names[user_id] = user["Username"]
        return True
