"""What every test needs: jsii on the Node of the virtual environment, not on the machine's; and
that nothing private is logged.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NODE = Path(sys.prefix) / "bin" / "node"

if _NODE.exists():
    os.environ.setdefault("JSII_NODE", str(_NODE))

pytest_plugins = ["leaks"]
