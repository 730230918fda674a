"""The program itself: without its extra, and for a shell that completes its words."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from connect_associations.cli import _FOLDER, __main__


def test_a_missing_extra_is_named_and_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("connect_associations.cli.")]:
        if name != __main__.__name__:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "typer", None)
    with pytest.raises(SystemExit) as stop:
        __main__.main()
    assert stop.value.code == 2
    assert capsys.readouterr().err == (
        "connect-associations needs typer: pip install 'cdk-connect-associations[cli]'\n"
    )


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("", {"status", "repair", "export"}), ("status --w", {"--watch"})],
    ids=["commands", "options"],
)
def test_a_shell_completes_words(typed: str, offered: set[str]) -> None:
    words = f"connect-associations {typed}"
    done = subprocess.run(
        [sys.executable, "-m", "connect_associations.cli"],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*sys.path, _FOLDER]),
            "_CONNECT_ASSOCIATIONS_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) >= offered, done.stderr
