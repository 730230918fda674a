"""Synthesized stacks: a cloud assembly (``cdk.out``), or a single template.

Source: `the manifest's schema
<https://github.com/aws/aws-cdk-cli/tree/main/packages/%40aws-cdk/cloud-assembly-schema>`_.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connect_associations.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NESTED = "AWS::CloudFormation::Stack"
_ENVIRONMENT = re.compile(r"aws://(?P<account>[^/]+)/(?P<region>[^/]+)")
_ASSET = re.compile(r"[0-9a-f]{64}")
_SUFFIXES = (".template.json", ".json", ".template")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template.

    :ivar nested: those of its nested stacks by logical ID, as far as they were found.
    """

    body: Mapping[str, Any]
    nested: Mapping[str, Template]

    @property
    def resources(self) -> Mapping[str, Any]:
        """The resources by logical ID, whatever their conditions say."""
        found: Mapping[str, Any] = self.body.get("Resources", {})
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesized:
    """A stack as it was synthesized.

    :ivar ids: what people may call it: its name, and its ID in the app.
    :ivar region: empty where the app leaves it open, and so is *account*.
    """

    name: str
    ids: frozenset[str]
    region: str
    account: str
    template: Template


def of_app(folder: Path) -> list[Synthesized]:
    """Return the stacks of an app, those of its stages too.

    :raises CommandError: there is no cloud assembly.
    """
    if not (folder / "manifest.json").is_file():
        raise CommandError(
            f"there is no cloud assembly in {str(folder)!r}: run cdk synth, or name its folder "
            "with --app, or a template with --template"
        )
    return list(_of_app(folder))


def of_file(path: Path, name: str | None) -> Synthesized:
    """Return the stack of one template.

    :param name: the stack's name. Default: what the file is called
    :raises CommandError: there is no such template.
    """
    suffix = next((suffix for suffix in _SUFFIXES if path.name.endswith(suffix)), "")
    name = name or path.name.removesuffix(suffix)
    template = _template(path, _assets(path.parent))
    return Synthesized(name=name, ids=frozenset({name}), region="", account="", template=template)


def _of_app(folder: Path) -> Iterator[Synthesized]:
    assets = _assets(folder)
    for artifact_id, artifact in _json(folder / "manifest.json").get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        if artifact.get("type") == "cdk:cloud-assembly":
            yield from _of_app(folder / properties["directoryName"])
        if artifact.get("type") != "aws:cloudformation:stack":
            continue
        match = _ENVIRONMENT.fullmatch(artifact.get("environment", ""))
        account, region = match.groups() if match else ("", "")
        name = properties.get("stackName", artifact_id)
        yield Synthesized(
            name=name,
            ids=frozenset({name, artifact_id, artifact.get("displayName", artifact_id)}),
            region="" if region.startswith("unknown-") else region,
            account="" if account.startswith("unknown-") else account,
            template=_template(folder / properties["templateFile"], assets),
        )


def _template(path: Path, assets: Mapping[str, Path]) -> Template:
    body = _json(path)
    nested = {}
    for logical_id, resource in body.get("Resources", {}).items():
        if resource.get("Type") == NESTED:
            found = _nested_file(path.parent, resource, assets)
            if found:
                nested[logical_id] = _template(found, assets)
    return Template(body=body, nested=nested)


def _nested_file(
    folder: Path, resource: Mapping[str, Any], assets: Mapping[str, Path]
) -> Path | None:
    named = resource.get("Metadata", {}).get("aws:asset:path")
    if named:
        return folder / str(named)
    url = json.dumps(resource.get("Properties", {}).get("TemplateURL"))
    return next((assets[each] for each in _ASSET.findall(url) if each in assets), None)


def _assets(folder: Path) -> dict[str, Path]:
    """Return the files that an assembly uploads, by their hashes."""
    return {
        asset_id: folder / source["path"]
        for manifest in folder.glob("*.assets.json")
        for asset_id, asset in _json(manifest).get("files", {}).items()
        if "path" in (source := asset.get("source", {}))
    }


def _json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{str(path)!r} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(
            f"{str(path)!r} is not JSON ({error}); cdk synth prints YAML, but writes JSON to "
            "cdk.out"
        ) from error
    if not isinstance(found, dict):
        raise CommandError(f"{str(path)!r} holds no JSON object, so it is not a template")
    return found
