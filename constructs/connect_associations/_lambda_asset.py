"""The code of the provider's functions, from a checkout or from the installed package."""

from __future__ import annotations

import re
import shutil
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

from connect_associations import _provider_code

if TYPE_CHECKING:
    import os

_ONLY_PYTHON = ["*", "!*/", "!*.py", "__pycache__", ".*"]

_SDK = "boto3"
_SDK_SERVICES = frozenset({"connect", "cloudformation", "dynamodb"})
_SDK_MIN_VERSION = (1, 40, 40)
_SDK_DATA = PurePosixPath("botocore/data")
_UNUSED_SDK_FOLDERS = (
    PurePosixPath("boto3/data"),  # only what boto3.resource() reads
    PurePosixPath("boto3/examples"),
)


def code(*, bundle_sdk: bool) -> lambda_.Code:
    """Return the code of both handlers.

    :param bundle_sdk: whether the installed boto3 goes along; see :func:`find_sdk_problem`.
    """
    folder = str(_provider_code.folder())
    if not bundle_sdk:
        return lambda_.Code.from_asset(folder, exclude=_ONLY_PYTHON, ignore_mode=cdk.IgnoreMode.GIT)
    return lambda_.Code.from_asset(
        folder,
        exclude=_ONLY_PYTHON,
        ignore_mode=cdk.IgnoreMode.GIT,
        # The content decides: neither source hash would change with the SDK's version.
        asset_hash_type=cdk.AssetHashType.OUTPUT,
        bundling=cdk.BundlingOptions(
            # Required by the type, and never started: the local bundling always succeeds.
            image=cdk.DockerImage.from_registry("none"),
            local=_SdkBundling(),
        ),
    )


@jsii.implements(cdk.ILocalBundling)
class _SdkBundling:
    """Copies our code and the installed SDK; needs no Docker."""

    # jsii passes the options, which only Docker needs, by position or by name.
    def try_bundle(self, output_dir: str, *_options: object, **_named: object) -> bool:
        target = Path(output_dir)
        shutil.copytree(
            _provider_code.folder(),
            target,
            dirs_exist_ok=True,
            ignore=lambda folder, names: [name for name in names if not _is_code(folder, name)],
        )
        for distribution in _with_requirements(_SDK):
            for file in distribution.files or ():
                if _is_needed(PurePosixPath(file)):
                    copy = target / file
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(Path(str(distribution.locate_file(file))), copy)
        return True


def _is_code(folder: str | os.PathLike[str], name: str) -> bool:
    if name.startswith((".", "__pycache__")):
        return False
    return name.endswith(".py") or (Path(folder) / name).is_dir()


def _is_needed(file: PurePosixPath) -> bool:
    """Tell whether a file of the SDK's distributions belongs into the asset."""
    if ".." in file.parts or "__pycache__" in file.parts or file.suffix == ".pyc":
        return False
    if any(file.is_relative_to(folder) for folder in _UNUSED_SDK_FOLDERS):
        return False
    if file.parts[0].endswith(".dist-info"):
        return file.name.upper().startswith(("LICENSE", "NOTICE", "METADATA"))
    if not file.is_relative_to(_SDK_DATA):
        return True
    inside = file.relative_to(_SDK_DATA)
    # Files directly in the folder describe all services: endpoints, partitions, retries.
    return len(inside.parts) == 1 or inside.parts[0] in _SDK_SERVICES


def _with_requirements(name: str) -> list[metadata.Distribution]:
    """Return the distribution and all that it requires, extras left out, in a fixed order."""
    found: dict[str, metadata.Distribution] = {}
    pending = [name]
    while pending:
        current = re.sub(r"[-_.]+", "-", pending.pop()).lower()
        if current not in found:
            found[current] = metadata.distribution(current)
            pending += [
                re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
                for requirement in found[current].requires or ()
                if "extra ==" not in requirement
            ]
    return [found[key] for key in sorted(found)]


def find_sdk_problem() -> str | None:
    """Tell why the installed SDK cannot be bundled, and what to install."""
    wanted = ".".join(map(str, _SDK_MIN_VERSION))
    advice = f"run: pip install '{_SDK}>={wanted}'"
    try:
        version = metadata.version(_SDK)
    except metadata.PackageNotFoundError:
        return f"{_SDK} is not installed where the app is synthesized; {advice}"
    if tuple(int(part) for part in re.findall(r"\d+", version)[:3]) < _SDK_MIN_VERSION:
        return f"{_SDK} {version} does not know AssociateContactWithUser; {advice}"
    return None
