"""What the figures were measured on, without naming the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from embedded import toolchain

_NODE_PACKAGES = Path(__file__).with_name("package.json")
_PACKAGES = ("aws-cdk-lib", "boto3", "moto")


def describe() -> dict[str, str]:
    """Return the date, the machine and the versions."""
    return {
        "Date": datetime.now(tz=UTC).date().isoformat(),
        "CPU": f"{os.cpu_count()} x {_cpu()}",
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: metadata.version(name) for name in _PACKAGES},
        "@aws-sdk/client-connect": json.loads(_NODE_PACKAGES.read_text(encoding="utf-8"))[
            "devDependencies"
        ]["@aws-sdk/client-connect"],
        "CDK CLI": _said(str(toolchain.tools().cdk), "--version").split()[0],
        "ministack": _said(
            str(toolchain.tools().ministack_python),
            "-c",
            "from importlib.metadata import version; print(version('ministack'))",
        ),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown"


def _said(*command: str) -> str:
    return subprocess.run(  # noqa: S603 - our own tools
        command,
        env={**os.environ, "PATH": toolchain.search_path()},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
