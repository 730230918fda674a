"""The code of the provider's functions, from wherever the library is installed.

It is copied file by file, and each copy gets a fixed mode: the published zip keeps the modes of the
files, and Lambda reads them as another user. So it does not matter with which umask the library was
installed or the app is synthesized, whether there are symbolic links, or whether the library is in
an archive. The hash depends on nothing but names and contents.
"""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

from connect_associations import _provider_code

if TYPE_CHECKING:
    from importlib.abc import Traversable

_FILE_MODE = 0o644
_FOLDER_MODE = 0o755

_SDK = "boto3"
_SDK_SERVICES = frozenset({"connect", "cloudformation", "dynamodb", "events"})
_SDK_MIN_VERSION = (1, 40, 40)
_SDK_DATA = PurePosixPath("botocore/data")
_UNUSED_SDK_FOLDERS = (
    PurePosixPath("boto3/data"),  # only what boto3.resource() reads
    PurePosixPath("boto3/examples"),
)


def code(*, bundle_sdk: bool) -> lambda_.Code:
    """Return the code of both handlers.

    :param bundle_sdk: whether to include the installed boto3; see :func:`find_sdk_problem`.
    """
    return lambda_.Code.from_asset(
        # The CDK asks for a folder, and reads nothing in it.
        str(next(parent for parent in Path(__file__).parents if parent.is_dir())),
        # The content decides.
        asset_hash_type=cdk.AssetHashType.OUTPUT,
        bundling=cdk.BundlingOptions(
            # Required by the type, and never started: the local bundling always succeeds.
            image=cdk.DockerImage.from_registry("none"),
            # This is how the CDK tells two bundlings of one app apart.
            command=[_SDK] if bundle_sdk else [],
            local=_Copy(with_sdk=bundle_sdk),
        ),
    )


@jsii.implements(cdk.ILocalBundling)
class _Copy:
    """Copies our code, and the installed SDK if that is wanted; needs no Docker."""

    def __init__(self, *, with_sdk: bool) -> None:
        self._with_sdk = with_sdk

    # jsii passes the options, which only Docker needs, by position or by name.
    def try_bundle(self, output_dir: str, *_options: object, **_named: object) -> bool:
        target = Path(output_dir)
        _copy_code(_provider_code.folder(), target)
        for distribution in _with_requirements(_SDK) if self._with_sdk else ():
            for file in distribution.files or ():
                if _is_needed(PurePosixPath(file)):
                    _write(target / file, file.read_binary())
        for path in (target, *target.rglob("*")):
            path.chmod(_FOLDER_MODE if path.is_dir() else _FILE_MODE)
        return True


def _copy_code(source: Traversable, target: Path) -> None:
    """Copy all modules below *source*."""
    for entry in source.iterdir():
        if entry.name.startswith((".", "__pycache__")):
            continue
        if entry.is_dir():
            _copy_code(entry, target / entry.name)
        elif entry.name.endswith(".py"):
            _write(target / entry.name, entry.read_bytes())


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _is_needed(file: PurePosixPath) -> bool:
    """Tell whether a file of the SDK's distributions belongs in the asset."""
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
