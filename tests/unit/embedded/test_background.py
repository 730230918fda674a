from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connect_associations.testing.emulator.background import (
    HOST,
    BackgroundServer,
    check_port,
    free_port,
)
from connect_associations.testing.emulator.errors import PortTakenError, StartError

ROOT = Path(__file__).resolve().parents[3]

SERVER = """
import http.server, os, pathlib, subprocess, sys
folder = pathlib.Path(sys.argv[2])
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
(folder / "pids").write_text(f"{os.getpid()} {grandchild.pid}")
address = ("127.0.0.1", int(sys.argv[1]))
http.server.HTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER


def background(folder: Path, program: str, *, port: int | None = None) -> BackgroundServer:
    port = port or free_port()
    return BackgroundServer(
        name="the test's server",
        command=[sys.executable, "-c", program, str(port), str(folder)],
        environment={"PATH": os.defpath},
        port=port,
        ready_path="/",
        log=folder / "log",
    )


def pids(folder: Path) -> list[int]:
    return [int(word) for word in (folder / "pids").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:  # noqa: PTH123 - procfs
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(*gone: int) -> None:
    deadline = time.monotonic() + 10
    while any(map(is_running, gone)):
        assert time.monotonic() < deadline, "a program was left behind"
        time.sleep(0.02)


def test_stop_ends_the_program_and_what_it_started(tmp_path: Path) -> None:
    server = background(tmp_path, SERVER)
    server.start()
    assert all(map(is_running, pids(tmp_path)))
    server.stop()
    wait_until_gone(*pids(tmp_path))
    server.stop()


def test_a_program_that_ignores_sigterm_is_ended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connect_associations.testing.emulator.background._STOP_SECONDS", 1.0)
    server = background(tmp_path, STUBBORN)
    server.start()
    server.stop()
    wait_until_gone(*pids(tmp_path))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_a_parent_that_is_killed(tmp_path: Path, how: signal.Signals) -> None:
    port = free_port()
    parent = f"""
import sys, time
sys.path.insert(0, {str(ROOT / "constructs")!r})
from pathlib import Path
from connect_associations.testing.emulator.background import BackgroundServer
server = BackgroundServer(
    name="x", command=[sys.executable, "-c", {SERVER!r}, "{port}", {str(tmp_path)!r}],
    environment={{}}, port={port}, ready_path="/", log=Path({str(tmp_path / "log")!r}),
)
server.start()
print("started", flush=True)
time.sleep(600)
"""
    with subprocess.Popen(  # noqa: S603 - the test's own program
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "started\n"
        assert all(map(is_running, pids(tmp_path)))
        process.send_signal(how)
    wait_until_gone(*pids(tmp_path))


def test_a_program_that_ends_while_starting_is_an_error_with_its_output(tmp_path: Path) -> None:
    server = background(tmp_path, "print('no luck today'); raise SystemExit(3)")
    with pytest.raises(StartError, match=r"the test's server ended while starting:\n  no luck"):
        server.start()


def test_a_program_that_does_not_answer_in_time_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connect_associations.testing.emulator.background._START_SECONDS", 1.0)
    quiet = (
        "import os, pathlib, sys, time; "
        "pathlib.Path(sys.argv[2], 'pids').write_text(str(os.getpid())); time.sleep(600)"
    )
    server = background(tmp_path, quiet)
    with pytest.raises(StartError, match="did not answer within 1 s"):
        server.start()
    wait_until_gone(*pids(tmp_path))


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"port {port} cannot be used for AWS .*another"):
            check_port(port, what="AWS")
    check_port(free_port(), what="AWS")
