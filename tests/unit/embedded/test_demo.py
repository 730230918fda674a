from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import pytest
from embedded import demo
from embedded.cdk_cli import CdkRun

from connect_associations.testing import seed
from connect_associations.testing.emulator.connect import EmulatedConnect

if TYPE_CHECKING:
    from pathlib import Path

RUN = CdkRun(succeeded=True, output="", seconds=1.0)


class FakeEnvironment:
    """Connect, with a CDK that does in one stroke what the provider would do."""

    def __init__(self, folder: Path, *, forgets: str | None) -> None:
        self.folder = folder
        self.connect = EmulatedConnect(account="123456789012")
        self.cdk = self
        self._forgets = forgets

    def __call__(self, **_: object) -> Self:
        return self

    def __enter__(self) -> Self:
        self.connect.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.connect.__exit__(None, None, None)

    def deploy(self, *, context: dict[str, str], **_: Any) -> CdkRun:
        self._hold(context["user_ids"].split(","))
        self._contact.offered_to = context["contact_user_id"]
        return RUN

    def destroy(self, **_: Any) -> CdkRun:
        self._hold([])
        if self._forgets != "contact":
            self._contact.offered_to = None
        return RUN

    @property
    def _contact(self) -> Any:
        return self.connect.emulation.world.contacts[demo._CONTACT]  # noqa: SLF001 - the contact shown

    def _hold(self, users: list[str]) -> None:
        members = self.connect.emulation.world.groups[seed.GROUP_ID].members
        if self._forgets != "users":
            members.clear()
        members.update(dict.fromkeys(users))


@pytest.mark.parametrize(
    ("forgets", "status", "said"),
    [
        (None, 0, "At every step Connect held what was declared."),
        ("contact", 1, "what was declared after destroy."),
        ("users", 1, "what was declared after a change of user and after destroy."),
    ],
)
def test_what_differs_from_the_declaration_fails_the_demo(
    *,
    forgets: str | None,
    status: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(demo, "EmbeddedEnvironment", FakeEnvironment(tmp_path, forgets=forgets))
    assert demo.run() == status
    assert said in capsys.readouterr().out
