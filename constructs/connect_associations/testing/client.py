"""Looks at an emulation in another process, and changes it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any


class EmulationClient:
    """The administration of a served emulation.

    Every method raises ValueError, with the server's reason, for what the emulation refuses: an
    unknown group, switch or value.

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
        return frozenset(self.state()["groups"][group_id]["members"])

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
        """Go back to the seeded state."""
        self._send("reset", {})

    def behave(self, **switches: object) -> None:
        """Change switches of the behaviour."""
        self._send("behaviour", switches)

    def throttle(self, **settings: object) -> None:
        """Change the quotas."""
        self._send("throttle", settings)

    def add_fault(self, **fault: object) -> None:
        """Order a fault."""
        self._send("fault", fault)

    def set_group_status(self, group_id: str, status: str) -> None:
        """Give a group a status."""
        self._send("group-status", {"group_id": group_id, "status": status})

    def put_member(self, group_id: str, user_id: str) -> None:
        """Associate a user with a group behind everybody's back."""
        self._send("put-member", {"group_id": group_id, "user_id": user_id})

    def remove_member(self, group_id: str, user_id: str) -> None:
        """Take a user out of a group behind everybody's back."""
        self._send("remove-member", {"group_id": group_id, "user_id": user_id})

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
