"""Write a CycloneDX list of what the Lambda functions hold: every file with its SHA-256.

The asset is synthesized as a stack would do it, so that what is listed is what is deployed. With
``--bundle-sdk`` the distributions of the SDK are listed too, each with its version and files.
"""

# ruff: noqa: INP001, T201 - a program that people run
# The class decorators of cyclonedx-python-lib hide the classes from pyright:
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportArgumentType=false
# pyright: reportReturnType=false

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import uuid
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parent.parent
# In a checkout the library needs no installation.
sys.path.insert(0, str(ROOT / "constructs"))

from connect_associations import ConnectAssociationProvider, __version__  # noqa: E402 - see above

if TYPE_CHECKING:
    from collections.abc import Iterable

_OURS = "connect_provider"
_DIST_INFO = ".dist-info"


def main(arguments: list[str] | None = None) -> None:
    """Write the list to the file that was named."""
    parser = argparse.ArgumentParser(prog="sbom", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "--output", type=Path, default=ROOT / "build" / "sbom.json", help="where it is written"
    )
    parser.add_argument(
        "--bundle-sdk", action="store_true", help="for ConnectAssociationProvider(bundle_sdk=True)"
    )
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        listed = describe(synthesize(Path(folder), bundle_sdk=chosen.bundle_sdk))
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(listed, encoding="utf-8")
    print(f"Wrote {chosen.output}")


def synthesize(folder: Path, *, bundle_sdk: bool) -> Path:
    """Return the folder that a stack deploys as the functions' code.

    :param folder: where the app is synthesized.
    :param bundle_sdk: as for the provider.
    """
    app = cdk.App(outdir=str(folder))
    stack = cdk.Stack(app, "Stack")
    provider = ConnectAssociationProvider(stack, "Provider", bundle_sdk=bundle_sdk)
    artifact = app.synth().get_stack_artifact(stack.artifact_id)
    template: dict[str, Any] = json.loads(Path(artifact.template_full_path).read_text("utf-8"))
    logical_id = stack.resolve(provider.on_event_handler.function_arn)["Fn::GetAtt"][0]
    key = template["Resources"][logical_id]["Properties"]["Code"]["S3Key"]
    return folder / f"asset.{Path(key).stem}"


def describe(asset: Path) -> str:
    """Return the list of what *asset* holds, as JSON.

    :param asset: the folder of the functions' code.
    :raises ValueError: a file belongs neither to us nor to a distribution.
    """
    files = {
        path.relative_to(asset).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(asset.rglob("*"))
        if path.is_file()
    }
    ours = [name for name in files if name.startswith(f"{_OURS}/")]
    left = set(files) - set(ours)
    components = [_file(name, files[name]) for name in ours]
    for name in sorted({name.partition("/")[0] for name in left if _DIST_INFO in name}):
        distribution = metadata.distribution(name.partition("-")[0])
        held = sorted(left & {file.as_posix() for file in distribution.files or ()})
        left -= set(held)
        components.append(_distribution(distribution, [_file(file, files[file]) for file in held]))
    if left:
        raise ValueError(f"in {asset}, and of unknown origin: {', '.join(sorted(left))}")
    asset_itself = Component(
        type=ComponentType.APPLICATION,
        name="cdk-connect-associations-lambda",
        version=__version__,
        licenses=[DisjunctiveLicense(id="Apache-2.0")],
    )
    bom = Bom(
        # The same content is the same list.
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(files)),
        metadata=BomMetaData(component=asset_itself),
        components=components,
    )
    bom.register_dependency(asset_itself, components)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _file(name: str, sha256: str) -> Component:
    return Component(
        type=ComponentType.FILE,
        name=name,
        bom_ref=name,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)],
    )


def _distribution(distribution: metadata.Distribution, files: Iterable[Component]) -> Component:
    name, version = distribution.metadata["Name"], distribution.version
    url = PackageURL(type="pypi", name=name.lower().replace("_", "-"), version=version)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        bom_ref=str(url),
        purl=url,
        components=files,
    )


if __name__ == "__main__":
    main()
