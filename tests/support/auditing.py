"""An auditor in a simulated world, and what it tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from connect_provider.audit.handler import Auditor
from lifecycle import ledger
from lifecycle.seen import seen_world
from lifecycle.under_test import CONVERGENCE_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from connect_associations.testing import ConnectEmulation
    from lifecycle.world import World


class Bus:
    """The default event bus; an auditor's next invocation starts with what it put last.

    :ivar events: what was put: the detail type, and the detail.
    :ivar refuses: whether it takes nothing.
    """

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.refuses = False

    def put_events(self, *, Entries: list[dict[str, str]]) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        assert 1 <= len(Entries) <= 10
        if self.refuses:
            failed = {"ErrorCode": "InternalFailure", "ErrorMessage": "no"}
            return {"FailedEntryCount": len(Entries), "Entries": [failed] * len(Entries)}
        for entry in Entries:
            assert entry["Source"] == "connect-associations"
            self.events.append((entry["DetailType"], json.loads(entry["Detail"])))
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}] * len(Entries)}


class Context:
    """Lambda's context, of an invocation that may still run for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> float:
        return self._seconds * 1000


class Stage:
    """A world, and an auditor in it.

    :ivar world: the world.
    :ivar emulation: the Connect that it runs on.
    :ivar bus: what the auditor puts events on.
    :ivar invocations: how often the function was invoked.
    :param patch: sets the function's environment.
    :param out: what it prints, for :meth:`metrics`.
    """

    def __init__(
        self, patch: pytest.MonkeyPatch, out: pytest.CaptureFixture[str] | None = None
    ) -> None:
        patch.setenv("LEDGER_TABLE_NAME", ledger.TABLE)
        patch.setenv("CONVERGENCE_TIMEOUT_SECONDS", str(CONVERGENCE_TIMEOUT_SECONDS))
        # The handlers have no business calling Scan; the audit has.
        patch.setattr(ledger, "_READS", ledger._READS | {"Scan"})  # noqa: SLF001 - as above
        self.world: World
        self.emulation: ConnectEmulation
        self.world, self.emulation = seen_world()
        self.bus = Bus()
        self.invocations = 0
        self._patch = patch
        self._out = out
        self._auditor = Auditor(
            lambda service, region: (
                self.bus if service == "events" else self.world.clients(service, region)
            )
        )
        self.set(repair=False, share=0.1, number=10)

    def set(self, *, repair: bool, share: float = 0.1, number: int = 10) -> None:
        """Set what the audit may do."""
        self._patch.setenv("AUDIT_REPAIR", str(repair).lower())
        self._patch.setenv("AUDIT_MAX_SHARE", str(share))
        self._patch.setenv("AUDIT_MAX_NUMBER", str(number))

    def invoke(self, event: Mapping[str, Any] | None = None, *, seconds: float = 900) -> Any:
        """Invoke the audit's function once."""
        self._patch.setenv("STACK_ID", self.world.stack.stack_id)
        self.invocations += 1
        with self.world.inside():
            return self._auditor.audit(event or {}, Context(seconds))

    def audit(self, *, seconds: float = 900) -> dict[str, float]:
        """Audit until the round is over, and return what it counted."""
        answer = self.invoke(seconds=seconds)
        while not answer["Finished"]:
            kind, detail = self.bus.events.pop()
            assert kind == "Connect Association Audit Continues"
            answer = self.invoke({"detail": detail}, seconds=seconds)
        return {name: value for name, value in answer.items() if value and name != "Finished"}

    def settle(self) -> None:
        """Let so much time pass that nothing is recent any more."""
        self.world.scheduler.run_for(3600)

    def told(self) -> list[tuple[Any, ...]]:
        """Return what differences were told since the last time: kind, user's ID, healed."""
        events, self.bus.events = self.bus.events, []
        assert {kind for kind, _ in events} <= {"Connect Association Difference"}
        return [
            (detail["difference"], detail.get("userId"), detail["healed"]) for _, detail in events
        ]

    def metrics(self) -> list[dict[str, Any]]:
        """Return the metrics that were written since the last time."""
        assert self._out
        lines = self._out.readouterr().out.splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"_aws"')]
