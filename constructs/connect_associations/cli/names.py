"""The names of users, for people: with SearchUsers, a page of many users a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connect_provider.calls import CallError, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from connect_associations.cli.session import Session

_PAGE = 500  # the most that SearchUsers takes


class Names:
    """User names by ID; a user without one is shown by ID.

    :param warn: is told, once, that names cannot be had.
    """

    def __init__(self, session: Session, *, warn: Callable[[str], None]) -> None:
        self._session = session
        self._warn = warn
        self._names: dict[str, str] = {}
        self._denied = False

    def load(
        self, *, instance_id: str, region: str, wanted: Iterable[str], seen: Callable[[str], None]
    ) -> None:
        """Learn the names of *wanted* users, reading no more pages than are needed."""
        missing = set(wanted) - self._names.keys()
        client = self._session.connect_client(region)
        request: dict[str, Any] = {"InstanceId": instance_id, "MaxResults": _PAGE}
        while missing and not self._denied:
            seen(f"names of {len(missing):,} users")
            try:
                page = self._session.until_done(
                    lambda: self._session.ask(
                        region,
                        "SearchUsers",
                        f"instance {instance_id}",
                        lambda: client.search_users(**request),
                    )
                )
            except CallError as error:
                if error.failure is not Failure.ACCESS_DENIED:
                    raise
                self._denied = True
                self._warn("users are shown without names: connect:SearchUsers is not allowed")
                return
            for user in page["Users"]:
                if "Username" in user and "Id" in user:
                    self._names[user["Id"]] = user["Username"]
            missing -= self._names.keys()
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]

    def of(self, user_id: str) -> str:
        """Return the name of a user; empty if it is not known."""
        return self._names.get(user_id, "")
