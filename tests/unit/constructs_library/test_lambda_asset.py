from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest

from connect_associations import (
    ConnectAssociationProvider,
    InvalidAssociationError,
    _provider_code,
)
from synthesis import of_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LAMBDA = Path(str(_provider_code.folder()))


def build(outdir: Path, *, bundle_sdk: bool = False) -> Path:
    """Return the staged folder of the handlers' code."""
    stack = cdk.Stack(cdk.App(outdir=str(outdir)), "Stack")
    ConnectAssociationProvider(stack, "Provider", bundle_sdk=bundle_sdk)
    root = stack.node.root
    assert isinstance(root, cdk.App)
    artifact = root.synth().get_stack_artifact(stack.artifact_id)
    return _asset(Path(artifact.template_full_path))


def _asset(template_file: Path) -> Path:
    template: Mapping[str, object] = json.loads(template_file.read_text())
    (key,) = {
        function["Properties"]["Code"]["S3Key"]
        for function in of_type(template, "AWS::Lambda::Function").values()
        if function["Properties"]["Handler"].startswith("connect_provider.")
    }
    return template_file.with_name(f"asset.{Path(key).stem}")


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_asset_is_our_python_code_and_nothing_else(tmp_path: Path) -> None:
    asset = build(tmp_path)
    assert files(asset) == {
        str(path.relative_to(LAMBDA))
        for path in LAMBDA.rglob("*.py")
        if "__pycache__" not in path.parts
    }
    assert not list(asset.rglob("__pycache__"))
    assert "connect_provider/ledger/table.py" in files(asset), "packages go along with theirs"


def test_the_hash_does_not_change_with_caches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "lambda"
    for name in files(build(tmp_path / "first")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((LAMBDA / name).read_bytes())
    (copy / ".mypy_cache").mkdir()
    (copy / ".mypy_cache" / "cache.py").write_text("")
    (copy / "connect_provider" / "__pycache__").mkdir()
    (copy / "connect_provider" / "__pycache__" / "handler.cpython-311.pyc").write_bytes(b"x")
    (copy / "connect_provider" / "py.typed").write_text("")
    monkeypatch.setattr(_provider_code, "folder", lambda: copy)
    assert build(tmp_path / "second").name == build(tmp_path / "third").name
    monkeypatch.undo()
    assert build(tmp_path / "fourth").name == build(tmp_path / "second").name


def test_the_asset_stays_small(tmp_path: Path) -> None:
    """Decision 6 says why the source goes along as it is."""
    asset = build(tmp_path / "out")
    archive = tmp_path / "asset.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in sorted(files(asset)):
            zipped.write(asset / name, name)
    assert archive.stat().st_size <= 84 * 1024


def test_the_sdk_is_bundled_with_the_services_that_are_called(tmp_path: Path) -> None:
    asset = build(tmp_path, bundle_sdk=True)
    bundled = files(asset)
    services = {name.split("/")[2] for name in bundled if name.startswith("botocore/data/")}
    assert {name for name in services if "." not in name} == {
        "cloudformation",
        "connect",
        "dynamodb",
        "events",
    }
    assert "connect_provider/__init__.py" in bundled
    assert "botocore/cacert.pem" in bundled
    assert not [name for name in bundled if name.endswith((".pyc", ".so")) or "/tests/" in name]
    # Isolated and without site-packages: only what the asset holds can be imported.
    code = (
        f"import sys; sys.path.insert(0, {str(asset)!r}); sys.dont_write_bytecode = True\n"
        "import boto3, connect_provider\n"
        "connect = boto3.client('connect', region_name='us-east-1')\n"
        "assert connect.can_paginate('list_traffic_distribution_group_users')\n"
        "assert hasattr(connect, 'associate_contact_with_user')\n"
        "for service in ('cloudformation', 'dynamodb'):\n"
        "    boto3.client(service, region_name='us-east-1')\n"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)  # noqa: S603 - our own code


def test_the_same_sdk_gives_the_same_hash(tmp_path: Path) -> None:
    first, second = (build(tmp_path / name, bundle_sdk=True).name for name in ("a", "b"))
    assert first == second


# However the library is installed -----------------------------------------------------------------

APP = """
import sys

import aws_cdk as cdk
from connect_associations import ConnectAssociationProvider

app = cdk.App(outdir=sys.argv[1])
for bundle_sdk in (False, True):
    stack = cdk.Stack(app, f"Sdk{bundle_sdk}")
    ConnectAssociationProvider(stack, "Provider", bundle_sdk=bundle_sdk)
app.synth()
"""


def install(site: Path) -> Path:
    """Install the library as a wheel does, readable by its owner only."""
    package = site / "connect_associations"
    no_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(LAMBDA.parent / "constructs/connect_associations", package, ignore=no_caches)
    shutil.copytree(LAMBDA, package / "_lambda", ignore=no_caches)
    for path in site.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return package


def linked_folder(site: Path) -> Path:
    elsewhere = site.with_name("elsewhere")
    site.mkdir()
    (site / "connect_associations").symlink_to(install(elsewhere), target_is_directory=True)
    return site


def linked_files(site: Path) -> Path:
    """Each file is a link to a store in which it has another name and no neighbours."""
    store = site.with_name("store")
    store.mkdir()
    install(site)
    for number, file in enumerate(path for path in site.rglob("*") if path.is_file()):
        file.rename(store / str(number))
        file.symlink_to(store / str(number))
    return site


def archive(site: Path) -> Path:
    unpacked = site.with_name("unpacked")
    install(unpacked)
    return Path(shutil.make_archive(str(site), "zip", unpacked))


def plain(site: Path) -> Path:
    install(site)
    return site


def synthesized(folder: Path, *, site: Path, umask: int) -> dict[str, Path]:
    """Return the folders of the handlers' code by stack, synthesized by a process of its own."""
    code = f"import sys; sys.path[:0] = [{str(site)!r}]\n{APP}"
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code, str(folder / "out")],
        cwd=folder,
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {
        template.name.split(".")[0]: _asset(template)
        for template in (folder / "out").glob("Sdk*")
        if template.name.endswith(".template.json")
    }


@pytest.fixture(scope="module")
def hashes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the hashes that everybody else gets."""
    return {
        f"Sdk{bundle_sdk}": build(tmp_path_factory.mktemp("out"), bundle_sdk=bundle_sdk).name
        for bundle_sdk in (False, True)
    }


@pytest.mark.parametrize(
    "installed",
    [
        plain,
        archive,
        *(pytest.param(each, marks=pytest.mark.soak) for each in (linked_folder, linked_files)),
    ],
)
def test_the_code_is_readable_and_the_same_however_it_is_installed(
    tmp_path: Path, hashes: dict[str, str], installed: Callable[[Path], Path]
) -> None:
    assets = synthesized(tmp_path, site=installed(tmp_path / "site"), umask=0o077)
    assert {stack: asset.name for stack, asset in assets.items()} == hashes
    for asset in assets.values():
        files = [path for path in asset.rglob("*") if path.is_file()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o644}
        assert not any(path.is_symlink() for path in asset.rglob("*"))
        folders = [asset, *(path for path in asset.rglob("*") if path.is_dir())]
        assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o755}


def test_the_sdk_makes_another_asset_in_the_same_app(hashes: dict[str, str]) -> None:
    assert len(set(hashes.values())) == 2


@pytest.mark.parametrize(
    ("version", "message"),
    [(None, "boto3 is not installed"), ("1.40.4", "boto3 1.40.4 does not know")],
)
def test_an_sdk_that_cannot_be_bundled_is_told(
    stack: cdk.Stack, monkeypatch: pytest.MonkeyPatch, version: str | None, message: str
) -> None:
    def installed(name: str) -> str:
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(metadata, "version", installed)
    with pytest.raises(InvalidAssociationError, match=f"bundle_sdk: {message}.*pip install"):
        ConnectAssociationProvider(stack, "Provider", bundle_sdk=True)
