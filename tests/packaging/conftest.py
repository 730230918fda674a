from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from wheels import ROOT, build, once, wheel_of_checkout

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    return wheel_of_checkout(tmp_path_factory)


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution."""
    return once(
        tmp_path_factory, "sdist", lambda folder: build("sdist", source=ROOT, output=folder)
    )


@pytest.fixture(scope="session")
def unpacked_sdist(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the source distribution unpacks to."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        # The first releases of Python 3.11 know no filter, and later ones want one.
        safely: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(folder, **safely)  # noqa: S202 - we have just built it
    (source,) = folder.iterdir()
    return source


@pytest.fixture(scope="session")
def wheel_from_sdist(unpacked_sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from nothing but the source distribution."""
    return once(
        tmp_path_factory,
        "wheel-from-sdist",
        lambda folder: build("wheel", source=unpacked_sdist, output=folder),
    )
