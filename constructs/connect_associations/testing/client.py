"""Inspects and changes an emulation in another process."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class EmulationClient:
    """The administration of a served emulation.

    Its methods are those of :class:`ConnectEmulation`; where that returns what it made, this one
    returns the ID. Every method raises ValueError, with the server's reason, for what the emulation
    refuses: an unknown ID, switch, operation or value.

    :param url: the server's address.
    :ivar url: the same.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def state(self) -> dict[str, Any]:
        """Return what Connect holds."""
        state: dict[str, Any] = self._send("state")
        return state

    def members(self, group_id: str) -> frozenset[str]:
        """Return the IDs of a group's users."""
        return frozenset(self._send("members", {"group_id": group_id}))

    def calls(self) -> list[dict[str, Any]]:
        """Return every call since the last reset."""
        calls: list[dict[str, Any]] = self._send("calls")
        return calls

    def writes(self) -> list[dict[str, Any]]:
        """Return every call that could change something."""
        return [call for call in self.calls() if call["write"]]

    def clear_calls(self) -> None:
        """Forget the calls."""
        self._send("calls/clear", {})

    def reset(self) -> None:
        """Go back to the start."""
        self._send("reset", {})

    def behave(self, **switches: object) -> None:
        """Change switches of the behaviour."""
        self._send("behaviour", switches)

    def throttle(self, **settings: object) -> None:
        """Change the quotas."""
        self._send("throttle", settings)

    def add_fault(self, **fault: object) -> None:
        """Add a fault."""
        self._send("fault", fault)

    def add_instance(
        self,
        *,
        instance_id: str | None = None,
        region: str = "us-east-1",
        replica_region: str | None = None,
    ) -> str:
        """Create an instance, and a replica with the same ID if a Region is given for it."""
        return self._make(
            "instance", instance_id=instance_id, region=region, replica_region=replica_region
        )

    def add_user(self, instance: str, *, username: str, user_id: str | None = None) -> str:
        """Create a user."""
        return self._make("user", instance=instance, username=username, user_id=user_id)

    def add_users(self, instance: str, users: Iterable[str] | Mapping[str, str]) -> list[str]:
        """Create any number of users in one call.

        :param users: their user names; or a mapping of user names to the IDs that they get.
        :returns: their IDs, in the same order.
        """
        given = dict(users) if isinstance(users, Mapping) else list(users)
        made: list[str] = self._send("add-users", {"instance": instance, "users": given})
        return made

    def add_group(  # noqa: PLR0913 - what a group has
        self,
        instance: str,
        *,
        group_id: str | None = None,
        region: str | None = None,
        name: str = "Group",
        status: str = "ACTIVE",
        user_ids: Iterable[str] = (),
    ) -> str:
        """Create a traffic distribution group; a Region may be the home of any number of them.

        :param region: its home Region. Default: the instance's source Region.
        :param user_ids: the users who are in it from the start. Default: none.
        """
        return self._make(
            "group",
            instance=instance,
            group_id=group_id,
            region=region,
            name=name,
            status=status,
            user_ids=list(user_ids),
        )

    def add_queue(self, instance: str, *, queue_id: str | None = None, name: str = "Queue") -> str:
        """Create a queue."""
        return self._make("queue", instance=instance, queue_id=queue_id, name=name)

    def add_contact_flow(
        self, instance: str, *, contact_flow_id: str | None = None, name: str = "Flow"
    ) -> str:
        """Create a published flow."""
        return self._make(
            "contact-flow", instance=instance, contact_flow_id=contact_flow_id, name=name
        )

    def add_contact(
        self,
        instance: str,
        *,
        channel: str,
        queue: str | None = None,
        contact_id: str | None = None,
        active_region: str | None = None,
    ) -> str:
        """Create a contact, which waits in *queue* if there is one.

        :param active_region: where it must be handled. Default: the instance's source Region.
        """
        return self._make(
            "contact",
            instance=instance,
            channel=channel,
            queue=queue,
            contact_id=contact_id,
            active_region=active_region,
        )

    def set_group_status(self, group_id: str, status: str) -> None:
        """Give a group a status."""
        self._send("group-status", {"group_id": group_id, "status": status})

    def put_member(self, group_id: str, user_id: str) -> None:
        """Associate a user with a group behind everybody's back."""
        self._send("put-member", {"group_id": group_id, "user_id": user_id})

    def remove_member(self, group_id: str, user_id: str) -> None:
        """Take a user out of a group behind everybody's back."""
        self._send("remove-member", {"group_id": group_id, "user_id": user_id})

    def _make(self, kind: str, **given: object) -> str:
        made: str = self._send(f"add-{kind}", given)
        return made

    def _send(self, what: str, given: object = None) -> Any:  # noqa: ANN401 - any JSON value
        request = urllib.request.Request(  # noqa: S310 - the address is the server's own
            f"{self.url}/_emulation/{what}",
            data=None if given is None else json.dumps(given).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                message = json.load(refused)["message"]
            raise ValueError(f"the emulation refused {what}: {message}") from refused
